"""Hit@K: whether the truly best model is among the K ranked first.

Defined only for lists longer than K: else every ranker hits.
"""

import numpy as np

from modellens_core.evaluation.metrics.runs import FloatArray, descending, log_choose


def hit_at_k(y: FloatArray, s: FloatArray, k: int) -> FloatArray:
    """Probability that a truly best model is in the top K, over all orders of models tied in `s`.

    Args:
        y: [B, M] true scores; of several models tied for best, any one counts.
        s: [B, M] predicted scores, higher is better.
        k: length of the short list.

    Returns:
        [B] values in [0, 1], NaN where M <= K.
    """
    n_lists, m = y.shape
    if m <= k:
        return np.full(n_lists, np.nan)
    cut = descending(s)[0][:, k - 1 : k]
    best = y == y.max(axis=1, keepdims=True)
    surely, maybe = s > cut, s == cut
    slots = k - surely.sum(axis=1)
    tied, tied_best = maybe.sum(axis=1), (maybe & best).sum(axis=1)
    missed = np.exp(log_choose(tied - tied_best, slots) - log_choose(tied, slots))
    return np.where((surely & best).any(axis=1), 1.0, 1.0 - missed)
