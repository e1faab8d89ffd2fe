"""Models the bundle has never heard of, as features: all that a name tells.

Name tokens, a size and a family read from the name, and a text composed of these; the ranker judges them
like any model without training rows. Known models are in the bundle's candidate matrix.
"""

from collections.abc import Sequence

import numpy as np

from modellens_core.features.encoders.base import TextEncoder
from modellens_core.features.featureset import EncoderInfo, FeatureSet, TextArray
from modellens_core.features.names import name_token_ids
from modellens_core.features.text import compose_model_text
from modellens_core.normalize.families import family_of
from modellens_core.normalize.sizes import params_from_name, size_bucket


def newcomer_features(
    names: Sequence[str], families: TextArray, n_name_tokens: int, encoder: TextEncoder
) -> FeatureSet:
    """Features of unknown models.

    Args:
        names: K model names, "org/name" or bare.
        families: the bundle's families in index order; others become "unknown".
        n_name_tokens: size of the ranker's token space.
        encoder: that of the bundle.

    Returns:
        A `FeatureSet` of K models and no datasets.
    """
    params = [params_from_name(name) for name in names]
    family = [family_of(name) for name in names]
    index = {str(name): at for at, name in enumerate(families)}
    tokens = name_token_ids(names, n_name_tokens)
    padded = np.zeros((len(names), max((len(t) for t in tokens), default=0) or 1), dtype=np.int32)
    for row, ids in enumerate(tokens):
        padded[row, : len(ids)] = ids
    texts = [compose_model_text(n, family=f) for n, f in zip(names, family, strict=True)]
    nothing = np.asarray([], dtype=np.str_)
    sizes = np.asarray([np.nan if p is None else p for p in params], dtype=np.float64)
    return FeatureSet(
        model_ids=np.asarray(names, dtype=np.str_),
        size_bucket=np.asarray([size_bucket(p) for p in params], dtype=np.int32),
        log10_params=(np.log10(sizes) + 9.0).astype(np.float32),
        family=np.asarray([index.get(f, 0) for f in family], dtype=np.int32),
        families=families,
        name_tokens=padded,
        n_name_tokens=n_name_tokens,
        model_vectors=encoder.encode(texts),
        clone_cluster=np.arange(len(names), dtype=np.int32),
        released=np.full(len(names), np.datetime64("NaT"), dtype="datetime64[D]"),
        popularity=np.full(len(names), np.nan, dtype=np.float32),
        dataset_ids=nothing,
        dataset_family=nothing,
        dataset_vectors=np.zeros((0, encoder.dim), dtype=np.float32),
        task_ids=nothing,
        metric_ids=nothing,
        encoder=EncoderInfo(encoder.encoder_id, encoder.weights_hash, encoder.dim),
    )
