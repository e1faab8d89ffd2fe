"""Bayesian Personalized Ranking (arXiv 2605.07075, eq. 12): the better of two models should score higher."""

from torch import Tensor
from torch.nn import functional


def bpr(better: Tensor, worse: Tensor) -> Tensor:
    """Mean of -log sigmoid(better - worse).

    Args:
        better: [P] scores of the truly better model of each pair.
        worse: [P] scores of the truly worse one.

    Returns:
        Scalar, at least 0; finite for any finite scores.
    """
    return functional.softplus(worse - better).mean()
