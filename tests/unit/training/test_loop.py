"""Training finds what was planted, repeats itself bit for bit, goes on after a stop, and fails clearly."""

import re
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from modellens_core.errors import ModelLensError
from modellens_core.ranking.config import Sizes
from modellens_core.ranking.entities import Rows
from modellens_core.ranking.network import Ranker
from modellens_core.training.checkpoints import Checkpoints
from modellens_core.training.config import load_config
from modellens_core.training.data import GroupedRows
from modellens_core.training.loop import TrainState, train
from modellens_core.training.validation import Validation
from tests.fakes.world import make_world
from tests.unit.training.lakes import parts_by_family

TINY = load_config(
    "default", {"ranker.hidden": 16, "feed.min_steps": 3, "max_epochs": 4, "patience": 4}
)


def run(features, rows, part, config, *, seed=0, after_epoch=lambda state, improved: None):
    """Train on the "train" rows; returns the state and the ranker with its best weights."""
    torch.manual_seed(seed)
    ranker = Ranker(config.ranker, Sizes.of(features))
    learn = rows.select(part == "train")
    ranker.fit_inputs(features, learn)
    state = TrainState.start(ranker, config)
    grouped = GroupedRows.of(learn, config.z_clip)
    validation = Validation.sample(rows.select(part == "val"), 0)
    train(state, config, ranker.tables(features), grouped, validation, seed, after_epoch)
    ranker.load_state_dict(state.best)
    return state, ranker


@pytest.fixture
def small():
    features, rows = make_world(n_models=15, n_datasets=12).arrays()
    return features, rows, parts_by_family(rows)


@pytest.mark.slow
def test_what_was_planted_is_found_on_datasets_never_seen():
    features, rows = make_world(n_models=60, n_datasets=150).arrays()
    part = parts_by_family(rows, val=5, test=8)
    config = load_config("default", {"max_epochs": 5})
    test = Validation.sample(rows.select(part == "test"), 0)

    _, ranker = run(features, rows, part, config)
    right = test.tau(ranker, ranker.tables(features))
    assert right >= 0.85

    upside_down = replace(rows, y=-rows.y, z=-rows.z)
    _, ranker = run(features, upside_down, part, replace(config, max_epochs=2))
    assert test.tau(ranker, ranker.tables(features)) < -0.6


def test_no_order_in_truth_gives_no_order_in_scores(small):
    features, rows, part = small
    learn = part == "train"
    flat = replace(rows, y=np.where(learn, 1.0, rows.y), z=np.where(learn, 0.0, rows.z))
    _, ranker = run(features, flat, part, TINY)
    test = Validation.sample(rows.select(part == "test"), 0)
    assert abs(test.tau(ranker, ranker.tables(features))) < 0.5
    z = ranker(ranker.tables(features), Rows.of(rows)).z
    assert z.abs().max() < 0.5


def test_same_seed_same_weights_and_another_seed_others(small):
    features, rows, part = small
    first, _ = run(features, rows, part, TINY)
    again, _ = run(features, rows, part, TINY)
    other, _ = run(features, rows, part, TINY, seed=1)
    for name, tensor in first.best.items():
        assert torch.equal(tensor, again.best[name]), name
    assert not torch.equal(first.best["input.weight"], other.best["input.weight"])
    strip = lambda state: [{**asdict(p), "seconds": 0} for p in state.curve]  # noqa: E731
    assert strip(first) == strip(again)


def test_training_leaves_the_random_state_of_its_caller_alone(small):
    features, rows, part = small
    state = {}

    def remember(*_):
        state["during"] = torch.get_rng_state()

    torch.manual_seed(0)
    run(features, rows, part, replace(TINY, max_epochs=1), after_epoch=remember)
    assert torch.equal(torch.get_rng_state(), state["during"])


@pytest.mark.parametrize("average", [0.9, None])
def test_a_resumed_run_ends_bit_for_bit_like_one_that_never_stopped(tmp_path, small, average):
    features, rows, part = small
    config = replace(TINY, average_decay=average)
    whole, _ = run(features, rows, part, config)

    class PowerCutError(Exception):
        pass

    checkpoints = Checkpoints(tmp_path, "this run")

    def stop_after_two(state, improved):
        checkpoints.save(state, improved)
        if len(state.curve) == 2:
            raise PowerCutError

    with pytest.raises(PowerCutError):
        run(features, rows, part, config, after_epoch=stop_after_two)

    torch.manual_seed(99)
    ranker = Ranker(config.ranker, Sizes.of(features))
    learn = rows.select(part == "train")
    ranker.fit_inputs(features, learn)
    state = TrainState.start(ranker, config)
    assert not Checkpoints(tmp_path, "another run").restore(state)
    assert checkpoints.restore(state)
    assert len(state.curve) == 2
    validation = Validation.sample(rows.select(part == "val"), 0)
    grouped = GroupedRows.of(learn, config.z_clip)
    train(state, config, ranker.tables(features), grouped, validation, 0, lambda *_: None)
    assert [p.epoch for p in state.curve] == [0, 1, 2, 3]
    assert state.best_epoch == whole.best_epoch
    for name, tensor in whole.best.items():
        assert torch.equal(tensor, state.best[name]), name


@pytest.mark.parametrize("name", ["last", "best"])
def test_a_damaged_checkpoint_is_not_resumed(tmp_path, small, name):
    features, rows, part = small
    checkpoints = Checkpoints(tmp_path, "run")
    state, _ = run(features, rows, part, replace(TINY, max_epochs=1), after_epoch=checkpoints.save)
    assert checkpoints.restore(state)
    path = tmp_path / f"{name}.safetensors"
    path.write_bytes(path.read_bytes()[:50])
    assert not checkpoints.restore(state)
    checkpoints.clear()
    assert not tmp_path.exists()


def test_patience_ends_a_run_and_the_best_epoch_is_kept(small):
    features, rows, part = small
    config = replace(TINY, max_epochs=40, patience=2, learning_rate=0.03, average_decay=None)
    kept = {}

    def remember(state, improved):
        if improved:
            kept["weights"] = {n: t.clone() for n, t in state.ranker.state_dict().items()}

    state, ranker = run(features, rows, part, config, after_epoch=remember)
    values = [p.validation for p in state.curve]
    assert len(values) < 40
    assert state.best_epoch == int(np.argmax(values)) == len(values) - 3
    assert state.best_validation == max(values)
    for name, tensor in kept["weights"].items():
        assert torch.equal(ranker.state_dict()[name], tensor), name


def test_a_loss_that_is_not_finite_stops_training_and_keeps_what_was_good(small):
    features, rows, part = small
    good = {}

    def break_it(state, _improved):
        good.setdefault("weights", state.best)
        with torch.no_grad():
            state.ranker.input.weight.fill_(float("nan"))

    message = re.escape("the training loss became nan at epoch 1, step 0; lower learning_rate")
    with pytest.raises(ModelLensError, match=message):
        run(features, rows, part, TINY, after_epoch=break_it)
    assert all(torch.isfinite(t).all() for t in good["weights"].values() if t.is_floating_point())
