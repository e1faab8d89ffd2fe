"""What one heading or one row label contributes to the meaning of a value.

What a `Part` holds, and how parts are joined, is in `parts.py`. Which parts are joined, and
what is filled in from the text around the table, belongs in `table_reader.py`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from modellens_core.sources.hub.card_names import (
    Card,
    Named,
    is_own,
    lists_dataset,
    looks_like_model,
    name_model,
)
from modellens_core.sources.hub.cells import Cell, linked_dataset
from modellens_core.sources.hub.labels import Label, Mention, read_label
from modellens_core.sources.hub.parts import Part
from modellens_core.sources.hub.table_layout import Column, Layout
from modellens_core.sources.hub.vocabulary import (
    benchmark,
    has_family,
    is_condition,
    is_never_dataset,
    is_own_phrase,
    is_size,
    is_task,
    tokens,
)

_MEASURED_ON = re.compile(r"(?P<task>[^()]{2,80}?)\s*\((?P<name>[^()]{2,60})\)")
_MAX_NAME: Final = 100
_MAX_METRIC: Final = 40
_PLAIN_SPLIT: Final = 1  # words of a split that says nothing but "test" or "dev"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row label stands: its column, table and row, and whose card it is.

    `parent` is the dataset that an indented task of harness output belongs to.
    """

    column: Column
    layout: Layout
    card: Card
    row: tuple[Cell, ...] = ()
    parent: str = ""


def _base(label: Label) -> Part:
    """What a label says wherever it stands."""
    # "tnews (CLUE)": a suite beside one of its sets only says where that comes from
    named = [b for b in label.benchmarks if not benchmark(b.name).suite] or label.benchmarks
    known = benchmark(named[0].name) if len(named) == 1 else None
    whole = len(label.benchmarks) > len(named) and not (label.metrics or label.rest)
    split = label.splits[0] if len(label.splits) == 1 else None
    refusals = (
        (
            "aggregate",
            (label.aggregate and not (label.metrics and known is not None))
            or (known is not None and known.suite and label.exact),
        ),
        ("train_split", split == "train"),
        ("not_a_result", bool(label.excluded) and not label.metrics and not known),
        ("two_datasets", len(named) > 1),
    )
    return Part(
        dataset=(label.text if whole else named[0].written) if known else None,
        known=known,
        exact=label.exact,
        common=label.common,
        metrics=label.metrics,
        split=split,
        shots=label.shots,
        language=label.language,
        lower=label.lower,
        percent=label.percent,
        refuse=next((why for why, applies in refusals if applies), None),
    )


def column_part(column: Column, card: Card) -> Part:
    """What a value column's headings say together."""
    part = Part()
    for head in column.heads:
        part = part.joined(_head_part(head, card))
    return part


def _head_part(head: Cell, card: Card) -> Part:
    if is_own(head.text, card) or is_own_phrase(head.text):
        return Part(model=name_model(head, card))
    label = read_label(head.text)
    if label.roles and set(label.roles) <= {"value", "metric", "dataset", "task", "model"}:
        return Part(percent=label.percent, lower=label.lower)
    part = _base(label)
    if part.refuse == "aggregate" and label.metrics and not label.rest:
        # "Mean AUC": of runs, if nothing else in the table is measured by that name; see value_columns
        return replace(part, mean=_mean_metric(label))
    return part if part.refuse is not None or not label.rest else _with_rest(part, label, head)


def _with_rest(part: Part, label: Label, head: Cell) -> Part:
    """What the words of a heading say that are neither a metric nor a benchmark."""
    if is_condition(label.rest) or part.known is not None:
        return replace(part, notes=(label.rest,))
    if is_condition(head.text):  # "with LM (greedy)"
        return replace(part, notes=(head.text,))
    if linked_dataset(head.link) is not None:
        return replace(part, dataset=label.rest)
    return replace(part, unclear=label.rest)


def _mean_metric(label: Label) -> Mention | None:
    return Mention(label.metrics[0].name, label.text) if len(label.metrics) == 1 else None


def row_part(cell: Cell, place: Place) -> Part:
    """What one label cell says about its row; the role of its column decides how it is read."""
    if not cell.text:
        return Part()
    role = place.column.role
    read = _READERS["dataset" if role == "task" and place.layout.harness else role]
    return read(cell, read_label(cell.text), place)


def _model_part(cell: Cell, label: Label, place: Place) -> Part:
    model = name_model(cell, place.card, place.row)
    family = place.column.heads[0].text if place.column.heads else ""
    if model is None and is_size(cell.text) and has_family(family) and not is_size(family):
        model = Named(f"{family} {cell.text}")  # "7B" in a column headed "Glow"
    reason = "aggregate" if label.aggregate and not label.rest else "not_a_model"
    return Part(model=model, refuse=None if model else reason)


def _dataset_part(cell: Cell, label: Label, place: Place) -> Part:
    name = cell.text.lstrip("- ").strip()
    part = _base(label)
    if place.layout.harness and part.refuse in {None, "two_datasets"}:
        return _harness_part(cell, name, part, place.parent)
    if part.refuse is not None and not (part.refuse == "not_a_result" and label.rest):
        return part
    if part.known is None and (not label.rest or is_condition(name)):
        return replace(part, refuse=None, notes=(name,) if label.rest else ())
    if is_task(name) and part.known is None:
        return Part(task=name)
    if not _could_be_dataset(name, part):
        return Part(refuse="no_dataset")
    if label.metrics:
        name = part.dataset or label.rest
    return replace(part, dataset=name, exact=part.exact and not label.rest, refuse=None)


