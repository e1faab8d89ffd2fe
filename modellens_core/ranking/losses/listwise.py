"""Plackett-Luce listwise loss (arXiv 2605.07075, eq. 13): the likelihood of the true order.

The true order is drawn best first, without replacement, each model with probability proportional to
exp(score) among those left. Lists of any lengths are computed at once; no loop over lists.
"""

import torch
from torch import Tensor

EMPTY = -1e30  # score of a padded place: never wins, and (unlike -inf) has a finite gradient


def plackett_luce(score: Tensor, lengths: Tensor, block_start: Tensor) -> Tensor:
    """Negative log-likelihood of the true order, 1/M per list, averaged over lists.

    Ties in truth: the models of a block of equal truth share one denominator, that of all models from
    the block's first on (Breslow's form), so their order within the block does not matter, and a list
    of equal models is best scored with equal scores.

    Args:
        score: [R] scores, lists one after another, each best true score first.
        lengths: [L] int64, models per list, each at least 1; they sum to R.
        block_start: [R] int64, position (in `score`) of the first row of the same list that is equal in
            truth; the row's own position if it is not tied.

    Returns:
        Scalar, at least 0.
    """
    width = int(lengths.max())
    place = torch.arange(width)
    filled = place < lengths[:, None]
    padded = score.new_full(filled.shape, EMPTY).masked_scatter(filled, score)
    # log of the summed strengths of this place and all later ones
    left = padded.flip(1).logcumsumexp(1).flip(1)[filled]
    weight = (1.0 / lengths.to(score.dtype)).repeat_interleave(lengths)
    return (weight * (left[block_start] - score)).sum() / len(lengths)
