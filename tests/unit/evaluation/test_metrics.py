"""Metrics against hand-computed cases, scipy, brute force over tie-breaks, and their properties."""

import itertools
import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from modellens_core.evaluation.metrics import METRICS
from modellens_core.evaluation.metrics.hit import hit_at_k
from modellens_core.evaluation.metrics.mrr import mrr
from modellens_core.evaluation.metrics.ndcg import ndcg_at_k, ndcg_over_random
from modellens_core.evaluation.metrics.paper_tau import paper_tau
from modellens_core.evaluation.metrics.recall import recall_at_k
from modellens_core.evaluation.metrics.tau_b import tau_b
from modellens_core.evaluation.metrics.top1_regret import top1_regret
from modellens_core.evaluation.metrics.weighted_tau import LONG_LIST, weighted_tau

FUNCTIONS = {
    f.__name__: f
    for f in (
        weighted_tau, tau_b, top1_regret, hit_at_k, recall_at_k, ndcg_at_k, ndcg_over_random, mrr,
        paper_tau,
    )
}  # fmt: skip
relaxed = settings(deadline=None, max_examples=40)  # timing depends on the machine, behaviour not
GOLDEN = Path(__file__).parents[2] / "golden/metrics"
CASES = [
    pytest.param(file.stem, case, id=f"{file.stem}: {case['name']}")
    for file in sorted(GOLDEN.glob("*.json"))
    for case in json.loads(file.read_text("utf-8"))["cases"]
]
# Every metric that is an expectation over tie-breaks: not tau-b (own rule), not the paper's (row order).
EXPECTATIONS = {
    "weighted_tau": weighted_tau,
    "top1_regret": top1_regret,
    "hit_at_1": partial(hit_at_k, k=1),
    "hit_at_2": partial(hit_at_k, k=2),
    "recall_at_2": partial(recall_at_k, k=2),
    "ndcg_at_3": partial(ndcg_at_k, k=3),
    "ndcg_over_random": partial(ndcg_over_random, k=3),
    "mrr": mrr,
}


def scores(n: int, levels: int) -> st.SearchStrategy[np.ndarray]:
    return arrays(np.float64, (1, n), elements=st.integers(0, levels).map(float))


@st.composite
def lists(draw: st.DrawFn, levels: int = 4, most: int = 6) -> tuple[np.ndarray, np.ndarray]:
    n = draw(st.integers(3, most))
    y = draw(scores(n, levels).filter(lambda a: a.min() < a.max()))
    return y, draw(scores(n, levels))


@st.composite
def untied(draw: st.DrawFn, most: int = 30) -> tuple[np.ndarray, np.ndarray]:
    n = draw(st.integers(3, most))
    y, s = (np.array([draw(st.permutations(range(n)))], dtype=float) for _ in range(2))
    return y, s


def orders(s: np.ndarray) -> np.ndarray:
    """[P, M] every strict ranking that agrees with `s` up to ties."""
    ranks = np.array(list(itertools.permutations(range(s.shape[1]))), dtype=float)
    below = s[0][:, None] < s[0][None, :]
    return ranks[((ranks[:, :, None] < ranks[:, None, :]) | ~below).all(axis=(1, 2))]


def test_every_metric_has_golden_cases():
    assert {file.stem for file in GOLDEN.glob("*.json")} == set(FUNCTIONS)


@pytest.mark.parametrize(("name", "case"), CASES)
def test_golden(name: str, case: dict):
    y, s = np.array([case["y"]], dtype=float), np.array([case["s"]], dtype=float)
    more = {"k": case["k"]} if "k" in case else {}
    value = FUNCTIONS[name](y, s, **more)
    expected = np.nan if case["expected"] is None else case["expected"]
    assert value == pytest.approx([expected], abs=1e-9, nan_ok=True)


@relaxed
@given(untied())
def test_weighted_tau_is_scipys_where_nothing_is_tied(pair):
    y, s = pair
    expected = stats.weightedtau(y[0], s[0], rank=None).statistic
    assert weighted_tau(y, s)[0] == pytest.approx(expected, abs=1e-12)


