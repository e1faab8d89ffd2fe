"""The factored network is the paper's network; entities never trained on are [UNK]; scores agree."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from modellens_core.errors import ModelLensError
from modellens_core.ranking.config import RankerConfig, Sizes
from modellens_core.ranking.entities import Query, Rows
from modellens_core.ranking.network import Ranker
from tests.unit.ranking.conftest import SMALL
from tests.unit.ranking.naive import naive_scores


@pytest.mark.parametrize("training", [False, True])
def test_factored_form_equals_the_naive_one_in_values_and_gradients(world, ranker, training):
    features, interactions = world
    ranker.double().train(training)
    tables = ranker.tables(features)
    tables = replace(
        tables,
        model_vectors=tables.model_vectors.double(),
        dataset_vectors=tables.dataset_vectors.double(),
    )
    rows = Rows.of(interactions)
    torch.manual_seed(0)
    ids = ranker.lookup(rows)
    assert (
        (ids.model == features.n_models).any()
    ) == training  # ID dropout took place, in training only

    def grads(score, z):
        ranker.zero_grad()
        (torch.sin(score).sum() + (z * torch.arange(len(z))).sum()).backward()
        return {n: p.grad.clone() for n, p in ranker.named_parameters() if p.grad is not None}

    fast = ranker(tables, rows, ids)
    slow = naive_scores(ranker, tables, rows, ids)
    torch.testing.assert_close(fast.score, slow[0], rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(fast.z, slow[1], rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(fast.residual + fast.prior, fast.score)
    got, expected = grads(fast.score, fast.z), grads(*naive_scores(ranker, tables, rows, ids))
    # The reference reads the temperature as a number; its gradient follows from the quotient rule.
    score = fast.score.detach()
    expected["temperature"] = (-torch.cos(score) * score / ranker.temperature.detach()).sum()
    assert got.keys() == expected.keys()
    for name, grad in expected.items():
        torch.testing.assert_close(got[name], grad, rtol=1e-7, atol=1e-10, msg=name)


def test_paper_dimensions_give_the_released_first_layer():
    config = RankerConfig(
        model_id=1536, name=512, size=64, family=64, dataset_id=256, task=256, metric=256, hidden=512,
        prior_hidden=64, dropout=0.02, model_id_dropout=0.1, dataset_id_dropout=0.1, context_dropout=0.0,
        temperature=10.0, temperature_floor=1e-6, embedding_std=1.0, standardise_vectors=False,
    )  # fmt: skip
    ranker = Ranker(config, Sizes(3, 3, 2, 2, 2, 8, 1536, 1536))
    assert ranker.input.weight.shape == (512, 6016)
    assert ranker.hidden.weight.shape == (512, 512)


def test_scoring_paths_give_the_numbers_of_forward(world, ranker):
    features, interactions = world
    rows = Rows.of(interactions)
    with torch.no_grad():
        forward = ranker(ranker.tables(features), rows)
    by_row = ranker.train().score_rows(features, interactions)  # scoring never drops anything
    assert ranker.training
    np.testing.assert_allclose(by_row, forward.score.numpy(), rtol=1e-5, atol=1e-6)
    candidates = ranker.candidates(features)
    assert len(candidates) == features.n_models
    for group in range(interactions.n_groups):
        mask = interactions.group == group
        first = int(mask.argmax())
        dataset = int(interactions.dataset[first])
        scores = ranker.score_candidates(
            candidates,
            Query(
                features.dataset_vectors[dataset], dataset,
                int(interactions.task[first]), int(interactions.metric[first]),
            ),
        )  # fmt: skip
        models = interactions.model[mask]
        np.testing.assert_allclose(scores.score[models], by_row[mask], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(scores.prior[models], forward.prior[mask], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(
            scores.prior + scores.residual, scores.score, rtol=1e-5, atol=1e-6
        )


def test_score_rows_does_not_depend_on_company_or_order(world, ranker):
    features, interactions = world
    whole = ranker.score_rows(features, interactions)
    some = np.zeros(len(interactions), bool)
    some[::3] = True
    np.testing.assert_allclose(
        ranker.score_rows(features, interactions.select(some)), whole[some], rtol=1e-5
    )
    nothing = interactions.select(np.zeros(len(interactions), bool))
    assert ranker.score_rows(features, nothing).shape == (0,)


def test_entities_without_training_rows_are_scored_as_unknown(world):
    features, interactions = world
    train = interactions.select(
        (interactions.model != 4) & (interactions.dataset != 2) & (interactions.metric != 1)
    )
    torch.manual_seed(0)
    ranker = Ranker(SMALL, Sizes.of(features))
    ranker.fit_inputs(features, train)
    before = ranker.score_rows(features, interactions)
    with torch.no_grad():  # what such an entity's own embedding happens to hold must not matter
        ranker.model_id.weight[4] = 1e3
        ranker.dataset_id.weight[2] = 1e3
        ranker.metric.weight[1] = 1e3
    np.testing.assert_array_equal(ranker.score_rows(features, interactions), before)
    with torch.no_grad():
        ranker.model_id.weight[5] += 1.0
    assert not np.array_equal(ranker.score_rows(features, interactions), before)
    far, unknown = (
        ranker.score_candidates(
            ranker.candidates(features), Query(features.dataset_vectors[0], d, t, u)
        )
        for d, t, u in ((10**6, 10**6, 10**6), (features.n_datasets, len(features.task_ids), 1))
    )
    np.testing.assert_array_equal(far.score, unknown.score)


def test_families_without_training_rows_count_as_family_unknown(world):
    features, interactions = world
    own = features.family == 2
    train = interactions.select(~own[interactions.model])
    ranker = Ranker(SMALL, Sizes.of(features))
    ranker.fit_inputs(features, train)
    renamed = replace(features, family=np.where(own, 0, features.family).astype(np.int32))
    known = np.ones(features.n_models, bool)
    query = Query(features.dataset_vectors[0], 0, 0, 0)
    np.testing.assert_array_equal(
        ranker.score_candidates(ranker.candidates(features, known), query).score,
        ranker.score_candidates(ranker.candidates(renamed, known), query).score,
    )


def test_candidates_of_another_feature_set_use_no_id(world, ranker):
    features, _ = world
    extra = replace(
        features,
        **{
            name: np.concatenate([getattr(features, name), getattr(features, name)[:2]])
            for name in ("model_ids", "size_bucket", "family", "name_tokens", "model_vectors")
        },
    )
    known = np.arange(extra.n_models) < features.n_models
    query = Query(features.dataset_vectors[1], 1, 0, 0)
    scores = ranker.score_candidates(ranker.candidates(extra, known), query).score
    original = ranker.score_candidates(ranker.candidates(features), query).score
    np.testing.assert_allclose(scores[:-2], original, rtol=1e-6)
    none_known = ranker.candidates(features, np.zeros(features.n_models, bool))
    np.testing.assert_allclose(
        scores[-2:], ranker.score_candidates(none_known, query).score[:2], rtol=1e-6
    )
    assert not np.allclose(scores[-2:], original[:2])


def test_a_dataset_without_text_is_the_average_dataset_not_the_origin(world):
    features, interactions = world
    shifted = features.dataset_vectors + 1.0
    features = replace(features, dataset_vectors=shifted.astype(np.float32))
    ranker = Ranker(SMALL, Sizes.of(features))
    ranker.fit_inputs(features, interactions)
    candidates = ranker.candidates(features)
    none, mean = (
        ranker.score_candidates(candidates, Query(v.astype(np.float32), 99, 0, 0)).score
        for v in (np.zeros(features.dataset_vectors.shape[1]), shifted.mean(0))
    )
    np.testing.assert_allclose(none, mean, rtol=1e-4, atol=1e-5)


def test_unusable_features_are_refused(world, ranker):
    features, _ = world
    broken = features.model_vectors.copy()
    broken[3, 0] = np.nan
    with pytest.raises(ModelLensError, match=str(features.model_ids[3])):
        ranker.tables(replace(features, model_vectors=broken))
    with pytest.raises(ModelLensError, match="train again"):
        ranker.candidates(replace(features, model_vectors=features.model_vectors[:, :5]))
    with pytest.raises(ModelLensError, match="encoder"):
        ranker.score_candidates(
            ranker.candidates(features), Query(np.zeros(5, np.float32), 0, 0, 0)
        )


def test_the_temperature_never_falls_below_its_floor(world, ranker):
    features, interactions = world
    with torch.no_grad():
        ranker.temperature.fill_(-3.0)
    scores = ranker.score_rows(features, interactions)
    with torch.no_grad():
        ranker.temperature.fill_(SMALL.temperature_floor)
    np.testing.assert_allclose(scores, ranker.score_rows(features, interactions))
