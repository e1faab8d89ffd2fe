"""One run from the lake to a ranker on disk, through the function and through the command line."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from modellens_core.errors import ModelLensError
from modellens_core.features.featureset import FeatureSet, Interactions
from modellens_core.ranking.artifact import load_ranker
from modellens_core.store.lake import Lake
from modellens_core.training.__main__ import main
from modellens_core.training.config import load_config
from modellens_core.training.run import train_protocol
from tests.fakes.world import make_world
from tests.unit.training.lakes import freeze, parts_by_family, write_lake

QUICK = ("ranker.hidden=16", "feed.min_steps=3", "max_epochs=3")
CONFIG = load_config("default", {"ranker.hidden": 16, "feed.min_steps": 3, "max_epochs": 3})


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    features, rows = make_world(n_models=15, n_datasets=12).arrays()
    root = tmp_path_factory.mktemp("lake")
    write_lake(root, features, rows, parts_by_family(rows))
    return root


@pytest.fixture
def lake(planted, tmp_path):
    """A lake of one's own to harm."""
    return Lake(shutil.copytree(planted, tmp_path / "lake"))


def command(lake_root, out, *more):
    options = [x for text in QUICK for x in ("--set", text)]
    return ["--lake", str(lake_root), "--protocol", "planted", "--out", str(out), *options, *more]


def test_a_run_writes_a_ranker_that_knows_where_it_comes_from(planted, tmp_path):
    out, events, ticks = tmp_path / "run", [], []
    result = train_protocol(
        planted, "planted", 5, CONFIG, out,
        progress=lambda label, done, total: ticks.append((done, total)), on_event=events.append,
    )  # fmt: skip
    assert sorted(p.name for p in out.iterdir()) == [
        "metrics.jsonl",
        "ranker.json",
        "ranker.safetensors",
    ]
    assert [e["event"] for e in events] == ["start", "epoch", "epoch", "epoch", "done"]
    assert json.loads(json.dumps(events)) == events
    assert ticks == [(1, 3), (2, 3), (3, 3)]
    curve = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [point["validation"] for point in curve] == [p.validation for p in result.curve]
    assert result.best_validation == max(p.validation for p in result.curve)
    ranker, meta = load_ranker(result.path)
    assert (meta.protocol, meta.seed, meta.recipe["name"]) == ("planted", 5, "default")
    assert meta.result["best_epoch"] == result.best_epoch
    features, rows = FeatureSet.load(Lake(planted)), Interactions.load(Lake(planted))
    meta.check(features)
    part = parts_by_family(rows)
    hidden = np.unique(rows.dataset[part != "train"])
    assert not ranker.seen_datasets[hidden.astype(np.int64)].any()
    assert np.isfinite(ranker.score_rows(features, rows)).all()


def test_nothing_of_the_held_out_rows_reaches_the_weights(planted, tmp_path):
    first = train_protocol(planted, "planted", 0, CONFIG, tmp_path / "a")
    features, rows = FeatureSet.load(Lake(planted)), Interactions.load(Lake(planted))
    part = parts_by_family(rows)
    rng = np.random.default_rng(0)
    test = part == "test"
    y, z = rows.y.copy(), rows.z.copy()
    y[test], z[test] = rng.permutation(y[test]) * 100, rng.permutation(z[test])
    write_lake(tmp_path / "lake", features, replace(rows, y=y, z=z), part)
    second = train_protocol(tmp_path / "lake", "planted", 0, CONFIG, tmp_path / "b")
    assert [p.loss for p in first.curve] == [p.loss for p in second.curve]
    weights = [(p / "ranker.safetensors").read_bytes() for p in (first.path, second.path)]
    assert weights[0] == weights[1]


