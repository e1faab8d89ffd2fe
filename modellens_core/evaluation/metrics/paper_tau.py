"""The weighted tau as the paper's published code computes it: kept only to compare with its tables.

That code turns scores into ranks, 0 for the best, and hands the *ranks* to `weightedtau(rank=None)`,
which puts most weight on the largest values: on the worst models. Ties are broken by row order. Two
consequences: swapping the two worst of 20 models costs twelve times what swapping the two best costs,
and a constant ranker gets 1.0 if the rows happen to come best first. Here rows come in the order of
model names, and scores are oriented, which the published code does not do.
"""

import numpy as np

from modellens_core.evaluation.metrics.runs import FloatArray
from modellens_core.evaluation.metrics.weighted_tau import weighted_tau


def paper_tau(y: FloatArray, s: FloatArray) -> FloatArray:
    """Weighted tau of the ranks, upside down as published.

    Args:
        y: [B, M] true scores, higher is better, rows in the order that breaks ties.
        s: [B, M] predicted scores, higher is better.

    Returns:
        [B] values in [-1, 1]; mistakes among the worst models cost most.
    """
    return weighted_tau(_ranks(y), _ranks(s))


def _ranks(scores: FloatArray) -> FloatArray:
    """[B, M] 0 for the highest; ties in row order."""
    order = np.argsort(-scores, axis=1, kind="stable")
    return np.argsort(order, axis=1, kind="stable").astype(np.float64)
