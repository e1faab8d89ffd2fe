"""The steering number: right way up, blind to nothing, and not fooled by ties."""

import numpy as np
import pytest

from modellens_core.errors import ModelLensError
from modellens_core.evaluation.metrics.weighted_tau import weighted_tau
from modellens_core.training import validation
from modellens_core.training.validation import MAX_GROUPS, MAX_MODELS, Validation
from tests.fakes.world import make_world
from tests.unit.training.test_data import interactions


def test_the_epoch_is_chosen_by_the_metric_that_is_reported():
    """One definition: the mean over the lists of what the evaluation says of each."""
    rng = np.random.default_rng(0)
    lists = [rng.integers(0, 4, size=n).astype(float).tolist() for n in (5, 7, 7, 30, 12, 5)]
    sample = Validation.sample(interactions(lists), 0)
    score = np.round(rng.normal(size=len(sample.rows)), 1)  # ties on both sides
    each = [
        weighted_tau(sample.rows.y[None, at], score[None, at])[0]
        for at in (np.flatnonzero(sample.rows.group == g) for g in range(len(lists)))
    ]
    assert sample.tau_of(score) == pytest.approx(np.mean(each))
    assert validation.weighted_tau is weighted_tau


def test_guessing_is_not_rewarded_where_the_truth_is_tied():
    """scipy orders models tied in truth by their score: a guess then looks better than nothing."""
    sample = Validation.sample(interactions([[1.0, 1.0, 1.0, 0.0, 0.0]] * 40), 0)
    rng = np.random.default_rng(1)
    guesses = [sample.tau_of(rng.normal(size=len(sample.rows))) for _ in range(100)]
    assert abs(np.mean(guesses)) < 0.02
    assert sample.tau_of(np.zeros(len(sample.rows))) == 0.0


def test_perfect_and_reversed_and_constant_scores():
    _, rows = make_world().arrays()
    sample = Validation.sample(rows, 0)
    assert sample.tau_of(sample.rows.y) == pytest.approx(1.0)
    assert sample.tau_of(-sample.rows.y) == pytest.approx(-1.0)
    assert sample.tau_of(np.zeros(len(sample.rows))) == pytest.approx(0.0)


def test_lists_of_one_score_choose_nothing_and_are_left_out():
    sample = Validation.sample(interactions([[1.0] * 6, [3.0, 2.0, 1.0, 0.0, -1.0]]), 0)
    assert len(sample.start) == 1
    assert sample.tau_of(sample.rows.y) == pytest.approx(1.0)
    long = [1.0] * 5000 + [0.0]  # cut to 500 models, most likely all alike
    cut = Validation.sample(interactions([long]), 0)
    assert len(cut.rows) == MAX_MODELS
    assert np.isfinite(cut.tau_of(np.arange(MAX_MODELS, dtype=float)))


def test_sample_is_bounded_fixed_and_prefers_groups_of_five():
    rng = np.random.default_rng(1)
    many = interactions(
        [rng.normal(size=rng.integers(1, 9)).tolist() for _ in range(900)] + [list(range(800))]
    )
    sample = Validation.sample(many, 0)
    sizes = np.unique(sample.rows.group, return_counts=True)[1]
    assert len(sample.start) == len(sizes) == MAX_GROUPS
    assert sizes.min() >= 5
    assert sizes.max() <= MAX_MODELS
    again = Validation.sample(many, 0)
    np.testing.assert_array_equal(sample.rows.model, again.rows.model)
    small = Validation.sample(interactions([[1.0, 2.0], [3.0]]), 0)
    assert len(small.rows) == 2


def test_nothing_to_validate_on_is_an_error():
    for groups in ([[1.0], [2.0]], [[1.0, 1.0]]):
        with pytest.raises(ModelLensError, match="no group of the validation part"):
            Validation.sample(interactions(groups), 0)
