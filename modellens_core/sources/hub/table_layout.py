"""What each column of a table is for: label (model, dataset, metric, ...), value, or neither.

Looks at headings and at the shape of the cells below them. Which rows are headings is found out in
`table_heads.py`. What a value then means is put together in `table_reader.py`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from modellens_core.sources.hub.card_names import Card, is_own, looks_like_model
from modellens_core.sources.hub.cells import Cell, linked_model
from modellens_core.sources.hub.labels import Label, read_label
from modellens_core.sources.hub.markdown_tables import Table
from modellens_core.sources.hub.table_heads import cell_kind, split_heads
from modellens_core.sources.hub.vocabulary import is_own_phrase, tokens
from modellens_core.sources.values import Refusal

LABEL_ROLES: Final = ("model", "dataset", "task", "metric", "split", "language", "shots")
_FIRM_ROLES: Final = frozenset({*LABEL_ROLES, "setting"})  # whatever the cells look like
_ARROWS: Final = frozenset({"↑", "↓", ""})
_SPREADS: Final = frozenset({"±", "+/-", "+-", ""})


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        index: position. heads: its heading cells from top to bottom, empty and repeated ones left out.
        role: one of `LABEL_ROLES`, "row" (a label nobody named), "setting", "arrow", "attribute" (a text
            that may tell rows apart), "excluded", "ignored" or "value".
        excluded: the sort of bookkeeping, for role "excluded".
    """

    index: int
    heads: tuple[Cell, ...]
    role: str
    excluded: str | None = None

    @property
    def title(self) -> str:
        """The heading as one text."""
        return " ".join(c.text for c in self.heads)


