"""From corpus tables to the arrays that training reads: nothing lost, nothing compared that must not be."""

import json
from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from modellens_core.errors import ModelLensError
from modellens_core.features.build import (
    build_entity_tables,
    build_interactions,
    embed_entities,
)
from modellens_core.features.encoders.hashing import HashingEncoder
from modellens_core.features.featureset import INTERACTIONS, FeatureSet, Interactions
from modellens_core.store.lake import Lake
from tests.fakes.corpus import corpus_of_world, features_of, record, write_corpus
from tests.fakes.world import make_world


@pytest.fixture
def lake(tmp_path) -> Lake:
    return Lake(tmp_path / "lake")


def interactions_of(lake: Lake, records: list[dict]) -> pa.Table:
    write_corpus(lake, records)
    build_entity_tables(lake)
    build_interactions(lake)
    return lake.read("features/interactions")


def test_the_world_comes_back_as_arrays(lake, tmp_path):
    world = make_world()
    corpus_of_world(lake, world)
    features_of(lake, HashingEncoder(32), tmp_path / "cache")
    features, rows = FeatureSet.load(lake), Interactions.load(lake)
    planted_features, planted = world.arrays()

    assert features.model_ids.tolist() == sorted(world.model_ids)
    assert features.families[0] == "unknown"
    by_id = {m: i for i, m in enumerate(world.model_ids)}
    back = [by_id[m] for m in features.model_ids]
    assert np.allclose(features.log10_params, planted_features.log10_params[back], atol=1e-5)
    assert features.families[features.family].tolist() == [
        planted_features.families[world.family[i]] for i in back
    ]
    assert features.released[0].astype(date) == date(2023, 1 + back[0] % 12, 1)
    assert len(set(features.clone_cluster.tolist())) == features.n_models
    assert np.allclose(np.linalg.norm(features.dataset_vectors, axis=1), 1, atol=1e-5)
    assert features.encoder.dim == 32
    assert features.name_tokens.max() < features.n_name_tokens == 10_000

    # The same order of models in every group, although scores went through percent and direction.
    assert len(rows) == len(planted)
    for g in range(rows.n_groups):
        mine, theirs = (
            rows.group == g,
            planted.dataset
            == np.flatnonzero(
                planted_features.dataset_ids
                == features.dataset_ids[rows.dataset[rows.group == g][0]]
            ),
        )
        names = features.model_ids[rows.model[mine]]
        assert set(names) == {world.model_ids[m] for m in planted.model[theirs]}
        truth = dict(zip(planted.model[theirs], planted.y[theirs], strict=True))
        values = [truth[by_id[m]] for m in names]
        assert np.all(np.diff(values) <= 1e-3)


def test_z_is_standardised_and_rows_are_ordered(lake):
    found = interactions_of(
        lake,
        [
            record("c", "d1", 0.5), record("a", "d1", 0.9), record("b", "d1", 0.1),
            record("b", "d2", 3.0, metric="wer", lower=True), record("a", "d2", 1.0, metric="wer", lower=True),
        ],
    )  # fmt: skip
    assert found.schema == INTERACTIONS
    assert found["model_id"].to_pylist() == ["a", "c", "b", "a", "b"]
    assert found["group_index"].to_pylist() == [0, 0, 0, 1, 1]
    y = np.array([0.9, 0.5, 0.1])
    assert np.allclose(found["z"].to_numpy(), [*(y - y.mean()) / y.std(), 1, -1])
    assert found["y"].to_pylist()[3:] == [-1.0, -3.0]


def test_ties_are_ordered_by_model_so_that_equal_content_gives_equal_bytes(lake, tmp_path):
    records = [record(m, "d1", s) for m, s in (("b", 0.5), ("a", 0.5), ("c", 0.1))]
    first = interactions_of(lake, records)
    second = interactions_of(Lake(tmp_path / "other"), records[::-1])
    assert first["model_id"].to_pylist() == ["a", "b", "c"]
    assert first.equals(second)


def test_variants_of_one_model_are_averaged(lake):
    records = [record("a", "d1", s, variant=v) for s, v in ((0.2, "4bit"), (0.6, "8bit"))]
    found = interactions_of(lake, [*records, record("b", "d1", 0.1)])
    assert found["model_id"].to_pylist() == ["a", "b"]
    assert found["y"].to_pylist() == pytest.approx([0.4, 0.1])


