"""What an answer says a value is, as far as the value's place in the table bears it out.

Every name of the answer must belong to the place: a model to its row, group or column, a dataset and a
metric also to what stands around the table, as long as the table itself has no other cell for them. Raises
`DroppedError` with the reason otherwise. The reading of labels is the deterministic reader's.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from modellens_core.sources.hub.card_names import (
    Card,
    Named,
    looks_like_model,
    name_model,
    resembles,
)
from modellens_core.sources.hub.cells import Cell, visible
from modellens_core.sources.hub.label_parts import Place as LabelPlace
from modellens_core.sources.hub.label_parts import column_part, row_part
from modellens_core.sources.hub.labels import Label, Mention, read_label, read_prose
from modellens_core.sources.hub.llm.place import Place, Spot, holds_name, holds_words
from modellens_core.sources.hub.llm.schema import Result
from modellens_core.sources.hub.markdown_tables import Table
from modellens_core.sources.hub.parts import CLASS_KEY, Part
from modellens_core.sources.hub.surroundings import Surroundings, look_around
from modellens_core.sources.hub.table_heads import cell_kind
from modellens_core.sources.hub.table_layout import Column, Layout
from modellens_core.sources.hub.table_reader import panel_of, value_parts
from modellens_core.sources.hub.vocabulary import is_own_phrase, tokens

_SIZE: Final = re.compile(r"~?\d+(?:\.\d+)?(?:x\d+)?\s?[BbMm]")
_NO_MODELS: Final = frozenset({"dataset", "task", "metric", "split", "language", "shots"})
_MAX_NAME: Final = 200
_MAX_METRIC: Final = 40


class DroppedError(Exception):
    """A row of an answer that its table does not bear out; the message is the reason's slug."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A table with everything an answer about it is held against.

    Attributes:
        texts: of its cells that are not numbers. own: those among them that mean the card's own model.
        models: how many of them look like a model's name.
        panel: usual metrics of the table's benchmarks where these are reported together.
        classes: columns that hold scores of one class of the data, never of all of it.
    """

    table: Table
    layout: Layout
    card: Card
    around: Surroundings
    texts: frozenset[str]
    own: frozenset[str]
    models: int
    panel: Mapping[str, str]
    classes: frozenset[int]

    @staticmethod
    def of(table: Table, layout: Layout, card: Card) -> "Subject":
        """Look at a table once, for all rows of its answer."""
        cells = {c.text: c for row in table.rows for c in row if cell_kind(c.raw) == "text"}
        own = frozenset(text for text, cell in cells.items() if _is_own(cell, card))
        models = sum(looks_like_model(cell, card) for cell in cells.values())
        around = look_around(table, layout, card)
        columns, rows = value_parts(layout, card)
        classes = frozenset(c.index for c, part in columns if CLASS_KEY in part.setting)
        return Subject(
            table,
            layout,
            card,
            around,
            frozenset(cells),
            own,
            models,
            panel_of(columns, rows),
            classes,
        )

    def names_elsewhere(self, place: Place, name: str) -> bool:
        """Whether the table has a cell for a name, and none of this place: "BERT" beside "BERT v2"."""
        whole = tokens(name)
        if any(tokens(t) == whole for t in self.texts):
            return not any(tokens(t) == whole for t in place.near)
        return _holds(self.texts, name) and not _holds(place.near, name)


def part_of(subject: Subject, spot: Spot, place: Place, result: Result) -> Part:
    """The meaning of one value.

    Raises:
        DroppedError: the answer says something that does not belong to the value's place.
    """
    part = Part(model=_model(subject, place, result.model))
    part = part.joined(_dataset(subject, place, result.dataset))
    part = part.joined(_metric(subject, place, spot, result.metric))
    part = part.joined(_conditions(place, result)).joined(_unsaid(place))
    if part.refuse is not None:
        raise DroppedError(part.refuse)
    return part


def _plain(text: str | None) -> str:
    return visible((text or "")[:_MAX_NAME])


def _holds(texts: Iterable[str], name: str) -> bool:
    return any(holds_name(t, name) for t in texts)


def _model(subject: Subject, place: Place, said: str | None) -> Named | None:
    """The model a value belongs to; None where the text around the table decides."""
    name, card, loaded = _plain(said), subject.card, subject.around.model
    as_own = name_model(Cell(name, name), card)
    if not tokens(name) or (as_own is not None and as_own.name is None):
        return _own(subject, place)
    if loaded is not None and loaded.name is not None and tokens(loaded.name) == tokens(name):
        return None
    cell = _naming(place, name)
    if subject.names_elsewhere(place, name):
        raise DroppedError("llm_other_model")
    if cell is None and not _holds(place.titles, name):
        raise DroppedError("llm_model_not_in_table")
    if cell is None and any(looks_like_model(c, card) for c in place.labels):
        raise DroppedError("llm_other_model")
    columns = [c for c in subject.layout.columns if c.role in _NO_MODELS]
    if cell is not None and cell.text in {place.cells[c.index].text for c in columns}:
        raise DroppedError("not_a_model")
    label = read_label(name)
    named = name_model(Cell(name, name, cell.link if cell else None), card, place.cells)
    if named is None or ((label.metrics or label.benchmarks or label.roles) and not label.rest):
        raise DroppedError("not_a_model")
    return named


def _naming(place: Place, name: str) -> Cell | None:
    """The label that holds a model's name; its size may stand in another cell of the row."""
    sizes = (c.text for c in place.cells if _SIZE.fullmatch(c.text) and name.endswith(c.text))
    names = [name, *(name.removesuffix(s).strip() for s in sizes)]
    return next((c for n in names for c in place.labels if holds_name(c.text, n)), None)


