"""Checks what a language model said about a table, and turns what stands the check into scores.

The model only points: its answer names a value and says in the table's words what it is. A row of the
answer is dropped, with a reason that is counted, unless its number stands in a cell of the table and its
names belong to that cell's place. The number itself is read from the cell, never from the answer. What is
left runs through the same rules as everything the deterministic reader finds, so an invented, swapped or
injected row costs a count, not a record. Pure: same table, same answer, same scores.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from modellens_core.sources.hub.card_names import (
    Card,
    Named,
    looks_like_model,
    name_model,
    resembles,
)
from modellens_core.sources.hub.cells import Cell, visible
from modellens_core.sources.hub.label_parts import Part, column_part, row_part
from modellens_core.sources.hub.label_parts import Place as LabelPlace
from modellens_core.sources.hub.labels import Mention, read_label, read_prose
from modellens_core.sources.hub.llm.place import (
    Place,
    Spot,
    holds_name,
    holds_words,
    place_of,
    spots_of,
)
from modellens_core.sources.hub.llm.schema import Result, TableAnswer
from modellens_core.sources.hub.markdown_tables import Table
from modellens_core.sources.hub.surroundings import Surroundings, look_around
from modellens_core.sources.hub.table_layout import Column, Layout, lay_out
from modellens_core.sources.hub.table_models import Row
from modellens_core.sources.hub.table_reader import Refused, Score, distinct, scores_of
from modellens_core.sources.hub.vocabulary import is_own_phrase, tokens
from modellens_core.sources.values import ParsedValue, parse_value

MAX_RESULTS: Final = 300  # more than any table that is asked about has values
_SIZE: Final = re.compile(r"~?\d+(?:\.\d+)?(?:x\d+)?\s?[BbMm]")
_MAX_FIELD: Final = 200
_MAX_METRIC: Final = 40


@dataclass(frozen=True, slots=True)
class _Checked:
    """A table, ready for its answer."""

    table: Table
    layout: Layout
    card: Card
    around: Surroundings
    taken: set[tuple[int, int, int]] = field(default_factory=set)


class _DroppedError(Exception):
    """A row of the answer that does not stand the check; the message is the reason's slug."""


def read_answer(table: Table, card: Card, answer: TableAnswer) -> Iterator[Score | Refused]:
    """Yield the scores of an answer that its table bears out, and what was dropped and why.

    Args:
        table: what was asked about.
        card: whose README it is; decides which of the named models is its own.
        answer: anything the schema allows.
    """
    layout = lay_out(table, card)
    if not isinstance(layout, Layout):
        return
    checked = _Checked(table, layout, card, look_around(table, layout, card))
    spots = list(spots_of(layout))
    found: list[tuple[Score, Row]] = []
    for result in answer.results[:MAX_RESULTS]:
        for item in _read(checked, spots, result):
            if isinstance(item, Refused):
                yield item
            else:
                found.append(item)
    if len(answer.results) > MAX_RESULTS:
        yield Refused("llm_too_many_results")
    yield from distinct(found)


def _read(
    checked: _Checked, spots: list[Spot], result: Result
) -> Iterator[tuple[Score, Row] | Refused]:
    """The score of one row of the answer, at the first place that bears it out."""
    value = result.value[:_MAX_FIELD]
    same = [s for s in spots if _is_same(value, s.raw)]
    free = [s for s in same if s.is_score and (s.row, s.column.index, s.piece) not in checked.taken]
    if not free:
        there = [s for s in same if s.is_score]
        reason = (
            "llm_repeated" if there else "llm_not_a_score" if same else "llm_value_not_in_table"
        )
        yield Refused(reason, visible(value))
        return
    refused: Refused | None = None
    for spot in free:
        try:
            found = _scores_at(checked, spot, result)
        except _DroppedError as error:
            refused = refused or Refused(str(error), spot.raw)
            continue
        checked.taken.add((spot.row, spot.column.index, spot.piece))
        yield from found
        return
    if refused is not None:
        yield refused


def _is_same(value: str, raw: str) -> bool:
    """Whether an answer's value is the number of a cell, as written or without its "%" and spread."""
    said, there = parse_value(value), parse_value(raw)
    if isinstance(said, ParsedValue) and isinstance(there, ParsedValue):
        return said.value == there.value
    return visible(value) == visible(raw)


def _scores_at(checked: _Checked, spot: Spot, result: Result) -> list[tuple[Score, Row] | Refused]:
    place = place_of(spot, checked.table, checked.layout, checked.card)
    part = Part(model=_model(checked, place, result.model))
    part = part.joined(_dataset(checked, place, result.dataset))
    part = part.joined(_metric(place, spot.column, result.metric))
    part = part.joined(_conditions(place, result)).joined(_unsaid(place))
    if part.refuse is not None:
        raise _DroppedError(part.refuse)
    texts = [c for c in checked.layout.columns if c.role in {"attribute", "excluded"}]
    attributes = {c.title: place.cells[c.index].text for c in texts if place.cells[c.index].text}
    row = Row(place.cells, part, attributes)
    items = scores_of(part, Cell(spot.raw, spot.raw), checked.around)
    return [(i, row) if isinstance(i, Score) else i for i in items]


def _plain(text: str | None) -> str:
    return visible((text or "")[:_MAX_FIELD])


