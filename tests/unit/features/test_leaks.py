"""No planted score may survive in a text that is embedded, and no name may suffer for it."""

import re
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from modellens_core.features.leaks import strip_scores
from modellens_core.features.names import tokenize_name
from modellens_core.features.text import (
    compose_dataset_text,
    compose_model_text,
    compose_query_text,
)
from modellens_core.normalize.datasets import is_benchmark

NAMES = (
    "bert-base-uncased", "resnet50", "qwen2.5-7b-instruct", "Qwen2.5", "wav2vec2-large-960h-lv60-self",
    "llama-3.1-8b", "gpt-3.5-turbo", "t5-11b", "mixtral-8x7b", "openai/whisper-large-v3", "yolov8n",
    "vit-base-patch16-224", "opus-mt-en-de", "conll2003", "wmt-2014", "cifar-100", "imagenet-1k",
    "microsoft/phi-1_5", "common_voice_11_0", "mobilenet_v2_1.0_224", "stable-diffusion-2-1", "gsm8k",
    "faster_rcnn_r50_fpn_1x_coco", "deberta-v3-large", "sst-2", "20newsgroups", "3d-unet", "7b", "0.5b",
    "e5-large-v2", "text-embedding-3-small", "bge-m3", "xlm-roberta-base", "squad2", "4-bit", "ResNet-50",
    "ViT-B/16", "CIFAR-10", "Llama-3.1-8B", "SQuAD2.0", "MATH-500", "AIME25", "imagenet-21k", "food101", "wmt14",
    "STS12", "kinetics-400", "coco-2017", "activitynet-1.3", "cifar-10-250-labels", "gpt2-squad2", "vit-cifar100", "hubert-base-ls960",
    "bert-finetuned-cola-3", "xlnet_large_squad2_512",
)  # fmt: skip
BENCHMARKS = (
    "GLUE", "MMLU", "mmlu-pro", "HumanEval", "gsm8k", "GSM8K", "squad", "squad-v2", "sst-2", "SST2", "ImageNet",
    "imagenet-1k", "CIFAR-10", "coco", "ARC-C", "truthfulqa", "mt-bench", "HellaSwag", "bert-glue",
)  # fmt: skip
PLAIN_WORDS = (
    "a",
    "model",
    "for",
    "text",
    "from",
    "people",
    "who",
    "like",
    "names",
    "and",
    "words",
)
FULL_WIDTH = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}

numbers = st.one_of(
    st.decimals(0, 100, places=2).map(str),
    st.decimals(0, 1, places=4).map(str),
    st.integers(0, 100_000).map(str),
    st.floats(0, 1e6, allow_nan=False).map(repr),
    st.decimals(0, 100, places=1).map(lambda d: str(d).replace(".", ",")),
    st.integers(1000, 10**7).map(lambda i: f"{i:,}"),
    st.decimals(0, 100, places=1).map(lambda d: str(d).translate(FULL_WIDTH)),
)
metrics = st.sampled_from(
    ["accuracy", "acc", "F1", "WER", "BLEU", "top-1", "mAP", "eval_loss", "EM", "ROUGE-L"]
)
planted = st.builds(
    lambda shape, number, metric: shape.format(n=number, m=metric),
    st.sampled_from([
        "{n}", "{n}%", "{n} %", "({n})", "{m}: {n}", "{m}={n}", "{m} of {n}", "{m}-{n}", "{m}_{n}",
        "{m}{n}", "{n}{m}", "{n}±0.3", "{n}/{n}", "+{n}", "-{n}", "~{n}", "[{n}]", "**{n}**", "`{n}`",
        "<b>{n}</b>", "{n}pts", "{n} points", "{n}pp", "${n}$", "{m}@1={n}", "от {n}%", "准确率{n}",
        "точность{n}", "| {m} | {n} |", "[{n}](http://x.org)", "http://x.org/{n}", "&lt;{n}&gt;",
        "\n\n| model | {m} |\n|---|---|\n| ours | {n} |\n\n", "\n```\n{m} = {n}\n```\n", "squad v{n}%",
        "\nmodel | {m}\n--- | ---\nours-3 | {n}\n\n", "<table><tr><td>ours<td>{n}</table>",
    ]),
    numbers,
    metrics,
)  # fmt: skip


