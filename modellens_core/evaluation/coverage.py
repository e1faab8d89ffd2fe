"""What a method has to go on: the share of the ranked models a baseline knows anything of, and more.

Being ahead of a baseline that knows nothing of the models at hand shows nothing; a report that names the
baseline has to say so. How well a method ranks belongs in `protocol.py`.
"""

import numpy as np

from modellens_core.features.featureset import Interactions
from modellens_core.splits.parts import TEST, TRAIN, measurable_groups
from modellens_core.splits.problem import Problem

# Method: what it needs to know of a model.
NEEDS = {
    "size": "size",
    "popularity": "downloads",
    "model_mean": "a training score",
    "model_task_mean": "a training score in the task",
}


def coverage(problem: Problem, part: str = TEST) -> dict[str, float]:
    """Share in [0, 1] of the judged rows whose model a baseline knows, by the name of the baseline.

    Rows count, not models: a model in ten lists counts ten times, as it does in the lists' values.
    """
    features, train, rows = problem.features, problem.part(TRAIN), _judged(problem, part)
    tasks = len(features.task_ids) + 1
    known = {
        "size": np.isfinite(features.log10_params)[rows.model],
        "popularity": np.isfinite(features.popularity)[rows.model],
        "model_mean": np.isin(rows.model, train.model),
        "model_task_mean": np.isin(
            rows.model.astype(np.int64) * tasks + rows.task,
            train.model.astype(np.int64) * tasks + train.task,
        ),
    }
    return {name: float(flags.mean()) for name, flags in known.items()}


def dataset_coverage(problem: Problem, part: str = TEST) -> float:
    """Share in [0, 1] of the judged rows whose dataset has training rows: the ranker may know its id."""
    rows = _judged(problem, part)
    return float(np.isin(rows.dataset, problem.part(TRAIN).dataset).mean())


def _judged(problem: Problem, part: str) -> Interactions:
    rows = problem.part(part)
    return rows.select(measurable_groups(rows)[rows.group])
