"""The one number training is steered by: top-weighted Kendall's tau on validation groups.

`weightedtau(truth, score, rank=None)` on oriented scores, so the true top weighs most; the mean over
groups. Small and fast on purpose: a fixed sample of groups. The full protocol (families, intervals,
other metrics) is `modellens_core.evaluation` and never steers anything.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import weightedtau

from modellens_core.errors import ModelLensError
from modellens_core.features.featureset import Interactions
from modellens_core.ranking.entities import EntityTables
from modellens_core.ranking.network import Ranker

MIN_MODELS = 5
MAX_GROUPS = 400
MAX_MODELS = 500


@dataclass(frozen=True, slots=True)
class Validation:
    """A fixed sample of validation rows, sorted by group, in random order within a group.

    Attributes:
        rows: the sampled rows; start: [G] first row of each group.
    """

    rows: Interactions
    start: npt.NDArray[np.int64]

    @staticmethod
    def sample(part: Interactions, seed: int) -> "Validation":
        """Draw at most 400 groups of at least 5 models, at most 500 models each.

        Where no group has 5 models (a small corpus), groups of 2 to 4 serve.

        Raises:
            ModelLensError: no validation group has two models.
        """
        rng = np.random.default_rng(seed)
        size = np.bincount(part.group, minlength=part.n_groups)
        least = MIN_MODELS if (size >= MIN_MODELS).any() else 2
        usable = np.flatnonzero(size >= least)
        if len(usable) == 0:
            raise ModelLensError(
                "no group of the validation part has two models, so no checkpoint could be chosen; "
                "collect more records or use another protocol"
            )
        if len(usable) > MAX_GROUPS:
            usable = rng.choice(usable, MAX_GROUPS, replace=False)
        keep = np.isin(part.group, usable)
        # Random order within a group: where scores tie, a stable sort then breaks the tie at random.
        mixed = np.lexsort((rng.random(len(part)), part.group))
        mixed = mixed[keep[mixed]]
        group = part.group[mixed]
        start = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
        place = np.arange(len(mixed)) - np.repeat(start, np.diff(np.r_[start, len(mixed)]))
        rows = _take(part, mixed[place < MAX_MODELS])
        return Validation(rows, np.flatnonzero(np.r_[True, rows.group[1:] != rows.group[:-1]]))

    def tau(self, ranker: Ranker, tables: EntityTables) -> float:
        """Mean over groups of the top-weighted tau; 0 for a group whose truth is constant."""
        return self.tau_of(ranker.score_rows(tables, self.rows))

    def tau_of(self, score: npt.NDArray[np.float64]) -> float:
        """The same for given scores, [R], of `rows`."""
        ends = np.r_[self.start[1:], len(self.rows)]
        return float(
            np.mean(
                [
                    weighted_tau(self.rows.y[a:b], score[a:b])
                    for a, b in zip(self.start, ends, strict=True)
                ]
            )
        )


def weighted_tau(truth: npt.NDArray[np.float64], score: npt.NDArray[np.float64]) -> float:
    """Top-weighted tau of one group; ties in `score` are broken by row order, constant truth gives 0."""
    place = np.empty(len(score))
    place[np.argsort(score, kind="stable")] = np.arange(len(score))
    value = float(weightedtau(truth, place, rank=None).statistic)
    return 0.0 if np.isnan(value) else value


def _take(part: Interactions, index: npt.NDArray[np.int64]) -> Interactions:
    return Interactions(
        group=part.group[index],
        model=part.model[index],
        dataset=part.dataset[index],
        task=part.task[index],
        metric=part.metric[index],
        y=part.y[index],
        z=part.z[index],
        group_ids=part.group_ids,
        group_family=part.group_family,
    )
