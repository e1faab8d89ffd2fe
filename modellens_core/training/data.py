"""Feeds training: rows grouped once into flat arrays, then lists and pairs drawn per step.

Everything is drawn with NumPy for whole epochs or whole steps at once, from a generator seeded by
(seed, epoch): the same epoch is the same on every machine, and a resumed run needs no saved state. No
loop over rows, groups or pairs. Reading the lake is `run.py`; the network is in `ranking/`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from modellens_core.errors import ModelLensError
from modellens_core.features.featureset import Interactions
from modellens_core.ranking.entities import Rows
from modellens_core.training.config import Feed

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Step:
    """One step's rows: those of the lists, then the better and the worse ones of the pairs.

    Attributes:
        rows: R = list rows + 2 x pairs.
        lengths: [L] models per list; block_start: [list rows] see `plackett_luce`.
        pairs: P.
        z: [R] float32 target; weight: [R] float32 of the pointwise loss.
    """

    rows: Rows
    lengths: Tensor
    block_start: Tensor
    pairs: int
    z: Tensor
    weight: Tensor


@dataclass(frozen=True, slots=True)
class GroupedRows:
    """Training rows sorted by group, best first; groups of a single model (nothing to rank) left out.

    Attributes:
        model: [R] int64; z: [R] float32 regression target.
        start: [G + 1] first row of each group; dataset, task, metric: [G].
        group: [R] position of the row's group.
        block_start: [R] first row tied with it in truth; block_end: [R] first row truly worse.
        block_end: [R] first row of its group that is truly worse; the group's end if none is.
    """

    model: Ints
    z: npt.NDArray[np.float32]
    start: Ints
    group: Ints
    dataset: Ints
    task: Ints
    metric: Ints
    block_start: Ints
    block_end: Ints

    @staticmethod
    def of(interactions: Interactions, z_clip: float | None) -> "GroupedRows":
        """Group the rows of a training part.

        Args:
            interactions: the training rows, z standardised among themselves (`Problem.train`).
            z_clip: bound on |z|; None: as it is.

        Raises:
            ModelLensError: a score is not finite, or no group has two models.
        """
        bad = ~np.isfinite(interactions.y)
        if bad.any():
            name = interactions.group_ids[interactions.group[bad.argmax()]]
            raise ModelLensError(
                f"{int(bad.sum())} training scores are not finite, the first in group {str(name)!r}; "
                "rebuild features/interactions"
            )
        order = np.lexsort((-interactions.y, interactions.group))
        size = np.bincount(interactions.group)
        order = order[size[interactions.group[order]] > 1]
        if len(order) == 0:
            raise ModelLensError(
                "no group of the training part has two models, so there is nothing to rank; "
                "collect more records or use another protocol"
            )
        y = interactions.y[order]
        _, start, group = np.unique(
            interactions.group[order], return_index=True, return_inverse=True
        )
        new_block = np.r_[True, (group[1:] != group[:-1]) | (y[1:] != y[:-1])]
        blocks = np.flatnonzero(new_block)
        block = np.cumsum(new_block) - 1
        z = interactions.z[order]
        if z_clip is not None:
            z = z.clip(-z_clip, z_clip)
        first = order[start]
        return GroupedRows(
            model=interactions.model[order].astype(np.int64),
            z=z.astype(np.float32),
            start=np.r_[start, len(order)].astype(np.int64),
            group=group.astype(np.int64),
            dataset=interactions.dataset[first].astype(np.int64),
            task=interactions.task[first].astype(np.int64),
            metric=interactions.metric[first].astype(np.int64),
            block_start=blocks[block].astype(np.int64),
            block_end=np.r_[blocks[1:], len(order)][block].astype(np.int64),
        )

    def __len__(self) -> int:
        return len(self.model)

    @property
    def n_groups(self) -> int:
        """Number of groups, each of at least two models."""
        return len(self.dataset)

    def steps_per_epoch(self, feed: Feed) -> int:
        """Steps until every group was a list once, and at least `min_steps`."""
        return max(-(-self.n_groups // feed.lists_per_step), feed.min_steps)

    def epoch(self, feed: Feed, seed: int, epoch: int) -> Iterator[Step]:
        """Yield the steps of one epoch, the same for the same seed and epoch."""
        rng = np.random.default_rng([seed, epoch])
        steps = self.steps_per_epoch(feed)
        per_step = min(feed.lists_per_step, self.n_groups)
        once = steps == -(-self.n_groups // per_step)
        n_lists = self.n_groups if once else steps * per_step
        passes = -(-n_lists // self.n_groups)
        lists = np.concatenate([rng.permutation(self.n_groups) for _ in range(passes)])[:n_lists]
        chosen, bounds = self._list_rows(feed.list_cap, rng)
        anchor, negative = self._pairs(feed, steps * feed.pairs_per_step, rng)
        for number in range(steps):
            groups = lists[number * per_step : (number + 1) * per_step]
            pairs = slice(number * feed.pairs_per_step, (number + 1) * feed.pairs_per_step)
            yield self._step(groups, chosen, bounds, anchor[pairs], negative[pairs])

    def _list_rows(self, cap: int | None, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """Rows of every group's list this epoch, in order, and where each group's begin ([G + 1])."""
        if cap is None:
            return np.arange(len(self)), self.start
        mixed = np.lexsort((rng.random(len(self)), self.group))
        place = np.arange(len(self)) - self.start[:-1][self.group]
        chosen = np.sort(mixed[place < cap])
        taken = np.minimum(np.diff(self.start), cap)
        return chosen, np.r_[0, np.cumsum(taken)]

    def _pairs(self, feed: Feed, n: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """Draw n anchors (rows with a truly worse one in their group), and a worse row for each."""
        end = self.start[1:][self.group]
        size = np.diff(self.start)[self.group].astype(np.float64)
        weight = np.where(self.block_end < end, size ** (feed.pair_balance - 1.0), 0.0)
        total = np.cumsum(weight)
        if n == 0 or total[-1] == 0.0:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        anchor = np.searchsorted(total, rng.random(n) * total[-1], side="right")
        return anchor, rng.integers(self.block_end[anchor], end[anchor])

    def _step(self, groups: Ints, chosen: Ints, bounds: Ints, anchor: Ints, negative: Ints) -> Step:
        lengths = (bounds[1:] - bounds[:-1])[groups]
        before = np.cumsum(lengths) - lengths
        listed = chosen[np.repeat(bounds[:-1][groups] - before, lengths) + np.arange(lengths.sum())]
        # Rows stand in truth order, so a tie block of the sample starts where its block number changes.
        block = self.block_start[listed]
        change = np.r_[True, block[1:] != block[:-1]]
        block_start = np.flatnonzero(change)[np.cumsum(change) - 1]
        row = np.concatenate([listed, anchor, negative])
        in_list = np.repeat(np.arange(len(groups)), lengths)
        in_pair = len(groups) + np.arange(len(anchor))
        contexts = np.concatenate([groups, self.group[anchor]])
        return Step(
            rows=Rows(
                model=torch.from_numpy(self.model[row]),
                context=torch.from_numpy(np.concatenate([in_list, in_pair, in_pair])),
                dataset=torch.from_numpy(self.dataset[contexts]),
                task=torch.from_numpy(self.task[contexts]),
                metric=torch.from_numpy(self.metric[contexts]),
            ),
            lengths=torch.from_numpy(lengths),
            block_start=torch.from_numpy(block_start),
            pairs=len(anchor),
            z=torch.from_numpy(self.z[row]),
            weight=torch.ones(len(row)),
        )
