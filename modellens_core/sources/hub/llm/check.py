"""Checks what a language model said about a table, and turns what stands the check into scores.

The model only points: its answer names a value and says in the table's words what it is. A row of the
answer is dropped, with a reason that is counted, unless its number stands in a cell of the table and its
names belong to that cell's place (`meaning.py`). The number itself is read from the cell, never from the
answer. What is left runs through the same rules as everything the deterministic reader finds, so an
invented, swapped or injected row costs a count, not a record. Pure: same table, same answer, same scores.
"""

from collections.abc import Iterator
from typing import Final

from modellens_core.sources.hub.card_names import Card
from modellens_core.sources.hub.cells import Cell, visible
from modellens_core.sources.hub.llm.meaning import DroppedError, Subject, part_of
from modellens_core.sources.hub.llm.place import Spot, place_of, spots_of
from modellens_core.sources.hub.llm.schema import Result, TableAnswer
from modellens_core.sources.hub.markdown_tables import Table
from modellens_core.sources.hub.scores import Refused, Score, distinct
from modellens_core.sources.hub.table_layout import Layout, lay_out
from modellens_core.sources.hub.table_models import Row
from modellens_core.sources.hub.table_reader import scores_of
from modellens_core.sources.values import ParsedValue, Refusal, parse_value

MAX_RESULTS: Final = 300  # more than any table that is asked about has values
_MAX_VALUE: Final = 200

_Taken = set[tuple[int, int, int]]  # row, column and piece of the numbers that have a meaning


def read_answer(table: Table, card: Card, answer: TableAnswer) -> Iterator[Score | Refused]:
    """Yield the scores of an answer that its table bears out, and what was dropped and why.

    Args:
        table: what was asked about.
        card: whose README it is; decides which of the named models is its own.
        answer: anything the schema allows.
    """
    layout = lay_out(table, card)
    if not isinstance(layout, Layout) or layout.by_class:
        return
    subject = Subject.of(table, layout, card)
    spots = list(spots_of(layout))
    taken: _Taken = set()
    found: list[tuple[Score, Row]] = []
    for result in answer.results[:MAX_RESULTS]:
        for item in _read(subject, spots, taken, result):
            if isinstance(item, Refused):
                yield item
            else:
                found.append(item)
    if len(answer.results) > MAX_RESULTS:
        yield Refused("llm_too_many_results")
    yield from distinct(found)


def _read(
    subject: Subject, spots: list[Spot], taken: _Taken, result: Result
) -> Iterator[tuple[Score, Row] | Refused]:
    """The score of one row of the answer, at the first place that bears it out."""
    value = result.value[:_MAX_VALUE]
    said = parse_value(value)
    same = [s for s in spots if _is_same(said, value, s)]
    scores = [s for s in same if s.is_score]
    free = [s for s in scores if s.key not in taken]
    if not free:
        reason = "repeated" if scores else "not_a_score" if same else "value_not_in_table"
        yield Refused(f"llm_{reason}", visible(value))
        return
    refused: Refused | None = None
    for spot in free:
        try:
            found = _scores_at(subject, spot, result)
        except DroppedError as error:
            refused = refused or Refused(str(error), spot.raw)
            continue
        taken.add(spot.key)
        yield from found
        return
    if refused is not None:
        yield refused


def _is_same(said: ParsedValue | Refusal, value: str, spot: Spot) -> bool:
    """Whether an answer's value is the number of a cell, as written or without its "%" and spread."""
    if isinstance(said, ParsedValue) and isinstance(spot.read, ParsedValue):
        return said.value == spot.read.value
    return said == spot.read and visible(value) == visible(spot.raw)


def _scores_at(subject: Subject, spot: Spot, result: Result) -> list[tuple[Score, Row] | Refused]:
    if spot.column.index in subject.classes:
        raise DroppedError("llm_per_class")  # an answer has no room for the class
    place = place_of(spot, subject.table, subject.layout, subject.card)
    part = part_of(subject, spot, place, result)
    texts = [c for c in subject.layout.columns if c.role in {"attribute", "excluded"}]
    attributes = {c.title: place.cells[c.index].text for c in texts if place.cells[c.index].text}
    row = Row(place.cells, part, attributes)
    items = list(scores_of(part, Cell(spot.raw, spot.raw), subject.around, subject.panel))
    if spot.pieces > 1 and not part.metrics:
        # "88.9/84.1" without a metric: which of the benchmark's usual two it is, only the pair shows.
        whole = list(scores_of(part, place.cells[spot.column.index], subject.around, subject.panel))
        if len(whole) == spot.pieces and all(isinstance(i, Score) for i in whole):
            items = [whole[spot.piece]]
    return [(i, row) if isinstance(i, Score) else i for i in items]
