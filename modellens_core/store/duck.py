"""The only place that opens DuckDB.

In-memory sessions over the lake's Parquet files, and atomic writing and read-only opening of
`corpus.duckdb`. Restricted to the calls that DuckDB 1.5 and 2.0 share: `execute(...).fetchall()`,
`sql(...).to_arrow_table()`; Arrow is the only hop to pandas (docs/adr/0003). SQL text lives in `sql/`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

MEMORY_LIMIT = "6GB"
Error = duckdb.Error


def quote(name: str) -> str:
    """Quote an identifier for SQL."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """Quote a string literal for SQL."""
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def memory_session(
    views: Mapping[str, Sequence[Path]], temp_dir: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an in-memory DuckDB with one view per lake table.

    Args:
        views: `"schema.name"` to the Parquet files it unions (by column name).
        temp_dir: where DuckDB may spill; its own default if None.

    Yields:
        A connection private to this process: it can never wait for another process's lock.
    """
    con = duckdb.connect(":memory:")
    try:
        con.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        con.execute("SET TimeZone = 'UTC'")
        if temp_dir is not None:
            con.execute(f"SET temp_directory = {quote_text(str(temp_dir))}")
        for name in sorted(views):
            schema, table = name.split(".", 1)
            con.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(schema)}")
            files = "[" + ", ".join(quote_text(str(p)) for p in views[name]) + "]"
            con.execute(
                f"CREATE VIEW {quote(schema)}.{quote(table)} AS "  # noqa: S608 - quoted above
                f"SELECT * FROM read_parquet({files}, union_by_name => true)"
            )
        yield con
    finally:
        con.close()


def to_arrow(con: duckdb.DuckDBPyConnection, sql: str) -> pa.Table:
    """Run one SELECT and return its result as Arrow."""
    return con.sql(sql.rstrip().rstrip(";")).to_arrow_table()


def copy_to_parquet(con: duckdb.DuckDBPyConnection, sql: str, path: Path) -> None:
    """Write a SELECT to zstd Parquet, rows in the query's own order."""
    body = sql.rstrip().rstrip(";")
    con.execute(f"COPY ({body}) TO {quote_text(str(path))} (FORMAT parquet, COMPRESSION zstd)")


def write_database(path: Path, tables: Mapping[str, Path], comments: Mapping[str, str]) -> None:
    """Build a database file from Parquet tables. `path` must not exist; the caller swaps it in.

    Args:
        path: a temporary path beside the final one.
        tables: table name in the database to its Parquet file.
        comments: table name to the sentence stored as its COMMENT.
    """
    con = duckdb.connect(str(path))
    try:
        con.execute("SET TimeZone = 'UTC'")
        for name, file in tables.items():
            con.execute(
                f"CREATE TABLE {quote(name)} AS "  # noqa: S608 - quoted
                f"SELECT * FROM read_parquet({quote_text(str(file))})"
            )
            if name in comments:
                con.execute(f"COMMENT ON TABLE {quote(name)} IS {quote_text(comments[name])}")
        con.execute("CHECKPOINT")
    finally:
        con.close()


@contextmanager
def open_read_only(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a finished database for queries that can neither write nor read anything else."""
    con = duckdb.connect(str(path), read_only=True)
    try:
        con.execute("SET TimeZone = 'UTC'")
        con.execute("SET enable_external_access = false")
        con.execute("SET lock_configuration = true")
        yield con
    finally:
        con.close()


def statements(con: duckdb.DuckDBPyConnection, text: str) -> list[str]:
    """The statements in a text, each without its semicolon; comments alone are none.

    Raises:
        Error: the text is not SQL.
    """
    return [s.query.rstrip().rstrip(";") for s in con.extract_statements(text)]


def query(con: duckdb.DuckDBPyConnection, sql: str, params: Mapping[str, Any]) -> pa.Table:
    """Run one SELECT with named parameters (`$name`) and return Arrow."""
    return con.sql(sql.rstrip().rstrip(";"), params=dict(params) or None).to_arrow_table()
