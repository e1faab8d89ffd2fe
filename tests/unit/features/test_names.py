"""Name tokens must be the same numbers on every machine, or a trained ranker forgets its names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modellens_core.features.names import name_token_ids, token_id, tokenize_name


@pytest.mark.parametrize(
    ("name", "tokens"),
    [
        ("Qwen/Qwen2.5-7B-Instruct", ["qwen", "qwen", "2", "5", "7", "b", "instruct"]),
        ("openai/whisper-large-v3", ["openai", "whisper", "large", "v", "3"]),
        ("facebook/wav2vec2_base", ["facebook", "wav", "2", "vec", "2", "base"]),
        ("资料/模型2", ["资料", "模型", "2"]),
        ("org/bert-glue-92.5", ["org", "bert", "glue"]),
        ("org/MMLU45-vit-cifar10", ["org", "mmlu", "vit", "cifar", "10"]),
        ("--//..", []),
    ],
)
def test_names_split_at_every_border(name, tokens):
    assert tokenize_name(name) == tokens


def test_ids_are_frozen():
    # A change here orphans every trained checkpoint.
    assert name_token_ids(["bert-base"]) == [[token_id("bert"), token_id("base")]]
    assert (token_id("bert"), token_id("base"), token_id("7")) == (5852, 4115, 518)


@given(st.text(max_size=40), st.integers(2, 50))
def test_ids_fit_the_table_and_never_use_the_padding(name, size):
    (ids,) = name_token_ids([name], size)
    assert all(1 <= i < size for i in ids)
    assert len(ids) == len(tokenize_name(name))
