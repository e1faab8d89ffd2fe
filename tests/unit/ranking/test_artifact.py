"""A ranker comes back as it was saved, and anything else is refused with a line that says what to do."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open

from modellens_core.errors import ModelLensError
from modellens_core.features.featureset import EncoderInfo
from modellens_core.ranking.artifact import (
    RankerMeta,
    library_versions,
    load_ranker,
    save_ranker,
    vocabulary_hashes,
)


@pytest.fixture
def meta(world):
    features, _ = world
    return RankerMeta(
        protocol="completion", seed=4, recipe={"name": "test", "feed": {"list_cap": None}},
        encoder=features.encoder, vocabulary=vocabulary_hashes(features), data={"split": "ab"},
        result={"best_validation": 0.25, "epochs": 3}, versions=library_versions(),
    )  # fmt: skip


def test_round_trip_keeps_scores_masks_and_origin(tmp_path, world, ranker, meta):
    features, rows = world
    ranker.fit_inputs(features, rows.select(rows.model != 2))
    with torch.no_grad():
        ranker.temperature.fill_(1.5)
    save_ranker(tmp_path / "run", ranker, meta)
    loaded, found = load_ranker(tmp_path / "run")
    assert found == meta
    assert not loaded.training
    assert not loaded.seen_models[2]
    np.testing.assert_array_equal(
        loaded.score_rows(features, rows), ranker.score_rows(features, rows)
    )
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == [
        "ranker.json", "ranker.safetensors",
    ]  # fmt: skip


def test_same_ranker_gives_same_bytes(tmp_path, ranker, meta):
    for name in ("a", "b"):
        save_ranker(tmp_path / name, ranker, meta)
    for file in ("ranker.json", "ranker.safetensors"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_frozen_vectors_are_not_saved(tmp_path, world, ranker, meta):
    features, _ = world
    save_ranker(tmp_path, ranker, meta)
    with safe_open(tmp_path / "ranker.safetensors", framework="np") as file:
        shapes = {tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    assert features.model_vectors.shape not in shapes
    assert features.dataset_vectors.shape not in shapes


def flip_a_byte(folder):
    path = folder / "ranker.safetensors"
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)


def cut_weights(folder):
    path = folder / "ranker.safetensors"
    path.write_bytes(path.read_bytes()[:100])


def edit(folder, **changes):
    path = folder / "ranker.json"
    values = json.loads(path.read_text())
    values.update(changes)
    path.write_text(json.dumps(values))


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda d: (d / "ranker.json").unlink(), "no trained ranker"),
        (lambda d: (d / "ranker.safetensors").unlink(), "damaged"),
        (flip_a_byte, "damaged"),
        (cut_weights, "damaged"),
        (lambda d: (d / "ranker.json").write_text("{"), "damaged"),
        (lambda d: (d / "ranker.json").write_text("[]"), "damaged"),
        (lambda d: edit(d, sizes={"models": 3}), "damaged"),
        (lambda d: edit(d, seen_sha256="0"), "masks of seen entities"),
        (lambda d: edit(d, format=99), "format 99.*train again"),
    ],
)
def test_a_harmed_ranker_is_refused(tmp_path, ranker, meta, harm, message):
    save_ranker(tmp_path, ranker, meta)
    harm(tmp_path)
    with pytest.raises(ModelLensError, match=message):
        load_ranker(tmp_path)


def test_a_folder_that_never_held_a_ranker_says_what_to_run(tmp_path):
    with pytest.raises(ModelLensError, match="modellens run"):
        load_ranker(tmp_path / "nowhere")


def test_a_write_that_fails_leaves_no_half_ranker(tmp_path, ranker, meta, monkeypatch):
    save_ranker(tmp_path, ranker, meta)

    def full_disk(*_args, **_kwargs):
        raise OSError("no space left on device")

    monkeypatch.setattr("modellens_core.ranking.artifact.save_file", full_disk)
    with pytest.raises(OSError, match="no space"):
        save_ranker(tmp_path, ranker, meta)
    with pytest.raises(ModelLensError, match="no trained ranker"):
        load_ranker(tmp_path)


def test_features_that_changed_since_training_are_noticed(world, meta):
    features, _ = world
    meta.check(features)
    renamed = features.model_ids.copy()
    renamed[0] = "someone/else"
    with pytest.raises(ModelLensError, match="the models of the features changed"):
        meta.check(replace(features, model_ids=renamed))
    with pytest.raises(ModelLensError, match="restore the encoder"):
        meta.check(replace(features, encoder=EncoderInfo("other", "1" * 64, 16)))
