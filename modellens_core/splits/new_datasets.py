"""The new-datasets protocol: rank known models for a dataset family nobody has measured.

Whole dataset units (see `units.py`) are hidden: a family with all its subsets, aliases and copies. About
a tenth go to test and 8% to validation, drawn within each task so that every task with enough families
appears in both. Only families with a group that can be measured are drawn. Families weigh the same in
the result, whatever their size; so that no giant one takes the training data away, a family with more
than a twentieth of all rows stays in train, and a part closes at a fifth of the rows. Draws are hashes
of names, so a split grows with its corpus instead of being redrawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modellens_core.features.featureset import FeatureSet, Interactions
from modellens_core.splits.parts import (
    TEST,
    TRAIN,
    VAL,
    PartArray,
    all_in,
    measurable_groups,
    require_measurable,
)
from modellens_core.splits.units import HashArray, IndexArray, dataset_units, stable_hash

TEST_SHARE = 0.10
VAL_SHARE = 0.08
MAX_FAMILY_ROWS = 0.05  # of all rows; on a tiny corpus twice an average family's share, if more
MAX_PART_ROWS = 0.20
BIG_TASK = 8  # families a task needs to be a stratum of its own; smaller ones are pooled


@dataclass(frozen=True, slots=True)
class _Families:
    """F dataset units that may be held out."""

    unit: IndexArray  # [F]
    rows: IndexArray  # [F] row counts
    stratum: IndexArray  # [F] task index, -1 for the pool of small tasks
    order: HashArray  # [F]
    n_rows: int


def new_datasets(features: FeatureSet, rows: Interactions, seed: int) -> PartArray:
    """Hide whole dataset families, about 10% for test and 8% for validation.

    Args:
        features: N models and D datasets.
        rows: R interactions.
        seed: another seed is another draw.

    Returns:
        [R] "train", "val" or "test".

    Raises:
        ModelLensError: too few dataset families to hold any out.
    """
    return hold_out_families(features, rows, seed, {TEST: TEST_SHARE, VAL: VAL_SHARE})


def hold_out_families(
    features: FeatureSet, rows: Interactions, seed: int, shares: Mapping[str, float]
) -> PartArray:
    """Draw whole dataset units for each part in turn; the rest is train.

    Args:
        features: N models and D datasets.
        rows: R interactions.
        seed: another seed is another draw.
        shares: part to its share of the measurable families.

    Returns:
        [R] part of each row.

    Raises:
        ModelLensError: a part stays without a measurable group.
    """
    unit_of_row = dataset_units(features, rows)[rows.dataset]
    families = _candidates(features, rows, unit_of_row, seed)
    free = np.ones(len(families.unit), dtype=bool)
    parts = all_in(TRAIN, len(rows))
    for part, share in shares.items():
        chosen = _draw(families, free, share)
        free[chosen] = False
        parts[np.isin(unit_of_row, families.unit[chosen])] = part
    require_measurable(rows, parts, tuple(shares))
    return parts


def _candidates(
    features: FeatureSet, rows: Interactions, unit_of_row: IndexArray, seed: int
) -> _Families:
    """Measurable dataset units that are not too big, each with its commonest task."""
    units, of_row = np.unique(unit_of_row, return_inverse=True)
    n_tasks = len(features.task_ids) + 1
    by_task = np.bincount(of_row * n_tasks + rows.task, minlength=len(units) * n_tasks)
    task = by_task.reshape(len(units), n_tasks).argmax(axis=1)
    n_rows = np.bincount(of_row, minlength=len(units))
    measurable = np.zeros(len(units), dtype=bool)
    measurable[of_row[measurable_groups(rows)[rows.group]]] = True
    n_measurable = max(int(measurable.sum()), 1)
    cap = len(rows) * max(MAX_FAMILY_ROWS, 2 / n_measurable)
    kept = np.flatnonzero(measurable & (n_rows <= cap))
    is_big = (np.bincount(task[kept], minlength=n_tasks) >= BIG_TASK)[task[kept]]
    names = np.append(features.dataset_ids, "")[units[kept]]
    return _Families(
        unit=units[kept],
        rows=n_rows[kept],
        stratum=np.where(is_big, task[kept], -1),
        order=stable_hash(names, seed),
        n_rows=len(rows),
    )


def _draw(families: _Families, free: npt.NDArray[np.bool_], share: float) -> IndexArray:
    """Indices of the families of one part: at least one per stratum, within the row budget.

    Strata share the rounding: the families wanted so far are compared with the families taken so far.
    """
    budget = MAX_PART_ROWS * families.n_rows
    wanted, taken = 0.0, 0
    chosen: list[int] = []
    for stratum in np.unique(families.stratum):
        members = np.flatnonzero(families.stratum == stratum)
        wanted += share * len(members)
        quota = max(1, round(wanted) - taken)
        available = members[free[members]]
        picked: list[int] = []
        for index in available[np.argsort(families.order[available], kind="stable")]:
            if len(picked) == quota:
                break
            if families.rows[index] <= budget or not chosen:
                picked.append(int(index))
                chosen.append(int(index))
                budget -= families.rows[index]
        taken += len(picked)
    return np.asarray(chosen, dtype=np.int64)
