"""Which models a table's rows or columns stand for, decided over the whole table.

One name is read in `card_names.py`; here the names of all rows, or of all columns, are looked at
together: which axis holds the models, what "ours" means, which equal names a size tells apart.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from modellens_core.sources.hub.card_names import (
    Card,
    Named,
    is_short_own,
    lists_dataset,
    looks_like_model,
    name_model,
    resembles,
)
from modellens_core.sources.hub.cells import Cell
from modellens_core.sources.hub.label_parts import column_part
from modellens_core.sources.hub.labels import read_label
from modellens_core.sources.hub.parts import CLASS_KEY, Part
from modellens_core.sources.hub.table_layout import Column, Layout
from modellens_core.sources.hub.vocabulary import is_task

_SIZE: Final = re.compile(r"~?\d+(?:\.\d+)?(?:x\d+)?\s?[BbMm]")
_FEWEST_KNOWN: Final = 2  # columns of known benchmarks, beside which "NorNE-NB" is one, too
_IDENTIFIER = re.compile(r"(?=(?:[^A-Z0-9]*[A-Z0-9]){2})[A-Za-z][\w+-]{2,30}(?:\s\d[\d.]*)?")
_CLASS = re.compile(r"[^()]{1,40}\s?\((?P<name>[^()]{1,40})\)")
_MEASURED = re.compile(r"^.{1,80}[(\[][^()\[\]]{1,40}[)\]]\s*[↑↓%]*$")


@dataclass(frozen=True, slots=True)
class Row:
    """A body row: its cells, what its labels say, and its other texts by heading."""

    cells: tuple[Cell, ...]
    part: Part
    attributes: Mapping[str, str]


def settle_rows(rows: list[Row], card: Card) -> list[Row]:
    """Look at the model column as a whole.

    Equal names get the size beside them; "ours" counts only where no row has this card's name; a single
    name that resembles this card's is this card's.
    """
    named = [r.part.model for r in rows if r.part.model is not None]
    if not named:
        return rows
    rows = _with_sizes(rows)
    rows = [
        replace(r, part=replace(r.part, model=m))
        for r, m in zip(rows, _with_own([r.part.model for r in rows], card), strict=True)
    ]
    named = [r.part.model for r in rows if r.part.model is not None]
    claims = any(m.claimed for m in named)
    if claims and any(m.name is None and not m.claimed for m in named):
        return [r for r in rows if r.part.model is None or not r.part.model.claimed]
    names = {m.name for m in named}
    single = next(iter(names)) if len(names) == 1 else None
    if single and not any(m.linked for m in named) and resembles(single, card):
        return [replace(r, part=replace(r.part, model=Named(None))) for r in rows]
    return rows


def _with_own(models: Sequence[Named | None], card: Card) -> list[Named | None]:
    """Take this card's short name for its own, if no other name among the models is its own."""
    if any(m is not None and m.name is None for m in models):
        return list(models)
    short = {m.name for m in models if m and m.name and not m.linked and is_short_own(m.name, card)}
    if len(short) != 1:
        return list(models)
    return [replace(m, name=None) if m is not None and m.name in short else m for m in models]


def _with_sizes(rows: list[Row]) -> list[Row]:
    """Write the sizes behind the names, if one name stands beside several: "Llama 2" of 7B and 13B."""
    sizes = [next((v for v in r.attributes.values() if _SIZE.fullmatch(v)), None) for r in rows]
    beside: dict[Named, set[str]] = {}
    for row, size in zip(rows, sizes, strict=True):
        if size and row.part.model is not None:
            beside.setdefault(row.part.model, set()).add(size)
    if all(len(different) < 2 for different in beside.values()):
        return rows
    return [_with_size(r, s) for r, s in zip(rows, sizes, strict=True)]


def _with_size(row: Row, size: str | None) -> Row:
    model = row.part.model
    if size is None or model is None or model.name is None or model.linked:
        return row
    named = replace(model, name=f"{model.name} {size}")
    return replace(row, part=replace(row.part, model=named))