def _could_be_dataset(name: str, part: Part) -> bool:
    if is_never_dataset(name) or not any(c.isalpha() for c in name) or len(name) > _MAX_NAME:
        return False
    # "Test Expert" is a split of something, "Foo Test" a dataset's split
    return part.known is not None or not read_label(name.split(maxsplit=1)[0]).splits


def _harness_part(cell: Cell, name: str, part: Part, parent: str) -> Part:
    """A task of lm-evaluation-harness: indented ones are subsets of the group above."""
    if cell.text.startswith("-") and parent and not name.casefold().startswith(parent.casefold()):
        return replace(part, dataset=parent, known=None, config=name, refuse=None)
    return replace(part, dataset=name, refuse=None)


def _task_part(cell: Cell, label: Label, place: Place) -> Part:
    part = _base(label)
    if part.known is not None:
        return _dataset_part(cell, label, place)
    if part.refuse is not None or not label.rest:
        return part
    if linked_dataset(cell.link) is not None:
        return replace(part, dataset=cell.text)
    measured = _MEASURED_ON.fullmatch(cell.text)
    if measured is not None and not label.metrics and _is_name(measured["name"]):
        return replace(part, task=measured["task"][:_MAX_NAME], dataset=measured["name"])
    return replace(part, task=(label.rest if label.metrics else cell.text)[:_MAX_NAME])


def _is_name(text: str) -> bool:
    """Whether what stands in brackets behind a task names its data: "UD-GSD", not "en" or "F1"."""
    label = read_label(text)
    said = label.metrics or label.splits or label.language or label.shots or label.aggregate
    return not said and not is_condition(text) and sum(c.isupper() or c.isdigit() for c in text) > 1


def _metric_part(cell: Cell, label: Label, place: Place) -> Part:
    part = _base(label)
    if place.layout.harness:
        name = label.metrics[0].name if label.metrics else cell.text.casefold()
        return Part(metrics=(Mention(name, cell.text[:_MAX_METRIC]),), lower=label.lower)
    if part.refuse is not None or not label.rest:
        return part
    if part.known is not None or label.metrics:
        return replace(part, notes=(label.rest,))
    explicit = any(place.layout.with_role(r) for r in ("dataset", "task"))
    if explicit and len(cell.text) <= _MAX_METRIC:
        return replace(part, metrics=(Mention(cell.text.casefold(), cell.text),))
    return Part(refuse="unknown_metric")


def _group_part(cell: Cell, label: Label, place: Place) -> Part:
    """A row of its own that heads the rows below it."""
    part = _base(label)
    if place.layout.with_role("model"):  # "Open models": sorts the models, says nothing of values
        return Part() if label.rest else replace(part, refuse=None, metrics=())
    if looks_like_model(cell, place.card):
        return Part(model=name_model(cell, place.card))
    return replace(part, notes=(cell.text[:_MAX_NAME],)) if label.rest else part


def _unnamed_part(cell: Cell, label: Label, place: Place) -> Part:
    part = _base(label)
    if part.refuse is not None or not (label.rest or label.common):
        return part
    if is_condition(cell.text):
        return Part(notes=(cell.text,))
    if lists_dataset(cell.text, place.card):
        return replace(part, dataset=cell.text)
    return Part(refuse="unclear_row")


def _split_part(cell: Cell, label: Label, place: Place) -> Part:  # noqa: ARG001 - one signature
    if label.splits == ("train",):
        return Part(refuse="train_split")
    plain = len(label.splits) == 1 and len(tokens(cell.text)) <= _PLAIN_SPLIT
    known = label.splits[0] if plain else None  # "test-clean" says more than "test"
    return Part(split=known or cell.text[:_MAX_NAME].lower())


def _language_part(cell: Cell, label: Label, place: Place) -> Part:  # noqa: ARG001 - one signature
    return Part(refuse="aggregate") if label.aggregate else Part(language=cell.text[:_MAX_NAME])


def _shots_part(cell: Cell, label: Label, place: Place) -> Part:  # noqa: ARG001 - one signature
    return Part(shots=label.shots or cell.text.split()[0])


def _arrow_part(cell: Cell, label: Label, place: Place) -> Part:  # noqa: ARG001 - one signature
    return Part(lower=label.lower)


def setting_key(heading: str) -> str:
    """A heading as the key of a setting: "# Params (M)" is "params_m"; empty if it has no word."""
    return "_".join(t for t in tokens(heading) if t.isalnum())


def _setting_part(cell: Cell, label: Label, place: Place) -> Part:  # noqa: ARG001 - one signature
    key = setting_key(place.column.title) or "setting"
    plain = cell.text.casefold() in {"none", "-", "n/a"}
    return Part() if plain else Part(setting={key[:_MAX_NAME]: cell.text[:_MAX_NAME]})


_READERS: Final[Mapping[str, Callable[[Cell, Label, Place], Part]]] = {
    "model": _model_part,
    "dataset": _dataset_part,
    "task": _task_part,
    "metric": _metric_part,
    "split": _split_part,
    "language": _language_part,
    "shots": _shots_part,
    "arrow": _arrow_part,
    "setting": _setting_part,
    "group": _group_part,
    "row": _unnamed_part,
}
