"""Recall@K: how many of the K models ranked first belong to the true top K.

Defined only for lists longer than K. All models tied with the true K-th count as top models.
"""

import numpy as np

from modellens_core.evaluation.metrics.runs import FloatArray, descending


def recall_at_k(y: FloatArray, s: FloatArray, k: int) -> FloatArray:
    """Share of the top K that is truly top K, expected over all orders of models tied in `s`.

    Args:
        y: [B, M] true scores, higher is better.
        s: [B, M] predicted scores, higher is better.
        k: length of both lists.

    Returns:
        [B] values in [0, 1], NaN where M <= K.
    """
    n_lists, m = y.shape
    if m <= k:
        return np.full(n_lists, np.nan)
    cut = descending(s)[0][:, k - 1 : k]
    surely, maybe = s > cut, s == cut
    chosen = surely + maybe * ((k - surely.sum(axis=1)) / maybe.sum(axis=1))[:, None]
    top = y >= descending(y)[0][:, k - 1 : k]
    return np.asarray((chosen * top).sum(axis=1) / k)
