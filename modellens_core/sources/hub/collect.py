"""Reads the Hub: one expanded listing, then the READMEs whose commit is new.

The listing carries metadata, gold and silver, so nothing is asked per repository but the README text.
What did not change keeps its row and its time of reading: an unchanged Hub gives identical tables. A
listing is taken whole or not at all; READMEs are kept as far as they were read.
"""

import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pyarrow as pa

from modellens_core.config import Profile, Settings
from modellens_core.errors import SourceCorruptError, SourceUnreachableError
from modellens_core.progress import Progress
from modellens_core.sources.base import Collected, RawTables, SourceState, SourceStatus
from modellens_core.sources.hub.client import PAGE_SIZE, HubClient, TextFile
from modellens_core.sources.hub.raw_tables import MODELS, READMES, SOURCE, repo_url

EXPAND = (
    "sha", "lastModified", "createdAt", "siblings", "tags", "pipeline_tag", "library_name", "downloads",
    "likes", "gated", "private", "disabled", "config", "safetensors", "baseModels", "cardData",
    "model-index", "evalResults",
)  # fmt: skip
README = "README.md"
WORKERS = 8
_CHUNK = 512  # READMEs between two looks at how it goes
_HOPELESS = 25  # failed READMEs in one chunk after which the Hub is left alone


@dataclass(frozen=True, slots=True)
class Crawl:
    """What to read.

    Attributes:
        bound: repositories to list; 0 means all.
        sort: order of the listing. The most used first where there is a bound; else by creation, where
            new repositories do not move the others while pages are read.
        readmes: whether README texts are read.
    """

    bound: int
    sort: str
    readmes: bool

    @staticmethod
    def of(settings: Settings) -> "Crawl":
        """The crawl of a profile: bounded in quickstart, or where a bound was set on purpose."""
        quick = settings.profile is Profile.QUICKSTART
        bounded = quick or "hub_max_models" in settings.model_fields_set
        bound = max(0, settings.hub_max_models) if bounded else 0
        wanted = settings.hub_read_readmes
        return Crawl(
            bound=bound,
            sort="downloads" if bound else "createdAt",
            readmes=not quick if wanted is None else wanted,
        )


@dataclass(slots=True)
class _Readmes:
    """README rows by repository, and how reading them went."""

    rows: dict[str, dict[str, Any]]
    read: int = 0
    failed: int = 0
    seconds: float = 0.0
    problem: str = ""
    without_text: dict[str, int] = field(default_factory=dict)


def collect_hub(settings: Settings, previous: RawTables, progress: Progress) -> Collected:
    """Read the Hub at `settings.hub_endpoint`; what it does not give stays as it was."""
    # A token copied with its line end would make an illegal header.
    token = settings.hub_token.get_secret_value().strip() if settings.hub_token is not None else ""
    client = HubClient(settings.hub_endpoint, token or None)
    return collect_from(client, Crawl.of(settings), previous, progress)


def collect_from(
    client: HubClient, crawl: Crawl, previous: RawTables, progress: Progress
) -> Collected:
    """Read a Hub through a client.

    Args:
        client: where to read.
        crawl: what to read.
        previous: tables of the last collection; unchanged rows are taken over.
        progress: told about every page and README.

    Returns:
        Tables `models` and `readmes`, and one status each.
    """
    started = time.perf_counter()
    now = datetime.now(UTC)
    try:
        client.probe()
        listed = _listing(client, crawl, progress)
    except (SourceUnreachableError, SourceCorruptError) as error:
        return _kept(previous, error, client, time.perf_counter() - started)
    models = _models_table(listed, previous.get("models"), now)
    listing_status = SourceStatus(
        source=SOURCE, part="listing", state=SourceState.OK, rows=models.num_rows,
        requests=client.requests, seconds=time.perf_counter() - started,
    )  # fmt: skip
    readmes = _collect_readmes(client, crawl, models, listed, previous, now, progress)
    table = pa.Table.from_pylist([readmes.rows[k] for k in sorted(readmes.rows)], schema=READMES)
    readme_status = SourceStatus(
        source=SOURCE, part="readmes", state=SourceState.PARTIAL if readmes.problem else SourceState.OK,
        detail=_describe(readmes, crawl), rows=table.num_rows,
        requests=client.requests - listing_status.requests, seconds=readmes.seconds,
    )  # fmt: skip
    return Collected({"models": models, "readmes": table}, (listing_status, readme_status))


def _kept(
    previous: RawTables,
    error: SourceUnreachableError | SourceCorruptError,
    client: HubClient,
    seconds: float,
) -> Collected:
    """The last good tables, and why there are no newer ones."""
    tables = {
        name: previous[name] if name in previous else schema.empty_table()
        for name, schema in (("models", MODELS), ("readmes", READMES))
    }
    corrupt = isinstance(error, SourceCorruptError)
    rows = tables["models"].num_rows
    detail = f"{error}; the last good collection stays" if rows else str(error)
    status = SourceStatus(
        source=SOURCE, part="listing", state=SourceState.CORRUPT if corrupt else SourceState.UNREACHABLE,
        detail=detail, rows=rows, requests=client.requests, seconds=seconds,
    )  # fmt: skip
    return Collected(tables, (status,))


