import pytest
from hypothesis import given
from hypothesis import strategies as st

from modellens_core.normalize.families import families, family_of
from tests.unit.normalize.cases import TEXTS, UNPLEASANT, golden

KNOWN = {*families(), "unknown"}


@pytest.mark.parametrize("case", golden("families"), ids=lambda case: case["model"])
def test_golden(case) -> None:
    assert family_of(case["model"]) == case["family"]


@pytest.mark.parametrize("case", golden("families_lineage"), ids=lambda case: case["why"])
def test_what_tells_first(case) -> None:
    assert family_of(case["model"], case["architecture"], case["base"]) == case["family"]


@given(TEXTS, st.one_of(st.none(), TEXTS), st.one_of(st.none(), TEXTS))
def test_total(model: str, architecture: str | None, base: str | None) -> None:
    assert family_of(model, architecture, base) in KNOWN


@pytest.mark.parametrize("raw", UNPLEASANT)
def test_total_on_unpleasant_text(raw: str) -> None:
    assert family_of(raw, raw, raw + "x") in KNOWN


@pytest.mark.parametrize("name", ["mygpt-20b", "libertarian", "swinging", "adetrital", "xyolo"])
def test_parts_of_words_are_not_families(name: str) -> None:
    assert family_of(name) == "unknown"


def test_the_breadth_of_the_registry() -> None:
    assert len(families()) >= 250
