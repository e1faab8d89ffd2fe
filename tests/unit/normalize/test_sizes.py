import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modellens_core.normalize.sizes import SIZE_BUCKETS, params_from_name, size_bucket
from tests.unit.normalize.cases import TEXTS, UNPLEASANT, golden


@pytest.mark.parametrize("case", golden("sizes"), ids=lambda case: case["name"])
def test_golden(case) -> None:
    expected = case["params_b"]
    assert params_from_name(case["name"]) == (None if expected is None else pytest.approx(expected))


@given(TEXTS)
def test_total(name: str) -> None:
    params = params_from_name(name)
    assert params is None or (math.isfinite(params) and params > 0)


@pytest.mark.parametrize("raw", UNPLEASANT)
def test_total_on_unpleasant_text(raw: str) -> None:
    assert size_bucket(params_from_name(raw)) in range(21)


@given(st.floats(min_value=1e-6, max_value=1e7), st.floats(min_value=1.0, max_value=100.0))
def test_larger_models_never_fall_into_smaller_buckets(params: float, factor: float) -> None:
    assert 1 <= size_bucket(params) <= size_bucket(params * factor) <= 20


@pytest.mark.parametrize("nothing", [None, 0.0, -1.0, math.nan, math.inf])
def test_no_size_is_bucket_zero(nothing: float | None) -> None:
    assert size_bucket(nothing) == 0


def test_bucket_edges_are_half_open_from_one_million_to_one_trillion() -> None:
    for k in range(20):
        edge = 10 ** (-3 + 0.3 * k)
        assert size_bucket(edge * 1.001) == k + 1
        assert size_bucket(edge * 0.999) == max(k, 1)
    assert size_bucket(1e-9) == 1
    assert size_bucket(1e6) == 20


def test_labels_name_the_buckets() -> None:
    assert len(SIZE_BUCKETS) == 21
    assert SIZE_BUCKETS[0] == "unknown"
    assert SIZE_BUCKETS[1].startswith("1M-")
    assert SIZE_BUCKETS[20].endswith("-1T")
    assert SIZE_BUCKETS[size_bucket(7.0)] == "4B-7.9B"
