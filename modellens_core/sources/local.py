"""Reads the files of a local snapshot folder into raw tables, with where and when.

What every file-based source shares: the stamp (file, SHA-256, modification time as the time of
retrieval), how a missing or damaged file is reported, and that the last good table then stays. What a
file means belongs in the source's own module.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from modellens_core.config import Settings
from modellens_core.errors import SourceCorruptError, SourceUnreachableError
from modellens_core.progress import Progress, track
from modellens_core.sources.base import Collected, RawTables, SourceState, SourceStatus
from modellens_core.store.lake import file_sha256

STAMP = (
    pa.field("_file", pa.string(), nullable=False),
    pa.field("_sha256", pa.string(), nullable=False),
    pa.field("_retrieved_at", pa.timestamp("us", tz="UTC"), nullable=False),
)


@dataclass(frozen=True, slots=True)
class LocalFile:
    """One file of the snapshot and the raw table it becomes.

    Attributes:
        path: relative to the snapshot folder.
        read: file to table; raises `SourceCorruptError` where the file is not what was promised.
        required: columns without which the table is worthless.
        expected: columns whose absence is reported, but costs only what they say.
    """

    path: str
    read: Callable[[Path], pa.Table]
    required: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()


def read_parquet(path: Path) -> pa.Table:
    """Read a Parquet file as it is.

    Raises:
        SourceCorruptError: it is not Parquet, or cut short.
    """
    try:
        return pq.read_table(path, use_threads=False)
    except (pa.ArrowInvalid, OSError) as error:
        reason = str(error).splitlines()[0][:120]
        raise SourceCorruptError(
            f"{path.name} is not a whole Parquet file ({reason}); fetch it again"
        ) from None


def collect_files(
    source: str,
    files: Mapping[str, LocalFile],
    settings: Settings,
    previous: RawTables,
    progress: Progress,
) -> Collected:
    """Read the files of one source; a file that cannot be read leaves its previous table standing.

    Args:
        source: key of the source, for the statuses.
        files: raw table name to its file.
        settings: `snapshot_dir` is the folder the paths are relative to.
        previous: tables of the last collection.
        progress: told about every file.

    Returns:
        One table per entry of `files` (an empty one if the file was never read) and one status each.
    """
    tables: dict[str, pa.Table] = {}
    statuses: list[SourceStatus] = []
    for name, file in track(files.items(), source, len(files), progress):
        started = time.perf_counter()
        state, detail = SourceState.OK, ""
        try:
            table = _read(file, settings.snapshot_dir)
            if missing := _missing(table, file.expected):
                state = SourceState.PARTIAL
                detail = f"{file.path} has no column {missing}: what it says stays unknown"
        except (SourceUnreachableError, SourceCorruptError) as error:
            corrupt = isinstance(error, SourceCorruptError)
            state = SourceState.CORRUPT if corrupt else SourceState.UNREACHABLE
            kept = previous.get(name)
            detail = str(error) + ("; the last good copy stays" if kept is not None else "")
            table = pa.schema(STAMP).empty_table() if kept is None else kept
        tables[name] = table
        statuses.append(
            SourceStatus(
                source=source, part=file.path, state=state, detail=detail, rows=table.num_rows,
                seconds=time.perf_counter() - started,
            )
        )  # fmt: skip
    return Collected(tables, tuple(statuses))


def _read(file: LocalFile, folder: Path | None) -> pa.Table:
    if folder is None:
        raise SourceUnreachableError(
            f"{file.path} is read from a local folder; set MODELLENS_SNAPSHOT_DIR to it"
        )
    path = folder / file.path
    if not path.is_file():
        raise SourceUnreachableError(f"there is no {file.path} below MODELLENS_SNAPSHOT_DIR")
    table = file.read(path)
    if missing := _missing(table, file.required):
        raise SourceCorruptError(f"{file.path} has no column {missing}; was it renamed?")
    modified = datetime.fromtimestamp(int(path.stat().st_mtime), tz=UTC)
    stamp = (file.path, file_sha256(path), modified)
    for field, value in zip(STAMP, stamp, strict=True):
        column = pa.repeat(pa.scalar(value, field.type), table.num_rows)
        table = table.append_column(field, column)
    return table.replace_schema_metadata(None)


def _missing(table: pa.Table, columns: tuple[str, ...]) -> str:
    return ", ".join(repr(c) for c in columns if c not in table.column_names)
