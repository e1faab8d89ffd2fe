from datetime import date

import pytest

from modellens_core.schema import staging_tables
from modellens_core.sources.hub.describe import describe
from modellens_core.sources.hub.facts import parse_hub_models
from tests.fakes.hub import HubRepo
from tests.fakes.hub.world import card
from tests.unit.sources.hub.conftest import listing_of, raw_of


def fact(**listing):
    [found] = parse_hub_models(listing_of("org/model", **listing))
    return found


def test_everything_that_is_stated():
    found = fact(
        cardData={"license": "mit", "language": ["en", "no"], "base_model": ["lab/parent"], "datasets": "imdb"},
        safetensors={"parameters": {"BF16": 7_000_000_000}, "total": 7_000_000_000},
        config={"architectures": ["LlamaForCausalLM"], "model_type": "llama"},
        tags=["transformers", "license:mit", "region:us"],
        pipeline_tag="text-generation", library_name="transformers", downloads=5, likes=2,
        createdAt="2024-05-06T07:08:09.000Z",
    )  # fmt: skip
    assert (found.params_b, found.params_origin) == (7.0, "safetensors")
    assert (found.license, found.base_model, found.architecture) == (
        "mit",
        "lab/parent",
        "LlamaForCausalLM",
    )
    assert (found.languages, found.trained_on, found.tags) == (
        ("en", "no"),
        ("imdb",),
        ("transformers",),
    )
    assert (found.released_at, found.downloads, found.likes) == (date(2024, 5, 6), 5, 2)
    assert found.url.endswith("/org/model")


def test_the_hubs_first_day_is_not_a_release_date():
    assert fact(createdAt="2022-03-02T23:29:04.000Z").released_at is None
    assert fact(createdAt="2022-03-03T00:00:00.000Z").released_at == date(2022, 3, 3)


@pytest.mark.parametrize(
    "listing",
    [
        {"safetensors": {"parameters": {"F32": 10**7}, "total": 10**7}, "library_name": "peft"},
        {"safetensors": {"parameters": {"I32": 10**9, "F16": 10**8}, "total": 11 * 10**8}},
        {"safetensors": {"total": 0}},
        {"safetensors": None},
        {},
    ],
)
def test_a_count_that_is_not_the_models_size_is_left_out(listing):
    assert fact(**listing).params_b is None


def test_position_buffers_do_not_hide_a_size():
    found = fact(safetensors={"parameters": {"I64": 512, "F32": 110_106_428}, "total": 110_106_940})
    assert found.params_b == pytest.approx(0.110106940)


def test_tags_stand_in_for_missing_metadata():
    found = fact(
        cardData=None,
        tags=["license:apache-2.0", "dataset:squad", "base_model:finetune:lab/parent"],
    )
    assert (found.license, found.trained_on, found.base_model) == (
        "apache-2.0",
        ("squad",),
        "lab/parent",
    )


def test_a_model_is_not_its_own_parent():
    assert fact(cardData={"base_model": "Org/Model"}).base_model is None


def test_metadata_that_the_hub_could_not_read_comes_from_the_readme():
    repo = HubRepo("o/m", {"README.md": card("license: mit\ntitle: a: b", "# M")})
    [found] = parse_hub_models(raw_of(repo))
    assert found.license == "mit"


@pytest.mark.parametrize(
    "listing",
    [
        {"tags": None, "config": [], "cardData": "x"},
        {"cardData": {"language": {"a": 1}, "license": [None]}},
    ],
)
def test_total_on_odd_listings(listing):
    assert fact(**listing).raw_model == "org/model"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "# BERT\n\nA **bidirectional** model for [English](https://x.org) text.",
            "A bidirectional model for English text.",
        ),
        (
            "<!-- generated -->\n![badge](b.svg)\n\nTranslates German into English very well.",
            "Translates German into English very well.",
        ),
        (
            "| a | b |\n|---|---|\n| c | d |\n\nA model that reads legal documents.",
            "A model that reads legal documents.",
        ),
        (
            "It reaches 92.1 on SQuAD and is great.\n\nA model for questions about documents.",
            "A model for questions about documents.",
        ),
        (
            "A GPT-2 model for Hungarian poetry. It scores 90% on everything.",
            "A GPT-2 model for Hungarian poetry.",
        ),
        (
            "```python\nprint('this is a long line of code')\n```\n- a list item that is long enough",
            None,
        ),
        ("It achieves the following results on the evaluation set:\n\n- Loss: 0.3", None),
        ("", None),
    ],
)
def test_descriptions_are_prose_without_numbers(body, expected):
    assert describe(f"---\nlicense: mit\n---\n{body}\n") == expected


def test_no_readme_no_description():
    assert fact().description is None


@pytest.mark.parametrize(
    "number",
    [10**30, 10**400, float("inf"), float("nan"), -1, True, "5", None],
    ids=lambda n: str(n)[:9],
)
def test_numbers_that_no_model_has_are_left_out(number):
    found = fact(downloads=number, likes=number, safetensors={"total": number})
    assert (found.downloads, found.likes, found.params_b) == (None, None, None)
    [_] = staging_tables([found])["models"].to_pylist()


@pytest.mark.parametrize("part", [10**400, float("inf"), True, "5", None], ids=lambda n: str(n)[:9])
def test_odd_parts_of_a_size_do_not_stop_the_reading(part):
    found = fact(safetensors={"total": 7_000_000_000, "parameters": {"I8": part, "U8": 0.5}})
    assert found.params_b in {None, 7.0}