def _listing(client: HubClient, crawl: Crawl, progress: Progress) -> dict[str, dict[str, Any]]:
    """All public repositories by id. A repository that moved between two pages counts once."""
    size = min(PAGE_SIZE, crawl.bound) if crawl.bound else PAGE_SIZE
    params = {"sort": crawl.sort, "limit": size, "expand": list(EXPAND)}
    objects = (o for page in client.pages("/api/models", params) for o in page)
    total = crawl.bound or None
    found: dict[str, dict[str, Any]] = {}
    for count, listed in enumerate(islice(objects, total), start=1):
        if not isinstance(listed, dict) or not isinstance(listed.get("id"), str):
            raise SourceCorruptError(
                f"{client.shown} lists a model without an id; check that HF_ENDPOINT is a Hub"
            )
        # A token shows its owner's private repositories: those are nobody else's business.
        if not listed.get("private"):
            found[listed["id"]] = listed
        if count % PAGE_SIZE == 0:
            progress("Hub listing", count, total)
    progress("Hub listing", len(found), len(found))
    return found


def _models_table(
    listed: dict[str, dict[str, Any]], before: pa.Table | None, now: datetime
) -> pa.Table:
    """Rows sorted by repository; one that is listed as before keeps the time it was first read."""
    known: dict[tuple[str, str], datetime] = {}
    if before is not None:
        columns = (before[c].to_pylist() for c in ("repo_id", "listing_json", "retrieved_at"))
        known = {(repo_id, text): read for repo_id, text, read in zip(*columns, strict=True)}
    rows = []
    for repo_id in sorted(listed):
        text = _valid_json(listed[repo_id])
        rows.append(
            {
                "repo_id": repo_id,
                "sha": _text(listed[repo_id].get("sha")),
                "last_modified": _time(listed[repo_id].get("lastModified")),
                "created_at": _time(listed[repo_id].get("createdAt")),
                "listing_json": text,
                "retrieved_at": known.get((repo_id, text), now),
                "source_url": repo_url(repo_id),
            }
        )
    return pa.Table.from_pylist(rows, schema=MODELS)


def _valid_json(listed: dict[str, Any]) -> str:
    """The object as JSON; lone surrogates, which no UTF-8 can hold, become question marks."""
    text = json.dumps(listed, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace").decode("utf-8")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _time(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value)).astimezone(UTC)
    except ValueError:
        return None


def _collect_readmes(
    client: HubClient,
    crawl: Crawl,
    models: pa.Table,
    listed: dict[str, dict[str, Any]],
    previous: RawTables,
    now: datetime,
    progress: Progress,
) -> _Readmes:
    """Read what is new; every other row of a repository that is still listed is taken over."""
    before = previous["readmes"].to_pylist() if "readmes" in previous else []
    result = _Readmes({r["repo_id"]: r for r in before if _has_readme(listed.get(r["repo_id"]))})
    if not crawl.readmes:
        return result
    wanted = [
        (repo_id, sha)
        for repo_id, sha in zip(models["repo_id"].to_pylist(), models["sha"].to_pylist(), strict=True)
        if sha is not None and _has_readme(listed[repo_id])
        and result.rows.get(repo_id, {}).get("sha") != sha
    ]  # fmt: skip
    started = time.perf_counter()
    for repo_id, sha, answer in _read_all(client, wanted, progress):
        if isinstance(answer, SourceUnreachableError):
            result.failed += 1
            result.problem = str(answer)
            continue
        result.read += 1
        if answer.text is None:
            result.without_text[answer.outcome] = result.without_text.get(answer.outcome, 0) + 1
        result.rows[repo_id] = {
            "repo_id": repo_id, "sha": sha, "outcome": answer.outcome, "text": answer.text,
            "etag": answer.etag, "retrieved_at": now,
        }  # fmt: skip
    result.failed += len(wanted) - result.read - result.failed
    result.seconds = time.perf_counter() - started
    return result


def _has_readme(listed: dict[str, Any] | None) -> bool:
    if listed is None or listed.get("disabled"):
        return False
    siblings = listed.get("siblings") or ()
    return any(isinstance(s, dict) and s.get("rfilename") == README for s in siblings)


Answer = TextFile | SourceUnreachableError


def _read_all(
    client: HubClient, wanted: Sequence[tuple[str, str]], progress: Progress
) -> Iterator[tuple[str, str, Answer]]:
    """Read READMEs in parallel, in order; ends early when the Hub has clearly stopped answering."""

    def read(job: tuple[str, str]) -> Answer:
        try:
            return client.read_text(*job, README)
        except SourceUnreachableError as error:
            return error

    progress("Hub READMEs", 0, len(wanted))
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="hub") as pool:
        try:
            for start in range(0, len(wanted), _CHUNK):
                jobs = wanted[start : start + _CHUNK]
                failed = 0
                for done, (job, answer) in enumerate(
                    zip(jobs, pool.map(read, jobs), strict=True), start=start + 1
                ):
                    failed += isinstance(answer, SourceUnreachableError)
                    yield (*job, answer)
                    progress("Hub READMEs", done, len(wanted))
                    if failed >= _HOPELESS:
                        pool.shutdown(wait=False, cancel_futures=True)
                        return
        except BaseException:  # Ctrl-C: waiting threads must not hold the process up
            client.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _describe(readmes: _Readmes, crawl: Crawl) -> str:
    if not crawl.readmes:
        return "not read in this profile; set MODELLENS_HUB_READ_READMES=true to read them"
    rate = f", {readmes.read / readmes.seconds:.0f}/s" if readmes.read and readmes.seconds else ""
    text = f"{readmes.read:,} read{rate}"
    text += "".join(f", {n:,} {outcome}" for outcome, n in sorted(readmes.without_text.items()))
    if readmes.problem:
        text += f"; {readmes.failed:,} not read: {readmes.problem}; run again to read the rest"
    return text
