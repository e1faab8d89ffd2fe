"""The whole evaluation on a planted lake: really trained rankers, real files."""

import re
import shutil
from pathlib import Path

import pytest

from modellens_core.errors import ModelLensError
from modellens_core.evaluation.run import evaluate_all
from modellens_core.splits.freeze import REPORTED, freeze_split
from modellens_core.store.lake import Lake
from modellens_core.training.config import load_config
from modellens_core.training.run import train_protocol
from tests.unit.splits.messy import clean, lake_of

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
    expected = {
        "modellens", "random", "constant", "size", "popularity", "model_mean", "model_task_mean",
    }  # fmt: skip
    for protocol in REPORTED:
        rows = [r for r in found.summary.to_pylist() if r["protocol"] == protocol]
        assert {r["method"] for r in rows} == expected
        assert {r["seeds"] for r in rows if r["method"] in {"modellens", "random"}} == {2}
    assert told[-1] == (9, 9)
    text = found.report.read_text("utf-8")
    assert text.count("reaches a top-weighted tau of") == len(REPORTED)
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
