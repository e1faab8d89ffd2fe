"""Weighted Kendall tau with the weight on the truly best models: the headline metric.

Equal to `scipy.stats.weightedtau(y, s, rank=None)` on oriented scores, where the best model has rank 0
and a pair weighs 1/(r_i + 1) + 1/(r_j + 1) (Vigna 2015), but for ties:

- Ties in `s` are not rewarded: the value is the expectation over all orders of the tied models, which is
  0 for a constant ranker, where scipy gives NaN.
- Models tied in `y` carry the mean weight of their ranks. scipy orders them by `s`, so that guessing
  gets +0.04 to +0.1 on a list with ties at the top; here it gets 0. Otherwise they count as in tau-b: `s`
  without ties cannot reach 1 on a list where `y` has some.
"""

import numpy as np
from scipy import stats

from modellens_core.evaluation.metrics.runs import (
    FloatArray,
    descending,
    run_ids,
    run_lengths,
    run_means,
)

LONG_LIST = 512  # beyond it scipy's n log n per list beats comparing all pairs at once
MAX_PAIRS = 4_000_000  # pairs compared at once, bounds memory


def weighted_tau(y: FloatArray, s: FloatArray) -> FloatArray:
    """Compare rankings with the truth, mistakes at the true top costing most.

    Args:
        y: [B, M] true scores, higher is better, not all equal within a list.
        s: [B, M] predicted scores, higher is better.

    Returns:
        [B] values in [-1, 1]; 0 is what guessing gets.
    """
    n_lists, m = y.shape
    y, order = descending(y)
    s = np.take_along_axis(s, order, axis=1)
    tied = run_ids(y)
    weight = run_means(np.broadcast_to(1.0 / np.arange(1.0, m + 1.0), y.shape), tied)
    total = (m - 1) * weight.sum(axis=1)
    tied_y = ((run_lengths(tied) - 1) * weight).sum(axis=1)
    scale = np.sqrt((total - tied_y) * total)
    if m > LONG_LIST:
        return np.array([_long(y[b], s[b], weight[b]) for b in range(n_lists)])
    agreement = np.empty(n_lists)
    step = max(1, MAX_PAIRS // (m * m))
    for start in range(0, n_lists, step):
        cut = slice(start, start + step)
        agreement[cut] = _all_pairs(y[cut], s[cut], weight[cut])
    return np.asarray(agreement / scale)


def _all_pairs(y: FloatArray, s: FloatArray, weight: FloatArray) -> FloatArray:
    """[B] sum of w_i + w_j over concordant pairs minus discordant ones; `y` is sorted, best first."""
    truly_better = y[:, :, None] > y[:, None, :]
    said_better = (s[:, :, None] > s[:, None, :]).astype(np.int8)
    sign = (said_better - said_better.transpose(0, 2, 1)) * truly_better
    per_model = sign.sum(axis=2, dtype=np.float64) + sign.sum(axis=1, dtype=np.float64)
    return np.asarray((per_model * weight).sum(axis=1))


def _long(y: FloatArray, s: FloatArray, weight: FloatArray) -> float:
    """One sorted list by scipy, its treatment of ties in `s` undone."""
    statistic = stats.weightedtau(y, s, rank=None, weigher=lambda rank: weight[rank]).statistic
    if np.isnan(statistic):  # all of s tied
        return 0.0
    by_score = np.argsort(-s, kind="stable")
    tied = run_lengths(run_ids(s[by_score][None]))[0] - 1
    total = (len(y) - 1) * weight.sum()
    return float(statistic * np.sqrt((total - (tied * weight[by_score]).sum()) / total))