@relaxed
@given(lists(levels=3, most=12))
def test_tau_b_is_scipys(pair):
    y, s = pair
    expected = np.nan_to_num(stats.kendalltau(y[0], s[0]).statistic)
    assert tau_b(y, s)[0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("levels", [3, 40, 10**6])
@pytest.mark.parametrize("metric", [weighted_tau, tau_b])
def test_long_lists_agree_with_short_ones(metric, levels, monkeypatch):
    rng = np.random.default_rng(levels)
    y, s = (rng.integers(0, levels, (2, LONG_LIST + 30)).astype(float) for _ in range(2))
    y[0], s[1] = s[0] + rng.integers(0, 2, y.shape[1]), 1.0
    by_scipy = metric(y, s)
    monkeypatch.setitem(metric.__globals__, "LONG_LIST", 10**6)
    assert metric(y, s) == pytest.approx(by_scipy, abs=1e-9)
    assert by_scipy[1] == 0.0


@pytest.mark.parametrize("name", EXPECTATIONS)
@relaxed
@given(pair=lists(levels=2, most=5))
def test_ties_in_the_ranking_count_as_the_mean_over_all_orders(name, pair):
    y, s = pair
    metric = EXPECTATIONS[name]
    every = orders(s)
    drawn = metric(np.repeat(y, len(every), axis=0), every)
    assert metric(y, s)[0] == pytest.approx(drawn.mean(), abs=1e-9)


@relaxed
@given(lists(levels=2, most=5))
def test_guessing_gets_nothing_whatever_is_truly_tied(pair):
    y, s = pair
    constant = np.zeros_like(s)
    every = orders(constant)
    for metric in (weighted_tau, tau_b, partial(ndcg_over_random, k=3)):
        guesses = metric(np.repeat(y, len(every), axis=0), every)
        assert guesses.mean() == pytest.approx(0, abs=1e-9)
        assert metric(y, constant)[0] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.name)
@relaxed
@given(pair=lists(), scale=st.floats(0.01, 100), shift=st.floats(-5, 5))
def test_only_the_order_of_scores_counts(metric, pair, scale, shift):
    y, s = pair
    moved = np.arctan(s * scale + shift)  # increasing
    if len(np.unique(moved)) == len(np.unique(s)):  # and not so flat that floats collapse
        assert metric.of(y, moved) == pytest.approx(metric.of(y, s), abs=1e-9, nan_ok=True)


@pytest.mark.parametrize(
    "metric", [m for m in METRICS if m.name != "paper_tau"], ids=lambda m: m.name
)
@relaxed
@given(pair=lists(), data=st.data())
def test_row_order_does_not_count(metric, pair, data):
    y, s = pair
    order = data.draw(st.permutations(range(y.shape[1])))
    expected = metric.of(y, s)
    assert metric.of(y[:, order], s[:, order]) == pytest.approx(expected, abs=1e-9, nan_ok=True)


@relaxed
@given(untied())
def test_the_true_order_is_perfect_and_its_reverse_is_not(pair):
    y, _ = pair
    for metric in METRICS:
        best, worst = metric.of(y, np.exp(y / 9))[0], metric.of(y, -y)[0]
        if not np.isnan(best):
            assert best == pytest.approx(1.0 if metric.higher_is_better else 0.0)
            assert worst <= best if metric.higher_is_better else worst >= best
    assert weighted_tau(y, -y)[0] == pytest.approx(-1.0)


@pytest.mark.parametrize("m", [6, 20, 40])
def test_mistakes_at_the_top_cost_most_and_the_papers_variant_has_it_upside_down(m):
    y = -np.arange(float(m))[None]
    top, bottom = y.copy(), y.copy()
    top[:, : m // 2], bottom[:, m // 2 :] = top[:, : m // 2][:, ::-1], bottom[:, m // 2 :][:, ::-1]
    assert weighted_tau(y, top)[0] < weighted_tau(y, bottom)[0] - 0.3
    assert paper_tau(y, top)[0] > paper_tau(y, bottom)[0] + 0.3
    assert tau_b(y, top)[0] == pytest.approx(tau_b(y, bottom)[0], abs=0.02)


@relaxed
@given(st.lists(lists(most=5), min_size=2, max_size=5))
def test_lists_do_not_influence_each_other(pairs):
    n = max(y.shape[1] for y, _ in pairs)
    same = [(y, s) for y, s in pairs if y.shape[1] == n]
    y, s = (np.concatenate([pair[i] for pair in same]) for i in range(2))
    for metric in METRICS:
        alone = np.concatenate([metric.of(a, b) for a, b in same])
        assert metric.of(y, s) == pytest.approx(alone, abs=1e-12, nan_ok=True)


def test_at_k_metrics_say_nothing_about_lists_of_k_models():
    y = np.arange(10.0)[None]
    assert np.isnan(recall_at_k(y, y, k=10)).all()
    assert np.isnan(hit_at_k(y[:, :5], y[:, :5], k=5)).all()
    assert hit_at_k(y[:, :6], y[:, :6], k=5) == 1.0
