"""Lets a trained ranker be judged like any baseline: one method per checkpoint folder.

The checkpoint was fitted and selected by the training layer; here it is only read, checked against the
split it is judged on, and asked for scores. The same checkpoints, told the text of other datasets, are the
control that shows what a description adds.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from modellens_core.errors import ModelLensError
from modellens_core.features.featureset import FeatureSet, Interactions
from modellens_core.splits.problem import Problem
from modellens_core.splits.units import IndexArray

if TYPE_CHECKING:
    from modellens_core.ranking.network import Ranker

NAME = "modellens"
CONTROL = f"{NAME}, other text"
CONTROL_SEED = 7
CONTROL_DRAWS = 8  # of other texts per checkpoint: one draw moves the mean as much as the effect


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


@dataclass
class OtherTextMethod(RankerMethod):
    """A saved ranker that is told the text of another dataset: a control, not a baseline.

    Task and metric are told as ever, and every list still ranks its own models, so whatever it reaches is
    not owed to the description. The learned id of the dataset is hidden too, as it is for a new dataset:
    it would say which dataset is meant.

    Attributes:
        units: [D + 1] unit of each dataset, of all rows; a dataset's own unit never lends its text.
        draw: number of the draw; draws of one seed are averaged per list, like seeds.
    """

    units: IndexArray = field(kw_only=True, repr=False)
    draw: int = field(default=0, kw_only=True)
    name: str = CONTROL

    def score(self, rows: Interactions) -> npt.NDArray[np.float64]:
        """[R] scores of the loaded ranker under other datasets' texts."""
        import torch

        tables = self._ranker.tables(self._features)
        other = other_datasets(self._features, self.units, (self.seed, self.draw))
        own = tables.dataset_vectors
        # Datasets beyond the table have no learned id: each one's other text is put there.
        tables = replace(tables, dataset_vectors=torch.cat([own, own[torch.from_numpy(other)]]))
        return self._ranker.score_rows(tables, replace(rows, dataset=rows.dataset + len(own)))


def other_datasets(features: FeatureSet, units: IndexArray, seed: Sequence[int]) -> IndexArray:
    """Draw for every dataset a random one of another unit that has a text.

    Args:
        features: D datasets.
        units: [D + 1] unit of each dataset.
        seed: another seed is another draw.

    Returns:
        [D + 1] dataset indices; D, which means no text, where no other unit has one.
    """
    n = features.n_datasets
    lenders = np.flatnonzero(features.dataset_vectors.any(axis=1))
    lenders = lenders[np.argsort(units[lenders], kind="stable")]
    first, last = (np.searchsorted(units[lenders], units[:n], side) for side in ("left", "right"))
    choices = len(lenders) - (last - first)
    place = (np.random.default_rng([CONTROL_SEED, *seed]).random(n) * choices).astype(np.int64)
    place += np.where(place >= first, last - first, 0)  # step over the own unit
    drawn = np.append(lenders, n)[np.where(choices > 0, place, len(lenders))]
    return np.append(drawn, n)


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
