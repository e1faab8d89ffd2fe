"""The audit must find every planted leak: a test of the tests that hold splits to zero."""

from dataclasses import replace

import numpy as np
import pytest

from modellens_core.errors import ModelLensError, QualityError
from modellens_core.splits.leakage import LeakKind, audit, require_clean
from modellens_core.splits.new_datasets import new_datasets
from modellens_core.splits.parts import TEST, TRAIN, UNUSED, VAL, all_in
from tests.unit.splits.messy import REPUBLISHED, as_dict, clean, messy, regroup


def counts(features, rows, parts, protocol) -> dict[str, int]:
    return {leak.kind.value: leak.count for leak in audit(features, rows, parts, protocol)}


@pytest.mark.parametrize("protocol", ["completion", "new_datasets"])
def test_random_rows_leak_in_every_way(protocol):
    features, rows = messy()
    parts = all_in(TRAIN, len(rows))
    parts[np.random.default_rng(0).random(len(rows)) < 0.1] = TEST
    found = counts(features, rows, parts, protocol)
    assert {kind for kind, n in found.items() if n == 0} == {LeakKind.DUPLICATE_ROW.value}


def hide(rows, **where) -> np.ndarray:
    parts = all_in(TRAIN, len(rows))
    mask = np.ones(len(rows), dtype=bool)
    for name, value in where.items():
        mask &= getattr(rows, name) == value
    assert mask.any()
    parts[mask] = TEST
    return parts


class TestCompletion:
    def test_hiding_one_metric_of_a_pair(self):
        features, rows = messy()
        found = counts(features, rows, hide(rows, model=9, dataset=9, metric=0), "completion")
        assert found["same_pair_other_metric"] == 1

    def test_hiding_one_dataset_of_a_family(self):
        features, rows = messy()
        found = counts(features, rows, hide(rows, model=9, dataset=9), "completion")
        assert found["same_pair_other_metric"] == 0
        assert found["dataset_family_across"] == 1

    def test_hiding_one_of_two_clones(self):
        features, rows = messy()
        family = features.dataset_family == features.dataset_family[9]
        parts = all_in(TRAIN, len(rows))
        parts[family[rows.dataset] & (rows.model == 2)] = TEST
        found = counts(features, rows, parts, "completion")
        assert found["clone"] == 1
        assert found["dataset_family_across"] == 0
        parts[family[rows.dataset] & (rows.model == 3)] = TEST
        assert set(counts(features, rows, parts, "completion").values()) == {0}

    def test_hiding_one_of_two_uploads(self):
        features, rows = messy()
        family = features.dataset_family == features.dataset_family[9]
        parts = all_in(TRAIN, len(rows))
        parts[family[rows.dataset] & (rows.model == 0)] = TEST
        found = counts(features, rows, parts, "completion")
        assert found["alias"] > 0
        assert found["clone"] == 0

    def test_examples_name_model_and_dataset(self):
        features, rows = messy()
        parts = hide(rows, model=9, dataset=9, metric=0)
        leak = audit(features, rows, parts, "completion")[0]
        assert leak.examples == (f"{features.model_ids[9]} on {features.dataset_ids[9]}",)


class TestNewDatasets:
    def test_hiding_one_dataset_of_a_family(self):
        features, rows = messy()
        found = counts(features, rows, hide(rows, dataset=9), "new_datasets")
        assert found["dataset_family_across"] == 1

    def test_hiding_a_family_but_not_its_other_spelling(self):
        features, rows = messy()
        found = counts(features, rows, hide(rows, dataset=0), "new_datasets")
        assert found["alias"] == 1
        assert found["dataset_family_across"] == 0

    def test_hiding_a_dataset_but_not_its_copy(self):
        features, rows = messy()
        mirror = int(np.flatnonzero(features.dataset_ids == REPUBLISHED)[0])
        leak = audit(features, rows, hide(rows, dataset=mirror), "new_datasets")[4]
        assert leak.kind is LeakKind.COPIED_SCORES
        assert leak.count > 0
        assert REPUBLISHED in leak.examples[0]

    def test_validation_must_not_see_test_either(self):
        features, rows = clean()
        parts = new_datasets(features, rows, 0)
        one = int(rows.dataset[parts == TEST][0])
        parts[rows.dataset == one] = VAL
        assert counts(features, rows, parts, "new_datasets")["dataset_family_across"] == 1


def test_unused_rows_leak_nothing():
    features, rows = messy()
    parts = hide(rows, model=9, dataset=9, metric=0)
    parts[(parts == TRAIN) & (rows.model == 9)] = UNUSED
    assert set(counts(features, rows, parts, "completion").values()) == {0}


def test_one_model_twice_in_one_list():
    features, rows = clean()
    doubled = {k: v[:3] for k, v in as_dict(rows).items()}
    rows = regroup(rows, [as_dict(rows), doubled], rows.group_ids.tolist())
    found = counts(features, rows, all_in(TRAIN, len(rows)), "completion")
    assert found["duplicate_row"] == 3


def test_misaligned_parts_are_refused():
    features, rows = clean()
    with pytest.raises(ModelLensError, match="freeze the split again"):
        audit(features, rows, all_in(TRAIN, len(rows) - 1), "completion")


def test_a_leaking_split_is_refused_with_kind_count_and_example():
    features, rows = messy()
    leaks = audit(features, rows, hide(rows, dataset=9), "new_datasets")
    with pytest.raises(
        QualityError, match=r"'new_datasets' leaks: 1 x dataset_family_across \(e\.g\. "
    ):
        require_clean(leaks, "new_datasets")
    require_clean([replace(leak, count=0) for leak in leaks], "new_datasets")
