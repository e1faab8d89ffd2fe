"""Runs a user's SQL, or a shipped example, against the finished corpus, read-only.

The examples are files in `sql/examples/`; their header names default parameters.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from modellens_core.errors import ModelLensError, UnknownNameError
from modellens_core.store import duck, sql


def example_list() -> list[tuple[str, str]]:
    """Names of the shipped examples and what each answers."""
    return [(name.split("/")[1], sql.describe(name)) for name in sql.names("examples")]


def parse_parameters(pairs: Sequence[str]) -> dict[str, Any]:
    """`name=value` pairs; numbers become numbers.

    Raises:
        ModelLensError: a pair without "=".
    """
    found: dict[str, Any] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign:
            raise ModelLensError(f"parameter {pair!r} is not name=value")
        found[name.strip().lstrip("$")] = _typed(value.strip())
    return found


def _typed(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def run_query(database: Path, statement: str, pairs: Sequence[str]) -> pa.Table:
    """Run SQL or an example by name.

    Raises:
        ModelLensError: no corpus yet, or DuckDB refused the query; the message is DuckDB's first line.
        UnknownNameError: one word that is no example.
    """
    if not database.is_file():
        raise ModelLensError(f"no corpus at {database}; run `modellens run` first")
    text, parameters = statement, parse_parameters(pairs)
    if len(statement.split()) == 1:
        name = f"examples/{statement}"
        if name not in sql.names("examples"):
            known = ", ".join(n for n, _ in example_list())
            raise UnknownNameError(f"no example query {statement!r}; there are: {known}")
        text = sql.load(name)
        parameters = {**parse_parameters(sql.header(name, "params").split()), **parameters}
    with duck.open_read_only(database) as con:
        try:
            return duck.query(con, text, parameters)
        except duck.Error as error:
            raise ModelLensError(
                f"DuckDB refused the query: {str(error).splitlines()[0]}"
            ) from None
