"""Which of a table's leading rows are headings, and the shape of a cell: a number or a text.

What the headings mean is decided in `table_layout.py`.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from modellens_core.sources.hub.cells import EMPTY_CELL, Cell
from modellens_core.sources.hub.labels import read_label
from modellens_core.sources.hub.markdown_tables import Table
from modellens_core.sources.values import ParsedValue, parse_value

_MAX_HEAD_ROWS: Final = 4
_MAX_LETTERS: Final = 3  # "90.1/84.2 (ab)" is numbers, "Llama-2-7b" is a name


@lru_cache(maxsize=50_000)
def cell_kind(raw: str) -> str:
    """Sort a cell by shape: "number", "numeric" (numbers, but not one), "empty" or "text"."""
    value = parse_value(raw)
    if isinstance(value, ParsedValue):
        return "number"
    if value.reason == "empty":
        return "empty"
    letters = sum(c.isalpha() for c in raw)
    if value.reason == "not_a_number":
        return "text" if letters or not any(c.isdigit() for c in raw) else "numeric"
    return "text" if letters > _MAX_LETTERS else "numeric"


def split_heads(
    table: Table,
) -> tuple[list[tuple[Cell, ...]], tuple[tuple[Cell, ...], ...], str]:
    """The heading rows, the rows below them, and the one heading that stands over all columns."""
    rows = list(table.rows)
    count = max(1, min(table.head_rows, _MAX_HEAD_ROWS))
    count = next((i for i in range(1, count) if _is_numbers(rows[i])), count)
    heads, rows = rows[:count], rows[count:]
    if not any(c.text for h in heads for c in h) and rows:  # "||||": the first row is the heading
        heads, rows = rows[:1], rows[1:]
    while rows and len(heads) < _MAX_HEAD_ROWS and _is_head(rows[0], len(rows)):
        heads, rows = [*heads, rows[0]], rows[1:]
    while len(rows) > 1 and not any(c.text for c in rows[-1][1:]):
        rows = rows[:-1]  # the paragraph below, which Markdown takes for a row
    title = ""
    if len(heads) > 1 and len({c.text for c in heads[0] if c.text}) == 1 and len(heads[0]) > 2:
        title, heads = next(c.text for c in heads[0] if c.text), heads[1:]
    elif len(heads) > 1 and len(heads[0]) > 2 and len({c.text for c in heads[0][1:]}) == 1:
        # one heading over all columns but the first, which goes on naming what is below it
        title = heads[0][1].text
        heads = [(heads[0][0], *[EMPTY_CELL] * (len(heads[0]) - 1)), *heads[1:]]
    return heads, tuple(r for r in rows if any(_is_said(c) for c in r)), title


def _is_numbers(row: Sequence[Cell]) -> bool:
    """Whether most of a row's cells behind its label are numbers, however they are marked up."""
    given = [cell_kind(c.raw) for c in row[1:] if c.text]
    return sum(kind == "number" for kind in given) * 2 > len(given)


def _is_said(cell: Cell) -> bool:
    """Whether a cell holds more than rules and dashes."""
    return any(c.isalnum() for c in cell.text)


def _is_head(row: Sequence[Cell], left: int) -> bool:
    """Whether a row below the heading goes on with it: no first label, and only names of measures."""
    given = [c for c in row[1:] if c.text]
    if left < 2 or len(given) < 2 or any(cell_kind(c.raw) in {"number", "numeric"} for c in given):
        return False
    first = row[0].text
    if first and read_label(first).roles[:1] != ("metric",):
        return False
    known = [read_label(c.text) for c in given]
    return sum(bool(k.metrics or k.benchmarks or k.splits or k.shots) for k in known) * 2 > len(
        known
    )
