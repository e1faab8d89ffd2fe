"""How near a description must be to what is known, before a ranking for it deserves trust.

Measured, not chosen: the descriptions of known datasets, put as a person would put them (no name, no task),
are compared with the datasets of all other families. That is what a new dataset looks like from the inside
of the corpus, so whoever is farther away than 95% of these is a stranger. Which numbers a person sees
belongs in `serving/`.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from modellens_core.features.featureset import FloatArray, TextArray

STRANGEST_SHARE = 0.05
SAMPLED = 500  # descriptions: the 5% quantile of 500 is known well enough, and 500 cost seconds


def sample_described(descriptions: Sequence[str | None]) -> list[int]:
    """Positions of at most `SAMPLED` datasets with a description, spread evenly over all."""
    told = [at for at, description in enumerate(descriptions) if description]
    step = max(len(told) / SAMPLED, 1.0)
    return [told[int(k * step)] for k in range(min(len(told), SAMPLED))]


def similarity_floor(
    questions: FloatArray,
    asked: Sequence[int],
    vectors: FloatArray,
    families: TextArray,
) -> float:
    """The cosine to the nearest dataset of another family that 95% of known descriptions reach.

    Args:
        questions: [Q, dim] vectors of descriptions, rows of norm 1.
        asked: [Q] which dataset each describes.
        vectors: [D, dim] vectors of the datasets' composed texts, rows of norm 1, or 0 without text.
        families: [D] dataset families.

    Returns:
        In -1..1; 0 (nobody is a stranger) where fewer than two families are described.
    """
    told = np.any(vectors != 0, axis=1)
    _, family = np.unique(families, return_inverse=True)
    similarity = np.asarray(questions @ vectors.T, dtype=np.float32)
    own: npt.NDArray[np.bool_] = (
        family[np.asarray(asked, dtype=np.int64)][:, None] == family[None, :]
    )
    nearest = np.where(own | ~told[None, :], -1.0, similarity).max(axis=1, initial=-1.0)
    nearest = nearest[nearest > -1.0]
    return round(float(np.quantile(nearest, STRANGEST_SHARE)), 4) if len(nearest) else 0.0
