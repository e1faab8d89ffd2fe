"""Runs a user's SQL, or a shipped example, against the finished corpus, read-only.

The examples are files in `sql/examples/`; their header names default parameters.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from modellens_core.errors import ModelLensError, UnknownNameError
from modellens_core.store import duck, sql

_NAME = re.compile(r"[\w-]+")


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
    """Run one SQL statement, or an example by name.

    Returns:
        The rows; a column name that comes twice gets a number, so that rows can be records.

    Raises:
        ModelLensError: no corpus yet or none that opens, no statement or several, or DuckDB refused the
            query; then the message is DuckDB's first line.
        UnknownNameError: one word that is no example.
    """
    if not database.is_file():
        raise ModelLensError(f"no corpus at {database}; run `modellens run` first")
    text, parameters = statement, parse_parameters(pairs)
    if _NAME.fullmatch(statement.strip()):
        name = f"examples/{statement.strip()}"
        if name not in sql.names("examples"):
            known = ", ".join(n for n, _ in example_list())
            raise UnknownNameError(f"no example query {statement!r}; there are: {known}")
        text = sql.load(name)
        parameters = {**parse_parameters(sql.header(name, "params").split()), **parameters}
    with _opened(database) as con:
        try:
            rows = duck.query(con, _single(duck.statements(con, text)), parameters)
        except duck.Error as error:
            raise ModelLensError(
                f"DuckDB refused the query: {str(error).splitlines()[0]}"
            ) from None
    return rows.rename_columns(distinct(rows.column_names))


@contextmanager
def _opened(database: Path) -> Iterator[Any]:
    try:
        with duck.open_read_only(database) as con:
            yield con
    except duck.Error as error:
        raise ModelLensError(
            f"{database} cannot be opened ({str(error).splitlines()[0]}); "
            "run `modellens run`, which builds it again"
        ) from None


def _single(statements: Sequence[str]) -> str:
    # Of several, DuckDB would show the last one's rows as if they answered the whole.
    if not statements:
        raise ModelLensError(
            "the query is empty; give SQL, or the name of an example (`modellens query --list`)"
        )
    if len(statements) > 1:
        raise ModelLensError(f"give one statement at a time; these are {len(statements)}")
    return statements[0]


def distinct(names: Sequence[str]) -> list[str]:
    """Column names, each once: a repeated one gets the next free number (`score`, `score_2`)."""
    taken, found = set(names), []
    seen: set[str] = set()
    for name in names:
        chosen, number = name, 1
        while chosen in seen or (number > 1 and chosen in taken):
            number += 1
            chosen = f"{name}_{number}"
        seen.add(chosen)
        found.append(chosen)
    return found