def digits_outside_names(text: str) -> list[str]:
    """Words that hold a digit although they are no known name."""
    known = {n.lower() for n in NAMES}
    words = (w.strip(".,;:!?()[]\"'-").lower() for w in text.split())
    return [w for w in words if re.search(r"\d", w) and w not in known and w not in {"v2", "f1"}]


@given(
    st.lists(st.one_of(planted, st.sampled_from(NAMES), st.sampled_from(PLAIN_WORDS)), max_size=12)
)
def test_no_planted_score_survives(words):
    assert digits_outside_names(strip_scores(" ".join(words))) == []


@given(
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=4),
    st.lists(
        planted.filter(lambda p: "\n" not in p and "|" not in p and "`" not in p and "$" not in p),
        max_size=4,
    ),
)
def test_names_survive_beside_scores(names, scores):
    text = " and ".join([*names, *[f"with {s} there" for s in scores], "the end"])
    words = {w.strip(".,;:!?()") for w in strip_scores(text).split()}
    assert set(names) <= words


@given(
    st.sampled_from(BENCHMARKS),
    st.sampled_from(["", "-", "_", "--"]),
    st.decimals(0, 100, places=2).map(str) | st.integers(10, 100).map(str),
    st.sampled_from(["", "-large", "-v2", "_final"]),
)
def test_a_score_glued_to_a_benchmark_goes_and_the_rest_stays(benchmark, glue, number, rest):
    assume(glue or not benchmark[-1].isdigit())
    name = f"{benchmark}{glue}{number}"
    assume(not is_benchmark(re.findall(r"[a-z]+|[\d.]+", name.lower())))
    expected = benchmark + rest
    assert strip_scores(f"my {name}{rest} model") == f"my {expected} model"
    assert tokenize_name(f"org/{name}{rest}") == tokenize_name(f"org/{expected}")


@pytest.mark.parametrize("name", NAMES)
def test_a_name_without_a_score_keeps_all_its_tokens(name):
    assert strip_scores(f"a {name} b") == f"a {name} b"
    assert tokenize_name(name) == re.findall(r"[^\W\d_]+|\d+", name.lower())


@given(st.text(max_size=300))
def test_any_text_becomes_one_line_whose_digits_are_all_settled(text):
    once = strip_scores(text)
    assert "\n" not in once
    assert "%" not in once
    assert re.findall(r"\d", strip_scores(once)) == re.findall(r"\d", once)


@given(st.text(alphabet=string.digits + ".,%±/ ()|-+=<>:;\n", max_size=200))
def test_nothing_is_left_of_numbers_and_signs(text):
    assert not re.search(r"\d", strip_scores(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "We get 92.1% accuracy (F1: 88.2/91) on SQuAD v2.",
            "We get accuracy (F1: ) on SQuAD v2.",
        ),
        ("The WER is 3.1, down from 4.2 (±0.3).", "The WER is down from."),
        ("---\nlicense: mit\nf1: 92\n---\n# Title\nText", "Title. Text"),
        ("see [the paper](https://arxiv.org/abs/2106.12345) for more", "see the paper for more"),
        ("a `roberta-base` model, run `pip install x==2`", "a roberta-base model, run"),
        ("roberta-large-mnli-91.2", "roberta-large-mnli"),
        ("GLUE-92 and MMLU45 and acc_92.3", "GLUE and MMLU and acc"),
        ("a tuned bert-glue-92-v2 of 92mmlu", "a tuned bert-glue-v2 of mmlu"),
        ("gsm8k-81 in 2024, wmt-2014", "gsm8k in wmt-2014"),
        ("SQuAD2.0-88.1", "SQuAD2.0"),
        ("half ½, circled ① and superscript 92²", "half circled and superscript"),
        ("", ""),
        ("92.1", ""),
    ],
)
def test_cases(text, expected):
    assert strip_scores(text) == expected


@given(planted, planted, planted)
def test_composed_texts_hold_no_planted_score(one, two, three):
    prose = f"A fine model of words {one} trained with care {two} on many texts {three}."
    model = compose_model_text(
        "org/qwen2.5-7b-instruct", task="text-generation", family="qwen", languages=("en",),
        trained_on=[f"data {one}"], base_model="Qwen2.5", description=prose,
    )  # fmt: skip
    dataset = compose_dataset_text(
        "conll2003", "conll2003", "token-classification", "text", (), prose
    )
    query = compose_query_text(prose, "token-classification")
    for text in (model, dataset, query):
        assert digits_outside_names(text) == []
    assert "qwen2.5-7b-instruct" in model
    assert "conll2003" in dataset
