"""An encoder without weights: hashed words and character n-grams.

Knows no meaning, only spelling; needs nothing but NumPy, and gives the same vectors on every machine. It
is the fallback where no weights are installed, and the encoder of the tests.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from modellens_core.features.encoders.base import normalize_rows
from modellens_core.features.featureset import FloatArray
from modellens_core.progress import Progress, silent

VERSION = "hashing/1"
NGRAMS = (3, 4, 5)
REPORT_EVERY = 1000

_WORD = re.compile(r"[^\W_]+")
# Words that say nothing about a dataset; without document frequencies they would outweigh the rest.
_STOP = frozenset({
    "a", "an", "and", "are", "as", "at", "base", "based", "be", "by", "can", "data", "dataset", "for",
    "from", "has", "have", "in", "into", "is", "it", "its", "model", "models", "of", "on", "or", "that",
    "the", "their", "this", "to", "use", "used", "using", "was", "we", "were", "which", "with", "you", "your",
})  # fmt: skip


class HashingEncoder:
    """Signed feature hashing of words and of the character n-grams inside words."""

    max_tokens = 1_000_000

    def __init__(self, dim: int = 512) -> None:
        self.dim = dim

    @property
    def encoder_id(self) -> str:
        """`hashing-<dim>`."""
        return f"hashing-{self.dim}"

    @property
    def weights_hash(self) -> str:
        """Changes whenever the hashing scheme changes."""
        scheme = repr((VERSION, NGRAMS, sorted(_STOP), self.dim))
        return hashlib.sha256(scheme.encode()).hexdigest()

    def encode(self, texts: Sequence[str], progress: Progress = silent) -> FloatArray:
        """See `TextEncoder.encode`."""
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        for row, text in enumerate(texts):
            for word, count in Counter(_WORD.findall(text.lower())).items():
                slots, weights = _word_features(word, self.dim)
                np.add.at(vectors[row], slots, np.float32(1.0 + np.log(count)) * weights)
            if row % REPORT_EVERY == 0:
                progress("encode texts", row, len(texts))
        progress("encode texts", len(texts), len(texts))
        return normalize_rows(vectors)


@lru_cache(maxsize=100_000)
def _word_features(word: str, dim: int) -> tuple[np.ndarray, FloatArray]:
    """Slots and signed weights of a word: half for itself, half shared by its n-grams."""
    scale = 0.1 if word in _STOP else 1.0
    bounded = f"<{word}>"
    grams = [bounded[i : i + n] for n in NGRAMS for i in range(len(bounded) - n + 1)]
    weights = [scale] + [scale * len(grams) ** -0.5] * len(grams)
    slots, signed = [], []
    for feature, weight in zip([word, *grams], weights, strict=True):
        digest = hashlib.blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        number = int.from_bytes(digest, "big")
        slots.append((number >> 1) % dim)
        signed.append(weight if number & 1 else -weight)
    return np.asarray(slots), np.asarray(signed, dtype=np.float32)