@dataclass(frozen=True, slots=True)
class Layout:
    """A table with its columns understood; `rows` is the body, `title` a heading over all columns."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str
    harness: bool = False  # printed by lm-evaluation-harness: its "Task" column holds dataset names
    by_class: bool = False  # a classification report: its first column holds classes and averages

    def with_role(self, role: str) -> tuple[Column, ...]:
        """The columns of one role."""
        return tuple(c for c in self.columns if c.role == role)


def lay_out(table: Table, card: Card) -> Layout | Refusal | None:
    """Understand a table's columns.

    Returns:
        The layout; a `Refusal` for a table that is known not to hold results; None for a table without
        any number below its headings.
    """
    heads, body, title = split_heads(table)
    kinds = {cell_kind(c.raw) for row in body for c in row}
    if not kinds & {"number", "numeric"}:
        return None
    width = len(body[0])
    columns = tuple(_column(i, [h[i] for h in heads], [r[i] for r in body]) for i in range(width))
    refusal = _not_results(columns)
    if refusal is not None:
        return refusal
    if _is_report_by_class(columns, body):
        labels = [c for c in columns[1:] if c.role not in {"value", "excluded", "ignored"}]
        return Refusal("per_class") if labels else Layout(columns, body, title, by_class=True)
    columns = _name_rows(columns, body, card)
    roles = {c.role for c in columns}
    titles = {c.title.casefold() for c in columns}
    harness = (
        bool({"task", "dataset"} & roles)
        and "metric" in roles
        and bool(titles & {"stderr", "version"})
    )
    return Layout(columns, body, title, harness)


def _column(index: int, heads: Sequence[Cell], cells: Sequence[Cell]) -> Column:
    distinct: list[Cell] = []
    for head in heads:
        if head.text and all(head.text != d.text for d in distinct):
            distinct.append(head)
    kinds = Counter(cell_kind(c.raw) for c in cells)
    numeric = kinds["number"] + kinds["numeric"]
    role, excluded = _role([read_label(h.text) for h in distinct], cells, numeric, kinds["text"])
    return Column(index, tuple(distinct), role, excluded)


def _role(
    labels: Sequence[Label], cells: Sequence[Cell], numeric: int, text: int
) -> tuple[str, str | None]:
    texts = {c.text for c in cells}
    last = labels[-1].roles if labels else ()
    first = last[0] if last else ""
    if texts <= _ARROWS and texts & {"↑", "↓"}:
        return "arrow", None
    if texts <= _SPREADS or first == "stderr":
        return "ignored", None
    if first in _FIRM_ROLES:
        return first, None
    excluded = next((k.excluded for k in labels if k.excluded), None)
    if numeric > text:
        if first in {"ignored", "value"}:  # "# Value" is no count
            return first, None
        counted = excluded is not None and not any(k.metrics for k in labels)
        return ("excluded", excluded) if counted else ("value", None)
    unnamed = not labels or bool(set(last) & set(LABEL_ROLES))  # "Language / Model" is one of them
    return ("row", None) if unnamed else ("attribute", excluded)


def _not_results(columns: Sequence[Column]) -> Refusal | None:
    """Refuse training logs, and tables that hold nothing but bookkeeping."""
    titles = [c.title.casefold() for c in columns]
    losses = [t for t in titles if "loss" in t and not read_label(t).metrics]
    steps = [c for c, t in zip(columns, titles, strict=True) if t in _PROGRESS]
    named = any(c.role in LABEL_ROLES for c in columns)
    if (losses and (steps or len(losses) > 1)) or (steps and not named):
        return Refusal("trainer_log")
    if {t.rstrip(".") for t in titles} >= _DECODING:
        return Refusal("decoding_log")
    if columns and columns[0].heads and read_label(columns[0].title).excluded == "training":
        return Refusal("hyperparameters")
    if any(c.role == "value" for c in columns):
        return None
    sorts = [c.excluded for c in columns if c.role == "excluded" and c.excluded]
    return Refusal(f"not_results_{sorts[0]}" if sorts else "no_score_column")


def _is_report_by_class(columns: Sequence[Column], body: Sequence[Sequence[Cell]]) -> bool:
    """Whether a table is a classification report: precision and recall of each class."""
    measured = {m.name for c in columns for m in read_label(c.title).metrics}
    if not {"precision", "recall"} <= measured:
        return False
    support = any(c.title.casefold() in _SUPPORT for c in columns)
    named = tokens(columns[0].title) in _CLASS_HEADINGS
    return (
        support
        or named
        or any(r[0].text.casefold().replace("_", " ") in CLASS_AVERAGES for r in body)
    )


_SUPPORT: Final = frozenset({"support", "# support", "count", "supports", "number"})
_CLASS_HEADINGS: Final = frozenset(
    {("class",), ("classes",), ("entity",), ("entities",), ("entity", "type"), ("ne", "type")}
    | {("label",), ("labels",), ("tag",), ("category",), ("relation",), ("named", "entity")}
)
CLASS_AVERAGES: Final = frozenset(
    f"{how} {word}"
    for how in ("macro", "micro", "weighted", "samples")
    for word in ("avg", "average")
)
_DECODING: Final = frozenset({"snt", "wrd", "corr", "sub", "del", "ins", "err"})  # sclite's summary
_PROGRESS: Final = frozenset(
    {
        "epoch",
        "epochs",
        "step",
        "steps",
        "iteration",
        "iterations",
        "global step",
        "epoch #",
        "n epochs",
    }
)


def _name_rows(
    columns: tuple[Column, ...], body: Sequence[Sequence[Cell]], card: Card
) -> tuple[Column, ...]:
    """Give label columns the role that their cells show, where the heading says none or a wrong one."""
    named = {c.role for c in columns}
    result: list[Column] = []
    for column in columns:
        cells = [r[column.index] for r in body if r[column.index].text]
        first = not result and not named & {"model", "dataset", "task", "metric"}
        role = column.role
        if role == "row" or (role == "attribute" and first):
            role = _unnamed_role(column, _shown(cells, card), {c.role for c in result}, first=first)
        elif (role, _shown(cells, card)) in _MISNAMED and (role == "model" or "model" not in named):
            role = _shown(cells, card) or role
        result.append(replace(column, role=role))
    if not any(c.role == "model" for c in result):
        result = [_linked_column(c, body) for c in result]
    return tuple(result)


_MISNAMED: Final = frozenset(
    # "Task" above the names of models stands for what is in the columns
    {("model", "metric"), ("model", "dataset"), ("task", "model"), ("dataset", "model")}
)


def _unnamed_role(column: Column, shown: str | None, taken: set[str], *, first: bool) -> str:
    if shown is not None and shown not in taken:
        return shown
    if column.role == "row":
        beside = not column.heads and bool({"model", "dataset", "task"} & taken)
        return "attribute" if beside else "row"
    return "row" if first and not column.excluded else "attribute"


def _linked_column(column: Column, body: Sequence[Sequence[Cell]]) -> Column:
    """A column of links to different Hub models says whose row it is, whatever its heading."""
    linked = {linked_model(r[column.index].link) for r in body} - {None}
    return (
        replace(column, role="model") if column.role == "attribute" and len(linked) > 1 else column
    )


def _shown(cells: Sequence[Cell], card: Card) -> str | None:
    """The role that a column's cells have by themselves, or None."""
    labels = [read_label(c.text) for c in cells]
    plain = [k for k in labels if not k.aggregate]
    half = max(len(plain), 1) / 2
    evidence = (
        ("model", any(_is_model(c, card) for c in cells)),
        ("metric", sum(bool(k.metrics) and not k.rest for k in plain) > half),
        ("dataset", sum(bool(k.benchmarks) and k.exact for k in plain) > half),
        ("split", all(k.splits and not k.rest for k in labels)),
        ("language", all(k.language for k in labels)),
        ("model", sum(looks_like_model(c, card) for c in cells) * 3 >= 2 * len(cells)),
    )
    return next((role for role, shown in evidence if shown), None) if cells else None


def _is_model(cell: Cell, card: Card) -> bool:
    own = is_own(cell.text, card) or is_own_phrase(cell.text)
    return own or linked_model(cell.link) is not None