def _own(subject: Subject, place: Place) -> Named | None:
    """The card's own model, unless the table says that the value is another's."""
    if any(c.text in subject.own for c in place.labels):
        return Named(None)
    if subject.own or any(_names_other(subject, c) for c in place.labels):
        raise DroppedError("llm_other_model")
    return None


def _is_own(cell: Cell, card: Card) -> bool:
    named = name_model(cell, card)
    return is_own_phrase(cell.text) or (named is not None and named.name is None)


def _names_other(subject: Subject, cell: Cell) -> bool:
    """Whether a label is the name of a model that is not this card's."""
    label = read_label(cell.text)
    if label.metrics or label.benchmarks or not looks_like_model(cell, subject.card):
        return False
    return subject.models > 1 or not resembles(cell.text, subject.card)


def _dataset(subject: Subject, place: Place, said: str | None) -> Part:
    """The dataset, read as a label; empty where the answer leaves it to the text around."""
    name = _plain(said)
    if not tokens(name):
        return Part()
    of_card = [d for d in (*subject.card.indexed, subject.card.described) if d]
    if not holds_words(place.texts, name) and not any(tokens(d) == tokens(name) for d in of_card):
        raise DroppedError("llm_dataset_not_in_table")
    beside = [set(tokens(m.written)) for t in place.near for m in read_label(t).benchmarks]
    differs = beside and not any(words & set(tokens(name)) for words in beside)
    if differs or subject.names_elsewhere(place, name):
        raise DroppedError("llm_other_dataset")
    cell = Cell(name, name)
    listed = [c for c in subject.layout.columns if c.role in {"dataset", "task"}]
    in_row = any(holds_name(place.cells[c.index].text, name) for c in listed)
    if read_label(name).benchmarks and not in_row:
        return column_part(Column(0, (cell,), "value"), subject.card)
    where = LabelPlace(Column(0, (), "dataset"), subject.layout, subject.card)
    return row_part(cell, where)


def _metric(subject: Subject, place: Place, spot: Spot, said: str | None) -> Part:
    """The metric as the table writes it; empty where the answer leaves it open or repeats a dataset."""
    heads = [read_label(h.text) for h in spot.column.heads]
    base = Part(
        percent=any(h.percent for h in heads),
        lower=next((h.lower for h in heads if h.lower is not None), None),
    )
    name = _plain(said)
    label = read_label(name)
    if not tokens(name) or (not label.metrics and (label.benchmarks or label.roles)):
        return base
    if subject.layout.harness and any(tokens(t) == tokens(name) for t in place.near):
        # The harness's own names stand as they are: "bleu_max" is not "bleu".
        known = label.metrics[0].name if label.metrics else name.casefold()
        mention = Mention(known, name[:_MAX_METRIC])
    else:
        mention = _mention(subject, place, spot, label)
    return base.joined(Part(metrics=(mention,), percent=label.percent, lower=label.lower))


def _mention(subject: Subject, place: Place, spot: Spot, label: Label) -> Mention:
    """The metric of an answer where the table or the text around it names it, at the value's place."""
    labels = [read_label(t) for t in place.near]
    near = [found.metrics for found in labels]
    far = [read_prose(t).metrics for t in (*place.titles, *place.prose)]
    if not label.metrics:
        if any(near):
            raise DroppedError("llm_other_metric")
        if len(label.text) > _MAX_METRIC or not holds_words(place.near, label.text):
            raise DroppedError("llm_metric_not_in_table")
        return Mention(label.text.casefold(), label.text)
    if spot.pieces > 1:  # "EM/F1" above "80.1/83.2": the first number is the first metric's
        paired = [m for m in (*near, subject.around.metrics) if len(m) == spot.pieces]
        if paired and paired[0][spot.piece].name not in {m.name for m in label.metrics}:
            raise DroppedError("llm_other_metric")
    there = [m for metrics in (near if any(near) else far) for m in metrics]
    wanted = [m for m in there if m.name in {k.name for k in label.metrics}]
    if not wanted:
        raise DroppedError("llm_other_metric" if any(near) else "llm_metric_not_in_table")
    # "Mean AUC" is an average of runs, whatever the answer calls it.
    averages = [found.text for found in labels if found.aggregate and wanted[0] in found.metrics]
    return Mention(wanted[0].name, averages[0]) if averages else wanted[0]


def _conditions(place: Place, result: Result) -> Part:
    """Split and notes, if they stand there."""
    split, notes = _plain(result.split), _plain(result.notes)
    if not holds_words(place.texts, split) or not holds_words(place.texts, notes):
        raise DroppedError("llm_setting_not_in_table")
    known = read_label(split).splits
    if known == ("train",):
        raise DroppedError("train_split")
    label = read_label(notes)
    return Part(
        split=known[0] if len(known) == 1 else split.lower()[:_MAX_METRIC] or None,
        shots=label.shots,
        language=label.language,
        notes=(label.rest,) if label.rest else (),
    )


def _unsaid(place: Place) -> Part:
    """Split, shots and language that the labels state, whether or not the answer repeats them."""
    labels = [read_label(c.text) for c in place.labels]
    splits = {k.splits[0] for k in labels if len(k.splits) == 1}
    shots = {k.shots for k in labels if k.shots}
    languages = [k.language for k in labels if k.language]
    return Part(
        split=next(iter(splits)) if len(splits) == 1 else None,
        shots=next(iter(shots)) if len(shots) == 1 else None,
        language=languages[0] if len(languages) == 1 else None,
        refuse="train_split" if splits == {"train"} else None,
    )
