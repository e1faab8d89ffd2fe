"""Decides what the cells of one table mean: which model, dataset and metric each value belongs to.

Every value is put together from what its row, its column and the text around the table say. Where these
contradict each other, or leave the model, the dataset or the metric open, the value is refused with a
reason: a missing score costs less than a wrong one. Nothing is made up; a metric that the table leaves
out is taken only where everybody reports the same one for that benchmark, and is marked.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from modellens_core.schema import Unit
from modellens_core.sources.hub.card_names import Card, Named
from modellens_core.sources.hub.cells import Cell
from modellens_core.sources.hub.class_reports import class_parts
from modellens_core.sources.hub.conventions import (
    BOTH_HALVES,
    panel_metrics,
    two_halves,
    usual_metric,
    usual_pair,
)
from modellens_core.sources.hub.label_parts import Place, row_part
from modellens_core.sources.hub.labels import Mention, read_label
from modellens_core.sources.hub.markdown_tables import Table
from modellens_core.sources.hub.parts import Part
from modellens_core.sources.hub.scores import MAX_NOTE, Refused, Score, distinct
from modellens_core.sources.hub.surroundings import Surroundings, look_around
from modellens_core.sources.hub.table_heads import cell_kind
from modellens_core.sources.hub.table_layout import Column, Layout, lay_out
from modellens_core.sources.hub.table_models import Row, settle_rows, value_columns
from modellens_core.sources.hub.vocabulary import Benchmark, is_bounded
from modellens_core.sources.values import ParsedValue, Refusal, parse_value

_LABELS: Final = frozenset({"model", "dataset", "task", "metric", "split", "language", "row"})
_FIXED: Final = frozenset({"setting", "shots", "arrow"})
_SUBSETS: Final = frozenset({"clean", "other", "matched", "mismatched"})
_ENGLISH: Final = frozenset({None, "en", "english"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Meaning:
    """Everything about a value but its metric and its number."""

    model: Named | None
    dataset: str
    known: Benchmark | None
    task: str | None
    setting: Mapping[str, str]


def read_table(table: Table, card: Card) -> Iterator[Score | Refused]:
    """Yield the scores of one table, and what was refused and why.

    Args:
        table: cells and surroundings.
        card: whose README it is.

    Yields:
        `Score`s with distinct identities, and `Refused`; nothing for a table without numbers.
    """
    layout = lay_out(table, card)
    if layout is None:
        return
    if isinstance(layout, Refusal):
        yield Refused(layout.reason, " | ".join(c.text for c in table.rows[0]))
        return
    around = look_around(table, layout, card)
    if layout.by_class:
        yield from _read_classes(table, layout, around, card)
        return
    rows: list[Row] = []
    for row in _body(layout, card):
        if isinstance(row, Refused):
            yield row
        else:
            rows.append(row)
    rows = settle_rows(rows, card)
    found: list[tuple[Score, Row]] = []
    columns = value_columns(layout, rows, card)
    panel = panel_of(columns, rows)
    for column, part in columns:
        if part.refuse is not None:
            yield Refused(part.refuse, column.title)
            continue
        for row in rows:
            for item in scores_of(row.part.joined(part), row.cells[column.index], around, panel):
                if isinstance(item, Score):
                    found.append((item, row))
                else:
                    yield item
    yield from distinct(found)


def value_parts(layout: Layout, card: Card) -> tuple[list[tuple[Column, Part]], list[Row]]:
    """What the headings of the value columns say, and the rows that are read."""
    rows = settle_rows([row for row in _body(layout, card) if isinstance(row, Row)], card)
    return value_columns(layout, rows, card), rows


def panel_of(columns: Sequence[tuple[Column, Part]], rows: Sequence[Row]) -> Mapping[str, str]:
    """The usual metrics of a table's benchmarks where they are a panel that is reported together."""
    parts = [part for _, part in columns] + [row.part for row in rows]
    return panel_metrics({part.known.name for part in parts if part.known is not None})


def _read_classes(
    table: Table, layout: Layout, around: Surroundings, card: Card
) -> Iterator[Score | Refused]:
    found: list[tuple[Score, Row]] = []
    for part, cell, cells in class_parts(layout, around, table.section, card):
        for item in scores_of(part, cell, around, {}):
            if isinstance(item, Score):
                found.append((item, Row(tuple(cells), part, {})))
            else:
                yield item
    yield from distinct(found)


def _body(layout: Layout, card: Card) -> Iterator[Row | Refused]:
    """The body's rows with their labels read: group rows applied, empty labels filled from above."""
    labels = [c for c in layout.columns if c.role in _LABELS]
    read = [c for c in layout.columns if c.role in _LABELS | _FIXED]
    texts = [c for c in layout.columns if c.role in {"attribute", "excluded"}]
    above: dict[int, Cell] = {}
    group, title, parent = Part(), "", ""
    for cells in layout.rows:
        given = [c for c in cells if c.text]
        if len({c.text for c in given}) == 1 and cell_kind(given[0].raw) == "text":
            group, above = row_part(given[0], Place(Column(0, (), "group"), layout, card)), {}
            title = given[0].text
            continue
        row = _filled(cells, labels, above)
        above = {c.index: row[c.index] for c in labels}
        part = group
        for column in read:
            part = part.joined(
                row_part(row[column.index], Place(column, layout, card, row, parent))
            )
        if layout.harness and part.dataset and part.config is None:
            parent = part.dataset
        if labels and len(layout.rows) > 1 and not any(row[c.index].text for c in labels):
            part = replace(part, refuse="unlabelled_row")
        if part.refuse is not None:
            yield Refused(part.refuse, " | ".join(row[c.index].text for c in labels))
            continue
        said = {c.title: row[c.index].text for c in texts if row[c.index].text}
        yield Row(row, part, {**said, "group": title} if title else said)


