"""Where a value of a table stands, and which words belong to that place.

A value belongs to its row (labels left empty are those above), the row that heads its group, the
headings of its column, and what stands around the whole table. Words of other rows and other columns do
not belong to it: that is how a swapped row is noticed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from modellens_core.sources.hub.card_names import Card
from modellens_core.sources.hub.cells import Cell
from modellens_core.sources.hub.markdown_tables import Table
from modellens_core.sources.hub.table_heads import cell_kind
from modellens_core.sources.hub.table_layout import Column, Layout
from modellens_core.sources.hub.vocabulary import tokens
from modellens_core.sources.values import EMPTY, ParsedValue, Refusal, parse_value

_NOT_SCORES = frozenset({"excluded", "ignored"})
_UNNAMED = frozenset(
    {"value", "excluded", "ignored", "attribute"}
)  # their headings name one column


@dataclass(frozen=True, slots=True)
class Spot:
    """One number of a table.

    Attributes:
        row: index in `Layout.rows`; column: its column.
        piece: which number of the cell, where it holds several ("90.1/84.2"), of how many.
        raw: the number as written; read: the number itself, if it is one.
    """

    row: int
    column: Column
    piece: int
    pieces: int
    raw: str
    read: ParsedValue | Refusal

    @property
    def key(self) -> tuple[int, int, int]:
        """Where it stands."""
        return self.row, self.column.index, self.piece

    @property
    def is_score(self) -> bool:
        """Whether its column can hold scores: not sizes, errors, times."""
        return self.column.role not in _NOT_SCORES


@dataclass(frozen=True, slots=True)
class Place:
    """The words a value may be named with.

    Attributes:
        cells: its row, with labels from above filled in.
        labels: the cells that can name it: of its row, its group, its column's headings.
        corner: the headings of the columns that hold labels; they speak of the whole table.
        titles: caption and section titles.
        prose: the text before the table, and the datasets that the card names.
    """

    cells: tuple[Cell, ...]
    labels: tuple[Cell, ...]
    corner: tuple[Cell, ...]
    titles: tuple[str, ...]
    prose: tuple[str, ...]

    @property
    def near(self) -> tuple[str, ...]:
        """Texts of the labels and the corner."""
        return tuple(c.text for c in (*self.labels, *self.corner))

    @property
    def texts(self) -> tuple[str, ...]:
        """Everything that belongs to it."""
        return (*self.near, *self.titles, *self.prose)


def spots_of(layout: Layout) -> Iterator[Spot]:
    """All numbers below the headings, in reading order."""
    for index, row in enumerate(layout.rows):
        for column in layout.columns:
            raw = row[column.index].raw
            if cell_kind(raw) in {"number", "numeric"}:
                pieces = _pieces(raw)
                for at, written in enumerate(pieces):
                    number = parse_value(written)
                    if number != EMPTY:
                        yield Spot(index, column, at, len(pieces), written, number)


def _pieces(raw: str) -> list[str]:
    """The numbers of a cell, if slashes separate them ("90.1/-/84.2"); else the cell."""
    pieces = [p.strip("*_` ") for p in raw.split("/")]
    read = [parse_value(p) for p in pieces]
    several = len(pieces) > 1 and all(isinstance(r, ParsedValue) or r == EMPTY for r in read)
    return pieces if several and not isinstance(parse_value(raw), ParsedValue) else [raw]


def place_of(spot: Spot, table: Table, layout: Layout, card: Card) -> Place:
    """What belongs to a number."""
    above = layout.rows[: spot.row]
    group = next((i for i in reversed(range(len(above))) if _heads_group(above[i])), None)
    cells = list(layout.rows[spot.row])
    start = 0 if group is None else group + 1
    for row in reversed(above[start:]):
        cells = [c if c.text else filled for c, filled in zip(cells, row, strict=True)]
    labels = [
        cells[c.index]
        for c in layout.columns
        if c.role != "value" or cell_kind(cells[c.index].raw) == "text"
    ]
    labels += [] if group is None else [c for c in above[group] if c.text][:1]
    labels += spot.column.heads
    if layout.title:
        labels.append(Cell(layout.title, layout.title))
    return Place(
        cells=tuple(cells),
        labels=tuple(c for c in labels if c.text),
        corner=tuple(h for c in layout.columns if c.role not in _UNNAMED for h in c.heads),
        titles=tuple(t for t in (table.caption, *table.headings) if t),
        prose=(table.before, table.section, *table.datasets, *card.datasets),
    )


def _heads_group(row: Sequence[Cell]) -> bool:
    given = [c for c in row if c.text]
    return len({c.text for c in given}) == 1 and cell_kind(given[0].raw) == "text"


def holds_words(texts: Sequence[str], name: str) -> bool:
    """Whether every word of a name stands somewhere in the texts; "shot" and "shots" are one word."""
    there = {t.rstrip("s") for text in texts for t in tokens(text)}
    return {t.rstrip("s") for t in tokens(name)} <= there


def holds_name(text: str, name: str) -> bool:
    """Whether the words of a name stand in a text side by side."""
    whole, part = tokens(text), tokens(name)
    starts = range(len(whole) - len(part) + 1)
    return bool(part) and any(whole[i : i + len(part)] == part for i in starts)
