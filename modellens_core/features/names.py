"""Model names as hashed tokens: what a name says about a model that nobody has measured yet.

`stabilityai/stablelm-2-1_6b` is read as `stabilityai stablelm 2 1 6 b`, scores in a name ("glue-92") are not
read; each token becomes a number by a hash that is the same on every machine. Canonical names and families belong in `normalize/`.
"""

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache

from modellens_core.features.glued import without_glued_scores

N_NAME_TOKENS = 10_000

_TOKEN = re.compile(r"[^\W\d_]+|\d+")


def tokenize_name(model_id: str) -> list[str]:
    """Split a name, but for scores in it, at every border between letters, digits and signs; lower case."""
    org, slash, name = model_id.rpartition("/")
    return _TOKEN.findall(f"{org}{slash}{without_glued_scores(name)}".lower())


@lru_cache(maxsize=200_000)
def token_id(token: str, n_name_tokens: int = N_NAME_TOKENS) -> int:
    """Stable number of a token in 1..n_name_tokens-1 (0 is padding)."""
    digest = hashlib.blake2b(token.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") % (n_name_tokens - 1) + 1


def name_token_ids(model_ids: Iterable[str], n_name_tokens: int = N_NAME_TOKENS) -> list[list[int]]:
    """Hashed token ids of each name.

    Args:
        model_ids: names, "org/name" or bare.
        n_name_tokens: size of the hash space including padding; at least 2.

    Returns:
        One list of ids in 1..n_name_tokens-1 per name, in reading order; empty for a name without
        letters and digits.
    """
    return [[token_id(t, n_name_tokens) for t in tokenize_name(name)] for name in model_ids]
