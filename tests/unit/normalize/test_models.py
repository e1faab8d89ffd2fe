import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modellens_core.normalize.models import canonical_spellings, display_key, resolve_model
from tests.unit.normalize.cases import TEXTS, UNPLEASANT, golden

KNOWN = ("google/bert_uncased_L-2_H-128_A-2", "facebook/bart-large", "Qwen/Qwen2.5-7B", "gpt2")
REPOSITORIES = {name.casefold(): name for name in KNOWN}
NAMES = st.lists(
    st.one_of(
        TEXTS,
        st.sampled_from(
            [
                "ResNet-50",
                "resnet50",
                "Qwen/Qwen2-7B",
                "qwen/qwen2-7b",
                "Qwen2-7B",
                "Qwen__Qwen2-7B",
                "ours",
                "ResNet 50",
            ]
        ),
    ),
    max_size=12,
)


@pytest.mark.parametrize("case", golden("models"), ids=lambda case: case["raw"])
def test_golden(case) -> None:
    model = resolve_model(case["raw"], REPOSITORIES)
    if case["model_id"] is None:
        assert model is None
    else:
        assert model is not None
        assert (model.model_id, model.org) == (case["model_id"], case["org"])


@pytest.mark.parametrize("case", golden("spellings"), ids=lambda case: " ".join(case["raw"]))
def test_golden_spellings(case) -> None:
    chosen = canonical_spellings(case["raw"])
    assert (len(set(chosen.values())) == 1) == case["equal"]
    if case["equal"]:
        assert set(chosen.values()) == {case["spelling"]}
    else:
        assert len(set(chosen.values())) == len(set(case["raw"]))


@given(TEXTS)
def test_total_and_ids_resolve_to_themselves(raw: str) -> None:
    model = resolve_model(raw, REPOSITORIES)
    if model is not None:
        assert model.model_id == (f"{model.org}/{model.name}" if model.org else model.name)
        again = resolve_model(model.model_id, REPOSITORIES)
        assert again is not None
        assert again.model_id == model.model_id


@pytest.mark.parametrize("raw", UNPLEASANT)
def test_total_on_unpleasant_text(raw: str) -> None:
    model = resolve_model(raw, {})
    assert model is None or model.model_id


@given(NAMES, st.randoms(use_true_random=False))
def test_spellings_do_not_depend_on_the_order(names: list[str], rng: random.Random) -> None:
    shuffled = list(names)
    rng.shuffle(shuffled)
    chosen = canonical_spellings(names)
    assert canonical_spellings(shuffled) == chosen
    assert set(chosen) == set(names)


@given(NAMES)
def test_a_chosen_spelling_chooses_itself(names: list[str]) -> None:
    chosen = canonical_spellings(names)
    again = canonical_spellings([*names, *chosen.values()])
    for raw, spelling in chosen.items():
        assert again[spelling] == again[raw]


@given(st.from_regex(r"[a-z]{1,6}[-_ ]?\d{1,3}[-_ ]?\d{1,3}b?", fullmatch=True), st.integers(0, 9))
def test_digits_always_tell_models_apart(name: str, digit: int) -> None:
    other = f"{name}{digit}"
    assert display_key(name) != display_key(other)
    digits = "".join(c for c in name if c.isdigit())
    assert "".join(c for c in display_key(name) if c.isdigit()) == digits


def test_quantisation_and_effort_are_named_and_stay_in_the_id() -> None:
    plain = resolve_model("TheBloke/Llama-2-7B", {})
    quantised = resolve_model("TheBloke/Llama-2-7B-GPTQ", {})
    thinking = resolve_model("GPT-5 mini (medium reasoning)", {})
    assert plain is not None
    assert quantised is not None
    assert thinking is not None
    assert quantised.model_id != plain.model_id
    assert quantised.variant == {"quantization": "gptq"}
    assert thinking.variant == {"effort": "medium"}
    assert plain.variant == {}


def test_a_renamed_repository_takes_the_spelling_the_hub_gives() -> None:
    known = {"openai-community/gpt2": "OpenAI-Community/GPT2"}
    model = resolve_model("gpt2", known)
    assert model is not None
    assert model.model_id == "OpenAI-Community/GPT2"
