"""Lets a trained ranker be judged like any baseline: one method per checkpoint folder.

The checkpoint was fitted and selected by the training layer; here it is only read, checked against the
split it is judged on, and asked for scores.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from modellens_core.errors import ModelLensError
from modellens_core.features.featureset import FeatureSet, Interactions
from modellens_core.splits.problem import Problem

if TYPE_CHECKING:
    from modellens_core.ranking.network import Ranker

NAME = "modellens"


@dataclass
class RankerMethod:
    """A saved ranker as a method.

    Attributes:
        folder: holds `ranker.safetensors` and `ranker.json`.
        seed: of the training run.
    """

    folder: Path
    seed: int
    name: str = NAME
    _features: FeatureSet = field(init=False, repr=False)
    _ranker: "Ranker" = field(init=False, repr=False)
    _trained_sizes: npt.NDArray[np.int32] = field(init=False, repr=False)

    def fit(self, problem: Problem) -> None:
        """Load the checkpoint; nothing is learned here.

        Raises:
            ModelLensError: there is none, it is damaged, or it was trained on another split, on other
                rows or other features: its test rows could then be in its training.
        """
        from modellens_core.ranking.artifact import load_ranker

        ranker, meta = load_ranker(self.folder)
        meta.check(problem.features)
        stale = [name for name, digest in problem.hashes.items() if meta.data.get(name) != digest]
        if meta.protocol != problem.protocol or stale:
            raise ModelLensError(
                f"the ranker in {self.folder} was trained on {meta.protocol!r} with other data than now "
                f"({', '.join(stale) or 'another protocol'}); train again"
            )
        self._features, self._ranker = problem.features, ranker
        self._trained_sizes = np.unique(problem.features.size_bucket[problem.train.model])

    def score(self, rows: Interactions) -> npt.NDArray[np.float64]:
        """[R] scores of the loaded ranker."""
        return self._ranker.score_rows(self._features, rows)

    def size_prior(self) -> npt.NDArray[np.float64]:
        """What the fitted ranker expects of a model's size.

        Returns:
            [S] score by size bucket, mean over the families it has seen; NaN for buckets it has not.
        """
        return size_prior_of(self._ranker)


def learned_size_prior(folder: Path) -> npt.NDArray[np.float64]:
    """[S] what a saved ranker expects of each size bucket.

    Raises:
        ModelLensError: there is no ranker in `folder`, or it is damaged.
    """
    from modellens_core.ranking.artifact import load_ranker

    return size_prior_of(load_ranker(folder)[0])


def size_prior_of(ranker: "Ranker") -> npt.NDArray[np.float64]:
    """[S] prior of each size bucket, mean over the families the ranker has seen in training."""
    import torch

    families = ranker.family.weight[ranker.seen_families[: len(ranker.family.weight)]]
    sizes = ranker.size.weight
    with torch.no_grad():
        every_size = sizes.repeat_interleave(len(families), dim=0)
        both = torch.cat([every_size, families.repeat(len(sizes), 1)], dim=1)
        temperature = ranker.temperature.clamp(min=ranker.config.temperature_floor)
        prior = ranker.prior(both).reshape(len(sizes), len(families)).mean(dim=1)
        return np.asarray((prior / temperature).numpy(), dtype=np.float64)


def read_curve(folder: Path) -> list[tuple[int, float]]:
    """(epoch, validation) points of a training run's `metrics.jsonl`.

    Raises:
        ModelLensError: the file is missing or a line is not one.
    """
    path = folder / "metrics.jsonl"
    try:
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
        return [(int(line["epoch"]), float(line["validation"])) for line in lines]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelLensError(
            f"the training curve {path} cannot be read ({error}); train again"
        ) from None
