"""The steering number: right way up, blind to nothing, and not fooled by ties."""

import numpy as np
import pytest
from scipy.stats import weightedtau

from modellens_core.errors import ModelLensError
from modellens_core.training.validation import MAX_GROUPS, MAX_MODELS, Validation, weighted_tau
from tests.fakes.world import make_world
from tests.unit.training.test_data import interactions


def test_tau_is_scipys_on_oriented_scores_and_weighs_the_true_top():
    rng = np.random.default_rng(0)
    y, s = rng.normal(size=30), rng.normal(size=30)
    assert weighted_tau(y, s) == pytest.approx(weightedtau(y, s, rank=None).statistic)
    truth = np.arange(20.0)
    top, bottom = truth.copy(), truth.copy()
    top[[18, 19]] = top[[19, 18]]
    bottom[[0, 1]] = bottom[[1, 0]]
    assert weighted_tau(truth, top) < weighted_tau(truth, bottom)


def test_perfect_and_reversed_and_constant_scores():
    _, rows = make_world().arrays()
    sample = Validation.sample(rows, 0)
    assert sample.tau_of(sample.rows.y) == pytest.approx(1.0)
    assert sample.tau_of(-sample.rows.y) == pytest.approx(-1.0)
    # The rows were best first: breaking ties by position would make a constant look perfect.
    assert abs(sample.tau_of(np.zeros(len(sample.rows)))) < 0.15
    assert weighted_tau(np.ones(4), np.arange(4.0)) == 0.0


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
    with pytest.raises(ModelLensError, match="no group of the validation part"):
        Validation.sample(interactions([[1.0], [2.0]]), 0)
