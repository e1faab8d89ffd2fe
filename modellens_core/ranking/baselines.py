"""The baselines that any ranker must beat before it has shown anything.

Random and constant rankers check the protocol; size and popularity are what people do without a tool;
the target means are what a lookup table of past scores gives. All are fitted on training rows only and
never see a hidden score. Baselines that need a library or a training loop belong in modules of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from modellens_core.features.featureset import FeatureSet, Interactions
from modellens_core.splits.problem import Problem
from modellens_core.splits.units import mix, stable_hash

Scores = npt.NDArray[np.float64]
Keys = npt.NDArray[np.int64]

EVIDENCE = 2.0  # rows a prior counts for: a mean of 2 rows is half itself, half its prior


@dataclass
class RandomBaseline:
    """Guesses: a hash of seed, group and model, so that a row's score does not depend on its batch."""

    seed: int = 0
    name: str = "random"

    def fit(self, problem: Problem) -> None:
        """Learn nothing."""

    def score(self, rows: Interactions) -> Scores:
        """[R] uniform in [0, 1)."""
        groups = stable_hash(rows.group_ids, self.seed)[rows.group]
        return mix(groups, rows.model.astype(np.uint64)) / 2.0**64


@dataclass
class ConstantBaseline:
    """Ranks nothing: every metric must give it what guessing gets."""

    seed: int = 0
    name: str = "constant"

    def fit(self, problem: Problem) -> None:
        """Learn nothing."""

    def score(self, rows: Interactions) -> Scores:
        """[R] zeros."""
        return np.zeros(len(rows))


@dataclass
class SizeBaseline:
    """Bigger is better; models of unknown size rank last, tied."""

    seed: int = 0
    name: str = "size"
    _score: Scores = field(init=False, repr=False)

    def fit(self, problem: Problem) -> None:
        """Look up the parameter counts."""
        known = np.nan_to_num(problem.features.log10_params.astype(np.float64), nan=-1.0)
        self._score = np.append(known, -1.0)

    def score(self, rows: Interactions) -> Scores:
        """[R] log10 of the parameter count, -1 where unknown."""
        return self._score[rows.model]


@dataclass
class PopularityBaseline:
    """More downloads are better; where unknown, more training records are, below all known ones."""

    seed: int = 0
    name: str = "popularity"
    _score: Scores = field(init=False, repr=False)

    def fit(self, problem: Problem) -> None:
        """Look up downloads, count training records."""
        n = problem.features.n_models + 1
        downloads = np.append(problem.features.popularity.astype(np.float64), np.nan)
        records = np.bincount(problem.train.model, minlength=n)
        self._score = np.where(
            np.isnan(downloads), records / (records + 1.0), 1.0 + np.nan_to_num(downloads)
        )

    def score(self, rows: Interactions) -> Scores:
        """[R] downloads + 1, or a number in [0, 1) that grows with the model's training records."""
        return self._score[rows.model]


@dataclass(frozen=True, slots=True)
class TargetMeans:
    """Sums and counts of a target by key."""

    keys: Keys  # [K] sorted, distinct
    total: Scores  # [K]
    count: Keys  # [K]

    @staticmethod
    def of(keys: npt.NDArray[np.integer], target: Scores) -> "TargetMeans":
        """Sum up [R] targets by [R] keys."""
        distinct, inverse = np.unique(keys.astype(np.int64), return_inverse=True)
        n = len(distinct)
        total = np.bincount(inverse, weights=target, minlength=n).astype(np.float64)
        return TargetMeans(distinct, total, np.bincount(inverse, minlength=n))

    def shrunk(self, keys: npt.NDArray[np.integer], prior: Scores | float) -> Scores:
        """[R] means of `keys`, each pulled towards its prior by `EVIDENCE` rows; the prior if unseen."""
        if not len(self.keys):
            return np.broadcast_to(np.asarray(prior, dtype=np.float64), keys.shape)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        seen = self.keys[at] == keys
        total, count = np.where(seen, self.total[at], 0.0), np.where(seen, self.count[at], 0)
        return np.asarray((total + EVIDENCE * prior) / (count + EVIDENCE))


@dataclass
class ModelMeanBaseline:
    """The model's mean z over its training records.

    Shrunk towards what its size and family let expect: the mean of its size bucket plus what its family
    adds to it; that is also the score of a model without records.
    """

    seed: int = 0
    name: str = "model_mean"
    by_task: bool = field(default=False, init=False)
    _features: FeatureSet = field(init=False, repr=False)
    _size: TargetMeans = field(init=False, repr=False)
    _family: TargetMeans = field(init=False, repr=False)
    _model: TargetMeans = field(init=False, repr=False)

    def fit(self, problem: Problem) -> None:
        """Sum up the training rows' z."""
        train = problem.train
        self._features = problem.features
        self._size = TargetMeans.of(self._bucket(train), train.z)
        beyond_size = train.z - self._size.shrunk(self._bucket(train), 0.0)
        self._family = TargetMeans.of(self._family_key(train), beyond_size)
        self._model = TargetMeans.of(train.model, train.z)

    def score(self, rows: Interactions) -> Scores:
        """[R] expected z."""
        prior = self._size.shrunk(self._bucket(rows), 0.0)
        prior = prior + self._family.shrunk(self._family_key(rows), 0.0)
        return self._model.shrunk(rows.model, prior)

    def _bucket(self, rows: Interactions) -> Keys:
        return np.append(self._features.size_bucket, 0)[rows.model].astype(np.int64)

    def _family_key(self, rows: Interactions) -> Keys:
        family = np.append(self._features.family, 0)[rows.model].astype(np.int64)
        return family * (len(self._features.task_ids) + 1) + rows.task if self.by_task else family


@dataclass
class ModelTaskMeanBaseline(ModelMeanBaseline):
    """The model's mean z on the task, backed off to its overall mean, then to family x task and size.

    Each level is shrunk towards the next, and the last towards 0. A ranker that does not beat this has
    shown nothing.
    """

    name: str = "model_task_mean"
    by_task: bool = field(default=True, init=False)
    _model_task: TargetMeans = field(init=False, repr=False)

    def fit(self, problem: Problem) -> None:
        """Sum up the training rows' z."""
        super().fit(problem)
        train = problem.train
        self._model_task = TargetMeans.of(self._model_task_key(train), train.z)

    def score(self, rows: Interactions) -> Scores:
        """[R] expected z."""
        return self._model_task.shrunk(self._model_task_key(rows), super().score(rows))

    def _model_task_key(self, rows: Interactions) -> Keys:
        return rows.model.astype(np.int64) * (len(self._features.task_ids) + 1) + rows.task


Baseline = (
    RandomBaseline
    | ConstantBaseline
    | SizeBaseline
    | PopularityBaseline
    | ModelMeanBaseline
    | ModelTaskMeanBaseline
)


def trivial_baselines(seeds: Sequence[int]) -> list[Baseline]:
    """Every trivial baseline, unfitted; the random one once per seed."""
    return [
        *(RandomBaseline(seed) for seed in seeds),
        ConstantBaseline(),
        SizeBaseline(),
        PopularityBaseline(),
        ModelMeanBaseline(),
        ModelTaskMeanBaseline(),
    ]
