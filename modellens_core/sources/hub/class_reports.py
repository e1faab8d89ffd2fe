"""Reads a classification report: precision, recall and F1 of each class, and their averages.

A class is part of the setting, and so of a record's group: the score of one class is never compared with
that of a whole dataset. "macro avg" and its like are written into the metric's name, as people say them.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from modellens_core.sources.hub.card_names import Card
from modellens_core.sources.hub.cells import Cell
from modellens_core.sources.hub.label_parts import column_part
from modellens_core.sources.hub.labels import Mention, read_label
from modellens_core.sources.hub.parts import CLASS_KEY, Part
from modellens_core.sources.hub.surroundings import Surroundings
from modellens_core.sources.hub.table_layout import CLASS_AVERAGES, Column, Layout
from modellens_core.sources.hub.vocabulary import is_task

_OTHERS = re.compile(r"\bbaselines?\b|\bcompar(?:e|ed|ison)\b|比較|对比", re.IGNORECASE)
_MAX_CLASS: Final = 60  # characters; more is a sentence


def class_parts(
    layout: Layout, around: Surroundings, section: str, card: Card
) -> Iterator[tuple[Part, Cell, Sequence[Cell]]]:
    """Say what each value of a classification report is.

    Args:
        layout: a table of one model whose first column names classes and averages.
        around: what the text around says.
        section: the text above, which may say that these are not this card's results.
        card: whose README it is.

    Yields:
        What is known of a value, its cell, and its row.
    """
    columns = _measures(layout, card)
    refuse = "other_model_context" if around.model is None and _OTHERS.search(section) else None
    for row in layout.rows:
        named = row[0].text
        if len({c.text for c in row if c.text}) == 1 and named:  # the title of a group
            continue
        label = read_label(named)
        # "PER" is a class, not an error rate
        single = label.metrics if len(label.metrics) == 1 and not is_task(named) else ()
        if single and not label.rest:  # "accuracy" of all classes: one value, under any heading
            given = [row[c.index] for c, _ in columns if row[c.index].text]
            why = refuse or (None if len(given) == 1 else "two_metrics")
            for cell in given[:1]:
                yield Part(metrics=(single[0],), refuse=why), cell, row
            continue
        for column, metric in columns:
            yield _class_part(named, metric, refuse), row[column.index], row


def _measures(layout: Layout, card: Card) -> list[tuple[Column, Mention]]:
    """The columns of measures, each with the one metric that it holds."""
    found: list[tuple[Column, Mention]] = []
    for column in layout.columns[1:]:
        part = column_part(column, card)
        if len(part.metrics) == 1 and not part.unclear and part.refuse is None:
            found.append((column, part.metrics[0]))
    return found


def _class_part(named: str, metric: Mention, refuse: str | None) -> Part:
    if named.casefold().replace("_", " ") in CLASS_AVERAGES:
        whole = f"{named} {metric.written}"
        return Part(metrics=(Mention(metric.name, whole),), refuse=refuse)
    if not named or len(named) > _MAX_CLASS:
        return Part(refuse=refuse or "unlabelled_row")
    if read_label(named).aggregate:
        return Part(refuse=refuse or "aggregate")
    return Part(metrics=(metric,), setting={CLASS_KEY: named}, refuse=refuse)
