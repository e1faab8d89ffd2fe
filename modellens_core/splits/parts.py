"""The parts a row can belong to, and what is true of any assignment.

What belongs here: names of the parts, standardising scores within one part, counting measurable groups.
How rows get their part belongs in the protocol modules.
"""

from dataclasses import replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from modellens_core.errors import ModelLensError
from modellens_core.features.featureset import FeatureSet, Interactions

TRAIN, VAL, TEST, UNUSED = "train", "val", "test", "unused"
PARTS = (TRAIN, VAL, TEST, UNUSED)
MIN_MODELS = 5  # a shorter list says nothing about a ranking

PartArray = npt.NDArray[np.str_]


class Split(Protocol):
    """Assigns every row to a part. Pure: same features, rows and seed, same parts."""

    def __call__(self, features: FeatureSet, rows: Interactions, seed: int) -> PartArray:
        """[R] part of each row."""


def all_in(part: str, n_rows: int) -> PartArray:
    """[n_rows] array with every row in one part, wide enough for any part's name."""
    return np.full(n_rows, part, dtype=f"<U{max(map(len, PARTS))}")


def standardised(rows: Interactions) -> Interactions:
    """`rows` with z computed again within each group from these rows alone.

    The z of the whole corpus knows the mean and spread of a group's hidden scores: with one hidden model
    it gives that model's score away. Groups whose scores are all equal get z = 0.
    """
    n = np.maximum(np.bincount(rows.group, minlength=rows.n_groups), 1)
    mean = np.bincount(rows.group, rows.y, rows.n_groups) / n
    away = rows.y - mean[rows.group]
    std = np.sqrt(np.bincount(rows.group, away**2, rows.n_groups) / n)[rows.group]
    flat = std <= 1e-12 * np.maximum(1.0, np.abs(mean[rows.group]))
    return replace(rows, z=np.where(flat, 0.0, away / np.where(flat, 1.0, std)))


def measurable_groups(rows: Interactions, least: int = MIN_MODELS) -> npt.NDArray[np.bool_]:
    """[G] whether a group has `least` models, not all of the same score."""
    n = np.bincount(rows.group, minlength=rows.n_groups)
    worst, best = np.full(rows.n_groups, np.inf), np.full(rows.n_groups, -np.inf)
    np.minimum.at(worst, rows.group, rows.y)
    np.maximum.at(best, rows.group, rows.y)
    return np.asarray((n >= least) & (best > worst))


def require_measurable(rows: Interactions, parts: PartArray, needed: tuple[str, ...]) -> None:
    """Check that each needed part holds something to measure.

    Raises:
        ModelLensError: a part has no group with enough models; the message says what to add.
    """
    for part in needed:
        if not measurable_groups(rows.select(parts == part)).any():
            raise ModelLensError(
                f"the corpus is too small for a {part} part: no group keeps {MIN_MODELS} models of "
                f"different score ({len(rows)} rows in {rows.n_groups} groups); collect more sources"
            )
