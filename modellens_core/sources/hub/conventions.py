"""The metrics that a table leaves out because everybody reports the same ones.

Knows the usual metric of a benchmark, the usual pair behind "88.9/84.1", and panels: benchmarks that are
always reported together with fixed metrics. What a table says itself is found in `labels.py`; a metric
from here is marked as a convention by the reader.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from modellens_core.sources.hub.labels import Mention
from modellens_core.sources.hub.vocabulary import Benchmark, tokens, vocabulary

_MATCHED = re.compile(r"(?P<name>.*?)[\s_-]*[(\[]?m(?:atched)?\s*/\s*(?:mm|mismatched)[)\]]?")
BOTH_HALVES: Final = ("matched", "mismatched")


def panel_metrics(names: Collection[str]) -> Mapping[str, str]:
    """Metrics by benchmark that hold because of what else a table reports.

    Args:
        names: every known benchmark that the table names.
    """
    return {
        benchmark: metric
        for panel in vocabulary().panels
        if panel.members.issubset(names)
        for benchmark, metric in panel.metrics.items()
    }


def usual_metric(known: Benchmark | None, task: str | None, panel: Mapping[str, str]) -> str | None:
    """The one metric that everybody reports, or None; `task` is a part of a suite."""
    if known is None:
        return None
    if known.suite and (task is None or vocabulary().tagging & set(tokens(task))):
        return None
    return panel.get(known.name, known.metric)


def usual_pair(
    known: Benchmark | None, values: Sequence[float], named: Iterable[str]
) -> tuple[Mention, ...]:
    """The metrics of two values in one cell, in their order; empty if no pair is usual.

    Args:
        known: the benchmark.
        values: the numbers of the cell.
        named: metrics that the text around speaks of; a pair must hold them all.
    """
    if known is None or len(known.pair) != 2 or len(values) != 2 or set(named) - set(known.pair):
        return ()
    first, second = known.pair
    # One of the two cannot be the smaller one, or only for a model that has learnt nothing.
    if known.greater is not None and (values[0] > values[1]) != (first == known.greater):
        first, second = second, first
    return Mention(first, first), Mention(second, second)


def two_halves(dataset: str) -> str | None:
    """The name before "(m/mm)": "MNLI" in "MNLI-(m/mm)"; None if a heading names no two halves."""
    match = _MATCHED.fullmatch(dataset)
    return (match["name"] or None) if match else None