def test_an_interrupted_run_goes_on_and_ends_the_same(planted, tmp_path, capsys):
    whole = train_protocol(planted, "planted", 0, CONFIG, tmp_path / "whole")
    out = tmp_path / "stopped"

    def ctrl_c(event):
        if event["event"] == "epoch" and event["epoch"] == 1:
            raise KeyboardInterrupt

    assert main(command(planted, out), on_event=ctrl_c) == 130
    assert "start the same command again" in capsys.readouterr().err
    assert (out / "checkpoint" / "last.safetensors").is_file()
    assert len((out / "metrics.jsonl").read_text().splitlines()) == 2
    assert main(command(planted, out)) == 0
    assert "resumed after epoch 1" in capsys.readouterr().out
    assert not (out / "checkpoint").exists()
    assert (out / "ranker.safetensors").read_bytes() == (
        whole.path / "ranker.safetensors"
    ).read_bytes()


def test_a_checkpoint_of_another_recipe_is_not_resumed(planted, tmp_path):
    out = tmp_path / "run"

    def stop(event):
        if event["event"] == "epoch":
            raise KeyboardInterrupt

    assert main(command(planted, out), on_event=stop) == 130
    events = []
    train_protocol(
        planted, "planted", 0, replace(CONFIG, pairwise=0.5), out, on_event=events.append
    )
    assert events[0]["resumed_after_epoch"] is None


def test_json_events_are_the_only_thing_on_stdout(planted, tmp_path, capsys):
    seen = []
    assert main(command(planted, tmp_path / "run", "--json"), on_event=seen.append) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines == seen
    assert lines[-1]["event"] == "done"


def test_plain_output_is_one_line_per_epoch(planted, tmp_path, capsys):
    assert main(command(planted, tmp_path / "run")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert "rows in" in lines[0]
    assert lines[1].startswith("epoch   0  loss ")
    assert lines[-1].startswith("best epoch ")


def rewrite_split(lake, part=None, drop=0):
    table = lake.read("splits/planted")
    table = table.slice(drop)
    if part is not None:
        table = table.set_column(2, "part", pa.array([part] * len(table)))
    freeze(lake, table)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (
            lambda lake: lake.path("features/interactions").unlink(),
            "features/interactions.*modellens run",
        ),
        (lambda lake: lake.path("splits/planted").unlink(), "splits/planted.*modellens run"),
        (lambda lake: rewrite_split(lake, drop=1), "freeze the split again"),
        (lambda lake: (lake.root / "splits/planted.json").unlink(), "freeze the split again"),
        (lambda lake: rewrite_split(lake, part="train"), "no group of the validation part"),
        (lambda lake: rewrite_split(lake, part="val"), "nothing to rank"),
    ],
)
def test_what_is_missing_or_does_not_fit_is_one_line_and_exit_code_2(
    lake, tmp_path, capsys, harm, message
):
    harm(lake)
    assert main(command(lake.root, tmp_path / "run")) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    with pytest.raises(ModelLensError, match=message):
        raise ModelLensError(captured.err)
    assert not (tmp_path / "run" / "ranker.json").exists()


def test_vectors_that_are_not_finite_are_named(lake, tmp_path, capsys):
    path = lake.root / "features/dataset_vectors.npy"
    vectors = np.load(path)
    vectors[4, 2] = np.inf
    np.save(path, vectors)
    assert main(command(lake.root, tmp_path / "run")) == 2
    name = FeatureSet.load(lake).dataset_ids[4]
    assert f"1 dataset vectors are not finite, the first of '{name}'" in capsys.readouterr().err


def test_bad_arguments_are_one_line_and_exit_code_2(planted, tmp_path, capsys):
    for more in (["--set", "learnign_rate=1"], ["--set", "nonsense"], ["--config", "best"]):
        assert main(command(planted, tmp_path / "run", *more)) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_help_teaches():
    done = subprocess.run(
        [sys.executable, "-m", "modellens_core.training", "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    for word in (
        "--lake",
        "--protocol",
        "examples:",
        "metrics.jsonl",
        "exit codes",
        "default, paper",
    ):
        assert word in done.stdout
