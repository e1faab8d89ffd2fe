"""The one number training is steered by: top-weighted Kendall's tau on validation groups.

It is the headline metric of the evaluation itself, with its treatment of ties: steered by another one, the
kept epoch would be the best at something that nobody reports. The mean over groups, not over families;
small and fast on purpose: a fixed sample of groups. The full protocol (families, intervals, other
metrics) is `modellens_core.evaluation` and never steers anything.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modellens_core.errors import ModelLensError
from modellens_core.evaluation.metrics.weighted_tau import weighted_tau
from modellens_core.features.featureset import Interactions
from modellens_core.ranking.entities import EntityTables
from modellens_core.ranking.network import Ranker
from modellens_core.splits.parts import measurable_groups

SHORTEST = 2  # models a list needs, where the corpus has none of `MIN_MODELS`
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
        """Draw at most 400 groups that the evaluation would judge, at most 500 models each.

        Where none has 5 models of different score (a small corpus), groups of 2 to 4 serve.

        Raises:
            ModelLensError: no validation group has two models of different score.
        """
        rng = np.random.default_rng(seed)
        judged = measurable_groups(part)
        usable = np.flatnonzero(judged if judged.any() else measurable_groups(part, SHORTEST))
        if len(usable) == 0:
            raise ModelLensError(
                "no group of the validation part has two models of different score, so no checkpoint "
                "could be chosen; collect more records or use another protocol"
            )
        if len(usable) > MAX_GROUPS:
            usable = rng.choice(usable, MAX_GROUPS, replace=False)
        keep = np.isin(part.group, usable)
        # Random order within a group: rows come best first, and a long list is cut.
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
        """The same for given scores, [R], of `rows`. Lists of equal length are measured together."""
        size = np.diff(np.r_[self.start, len(self.rows)])
        values = np.zeros(len(size))
        for length in np.unique(size):
            lists = np.flatnonzero(size == length)
            at = self.start[lists][:, None] + np.arange(length)
            y = self.rows.y[at]
            told = y.max(axis=1) > y.min(axis=1)  # cutting a long list may leave one score for all
            values[lists[told]] = weighted_tau(y[told], score[at[told]])
        return float(values.mean())


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
