import pytest
from hypothesis import given
from pydantic import BaseModel

from modellens_core.errors import ConfigError
from modellens_core.normalize import text as module
from modellens_core.normalize.text import (
    MAX_SLUG,
    claim,
    clean_text,
    fold,
    load_registry,
    slug,
    strip_markup,
)
from tests.unit.normalize.cases import TEXTS, UNPLEASANT


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Common Voice 8.0", "common-voice-8.0"),
        ("common_voice__8.0", "common-voice-8.0"),
        ("org/Name", "org/name"),
        ("C++ / C#", "c++/c#"),
        ("AP@0.5:0.95", "ap@0.5:0.95"),
        ("A: B", "a-b"),
        ("children's", "childrens"),
        ("Bokmål \u2013 Test", "bokmål-test"),
        ("हिन्दी डेटा", "हिन्दी-डेटा"),
        ("Foo\u200bBar", "foobar"),
        ("ﬁne №", "fine-no"),
        ("...a..", "a"),
        ("", "unknown"),
        ("\u200b", "unknown"),
    ],
)
def test_slugs(raw: str, expected: str) -> None:
    assert slug(raw) == expected


@given(TEXTS)
def test_slugs_are_fixed_points_and_bounded(raw: str) -> None:
    once = slug(raw)
    assert once
    assert slug(once) == once
    assert len(once) <= MAX_SLUG
    assert once == once.strip() == fold(once)


@given(TEXTS)
def test_cleaning_and_folding_are_fixed_points(raw: str) -> None:
    assert clean_text(clean_text(raw)) == clean_text(raw)
    assert fold(fold(raw)) == fold(raw)


def test_names_of_signs_only_stay_distinct() -> None:
    assert slug("😀") != slug("😎")


def test_long_names_with_one_beginning_stay_distinct() -> None:
    assert slug("x" * 300 + "a") != slug("x" * 300 + "b")


@pytest.mark.parametrize("raw", UNPLEASANT)
def test_invisible_characters_are_gone(raw: str) -> None:
    cleaned = clean_text(raw)
    assert cleaned.isprintable()
    assert not {"\u200b", "\u202e", "\ufeff", "\x00"} & set(cleaned)


def test_markup_goes_and_words_stay() -> None:
    assert strip_markup("**Set5**<br/>`PSNR`").split() == ["Set5", "PSNR"]


def test_a_spelling_cannot_mean_two_things() -> None:
    table = {"acc": "accuracy"}
    claim(table, "acc", "accuracy", "metrics")
    with pytest.raises(ConfigError, match=r"metrics\.yaml: 'acc'"):
        claim(table, "acc", "precision", "metrics")


def test_a_damaged_registry_names_its_file_and_place(tmp_path, monkeypatch) -> None:
    class Damaged(BaseModel):
        tasks: dict[str, int]

    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "broken.yaml").write_text("tasks: {a: many}", encoding="utf-8")
    monkeypatch.setattr(module, "__file__", str(tmp_path / "text.py"))
    with pytest.raises(ConfigError, match=r"broken\.yaml is not usable at tasks\.a"):
        load_registry("broken", Damaged)
