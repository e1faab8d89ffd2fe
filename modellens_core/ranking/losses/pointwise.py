"""Regression of the standardised score (arXiv 2605.07075, eq. 14): grounds the order in magnitudes."""

from torch import Tensor


def squared_error(predicted: Tensor, z: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean of the squared difference.

    Args:
        predicted: [R] what the point head says.
        z: [R] oriented scores standardised within their group.
        weight: [R] weights, at least 0, not all 0.

    Returns:
        Scalar, at least 0.
    """
    return (weight * (predicted - z).square()).sum() / weight.sum()
