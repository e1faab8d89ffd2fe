"""What each protocol hides, and what it must never do."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modellens_core.errors import ModelLensError
from modellens_core.splits.completion import completion
from modellens_core.splits.leakage import audit
from modellens_core.splits.new_datasets import MAX_FAMILY_ROWS, MAX_PART_ROWS, new_datasets
from modellens_core.splits.parts import (
    MIN_MODELS,
    TEST,
    TRAIN,
    VAL,
    measurable_groups,
    standardised,
)
from modellens_core.splits.production import production
from modellens_core.splits.units import dataset_units, model_units
from tests.unit.splits.messy import GIANT, as_dict, clean, messy, regroup

seeds = st.integers(0, 10_000)
ALL = {"completion": completion, "new_datasets": new_datasets, "production": production}


@pytest.mark.parametrize("protocol", ALL)
@settings(deadline=None, max_examples=15)
@given(seed=seeds)
def test_no_split_leaks(protocol, seed):
    features, rows = messy()
    parts = ALL[protocol](features, rows, seed)
    assert [leak for leak in audit(features, rows, parts, protocol) if leak.count] == []


@pytest.mark.parametrize("split", ALL.values())
def test_seed_decides(split):
    features, rows = messy()
    assert (split(features, rows, 1) == split(features, rows, 1)).all()
    assert (split(features, rows, 1) != split(features, rows, 2)).any()


@pytest.mark.parametrize("protocol", ["completion", "new_datasets"])
def test_a_split_grows_with_its_corpus(protocol):
    features, rows = clean(60, 150)
    early = rows.dataset < 144  # the last two families are published later
    known = rows.select(early)
    before = ALL[protocol](features, known, 0)
    after = ALL[protocol](features, rows, 0)[early]
    assert (before == after).mean() > 0.9
    hidden = before == TEST
    assert (after[hidden] == TEST).mean() > 0.6


class TestCompletion:
    def test_hidden_models_are_known_from_elsewhere(self):
        features, rows = messy()
        parts = completion(features, rows, 0)
        trained = set(rows.model[parts == TRAIN].tolist())
        assert set(rows.model[parts != TRAIN].tolist()) <= trained
        model = model_units(features)[rows.model]
        family = dataset_units(features, rows)[rows.dataset]
        for unit in np.unique(model):
            mine = model == unit
            assert len(set(family[mine & (parts != TRAIN)])) <= len(set(family[mine])) / 2

    def test_hidden_models_come_in_lists_that_can_be_ranked(self):
        features, rows = clean()
        for part in (TEST, VAL):
            hidden = rows.select(completion(features, rows, 0) == part)
            measured = measurable_groups(hidden)
            assert measured.sum() >= 5
            assert measured[hidden.group].mean() > 0.8

    def test_every_eligible_pair_is_hidden_with_probability_one_tenth(self):
        features, rows = clean(40, 36)
        draws = [completion(features, rows, seed) for seed in range(300)]
        for part in (TEST, VAL):
            hidden = np.mean([parts == part for parts in draws], axis=0)
            eligible = hidden > 0  # the others are in lists of fewer than ten models
            assert eligible.mean() > 0.8
            assert 0.09 < hidden[eligible].mean() < 0.13
            assert hidden[eligible].min() > 0.04
            assert hidden[eligible].max() < 0.22

    def test_models_of_one_dataset_stay(self):
        features, rows = clean()
        once = rows.select((rows.model >= 20) | (rows.dataset < 3))
        parts = completion(features, once, 0)
        assert (parts[once.model < 20] == TRAIN).all()

    def test_too_small(self):
        features, rows = clean(8, 6)
        with pytest.raises(ModelLensError, match="collect more sources"):
            completion(features, rows, 0)


class TestNewDatasets:
    def test_families_are_hidden_whole_and_in_about_the_promised_share(self):
        features, rows = clean(60, 240)
        parts = new_datasets(features, rows, 0)
        unit = dataset_units(features, rows)[rows.dataset]
        n = len(np.unique(unit))
        assert 0.05 * n <= len(np.unique(unit[parts == TEST])) <= 0.15 * n
        assert 0.04 * n <= len(np.unique(unit[parts == VAL])) <= 0.13 * n

    @settings(deadline=None, max_examples=15)
    @given(seed=seeds)
    def test_every_big_task_is_tested(self, seed):
        features, rows = clean(30, 120)  # 40 families, 13 or 14 of each of three tasks
        parts = new_datasets(features, rows, seed)
        for part in (TRAIN, VAL, TEST):
            assert set(rows.task[parts == part]) == {0, 1, 2}

    @settings(deadline=None, max_examples=30)
    @given(seed=seeds)
    def test_a_giant_family_trains(self, seed):
        features, rows = messy()
        parts = new_datasets(features, rows, seed)
        giant = features.dataset_family[rows.dataset] == GIANT
        assert giant.mean() > 2 * MAX_FAMILY_ROWS
        assert (parts[giant] == TRAIN).all()
        for part in (TEST, VAL):
            assert (parts == part).mean() <= MAX_PART_ROWS

    def test_families_without_a_list_to_measure_train(self):
        features, rows = clean()
        few = rows.dataset >= 60
        rows = rows.select(~few | (rows.model < 4))
        parts = new_datasets(features, rows, 0)
        assert (parts[rows.dataset >= 60] == TRAIN).all()

    def test_too_small(self):
        features, rows = clean(20, 3)
        with pytest.raises(ModelLensError, match="collect more sources"):
            new_datasets(features, rows, 0)


def test_production_uses_every_row_and_tests_nothing():
    features, rows = messy()
    parts = production(features, rows, 0)
    assert set(parts) == {TRAIN, VAL}
    assert (parts == TRAIN).mean() > 0.8


def test_z_of_a_part_knows_only_that_part():
    features, rows = clean()
    parts = completion(features, rows, 0)
    train = standardised(rows.select(parts == TRAIN))
    spoiled = replace(rows, y=np.where(parts == TRAIN, rows.y, 1e6))
    assert (standardised(spoiled.select(parts == TRAIN)).z == train.z).all()
    per_group = np.bincount(train.group, train.z, rows.n_groups)
    assert np.abs(per_group).max() < 1e-9
    assert (train.z != rows.z[parts == TRAIN]).any()


def test_z_of_equal_scores_is_zero():
    _, rows = clean()
    assert (standardised(replace(rows, y=np.full(len(rows), 0.1))).z == 0).all()


def test_measurable_groups_need_models_and_a_difference():
    _, rows = clean()
    first = as_dict(rows.select(rows.group == 0))
    short = {k: v[: MIN_MODELS - 1] for k, v in first.items()}
    flat = {k: v[:10] for k, v in first.items()} | {"y": np.ones(10)}
    good = {k: v[:MIN_MODELS] for k, v in first.items()}
    tables = [
        d | {"group": np.full(len(d["y"]), g, np.int32)} for g, d in enumerate((short, flat, good))
    ]
    with np.errstate(invalid="ignore"):
        found = measurable_groups(regroup(rows, tables, ["short", "flat", "good"]))
    assert found.tolist() == [False, False, True]
