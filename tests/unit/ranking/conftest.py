"""A small ranker over the planted world."""

import numpy as np
import pytest
import torch

from modellens_core.ranking.config import RankerConfig, Sizes
from modellens_core.ranking.network import Ranker
from tests.fakes.world import make_world

SMALL = RankerConfig(
    model_id=5, name=4, size=3, family=2, dataset_id=4, task=3, metric=2, hidden=12, prior_hidden=6,
    dropout=0.0, model_id_dropout=0.3, dataset_id_dropout=0.3, context_dropout=0.2, temperature=2.0,
    temperature_floor=0.01, embedding_std=0.5, standardise_vectors=True,
)  # fmt: skip


@pytest.fixture
def world():
    return make_world(n_models=20, n_datasets=9).arrays()


@pytest.fixture
def ranker(world):
    features, rows = world
    torch.manual_seed(3)
    ranker = Ranker(SMALL, Sizes.of(features))
    ranker.fit_inputs(features, rows.select(np.ones(len(rows), bool)))
    return ranker.eval()
