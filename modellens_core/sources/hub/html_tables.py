"""Tables written in HTML: spans filled in, unbalanced tags survived, size bounded.

Uses the standard library's tolerant parser. A cell that spans several rows or columns is repeated in
each of them. Inline markup inside a cell is kept for `cells.py` to take off.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser
from typing import Final

from modellens_core.sources.hub.cells import EMPTY_CELL, MAX_CELL, Cell, make_cell

MAX_COLUMNS: Final = 120
MAX_CELLS: Final = 20_000
_MAX_SPAN_ROWS: Final = 2_000
_MAX_DEPTH: Final = 10  # tables within tables
_KEPT: Final = frozenset({"sup", "s", "del", "strike"})  # they change what a value means
_NUMBER = re.compile(r"\d{1,5}")


@dataclass(slots=True)
class _Open:
    """A table being read: finished rows, and the spans that reach below the current one."""

    rows: list[list[Cell]] = field(default_factory=list)
    spans: dict[int, tuple[int, Cell]] = field(default_factory=dict)
    row: list[Cell] | None = None
    text: list[str] | None = None
    size: int = 0
    span: tuple[int, int] = (1, 1)
    head: bool = False
    in_head: bool = False
    caption: list[str] | None = None
    caption_text: str = ""
    cells: int = 0
    too_large: bool = False


@dataclass(frozen=True, slots=True)
class HtmlTable:
    """A finished HTML table; `rows` is None if it was too large to read."""

    rows: list[list[Cell]] | None
    caption: str


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[_Open] = []
        self.done: list[HtmlTable] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a table, a row or a cell; keep the inline markup that matters."""
        if tag == "table":
            if len(self.stack) < _MAX_DEPTH:
                self.stack.append(_Open())
            return
        if not self.stack:
            return
        table = self.stack[-1]
        match tag:
            case "tr":
                _end_row(table)
                table.row = []
            case "td" | "th":
                _start_cell(table, tag, dict(attrs))
            case "thead" | "tbody":
                _end_row(table)
                table.in_head = tag == "thead"
            case "caption":
                table.caption = []
            case "a":
                _add(table, f'<a href="{escape(dict(attrs).get("href") or "")}">')
            case "br":
                _add(table, " ")
            case _ if tag in _KEPT:
                _add(table, f"<{tag}>")

    def handle_endtag(self, tag: str) -> None:
        """Close what is open; a stray end tag is passed over."""
        if not self.stack:
            return
        table = self.stack[-1]
        if tag == "table":
            self.finish()
        elif tag == "tr":
            _end_row(table)
        elif tag in {"td", "th"}:
            _end_cell(table)
        elif tag == "thead":
            _end_row(table)
            table.in_head = False
        elif tag == "caption" and table.caption is not None:
            table.caption_text, table.caption = "".join(table.caption), None
        elif tag in _KEPT or tag == "a":
            _add(table, f"</{tag}>")
        elif tag in {"p", "div", "li"}:
            _add(table, " ")

    def handle_data(self, data: str) -> None:
        """Add text to the open cell or caption."""
        if self.stack:
            _add(self.stack[-1], data)

    def finish(self) -> None:
        """Close the innermost table."""
        table = self.stack.pop()
        _end_row(table)
        rows = None if table.too_large else table.rows
        self.done.append(HtmlTable(rows, table.caption_text.strip()))


def _span(value: str | None) -> int:
    match = _NUMBER.match(value or "")
    return max(1, min(int(match[0]), _MAX_SPAN_ROWS)) if match else 1


def _start_cell(table: _Open, tag: str, attrs: Mapping[str, str | None]) -> None:
    _end_cell(table)
    if table.row is None:
        table.row = []
    table.span = (_span(attrs.get("rowspan")), _span(attrs.get("colspan")))
    table.head = tag == "th" or table.in_head
    table.text, table.size = [], 0


def _add(table: _Open, text: str) -> None:
    if table.text is not None and table.size < MAX_CELL * 4:
        table.text.append(text)
        table.size += len(text)
    elif table.caption is not None and len(table.caption) < 50:
        table.caption.append(text[:MAX_CELL])


def _place(table: _Open, cell: Cell, rows: int) -> None:
    assert table.row is not None
    if rows > 1:
        table.spans[len(table.row)] = (rows - 1, cell)
    table.row.append(cell)
    table.cells += 1


def _fill_spans(table: _Open) -> None:
    """Repeat the cells that reach into this row from above, as far as they are next in line."""
    assert table.row is not None
    while len(table.row) in table.spans:
        left, cell = table.spans.pop(len(table.row))
        _place(table, cell, left)


def _end_cell(table: _Open) -> None:
    if table.text is None:
        return
    cell = make_cell(" ".join("".join(table.text).split()), head=table.head)
    table.text = None
    if table.row is None or table.too_large:
        return
    _fill_spans(table)
    rows, columns = table.span
    for _ in range(min(columns, MAX_COLUMNS)):
        _place(table, cell, rows)
    table.too_large = len(table.row) > MAX_COLUMNS or table.cells > MAX_CELLS


def _end_row(table: _Open) -> None:
    _end_cell(table)
    if table.row is None:
        return
    if not table.too_large:
        _fill_spans(table)
        later = [c for c in table.spans if c > len(table.row)]
        while later and len(table.row) <= max(later):
            if len(table.row) in table.spans:
                _fill_spans(table)
            else:
                table.row.append(EMPTY_CELL)
        if table.row:
            table.rows.append(table.row)
    table.row = None


def html_tables(source: str) -> Iterator[HtmlTable]:
    """Read the tables in a piece of HTML, inner ones before the one that holds them.

    Args:
        source: HTML, balanced or not; an unclosed table ends with the text.

    Yields:
        Tables with spans repeated; `rows` None where a table has more than `MAX_CELLS` cells or
        `MAX_COLUMNS` columns.
    """
    parser = _Parser()
    parser.feed(source)
    parser.close()
    while parser.stack:
        parser.finish()
    yield from parser.done
