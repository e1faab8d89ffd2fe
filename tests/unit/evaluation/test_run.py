"""The whole evaluation on a planted lake: really trained rankers, real files."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from modellens_core.errors import ModelLensError
from modellens_core.evaluation.ranker_method import (
    CONTROL,
    CONTROL_DRAWS,
    OtherTextMethod,
    RankerMethod,
    other_datasets,
)
from modellens_core.evaluation.run import evaluate_all
from modellens_core.ranking.artifact import load_ranker
from modellens_core.splits.freeze import REPORTED, freeze_split
from modellens_core.splits.parts import TEST
from modellens_core.splits.problem import Problem
from modellens_core.splits.units import dataset_units
from modellens_core.store.lake import Lake
from modellens_core.training.config import load_config
from modellens_core.training.run import train_protocol
from tests.unit.splits.messy import clean, lake_of, messy

SEEDS = (0, 1)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[Lake, Path]:
    """A lake with frozen splits, and a folder of briefly trained rankers."""
    root = tmp_path_factory.mktemp("run")
    lake = lake_of(root / "lake", *clean(50, 60))
    config = load_config("default", {"max_epochs": 1, "ranker.hidden": 16})
    for protocol in REPORTED:
        freeze_split(lake, protocol)
        folder = root / "training" / protocol
        train_protocol(lake.root, protocol, 0, config, folder / "seed-0")
        shutil.copytree(folder / "seed-0", folder / "seed-1")  # training again would show no more
    return lake, root / "training"


def test_rankers_and_baselines_are_judged_on_every_protocol(trained, tmp_path):
    lake, training = trained
    told = []
    found = evaluate_all(
        lake, training, tmp_path, SEEDS, lambda label, done, total: told.append((done, total))
    )
    for name in ("groups", "summary", "differences"):
        assert lake.read(f"evaluation/{name}").equals(getattr(found, name))
    n_methods = 2 + 2 * CONTROL_DRAWS + 7
    expected = {
        "modellens", "modellens, other text", "random", "constant", "size", "popularity", "model_mean", "model_task_mean",
    }  # fmt: skip
    for protocol in REPORTED:
        rows = [r for r in found.summary.to_pylist() if r["protocol"] == protocol]
        assert {r["method"] for r in rows} == expected
        assert {r["seeds"] for r in rows if r["method"] in {"modellens", CONTROL, "random"}} == {2}
    assert told[-1] == (n_methods, n_methods)
    text = found.report.read_text("utf-8")
    assert text.count("reaches a top-weighted tau of") == len(REPORTED)
    assert "modellens, other text" not in text.split("\n\n")[1]  # the verdict's baselines
    assert text.count("told the text of a random other dataset") == 2 * len(REPORTED)
    assert "the description and the learned id add" in text  # completion: its datasets are known
    assert re.search(r"What the description adds( is \*\*|: )", text)
    shown = set(re.findall(r"\(([^)]+\.png)\)", text))
    assert "size-prior.png" in shown
    assert all((tmp_path / name).is_file() for name in shown)


def test_a_second_evaluation_finds_the_same(trained, tmp_path):
    lake, training = trained
    first = evaluate_all(lake, training, tmp_path, SEEDS)
    second = evaluate_all(lake, training, tmp_path, SEEDS)
    assert first.groups.equals(second.groups)
    assert first.differences.equals(second.differences)


def test_a_missing_ranker_is_named(trained, tmp_path):
    lake, training = trained
    with pytest.raises(ModelLensError, match="seed-7"):
        evaluate_all(lake, training, tmp_path, (0, 7))


def test_a_ranker_of_another_split_is_refused(trained, tmp_path):
    """Its training rows could be among the test rows."""
    lake, training = trained
    freeze_split(lake, "completion", seed=99)
    try:
        with pytest.raises(ModelLensError, match=r"other data than now \(split\); train again"):
            evaluate_all(lake, training, tmp_path, SEEDS)
    finally:
        freeze_split(lake, "completion")


def test_the_control_hears_of_other_datasets_and_knows_no_id(trained):
    """Twice by other means: vectors changed in the features, and ids forgotten by the ranker."""
    lake, training = trained
    problem = Problem.load(lake, "completion")
    units = dataset_units(problem.features, problem.rows)
    folder, rows = training / "completion" / "seed-0", problem.part(TEST)
    control = OtherTextMethod(folder, 0, units=units, draw=3)
    control.fit(problem)
    other = other_datasets(problem.features, units, (0, 3))[:-1]
    told = replace(problem.features, dataset_vectors=problem.features.dataset_vectors[other])
    ranker = load_ranker(folder)[0]
    knowing = ranker.score_rows(told, rows)
    ranker.seen_datasets.fill_(False)
    np.testing.assert_allclose(control.score(rows), ranker.score_rows(told, rows), atol=1e-5)
    assert not np.allclose(control.score(rows), knowing, atol=1e-5)
    plain = RankerMethod(folder, 0)
    plain.fit(problem)
    assert not np.allclose(control.score(rows), plain.score(rows), atol=1e-5)


def test_another_text_is_of_another_unit_and_every_such_dataset_may_lend_its_own():
    features, rows = messy()
    units = dataset_units(features, rows)
    vectors = features.dataset_vectors.copy()
    vectors[:4] = 0.0
    features = replace(features, dataset_vectors=vectors)
    drawn = np.stack([other_datasets(features, units, (0, draw)) for draw in range(600)])
    n = features.n_datasets
    assert (drawn[:, n] == n).all()
    assert (units[drawn[:, :n]] != units[:n]).all()
    np.testing.assert_array_equal(drawn[5], other_datasets(features, units, (0, 5)))
    for d in (0, 6, 40, n - 1):
        lenders = [e for e in range(4, n) if units[e] != units[d]]
        assert set(drawn[:, d].tolist()) == set(lenders)


def test_where_no_other_dataset_has_a_text_none_is_told():
    features, rows = clean(20, 6)
    assert (other_datasets(features, np.zeros(7, dtype=np.int64), (0,)) == 6).all()
    assert len(rows)
