"""Runs of equal values in sorted lists: how every metric here treats ties exactly.

A ranker that gives two models the same score has not ordered them. Every metric but tau-b, which has its
own rule, is therefore the expectation over all orders of the tied models, in closed form: no draws, no
dependence on row order, and a constant ranker gets what guessing gets. What belongs here: the bookkeeping
shared by the metrics.
"""

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.int64]


def run_ids(values: FloatArray) -> IndexArray:
    """Number the runs of equal neighbours.

    Args:
        values: [B, M], each row sorted; a new run starts where the value changes.

    Returns:
        [B, M] run numbers, counted on through all rows: no run crosses a row.
    """
    starts = np.ones(values.shape, dtype=bool)
    starts[:, 1:] = values[:, 1:] != values[:, :-1]
    return np.cumsum(starts.ravel()).reshape(starts.shape) - 1


def run_means(values: FloatArray, runs: IndexArray) -> FloatArray:
    """[B, M] values replaced by the mean of their run."""
    flat = runs.ravel()
    mean = np.bincount(flat, values.ravel()) / np.bincount(flat)
    return mean[runs]


def run_lengths(runs: IndexArray) -> IndexArray:
    """[B, M] number of elements in the run of each element."""
    return np.bincount(runs.ravel())[runs]


def descending(scores: FloatArray) -> tuple[FloatArray, IndexArray]:
    """Sort each row, highest first: ([B, M] sorted scores, [B, M] positions they came from)."""
    order = np.argsort(-scores, axis=1, kind="stable")
    return np.take_along_axis(scores, order, axis=1), order


def log_choose(n: npt.NDArray[np.number], k: npt.NDArray[np.number]) -> FloatArray:
    """Logarithm of n over k, -inf where there is no such choice."""
    possible = (k >= 0) & (k <= n)
    safe_n, safe_k = np.where(possible, n, 0), np.where(possible, k, 0)
    value = gammaln(safe_n + 1) - gammaln(safe_k + 1) - gammaln(safe_n - safe_k + 1)
    return np.asarray(np.where(possible, value, -np.inf))
