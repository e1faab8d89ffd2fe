"""Judges methods on the hidden rows of a split: one value per metric, method and list.

A method is fitted on a problem from which the judged rows are removed, and ranks rows whose scores are
blanked: it cannot cheat, even by mistake. Lists with fewer than five models, or with one score for all,
are not judged. How values are averaged over lists belongs in `summary.py`.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modellens_core.errors import ModelLensError
from modellens_core.evaluation.metrics import METRICS
from modellens_core.features.featureset import Interactions
from modellens_core.progress import Progress, silent, track
from modellens_core.splits.parts import TEST, TRAIN, measurable_groups
from modellens_core.splits.problem import Problem, blind
from modellens_core.splits.units import dataset_unit_names, dataset_units

FloatArray = npt.NDArray[np.float64]

GROUPS = pa.schema(
    [
        pa.field("protocol", pa.string(), nullable=False),
        pa.field("method", pa.string(), nullable=False),
        pa.field("seed", pa.int64(), nullable=False),
        pa.field("group_id", pa.string(), nullable=False),
        pa.field("dataset_family", pa.string(), nullable=False),
        pa.field("dataset_unit", pa.string(), nullable=False),  # families that the split joins: one
        pa.field("task_id", pa.string(), nullable=False),
        pa.field("metric_id", pa.string(), nullable=False),
        pa.field("n_models", pa.int64(), nullable=False),
        pa.field("n_known_models", pa.int64(), nullable=False),  # with at least one training row
        *(pa.field(metric.name, pa.float64()) for metric in METRICS),
    ]
)


class Method(Protocol):
    """Anything that ranks. Methods of one name and several seeds are averaged per list."""

    name: str
    seed: int

    def fit(self, problem: Problem) -> None:
        """Learn from `problem.train`; choose on `problem.val`; the judged rows are not in it."""

    def score(self, rows: Interactions) -> FloatArray:
        """[R] finite scores, higher is better, comparable within a group. Scores in `rows` are NaN."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What `evaluate` found: a table of schema `GROUPS`, and the seconds each method took."""

    groups: pa.Table
    seconds: dict[str, float]  # method name: fit and score, mean over seeds


def evaluate(
    problem: Problem,
    methods: Sequence[Method],
    part: str = TEST,
    progress: Progress = silent,
) -> Judged:
    """Fit every method and judge it on each list of one part.

    Args:
        problem: a split applied.
        methods: unfitted; a name may occur with several seeds.
        part: the rows to judge on; they are removed before fitting.
        progress: told after each method.

    Returns:
        One row per method, seed and list.

    Raises:
        ModelLensError: the part has nothing to judge on, or a method returned scores that are not one
            finite number per row.
    """
    rows = _judged_rows(problem, part)
    visible, hidden = problem.without(part), blind(rows)
    scores = np.empty((len(methods), len(rows)))
    seconds: dict[str, list[float]] = {}
    for i, method in enumerate(track(methods, "evaluate", len(methods), progress)):
        start = time.perf_counter()
        method.fit(visible)
        scores[i] = _checked(method, hidden)
        seconds.setdefault(method.name, []).append(time.perf_counter() - start)
    return Judged(
        groups=_table(problem, rows, methods, scores),
        seconds={name: float(np.mean(taken)) for name, taken in seconds.items()},
    )


def _judged_rows(problem: Problem, part: str) -> Interactions:
    """Rows of the measurable groups, in the order of model names within a group.

    Interactions come best first; a metric that broke ties by row order would reward that.
    """
    rows = problem.part(part)
    rows = rows.select(measurable_groups(rows)[rows.group])
    if not len(rows):
        raise ModelLensError(
            f"split {problem.protocol!r} has no {part} group that can be measured; "
            "collect more sources, then freeze the split again"
        )
    order = np.lexsort((rows.model, rows.group))
    per_row = ("group", "model", "dataset", "task", "metric", "y", "z")
    return replace(rows, **{name: getattr(rows, name)[order] for name in per_row})


def _checked(method: Method, rows: Interactions) -> FloatArray:
    scores = np.asarray(method.score(rows), dtype=np.float64)
    if scores.shape != (len(rows),) or not np.isfinite(scores).all():
        raise ModelLensError(
            f"method {method.name!r} must return one finite score per row, "
            f"{len(rows)} in all; it returned shape {scores.shape}, "
            f"{int((~np.isfinite(scores)).sum())} of them not finite"
        )
    return scores


def _table(
    problem: Problem, rows: Interactions, methods: Sequence[Method], scores: FloatArray
) -> pa.Table:
    groups, first, size = np.unique(rows.group, return_index=True, return_counts=True)
    values = _measure(rows, first, size, scores)
    seen = np.zeros(problem.features.n_models + 1, dtype=bool)
    seen[problem.part(TRAIN).model] = True
    known = np.add.reduceat(seen[rows.model].astype(np.int64), first)
    unit = dataset_unit_names(problem.features, dataset_units(problem.features, problem.rows))
    n, g = len(methods), len(groups)
    columns = {
        "protocol": [problem.protocol] * (n * g),
        "method": np.repeat([m.name for m in methods], g),
        "seed": np.repeat([m.seed for m in methods], g),
        "group_id": np.tile(rows.group_ids[groups], n),
        "dataset_family": np.tile(rows.group_family[groups], n),
        "dataset_unit": np.tile(unit[rows.dataset[first]], n),
        "task_id": np.tile(problem.features.task_ids[rows.task[first]], n),
        "metric_id": np.tile(problem.features.metric_ids[rows.metric[first]], n),
        "n_models": np.tile(size, n),
        "n_known_models": np.tile(known, n),
    }
    arrays = [pa.array(column) for column in columns.values()]
    arrays += [pa.array(value.ravel(), from_pandas=True) for value in values]  # NaN becomes null
    return pa.table(arrays, schema=GROUPS)


def _measure(
    rows: Interactions,
    first: npt.NDArray[np.int64],
    size: npt.NDArray[np.int64],
    scores: FloatArray,
) -> FloatArray:
    """[metrics, methods, groups]: lists of equal length are measured together."""
    values = np.empty((len(METRICS), len(scores), len(size)))
    for length in np.unique(size):
        these = np.flatnonzero(size == length)
        at = first[these][:, None] + np.arange(length)
        shape = (len(scores), len(these))
        y, z = (np.tile(truth[at], (len(scores), 1)) for truth in (rows.y, rows.z))
        s = scores[:, at].reshape(-1, length)
        for i, metric in enumerate(METRICS):
            values[i][:, these] = metric.of(z if metric.uses_z else y, s).reshape(shape)
    return values
