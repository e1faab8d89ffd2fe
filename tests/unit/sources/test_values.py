import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modellens_core.schema import Unit
from modellens_core.sources.values import ParsedValue, Refusal, parse_value

GOLDEN = json.loads(
    (Path(__file__).parents[2] / "golden/hub/values.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("case", GOLDEN, ids=lambda c: repr(c["raw"]))
def test_golden(case):
    parsed = parse_value(case["raw"])
    if "reason" in case:
        assert parsed == Refusal(case["reason"])
    else:
        assert isinstance(parsed, ParsedValue)
        assert (parsed.value, parsed.unit) == (case["value"], case["unit"])


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["{}", " {} ", "**{}**", "{}%", "`{}`"]),
)
def test_every_written_number_is_read_back(number, form):
    parsed = parse_value(form.format(number))
    assert isinstance(parsed, ParsedValue)
    assert parsed.value == number
    assert parsed.unit == (Unit.PERCENT if "%" in form else None)


@given(st.text(alphabet="0123456789.,-+~±%()[]/eE *_<>$\\^\u2013\u2212²\u00a0xnaif\n", max_size=30))
def test_total_on_text_and_always_finite(text):
    parsed = parse_value(text)
    assert isinstance(parsed, Refusal) or math.isfinite(parsed.value)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8))  # fmt: skip
def test_total_on_anything_yaml_can_hold(value):
    parsed = parse_value(value)
    assert isinstance(parsed, Refusal) or math.isfinite(parsed.value)


@given(
    st.integers(0, 9999),
    st.integers(0, 9999),
    st.sampled_from([" / ", "/", " | ", "; ", " vs ", " - "]),
)
def test_two_numbers_are_never_one(a, b, between):
    assert parse_value(f"{a}{between}{b}") == Refusal("several_values")


def test_text_is_kept_as_written():
    assert parse_value(" **83.2** (±0.3) ") == ParsedValue(83.2, None, "**83.2** (±0.3)")


@pytest.mark.parametrize("text", ["2*3*4", "1_000", "3__4"])
def test_signs_inside_a_number_are_no_emphasis(text):
    assert isinstance(parse_value(text), Refusal)


def test_huge_integers_are_refused_without_being_printed():
    assert parse_value(10**5000) == Refusal("not_finite")
