"""Which models and datasets count as the same."""

from dataclasses import replace

import numpy as np
import pytest

from modellens_core.splits.units import (
    dataset_unit_names,
    dataset_units,
    mix,
    model_spelling,
    model_units,
    spelling,
    stable_hash,
    twin_datasets,
)
from tests.unit.splits.messy import REPUBLISHED, clean, messy


@pytest.mark.parametrize(
    ("left", "right"),
    [("CIFAR-10", "cifar10"), ("GLUE / SST-2", "glue_sst2"), ("Größe", "grösse"), ("***", "***")],
)
def test_equal_spellings(left, right):
    assert spelling(left) == spelling(right)


@pytest.mark.parametrize(
    ("left", "right"), [("CIFAR-10", "CIFAR-100"), ("***", "---"), ("c4", "c-4.1")]
)
def test_different_spellings(left, right):
    assert spelling(left) != spelling(right)


def test_an_organisation_is_not_part_of_a_models_spelling():
    assert model_spelling("TheOrg/My-Model_v2") == model_spelling("other/my_model.V2")
    assert model_spelling("a/b") != model_spelling("a/c")


def test_clones_and_reuploads_are_one_model():
    features, _ = messy()
    units = model_units(features)
    assert units[0] == units[1]  # spelling
    assert units[2] == units[3]  # clone cluster
    assert units[4] == units[5]
    assert len(np.unique(units[:-1])) == features.n_models - 3
    assert units[-1] == features.n_models  # unknown models are a unit of their own


def test_joining_is_transitive():
    features, _ = messy()
    clusters = features.clone_cluster.copy()
    clusters[1] = clusters[2]  # 0 =spelling= 1 =cluster= 2 =cluster= 3
    units = model_units(replace(features, clone_cluster=clusters))
    assert len({int(u) for u in units[:4]}) == 1


def test_families_spellings_and_copies_are_one_dataset():
    features, rows = messy()
    units = dataset_units(features, rows)
    assert len({int(u) for u in units[:3]}) == 1  # one family, respelled for two of its parts
    mirror = int(np.flatnonzero(features.dataset_ids == REPUBLISHED)[0])
    assert units[mirror] == units[6]
    assert units[6] != units[9]


def test_a_unit_is_named_by_its_first_family_whichever_of_them_is_asked_for():
    features, rows = messy()
    names = dataset_unit_names(features, dataset_units(features, rows))
    mirror = int(np.flatnonzero(features.dataset_ids == REPUBLISHED)[0])
    assert names[mirror] == names[6] == min(features.dataset_family[6], REPUBLISHED)
    assert len({str(n) for n in names[:3]}) == 1
    assert names[9] == features.dataset_family[9] != names[6]
    assert len(names) == features.n_datasets + 1  # an unknown dataset is a unit of its own
    assert names[-1] not in set(names[:-1].tolist())


def test_copies_are_found_and_nothing_else_is_taken_for_one():
    features, rows = messy()
    mirror = int(np.flatnonzero(features.dataset_ids == REPUBLISHED)[0])
    assert twin_datasets(rows).tolist() == [[6, mirror]]
    assert twin_datasets(clean()[1]).tolist() == []


def test_scores_at_a_bound_are_no_sign_of_a_copy():
    _, rows = clean()
    solved = replace(rows, y=np.ones(len(rows)))  # every model solves every dataset
    assert twin_datasets(solved).tolist() == []
    assert twin_datasets(rows.select(np.zeros(len(rows), dtype=bool))).tolist() == []


def test_hashes_depend_on_name_and_seed_alone():
    names = ["a", "b", "c"]
    assert stable_hash(names, 0).tolist() == stable_hash(names[::-1], 0)[::-1].tolist()
    assert set(stable_hash(names, 0)) & set(stable_hash(names, 1)) == set()
    # Another value would redraw every split: raise BUILDER_VERSION with it.
    assert stable_hash(["a"], 0).tolist() == [6539243125055167529]
    assert mix(stable_hash(["a"], 0), stable_hash(["b"], 0)).tolist() == [4309702451130099699]


def test_mixed_hashes_are_uniform_and_not_symmetric():
    left = stable_hash([str(i) for i in range(300)], 0)
    right = stable_hash([str(i) for i in range(300)], 1)
    grid = mix(np.repeat(left, 300), np.tile(right, 300)) / 2.0**64
    assert np.abs(np.histogram(grid, 10, (0, 1))[0] / 9000 - 1).max() < 0.05
    assert (mix(left, right) != mix(right, left)).all()
