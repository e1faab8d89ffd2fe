"""Kendall's tau-b: every pair of models weighs the same.

Equal to `scipy.stats.kendalltau(y, s)`, without its p-value, for many lists at once; a constant ranker,
for which tau-b is not defined, gets 0.
"""

import numpy as np
from scipy import stats

from modellens_core.evaluation.metrics.runs import (
    FloatArray,
    descending,
    run_ids,
    run_lengths,
)
from modellens_core.evaluation.metrics.weighted_tau import LONG_LIST, MAX_PAIRS


def tau_b(y: FloatArray, s: FloatArray) -> FloatArray:
    """Compare rankings with the truth, all pairs alike.

    Args:
        y: [B, M] true scores, higher is better, not all equal within a list.
        s: [B, M] predicted scores, higher is better.

    Returns:
        [B] values in [-1, 1].
    """
    n_lists, m = y.shape
    if m > LONG_LIST:
        values = [
            stats.kendalltau(a, b, method="asymptotic").statistic for a, b in zip(y, s, strict=True)
        ]
        return np.asarray(np.nan_to_num(np.array(values), nan=0.0))
    agreement = np.empty(n_lists)
    step = max(1, MAX_PAIRS // (m * m))
    for start in range(0, n_lists, step):
        cut = slice(start, start + step)
        better = (y[cut, :, None] > y[cut, None, :]).astype(np.int8)
        said = (s[cut, :, None] > s[cut, None, :]).astype(np.int8)
        sign = better * (said - said.transpose(0, 2, 1))
        agreement[cut] = sign.sum(axis=(1, 2), dtype=np.float64)
    pairs = m * (m - 1) / 2
    scale = np.sqrt((pairs - _tied_pairs(y)) * (pairs - _tied_pairs(s)))
    return np.asarray(np.divide(agreement, scale, out=np.zeros(n_lists), where=scale > 0))


def _tied_pairs(values: FloatArray) -> FloatArray:
    lengths = run_lengths(run_ids(descending(values)[0]))
    return np.asarray((lengths - 1).sum(axis=1) / 2.0)
