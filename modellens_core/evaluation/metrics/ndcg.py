"""NDCG@K on min-max gains, raw and with guessing at 0.

Gains are 2^rel - 1 with rel the score scaled to 0..1 within the list, as the paper has it. Raw values
hardly tell rankers apart: guessing already gets 0.6 to 0.95, depending on how scores are spread. So read
the normalised one, (NDCG - guessing) / (1 - guessing).
"""

import numpy as np

from modellens_core.evaluation.metrics.runs import FloatArray, descending, run_ids, run_means


def ndcg_at_k(y: FloatArray, s: FloatArray, k: int) -> FloatArray:
    """Discounted gain of the first K over that of the best order.

    Args:
        y: [B, M] true scores, higher is better, not all equal within a list.
        s: [B, M] predicted scores; models tied in `s` share their mean gain.
        k: how many places count; all M places where M < K.

    Returns:
        [B] values in [0, 1].
    """
    gain, discount, ideal = _gains(y, k)
    ordered, order = descending(s)
    by_score = run_means(np.take_along_axis(gain, order, axis=1), run_ids(ordered))
    return np.asarray((by_score * discount).sum(axis=1) / ideal)


def ndcg_over_random(y: FloatArray, s: FloatArray, k: int) -> FloatArray:
    """NDCG@K rescaled so that guessing is 0 in expectation and the best order 1.

    Args:
        y: [B, M] true scores, higher is better, not all equal within a list.
        s: [B, M] predicted scores, higher is better.
        k: how many places count.

    Returns:
        [B] values, negative where worse than guessing.
    """
    gain, discount, ideal = _gains(y, k)
    guessing = gain.mean(axis=1) * discount.sum() / ideal
    return np.asarray((ndcg_at_k(y, s, k) - guessing) / (1.0 - guessing))


def _gains(y: FloatArray, k: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """[B, M] gains, [M] discounts (0 beyond K), [B] discounted gain of the best order."""
    low, high = y.min(axis=1, keepdims=True), y.max(axis=1, keepdims=True)
    gain = np.exp2((y - low) / (high - low)) - 1.0
    place = np.arange(y.shape[1])
    discount = np.where(place < k, 1.0 / np.log2(place + 2.0), 0.0)
    return gain, discount, (descending(gain)[0] * discount).sum(axis=1)