@pytest.mark.parametrize(
    "records",
    [
        [record("a", "d1", 0.5)],
        [record("a", "d1", 0.5), record("b", "d1", 0.5)],
        [record("a", "d1", 0.1 + 0.2), record("b", "d1", 0.3)],
        [record("a", "d1", 0.5, lower=None), record("b", "d1", 0.7, lower=None)],
        [record("a", "d1", None), record("b", "d1", 0.7)],
        [record("a", "d1", float("nan")), record("b", "d1", 0.7)],
        [record("a", "d1", 0.2, variant="x"), record("a", "d1", 0.7, variant="y")],
    ],
    ids=[
        "one model",
        "all equal",
        "equal but for rounding",
        "no direction",
        "no score",
        "nan",
        "one model twice",
    ],
)
def test_groups_that_cannot_be_compared_are_left_out(lake, records):
    keep = [record("a", "kept", 0.5), record("b", "kept", 0.7)]
    found = interactions_of(lake, [*records, *keep])
    assert found["dataset_id"].to_pylist() == ["kept", "kept"]
    assert found["group_index"].to_pylist() == [0, 0]


def test_a_record_without_features_is_an_error_not_a_loss(lake):
    write_corpus(lake, [record("a", "d1", 0.5), record("b", "d1", 0.7)])
    build_entity_tables(lake)
    models = lake.read("features/models")
    lake.write("features/models", models.slice(0, 1))
    with pytest.raises(ModelLensError, match="1 scores refer to a model without features"):
        build_interactions(lake)


def test_unknown_facts_become_unknown_not_zero(lake, tmp_path):
    write_corpus(
        lake,
        [record("a", "d1", 0.5), record("b", "d1", 0.7)],
        models={"a": {"params_b": None, "family": None, "size_bucket": None, "clone_cluster": "x"},
                "b": {"clone_cluster": "x"}},
    )  # fmt: skip
    features_of(lake, HashingEncoder(8), tmp_path)
    features = FeatureSet.load(lake)
    assert np.isnan(features.log10_params[0])
    assert features.size_bucket[0] == 0
    assert features.families[features.family[0]] == "unknown"
    assert np.isnat(features.released[0])
    assert np.isnan(features.popularity[0])
    assert features.clone_cluster.tolist() == [0, 0]


def test_a_corpus_without_comparable_scores_builds_empty_tables(lake, tmp_path):
    write_corpus(lake, [record("a", "d1", 0.5)])
    features_of(lake, HashingEncoder(8), tmp_path)
    assert len(Interactions.load(lake)) == 0
    assert FeatureSet.load(lake).n_models == 1


def test_the_main_task_of_a_dataset_is_the_one_with_most_models(lake):
    write_corpus(
        lake,
        [record("a", "d1", 0.5, task="summarization"), record("a", "d1", 0.5, task="translation"),
         record("b", "d1", 0.7, task="translation")],
    )  # fmt: skip
    build_entity_tables(lake)
    datasets = lake.read("features/datasets")
    assert datasets["task_id"].to_pylist() == ["translation"]
    assert datasets["text"].to_pylist()[0].startswith("translation dataset d1")


def test_vectors_and_tables_that_do_not_belong_together_are_refused(lake, tmp_path):
    write_corpus(lake, [record("a", "d1", 0.5), record("b", "d1", 0.7)])
    features_of(lake, HashingEncoder(8), tmp_path)
    write_corpus(lake, [record("a", "d1", 0.5), record("b", "d1", 0.7), record("c", "d1", 0.7)])
    build_entity_tables(lake)
    with pytest.raises(ModelLensError, match="build the vectors again"):
        FeatureSet.load(lake)


def test_encoder_json_names_the_encoder(lake, tmp_path):
    write_corpus(lake, [record("a", "d1", 0.5)])
    features_of(lake, HashingEncoder(8), tmp_path)
    described = json.loads((lake.root / "features/encoder.json").read_text())
    assert described == {
        "encoder_id": "hashing-8", "weights_hash": HashingEncoder(8).weights_hash, "dim": 8,
        "n_name_tokens": 10_000, "similarity_floor": 0.0,
    }  # fmt: skip


def test_the_similarity_floor_is_measured_on_descriptions(lake, tmp_path):
    datasets = {"d1": {"description": "Reviews of films."}, "d2": {"description": "Reviews of food."},
                "d3": {}}  # fmt: skip
    write_corpus(lake, [record(m, d, 0.5) for m in "ab" for d in datasets], datasets=datasets)
    build_entity_tables(lake)
    info = embed_entities(lake, HashingEncoder(256), tmp_path)
    assert lake.read("features/datasets")["query_text"].to_pylist() == [
        "Reviews of films.", "Reviews of food.", None,
    ]  # fmt: skip
    encoder = HashingEncoder(256)
    questions = encoder.encode(["Reviews of films.", "Reviews of food."])
    texts = encoder.encode(lake.read("features/datasets")["text"].to_pylist())
    nearest = [max(questions[0] @ texts[[1, 2]].T), max(questions[1] @ texts[[0, 2]].T)]
    assert info.similarity_floor == pytest.approx(np.quantile(nearest, 0.05), abs=1e-3)
