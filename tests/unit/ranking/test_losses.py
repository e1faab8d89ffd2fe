"""Every loss against a slow reference, at the edges of floating point, and its gradient."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_expit, logsumexp

from modellens_core.ranking.losses.listwise import plackett_luce
from modellens_core.ranking.losses.pairwise import bpr
from modellens_core.ranking.losses.pointwise import squared_error


def blocks_of(truth: list[list[float]]) -> torch.Tensor:
    """First flat position of every row's tie block; truths sorted best first."""
    out, offset = [], 0
    for values in truth:
        out += [offset + values.index(v) for v in values]
        offset += len(values)
    return torch.tensor(out)


def reference(scores: list[list[float]], truth: list[list[float]]) -> float:
    """Eq. 13 with two Python loops; a tied row's denominator holds every row not better than it."""
    lists = []
    for s, y in zip(scores, truth, strict=True):
        terms = [
            logsumexp([sj for sj, yj in zip(s, y, strict=True) if yj <= yi]) - si
            for si, yi in zip(s, y, strict=True)
        ]
        lists.append(np.mean(terms))
    return float(np.mean(lists))


def call(scores, truth):
    return plackett_luce(
        torch.tensor([x for s in scores for x in s], dtype=torch.float64),
        torch.tensor([len(s) for s in scores]),
        blocks_of(truth),
    )


score_lists = st.lists(
    st.lists(st.tuples(st.floats(-30, 30), st.integers(0, 3)), min_size=1, max_size=9),
    min_size=1,
    max_size=5,
)


@settings(max_examples=60, deadline=None)
@given(score_lists)
def test_listwise_equals_the_reference_on_ragged_lists_with_ties(lists):
    lists = [sorted(rows, key=lambda r: -r[1]) for rows in lists]
    scores = [[r[0] for r in rows] for rows in lists]
    truth = [[float(r[1]) for r in rows] for rows in lists]
    assert call(scores, truth).item() == pytest.approx(reference(scores, truth), rel=1e-9, abs=1e-9)


def test_listwise_of_one_model_is_zero_and_of_equal_scores_is_the_mean_log_factorial():
    assert call([[4.2]], [[1.0]]).item() == 0.0
    assert call([[1.0] * 4], [[4.0, 3.0, 2.0, 1.0]]).item() == pytest.approx(
        np.log([4, 3, 2, 1]).mean()
    )


def test_order_within_a_tie_does_not_matter_and_equal_models_want_equal_scores():
    assert call([[0.3, 2.0, -1.0]], [[1.0, 1.0, 0.0]]).item() == pytest.approx(
        call([[2.0, 0.3, -1.0]], [[1.0, 1.0, 0.0]]).item()
    )
    score = torch.tensor([0.7, 0.7, 0.7], dtype=torch.float64, requires_grad=True)
    plackett_luce(score, torch.tensor([3]), torch.tensor([0, 0, 0])).backward()
    np.testing.assert_allclose(score.grad, 0.0, atol=1e-12)


def test_listwise_weighs_every_list_alike():
    long, short = [float(i) for i in range(300, 0, -1)], [0.0, 5.0]
    one, other = call([long], [long]), call([short], [[2.0, 1.0]])
    both = call([long, short], [long, [2.0, 1.0]])
    assert both.item() == pytest.approx((one.item() + other.item()) / 2)


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e4, 1e18])
def test_listwise_stays_finite_in_single_precision(scale):
    rng = np.random.default_rng(0)
    score = torch.tensor(rng.normal(size=3000) * scale, dtype=torch.float32, requires_grad=True)
    lengths = torch.tensor([2990, 1, 2, 7])
    loss = plackett_luce(score, lengths, torch.arange(3000))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(score.grad).all()


def test_losses_pass_gradcheck():
    generator = torch.Generator().manual_seed(0)
    score = torch.randn(9, dtype=torch.float64, generator=generator, requires_grad=True)
    lengths, blocks = torch.tensor([4, 1, 4]), torch.tensor([0, 0, 2, 3, 4, 5, 6, 6, 6])
    assert torch.autograd.gradcheck(lambda s: plackett_luce(s, lengths, blocks), score)
    assert torch.autograd.gradcheck(lambda s: bpr(s[:4], s[4:8]), score)
    weight = torch.rand(9, dtype=torch.float64, generator=generator)
    assert torch.autograd.gradcheck(
        lambda s: squared_error(s, torch.ones(9, dtype=torch.float64), weight), score
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=1, max_size=20))
def test_pairwise_equals_scipy(pairs):
    better, worse = (torch.tensor(x, dtype=torch.float64) for x in zip(*pairs, strict=True))
    expected = -log_expit((better - worse).numpy()).mean()
    assert bpr(better, worse).item() == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_pairwise_is_finite_where_the_sigmoid_is_zero():
    worse = torch.tensor([1e30], requires_grad=True)
    loss = bpr(torch.tensor([-1e30]), worse)
    loss.backward()
    assert torch.isfinite(loss)
    assert worse.grad.item() == pytest.approx(1.0)


def test_pointwise_is_a_weighted_mean():
    predicted, z = torch.tensor([1.0, 2.0, 5.0]), torch.tensor([0.0, 2.0, 1.0])
    assert squared_error(predicted, z, torch.ones(3)).item() == pytest.approx((1 + 0 + 16) / 3)
    assert squared_error(predicted, z, torch.tensor([3.0, 1.0, 0.0])).item() == pytest.approx(3 / 4)
