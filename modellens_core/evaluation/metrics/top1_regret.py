"""Top-1 regret: how much score is lost by taking the ranker's first choice.

In the units of `y`: pass z for standard deviations of the list, raw scores for the metric's own unit
(whose mean over metrics of different units means nothing).
"""

import numpy as np

from modellens_core.evaluation.metrics.runs import FloatArray


def top1_regret(y: FloatArray, s: FloatArray) -> FloatArray:
    """Best true score minus the true score of the model ranked first; the mean of those tied for first.

    Args:
        y: [B, M] true scores, higher is better.
        s: [B, M] predicted scores, higher is better.

    Returns:
        [B] values >= 0; 0 is perfect.
    """
    first = s == s.max(axis=1, keepdims=True)
    return np.asarray(y.max(axis=1) - (y * first).sum(axis=1) / first.sum(axis=1))
