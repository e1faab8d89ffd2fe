"""Collects a Hub: brings its store up to date, and hands its tables on.

One listing, then the READMEs whose commit is new. A listing takes effect whole or not at all; READMEs
are kept as far as they were read. How repositories are listed belongs in `listing.py`, how READMEs are
read in `readmes.py`, what is kept between collections in `store.py`.
"""

import time
from contextlib import suppress
from datetime import UTC, datetime
from types import MappingProxyType

import pyarrow as pa

from modellens_core.config import Settings
from modellens_core.errors import SourceCorruptError, SourceUnreachableError
from modellens_core.progress import Progress
from modellens_core.sources.base import Collected, RawTables, SourceState, SourceStatus
from modellens_core.sources.hub.client import HubClient
from modellens_core.sources.hub.listing import Crawl, list_repositories
from modellens_core.sources.hub.raw_tables import SOURCE
from modellens_core.sources.hub.readmes import Reading, read_readmes
from modellens_core.sources.hub.store import HubStore


def collect_hub(settings: Settings, previous: RawTables, progress: Progress) -> Collected:
    """Read the Hub at `settings.hub_endpoint`; what it does not give stays as it was.

    Raises:
        ModelLensError: the store cannot be used, is of a newer version, or another collection writes to it.
    """
    # A token copied with its line end would make an illegal header.
    token = settings.hub_token.get_secret_value().strip() if settings.hub_token is not None else ""
    client = HubClient(settings.hub_endpoint, token or None)
    store = HubStore(settings.hub_store_path)
    return collect_from(client, Crawl.of(settings), store, progress, previous)


def collect_from(
    client: HubClient,
    crawl: Crawl,
    store: HubStore,
    progress: Progress,
    previous: RawTables = MappingProxyType({}),
) -> Collected:
    """Read a Hub through a client.

    Args:
        client: where to read.
        crawl: what to read.
        store: what was read before; what is new is added.
        progress: told about every page and README.
        previous: raw tables of the last collection; they fill a store that is new or was lost.

    Returns:
        Tables `models` and `readmes`, read from the store while they are written, and one status each.
    """
    started, now = time.perf_counter(), datetime.now(UTC)
    kept = _take_over(store, previous)
    statuses = []
    try:
        client.probe()
        kind = list_repositories(client, crawl, store, now, progress)
    except (SourceUnreachableError, SourceCorruptError) as error:
        rows = kept["models"].num_rows if "models" in kept else store.counts()[0]
        statuses.append(_failed(error, client, rows, time.perf_counter() - started))
    else:
        kept = {}
        seconds, requests = time.perf_counter() - started, client.requests
        reading = read_readmes(client, store, progress) if crawl.readmes else None
        models, closed, readmes = store.counts()
        statuses = [
            SourceStatus(
                source=SOURCE, part="listing", state=SourceState.OK, rows=models, requests=requests,
                seconds=seconds, detail=f"{kind}; {closed:,} closed" if closed else kind,
            ),
            _readme_status(reading, readmes, client.requests - requests),
        ]  # fmt: skip
    stored = {"models": store.models(), "readmes": store.readmes()}
    return Collected({**stored, **kept}, tuple(statuses))


def _take_over(store: HubStore, previous: RawTables) -> dict[str, pa.Table]:
    """Fill a blank store; returns the tables that it could not take: they stay until the Hub is listed."""
    if not store.blank:
        return {}
    tables = {}
    for name in ("models", "readmes"):
        with suppress(KeyError, OSError, pa.ArrowException):  # not there, or not readable any more
            tables[name] = previous[name]
    try:
        store.seed(tables)
    except (KeyError, TypeError, ValueError):  # columns of long ago
        return tables
    return {}


def _failed(
    error: SourceUnreachableError | SourceCorruptError,
    client: HubClient,
    rows: int,
    seconds: float,
) -> SourceStatus:
    """Why the last good listing stays."""
    corrupt = isinstance(error, SourceCorruptError)
    return SourceStatus(
        source=SOURCE, part="listing", state=SourceState.CORRUPT if corrupt else SourceState.UNREACHABLE,
        detail=f"{error}; the last good collection stays" if rows else str(error), rows=rows,
        requests=client.requests, seconds=seconds,
    )  # fmt: skip


def _readme_status(reading: Reading | None, rows: int, requests: int) -> SourceStatus:
    off = "not read in this profile; set MODELLENS_HUB_READ_READMES=true to read them"
    partial = reading is not None and reading.problem
    return SourceStatus(
        source=SOURCE, part="readmes", state=SourceState.PARTIAL if partial else SourceState.OK,
        detail=off if reading is None else reading.describe(), rows=rows, requests=requests,
        seconds=0.0 if reading is None else reading.seconds,
    )  # fmt: skip
