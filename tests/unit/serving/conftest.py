"""A published bundle of the planted world, with a ranker that was never trained (its numbers still count)."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from modellens_core.features.encoders.hashing import HashingEncoder
from modellens_core.features.featureset import FeatureSet, Interactions
from modellens_core.serving import Recommender
from modellens_core.serving.bundle import publish_bundle
from modellens_core.store.lake import Lake
from tests.fakes.corpus import corpus_of_world, features_of
from tests.fakes.world import World, make_world


@dataclass(frozen=True)
class Published:
    """Where everything lies."""

    world: World
    lake: Lake
    ranker_dir: Path
    bundle_dir: Path
    path: Path


def save_untrained_ranker(lake: Lake, folder: Path) -> Path:
    """A small ranker with random weights that fits the features of a lake."""
    import torch

    from modellens_core.ranking.artifact import (
        RankerMeta,
        library_versions,
        save_ranker,
        vocabulary_hashes,
    )
    from modellens_core.ranking.config import RankerConfig, Sizes
    from modellens_core.ranking.network import Ranker

    features, rows = FeatureSet.load(lake), Interactions.load(lake)
    config = RankerConfig(
        model_id=5, name=4, size=3, family=2, dataset_id=4, task=3, metric=2, hidden=12, prior_hidden=6,
        dropout=0.1, model_id_dropout=0.3, dataset_id_dropout=0.3, context_dropout=0.2, temperature=0.05,
        temperature_floor=0.01, embedding_std=1.0, standardise_vectors=True,
    )  # fmt: skip
    torch.manual_seed(3)
    ranker = Ranker(config, Sizes.of(features))
    ranker.fit_inputs(features, rows)
    meta = RankerMeta(
        protocol="production", seed=0, recipe={"name": "test"}, encoder=features.encoder,
        vocabulary=vocabulary_hashes(features), data={}, result={"epochs": 0.0}, versions=library_versions(),
    )  # fmt: skip
    save_ranker(folder, ranker, meta)
    return folder


@pytest.fixture(scope="package")
def published(tmp_path_factory) -> Published:
    root = tmp_path_factory.mktemp("serving")
    world, lake = make_world(), Lake(root / "lake")
    corpus_of_world(lake, world)
    features_of(lake, HashingEncoder(64), root / "cache")
    ranker_dir = save_untrained_ranker(lake, root / "ranker")
    path = publish_bundle(lake, ranker_dir, root / "bundles")
    return Published(world, lake, ranker_dir, root / "bundles", path)


@pytest.fixture(scope="package")
def recommender(published) -> Recommender:
    return Recommender.load(published.path)


@pytest.fixture(autouse=True)
def one_thread():
    """These networks are too small for threads to help."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def ranks(values) -> np.ndarray:
    return np.argsort(-np.asarray(values), kind="stable")