def _model(checked: _Checked, place: Place, said: str | None) -> Named | None:
    """The model a value belongs to; None where the text around the table decides."""
    name, card, loaded = _plain(said), checked.card, checked.around.model
    as_own = name_model(Cell(name, name), card)
    if not tokens(name) or (as_own is not None and as_own.name is None):
        return _own(checked, place)
    if loaded is not None and loaded.name is not None and tokens(loaded.name) == tokens(name):
        return None
    cell = _naming(place, name)
    if cell is None:
        if not any(holds_name(t, name) for t in place.titles):
            raise _DroppedError("llm_model_not_in_table")
        if any(_names_model(c, card) for c in place.labels):
            raise _DroppedError("llm_other_model")
    label = read_label(name)
    named = name_model(Cell(name, name, cell.link if cell else None), card, place.cells)
    if named is None or ((label.metrics or label.benchmarks or label.roles) and not label.rest):
        raise _DroppedError("not_a_model")
    return named


def _naming(place: Place, name: str) -> Cell | None:
    """The label that holds a model's name; its size may stand in another cell of the row."""
    sizes = (c.text for c in place.cells if _SIZE.fullmatch(c.text) and name.endswith(c.text))
    names = [name, *(name.removesuffix(s).strip() for s in sizes)]
    return next((c for n in names for c in place.labels if holds_name(c.text, n)), None)


def _own(checked: _Checked, place: Place) -> Named | None:
    """The card's own model, unless the table says that the value is another's."""
    card = checked.card
    if any(_is_own(c, card) for c in place.labels):
        return Named(None)
    elsewhere = any(_is_own(c, card) for row in checked.table.rows for c in row)
    if elsewhere or any(_names_model(c, card) for c in place.labels):
        raise _DroppedError("llm_other_model")
    return None


def _is_own(cell: Cell, card: Card) -> bool:
    if not cell.text:
        return False
    named = name_model(cell, card)
    return is_own_phrase(cell.text) or (named is not None and named.name is None)


def _names_model(cell: Cell, card: Card) -> bool:
    """Whether a label is the name of a model that is not this card's."""
    label = read_label(cell.text)
    other = bool(label.metrics or label.benchmarks)
    return looks_like_model(cell, card) and not other and not resembles(cell.text, card)


def _dataset(checked: _Checked, place: Place, said: str | None) -> Part:
    """The dataset, read as a label; empty where the answer leaves it to the text around."""
    name = _plain(said)
    if not tokens(name):
        return Part()
    if not holds_words(place.texts, name):
        raise _DroppedError("llm_dataset_not_in_table")
    beside = [set(tokens(m.written)) for t in place.near for m in read_label(t).benchmarks]
    if beside and not any(words & set(tokens(name)) for words in beside):
        raise _DroppedError("llm_other_dataset")
    cell = Cell(name, name)
    listed = [c for c in checked.layout.columns if c.role in {"dataset", "task"}]
    in_row = any(holds_name(place.cells[c.index].text, name) for c in listed)
    if read_label(name).benchmarks and not in_row:
        return column_part(Column(0, (cell,), "value"), checked.card)
    where = LabelPlace(Column(0, (), "dataset"), checked.layout, checked.card)
    return row_part(cell, where)


def _metric(place: Place, column: Column, said: str | None) -> Part:
    """The metric as the table writes it; empty where the answer leaves it open or repeats a dataset."""
    heads = [read_label(h.text) for h in column.heads]
    base = Part(
        percent=any(h.percent for h in heads),
        lower=next((h.lower for h in heads if h.lower is not None), None),
    )
    name = _plain(said)
    label = read_label(name)
    if not tokens(name) or (not label.metrics and (label.benchmarks or label.roles)):
        return base
    near = [m for t in place.near for m in read_label(t).metrics]
    if not label.metrics:
        if near:
            raise _DroppedError("llm_other_metric")
        if len(name) > _MAX_METRIC or not holds_words(place.near, name):
            raise _DroppedError("llm_metric_not_in_table")
        mention = Mention(name.casefold(), name)
    else:
        far = [m for t in (*place.titles, *place.prose) for m in read_prose(t).metrics]
        wanted = [m for m in (near or far) if m.name in {k.name for k in label.metrics}]
        if not wanted:
            raise _DroppedError("llm_other_metric" if near else "llm_metric_not_in_table")
        mention = wanted[0]
    said_part = Part(metrics=(mention,), percent=label.percent, lower=label.lower)
    return base.joined(said_part)


def _conditions(place: Place, result: Result) -> Part:
    """Split and notes, if they stand there."""
    split, notes = _plain(result.split), _plain(result.notes)
    if not holds_words(place.texts, split) or not holds_words(place.texts, notes):
        raise _DroppedError("llm_setting_not_in_table")
    known = read_label(split).splits
    if known == ("train",):
        raise _DroppedError("train_split")
    label = read_label(notes)
    return Part(
        split=known[0] if len(known) == 1 else split.lower()[:_MAX_METRIC] or None,
        shots=label.shots,
        language=label.language,
        notes=(label.rest,) if label.rest else (),
    )


def _unsaid(place: Place) -> Part:
    """Split, shots and language that the labels state, whether or not the answer repeats them."""
    labels = [read_label(t) for t in place.near]
    splits = {k.splits[0] for k in labels if len(k.splits) == 1}
    shots = {k.shots for k in labels if k.shots}
    languages = [k.language for k in labels if k.language]
    return Part(
        split=next(iter(splits)) if len(splits) == 1 else None,
        shots=next(iter(shots)) if len(shots) == 1 else None,
        language=languages[0] if len(languages) == 1 else None,
        refuse="train_split" if splits == {"train"} else None,
    )
