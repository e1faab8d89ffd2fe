"""The lake: where every table lives, and how it gets there whole or not at all.

A table is named `layer/name` or `layer/part/name` and lies in `<root>/layer/.../name.parquet`. Writing
goes to a temporary file in the same folder, then `os.replace`: a reader sees the old table or the new
one, never half of it, and a killed run leaves the old one. SQL sees `layer/name` as `layer.name`, and
all `layer/*/name` together as one `layer.name`. What the tables mean belongs in `schema.py` and `sql/`.
"""

import hashlib
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from modellens_core.errors import ModelLensError
from modellens_core.store import duck


@dataclass(frozen=True, slots=True)
class TableInfo:
    """What was written: enough for row counts, lineage and equality."""

    table: str
    path: Path
    rows: int
    bytes: int
    sha256: str
    schema: pa.Schema


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success it replaces `path`, on any error it is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tmp = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        yield tmp
        with tmp.open("rb+") as f:
            os.fsync(f.fileno())
        tmp.replace(path)
    finally:
        tmp.unlink(missing_ok=True)


def unfinished(root: Path, *, deep: bool = True) -> Iterator[Path]:
    """Temporary files and folders below `root`, as a killed process leaves them.

    Everything temporary is named like that, here and elsewhere: hidden, ending in `.tmp` (or, beside a
    database, in `.tmp.wal`).

    Args:
        root: need not exist.
        deep: look into its folders, too.
    """
    for path in sorted(root.rglob(".*") if deep else root.glob(".*")):
        inside = any(parent.name.startswith(".") for parent in path.relative_to(root).parents)
        if path.name.endswith((".tmp", ".tmp.wal")) and not inside:
            yield path


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically, keys sorted, UTF-8, newline at the end."""
    with atomic_path(path) as tmp:
        text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, default=str)
        tmp.write_text(text + "\n", encoding="utf-8")


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, as hex."""
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def _has_footer(path: Path) -> bool:
    try:
        pq.read_metadata(path)
    except (pa.ArrowException, OSError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class Lake:
    """All tables below one root directory."""

    root: Path

    def path(self, table: str) -> Path:
        """Path of a table's Parquet file, whether it exists or not."""
        return self.root / f"{table}.parquet"

    def exists(self, table: str) -> bool:
        """Whether the table has been written."""
        return self.path(table).is_file()

    def require(self, table: str) -> Path:
        """Path of a table that must exist.

        Raises:
            ModelLensError: it has not been materialised; the message names the asset to run.
        """
        path = self.path(table)
        if not path.is_file():
            raise ModelLensError(
                f"table {table!r} has not been built in {self.root}; run `modellens run` first"
            )
        return path

    def write(self, table: str, data: pa.Table | pa.RecordBatchReader) -> TableInfo:
        """Write an Arrow table, or a stream of batches, atomically as zstd Parquet and describe it.

        A stream is never held whole: one batch becomes one row group.
        """
        path = self.path(table)
        with atomic_path(path) as tmp:
            if isinstance(data, pa.Table):
                pq.write_table(data, tmp, compression="zstd")
            else:
                with pq.ParquetWriter(tmp, data.schema, compression="zstd") as writer:
                    for batch in data:
                        writer.write_batch(batch)
        return self.info(table)

    def write_query(self, table: str, sql: str) -> TableInfo:
        """Run one SELECT over the lake and write its result atomically."""
        path = self.path(table)
        with self.session() as con, atomic_path(path) as tmp:
            duck.copy_to_parquet(con, sql, tmp)
        return self.info(table)

    def read(self, table: str, columns: list[str] | None = None) -> pa.Table:
        """Read a table (or some of its columns) into memory."""
        return pq.read_table(self.require(table), columns=columns)

    def scan(self, table: str) -> ds.Dataset:
        """A table whose batches are read one after the other, never all at once."""
        return ds.dataset(self.require(table))

    def info(self, table: str) -> TableInfo:
        """Describe a table as it is on disk now."""
        path = self.require(table)
        meta = pq.read_metadata(path)
        return TableInfo(
            table=table,
            path=path,
            rows=meta.num_rows,
            bytes=path.stat().st_size,
            sha256=file_sha256(path),
            schema=pq.read_schema(path),
        )

    def tables(self) -> list[str]:
        """Names of all tables on disk, sorted."""
        found = (p.relative_to(self.root) for p in self.root.rglob("*.parquet"))
        return sorted(str(p.with_suffix("")) for p in found if not p.name.startswith("."))

    def broken(self) -> list[str]:
        """Names of tables whose file is not a whole Parquet file, sorted. Reads footers only."""
        return [table for table in self.tables() if not _has_footer(self.path(table))]

    def views(self) -> Mapping[str, list[Path]]:
        """`"layer.name"` to the Parquet files behind it, for a DuckDB session."""
        views: dict[str, list[Path]] = {}
        for table in self.tables():
            parts = table.split("/")
            if len(parts) >= 2:
                views.setdefault(f"{parts[0]}.{parts[-1]}", []).append(self.path(table))
        return views

    @contextmanager
    def session(self) -> Iterator[Any]:
        """An in-memory DuckDB connection that sees every table of the lake as `layer.name`."""
        # Big joins spill beside the lake, not into whatever folder the process was started in. DuckDB makes
        # the folder when it has to, and removes it: who only asks writes nothing.
        spill = self.root / f".spill-{uuid.uuid4().hex[:8]}.tmp"
        with duck.memory_session(self.views(), spill) as con:
            yield con

    def query(self, sql: str) -> pa.Table:
        """Run one SELECT over the lake and return Arrow."""
        with self.session() as con:
            return duck.to_arrow(con, sql)


class LazyTables(Mapping[str, pa.Table]):
    """Tables of a lake by a short name, read when they are asked for; those not written are left out."""

    def __init__(self, lake: Lake, tables: Mapping[str, str]) -> None:
        """Take short names and the tables behind them."""
        self._lake = lake
        self._tables = {name: table for name, table in tables.items() if lake.exists(table)}

    def __getitem__(self, name: str) -> pa.Table:
        return self._lake.read(self._tables[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)