def _filled(
    cells: tuple[Cell, ...], labels: Sequence[Column], above: Mapping[int, Cell]
) -> tuple[Cell, ...]:
    """Repeat a label from the row above where it is left empty beside another label."""
    row = list(cells)
    for column in labels:
        beside = any(cells[o.index].text for o in labels if o is not column)
        if not cells[column.index].text and beside and column.index in above:
            row[column.index] = above[column.index]
    return tuple(row)


def scores_of(
    part: Part, cell: Cell, around: Surroundings, panel: Mapping[str, str]
) -> Iterator[Score | Refused]:
    """The value or values of one cell, or why it is refused; nothing for an empty cell."""
    if cell_kind(cell.raw) in {"empty", "text"}:
        return
    meaning = _meaning(part, around)
    if isinstance(meaning, str):
        yield Refused(meaning, cell.raw)
        return
    written = cell.raw.split("/")
    metrics, convention = _metrics(part, meaning, around, panel)
    if not metrics and part.exact and part.dataset:
        values = [v.value for v in map(_value, written) if isinstance(v, ParsedValue)]
        metrics = usual_pair(meaning.known, values, around.named)
        convention = bool(metrics)
    pieces = [cell.raw] if len(metrics) == 1 else written
    meanings = [meaning] * len(pieces)
    name = two_halves(meaning.dataset)
    if name and len(metrics) == 1 and len(written) == len(BOTH_HALVES):
        pieces, metrics = written, metrics * len(BOTH_HALVES)
        meanings = [_half(meaning, name, half) for half in BOTH_HALVES]
    elif name:
        meanings = [replace(meaning, dataset=name)] * len(pieces)
    if not metrics or len(pieces) != len(metrics):
        yield Refused("two_metrics" if metrics else "no_metric", cell.raw)
        return
    for metric, piece, meant in zip(metrics, pieces, meanings, strict=True):
        value = _value(piece)
        if isinstance(value, ParsedValue) and value.value > 100 and is_bounded(metric.name):
            yield Refused("out_of_range", cell.raw)
        elif isinstance(value, ParsedValue):
            yield Score(
                model=meant.model.name if meant.model else None,
                dataset=meant.dataset,
                metric=metric.written,
                value=value,
                task=meant.task,
                unit=value.unit or (Unit.PERCENT if part.percent else None),
                lower=part.lower,
                setting=meant.setting,
                convention=convention,
            )
        elif value.reason != "empty":
            yield Refused(value.reason, cell.raw)


def _value(piece: str) -> ParsedValue | Refusal:
    return parse_value(piece.strip("*_` "))


def _half(meaning: _Meaning, dataset: str, half: str) -> _Meaning:
    return replace(meaning, dataset=dataset, setting={**meaning.setting, "config": half})


def _metrics(
    part: Part, meaning: _Meaning, around: Surroundings, panel: Mapping[str, str]
) -> tuple[tuple[Mention, ...], bool]:
    """The metric or metrics of a value, and whether they are a convention; none if it is open."""
    if part.metrics:
        return part.metrics, False
    known = meaning.known
    elsewhere = bool(part.dataset and around.about) and (
        known is None or known.name not in around.about
    )
    if around.metrics and not elsewhere:
        return around.metrics, False
    usual = None
    if part.exact if part.dataset else around.near:
        usual = usual_metric(known, part.task, panel)
    if usual is None or around.named - {usual}:
        return (), False
    return (Mention(usual, usual),), True


def _meaning(part: Part, around: Surroundings) -> _Meaning | str:
    """Model, dataset and setting of a value, or the reason to refuse it."""
    model = part.model or around.model
    dataset, known = (part.dataset, part.known) if part.dataset else (around.dataset, around.known)
    own_refused = around.not_own if model is None else None
    suite, config = known is not None and known.suite, part.config
    if part.task is not None and part.dataset is None:
        if suite and config is None:
            suite, config = False, part.task
        else:
            dataset = None  # what the text around names need not be what this task was measured on
    language = part.language or _language(part, dataset or "", known, around)
    placeless = known is not None and known.multilingual and language is None
    refusal = (
        part.refuse
        or own_refused
        or (None if dataset else "no_dataset")
        or ("aggregate" if suite else None)
        or ("no_language" if placeless and _is_bare(dataset or "") else None)
    )
    if refusal is not None:
        return refusal
    assert dataset is not None
    subsets = [n.casefold() for n in part.notes if n.casefold() in _SUBSETS]
    notes = [n for n in part.notes if n.casefold() not in _SUBSETS]
    said = {
        "split": part.split or around.split,
        "shots": part.shots or around.shots,
        "language": language,
        "config": config or "; ".join(subsets),
        "notes": "; ".join(notes)[:MAX_NOTE],
        "model.notes": model.notes if model else None,
    }
    setting = {**part.setting, **{k: v for k, v in said.items() if v}}
    return _Meaning(model=model, dataset=dataset, known=known, task=part.task, setting=setting)


def _language(
    part: Part, dataset: str, known: Benchmark | None, around: Surroundings
) -> str | None:
    """The card's language, where the dataset's name alone would not say which evaluation it was."""
    if known is None or not _is_bare(dataset):
        return None
    # "SQuAD" in the title of a Spanish model's card
    foreign = part.dataset is None and around.language not in _ENGLISH
    return around.language if known.multilingual or foreign else None


def _is_bare(dataset: str) -> bool:
    """Whether a dataset's name says nothing beside a known benchmark and its version."""
    label = read_label(dataset)
    return label.exact and not label.rest and label.language is None
