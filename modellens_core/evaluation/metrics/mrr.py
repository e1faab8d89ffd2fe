"""Reciprocal rank of the truly best model."""

import numpy as np

from modellens_core.evaluation.metrics.runs import FloatArray, log_choose


def mrr(y: FloatArray, s: FloatArray) -> FloatArray:
    """1 / place of the best model, expected over all orders of models tied in `s`.

    Args:
        y: [B, M] true scores; of several models tied for best, the one ranked highest counts.
        s: [B, M] predicted scores, higher is better.

    Returns:
        [B] values in (0, 1].
    """
    best = y == y.max(axis=1, keepdims=True)
    highest = np.where(best, s, -np.inf).max(axis=1, keepdims=True)
    above = (s > highest).sum(axis=1, keepdims=True)
    tied = (s == highest).sum(axis=1, keepdims=True)
    n_best = (best & (s == highest)).sum(axis=1, keepdims=True)
    place = np.arange(1, y.shape[1] + 1)[None]  # of the first best model among the tied ones
    chance = np.exp(log_choose(tied - place, n_best - 1) - log_choose(tied, n_best))
    return np.asarray((chance / (above + place)).sum(axis=1))