def value_columns(layout: Layout, rows: Sequence[Row], card: Card) -> list[tuple[Column, Part]]:
    """The value columns with their headings read, models and datasets among them recognised."""
    columns = layout.with_role("value")
    parts = [column_part(c, card) for c in columns]
    in_rows = any(r.part.model is not None for r in rows)
    measured = [bool(r.part.dataset or r.part.metrics or r.part.language) for r in rows]
    if (
        not in_rows
        and any(measured)
        and all(m or r.part.task for m, r in zip(measured, rows, strict=True))
    ):
        parts = _models_in_heads(columns, parts, card)
    parts = _with_means(_with_classes(columns, parts), rows)
    known = sum(p.known is not None for p in parts)
    certain = any(p.known is not None and not p.common for p in parts)
    mostly_known = known >= 3 and known * 2 >= len(parts)
    languages = [p.language is not None for p in parts if p.refuse is None]
    done: list[tuple[Column, Part]] = []
    for column, part in zip(columns, parts, strict=True):
        clear = part
        if (
            part.language is not None
            and part.dataset is None
            and sum(languages) * 2 <= len(languages)
        ):
            clear = replace(part, refuse="unclear_column")  # "English" among school subjects
        elif part.common and not (certain or part.metrics or part.refuse):
            clear = replace(part, refuse="unclear_column")  # "Math" among abilities
        elif part.unclear and part.refuse is None:
            listed = certain and known >= _FEWEST_KNOWN and _IDENTIFIER.fullmatch(part.unclear)
            named = in_rows and bool(mostly_known or listed or _names_dataset(column.title))
            named = named or lists_dataset(part.unclear, card)
            clear = _cleared(part, named=named)
        done.append((column, clear))
    return done


def _with_classes(columns: Sequence[Column], parts: Sequence[Part]) -> list[Part]:
    """Read "F1 (ORG)" beside "F1" as the score of one class of the data, never of all of it."""
    plain = {p.metrics[0].name for p in parts if len(p.metrics) == 1 and not p.unclear}
    result: list[Part] = []
    for column, part in zip(columns, parts, strict=True):
        bracketed = _CLASS.fullmatch(column.title)
        name = bracketed["name"] if bracketed else ""
        # "PER" is a kind of entity, and in other places an error rate
        is_class = part.unclear == name or (len(part.metrics) == 2 and is_task(name))
        if name and is_class and part.metrics and part.metrics[0].name in plain:
            metric = replace(part.metrics[0], written=column.title)
            result.append(replace(part, metrics=(metric,), unclear="", setting={CLASS_KEY: name}))
        else:
            result.append(part)
    return result


def _with_means(parts: Sequence[Part], rows: Sequence[Row]) -> list[Part]:
    """Take "Mean AUC" for a metric where the table holds no values that it could be the mean of."""
    spreads = [bool(p.unclear and p.metrics) for p in parts]  # "Std AUC"
    alone = all(p.mean or p.refuse or s for p, s in zip(parts, spreads, strict=True))
    if not alone or any(p.dataset for p in parts):
        return list(parts)
    if len({r.part.dataset for r in rows}) > 1 and not all(r.part.dataset for r in rows):
        return list(parts)
    return [
        replace(p, metrics=(p.mean,), mean=None, refuse=None) if p.mean is not None else p
        for p in parts
    ]


def _cleared(part: Part, *, named: bool) -> Part:
    """Say what an unexplained heading is: more about a dataset, a dataset, or unclear."""
    if part.dataset is not None:
        return replace(part, notes=(*part.notes, part.unclear), unclear="")
    if named and not is_task(part.unclear):
        return replace(part, dataset=part.unclear, unclear="")
    return replace(part, refuse="unclear_column")


def _names_dataset(heading: str) -> bool:
    """Whether a heading is written "Name (metric)", the way datasets are measured."""
    measured = read_label(heading.rpartition("(")[2]).metrics
    return bool(measured) and _MEASURED.match(heading) is not None


def _models_in_heads(columns: Sequence[Column], parts: Sequence[Part], card: Card) -> list[Part]:
    """Read the unexplained headings as models, if one is this card's or most look like models."""
    heads = [
        _named_head(c, p) if p.unclear and c.heads else None
        for c, p in zip(columns, parts, strict=True)
    ]
    given = [h for h in heads if h is not None]
    names = [name_model(h, card) for h in given]
    own = any(p.model is not None for p in parts) or any(
        n is not None and n.name is None for n in names
    )
    alike = sum(looks_like_model(h, card) for h in given)
    if not own and alike * 2 < len(given):
        return list(parts)
    result: list[Part] = []
    models = _with_own([name_model(h, card) if h else None for h in heads], card)
    for head, part, model in zip(heads, parts, models, strict=True):
        if head is None:
            result.append(part)
            continue
        refuse = part.refuse or (None if model else "not_a_model")
        result.append(replace(part, model=model, unclear="", refuse=refuse))
    return result


def _named_head(column: Column, part: Part) -> Cell:
    """The heading, or what is left of it beside a metric or a dataset."""
    head = column.heads[-1]
    return Cell(part.unclear, part.unclear, head.link) if part.metrics or part.dataset else head
