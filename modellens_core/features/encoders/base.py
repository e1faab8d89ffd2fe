"""What every text encoder promises, and the little that all of them share.

Vectors of two encoders never meet: whoever stores vectors stores `encoder_id` and `weights_hash` beside
them. Which encoder to take is decided in `select.py`, keeping vectors on disk in `features/vectors.py`.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from modellens_core.errors import ModelLensError
from modellens_core.features.featureset import FloatArray
from modellens_core.progress import Progress, silent


class EncoderError(ModelLensError):
    """An encoder cannot be loaded, or its service does not give vectors."""


class TextEncoder(Protocol):
    """Turns texts into vectors; the same text gives the same vector, whatever its neighbours."""

    @property
    def encoder_id(self) -> str:
        """Name of the encoder, usable in a file name."""

    @property
    def weights_hash(self) -> str:
        """Hash of the weights (or of whatever stands for them), at least 8 hex digits."""

    @property
    def dim(self) -> int:
        """Length of a vector."""

    @property
    def max_tokens(self) -> int:
        """Tokens read of one text; the rest is ignored."""

    def encode(self, texts: Sequence[str], progress: Progress = silent) -> FloatArray:
        """Encode texts.

        Args:
            texts: n texts; empty ones are allowed.
            progress: told how many texts are done.

        Returns:
            float32 [n, dim]; rows of norm 1, or 0 where the text is empty.

        Raises:
            EncoderError: no vectors can be had; the message says what to do.
        """


def normalize_rows(vectors: FloatArray) -> FloatArray:
    """Scale rows to norm 1; rows of norm 0 stay 0."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: FloatArray = (vectors / np.where(norms > 0, norms, 1.0)).astype(np.float32)
    return scaled


def filled(texts: Sequence[str]) -> list[int]:
    """Positions of texts that hold more than white space, longest first (less padding in a batch)."""
    return sorted(
        (at for at, text in enumerate(texts) if text.strip()), key=lambda at: (-len(texts[at]), at)
    )
