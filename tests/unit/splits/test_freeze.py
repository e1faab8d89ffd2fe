"""Frozen splits: same bytes for the same input, and no use with any other input."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from modellens_core.errors import ModelLensError, QualityError
from modellens_core.splits import freeze
from modellens_core.splits.freeze import freeze_split, load_manifest, load_parts
from modellens_core.splits.parts import TEST, TRAIN
from modellens_core.splits.problem import Problem, blind
from modellens_core.splits.units import dataset_units
from tests.unit.splits.messy import interactions_table, lake_of, messy


@pytest.fixture
def lake(tmp_path):
    return lake_of(tmp_path, *messy())


@pytest.mark.parametrize("protocol", freeze.PROTOCOLS)
def test_same_input_same_bytes(lake, protocol):
    def files():
        return [
            lake.path(f"splits/{protocol}").read_bytes(),
            (lake.root / f"splits/{protocol}.json").read_bytes(),
        ]

    freeze_split(lake, protocol)
    first = files()
    freeze_split(lake, protocol)
    assert files() == first
    freeze_split(lake, protocol, seed=1)
    assert files() != first


def test_a_frozen_split_is_read_back_as_drawn(lake):
    features, rows = messy()
    manifest = freeze_split(lake, "completion", seed=3)
    parts = load_parts(lake, "completion")
    assert (parts == freeze.PROTOCOLS["completion"](features, rows, 3)).all()
    assert load_manifest(lake, "completion") == json.loads(json.dumps(manifest))
    assert sum(part["rows"] for part in manifest["parts"].values()) == len(rows)
    assert set(manifest["leaks"].values()) == {0}


def test_families_that_are_hidden_together_are_counted_once(lake):
    features, rows = messy()
    manifest = freeze_split(lake, "new_datasets")
    parts, unit = load_parts(lake, "new_datasets"), dataset_units(features, rows)
    counted = {name: part["dataset_families"] for name, part in manifest["parts"].items()}
    assert sum(counted.values()) == len(np.unique(unit[:-1]))  # no unit lies in two parts
    assert len(np.unique(unit[:-1])) < len(np.unique(features.dataset_family))
    assert counted[TEST] == len(np.unique(unit[rows.dataset[parts == TEST]]))


def test_a_split_of_other_interactions_is_refused(lake):
    features, rows = messy()
    freeze_split(lake, "completion")
    lake.write("features/interactions", interactions_table(features, rows).slice(1))
    with pytest.raises(ModelLensError, match="other interactions; freeze the split again"):
        load_parts(lake, "completion")


def test_a_split_that_was_edited_is_refused(lake):
    freeze_split(lake, "completion")
    table = lake.read("splits/completion").to_pydict()
    table["part"][table["part"].index(TEST)] = TRAIN
    lake.write("splits/completion", pa.table(table))
    with pytest.raises(ModelLensError, match="differs from its manifest"):
        load_parts(lake, "completion")


def test_a_split_without_its_manifest_is_refused(lake):
    freeze_split(lake, "completion")
    (lake.root / "splits/completion.json").unlink()
    with pytest.raises(ModelLensError, match="has no manifest"):
        load_parts(lake, "completion")


def test_a_split_that_leaks_is_not_written(lake, monkeypatch):
    def careless(features, rows, seed):
        return np.where(np.random.default_rng(seed).random(len(rows)) < 0.1, TEST, TRAIN)

    monkeypatch.setattr(freeze, "PROTOCOLS", {"completion": careless})
    with pytest.raises(QualityError, match="leaks"):
        freeze_split(lake, "completion")
    assert not lake.exists("splits/completion")


def test_unknown_protocol(lake):
    with pytest.raises(ModelLensError, match="use one of"):
        freeze_split(lake, "random_rows")


def test_a_problem_shows_train_and_hides_test(lake):
    freeze_split(lake, "completion")
    problem = Problem.load(lake, "completion")
    assert set(problem.hashes) == {"split", "interactions"}
    visible = problem.without(TEST)
    assert len(visible.part(TEST)) == 0
    assert len(visible.rows) == len(problem.rows) - len(problem.part(TEST))
    assert (visible.train.z == problem.train.z).all()
    told = replace(problem, rows=replace(problem.rows, z=np.full(len(problem.rows), 9.0)))
    assert (told.train.z == problem.train.z).all()  # z of the whole group would tell of hidden rows
    assert np.isnan(blind(problem.part(TEST)).y).all()
    assert np.isnan(blind(problem.part(TEST)).z).all()
