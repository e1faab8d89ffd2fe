"""The OpenAI path through the genuine client against a loopback server that misbehaves on purpose."""

import logging

import numpy as np
import pytest
from pydantic import SecretStr

from modellens_core.features.encoders.base import EncoderError
from modellens_core.features.encoders.openai import OpenAIEncoder
from tests.fakes.openai_server import KEY, Fault, running, vector_of

DIM = 16


def encoder(server, key=KEY, **options) -> OpenAIEncoder:
    given = {"timeout": 5.0, "max_retries": 2, "dim": DIM, **options}
    return OpenAIEncoder(SecretStr(key), base_url=server.base_url, **given)


def expected(texts: list[str]) -> np.ndarray:
    rows = np.stack([vector_of(t, DIM) for t in texts])
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("force_float", [False, True])
def test_vectors_are_those_of_their_texts_although_the_order_is_shuffled(force_float):
    texts = [f"text {i}" for i in range(40)]
    with running(dim=DIM, force_float=force_float) as server:
        vectors = encoder(server).encode(texts)
    assert vectors.dtype == np.float32
    assert np.allclose(vectors, expected(texts), atol=1e-6)


def test_empty_texts_are_not_sent_and_get_zero_rows():
    with running(dim=DIM) as server:
        vectors = encoder(server).encode(["", "a", "  \n"])
        assert [r["input"] for r in server.requests] == [["a"]]
        assert encoder(server).encode(["", ""]).shape == (2, DIM)
        assert len(server.requests) == 1
    assert not vectors[[0, 2]].any()
    assert np.allclose(vectors[1], expected(["a"])[0], atol=1e-6)


def test_requests_keep_the_limits_of_the_service():
    texts = [f"{i}" for i in range(2100)] + [f"{i} ü" + "long " * 2000 for i in range(70)]
    with running(dim=2) as server:
        vectors = encoder(server, dim=2).encode(texts)
        sizes = [len(r["input"]) for r in server.requests]
    assert sum(sizes) == len(texts)
    assert max(sizes) <= 2048
    assert len(sizes) <= 5  # well filled, not one by one
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(
    "fault",
    [
        Fault.RATE_LIMIT,
        Fault.SERVER_ERROR,
        Fault.DROP,
        Fault.TRUNCATED,
        Fault.NOT_JSON,
        Fault.WRONG_COUNT,
        Fault.DUPLICATE_INDEX,
        Fault.NOT_FINITE,
    ],
)
def test_a_passing_fault_is_survived_with_one_more_request(fault):
    texts = ["one", "two", "three"]
    with running(dim=DIM, faults=[fault]) as server:
        vectors = encoder(server).encode(texts)
        assert len(server.requests) == 2
    assert np.allclose(vectors, expected(texts), atol=1e-6)


def test_a_hanging_request_is_given_up_and_asked_again():
    with running(dim=DIM, faults=[Fault.HANG]) as server:
        vectors = encoder(server, timeout=0.3).encode(["one"])
        assert len(server.requests) == 2
    assert np.allclose(vectors, expected(["one"]), atol=1e-6)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault.RATE_LIMIT, "limits the rate or the quota"),
        (Fault.QUOTA, "limits the rate or the quota"),
        (Fault.SERVER_ERROR, "answered 500"),
        (Fault.TRUNCATED, "not JSON"),
        (Fault.WRONG_COUNT, "no list of 2 vectors"),
        (Fault.DROP, "is unreachable"),
    ],
)
def test_a_lasting_fault_ends_in_one_line_after_three_requests(fault, words):
    with running(dim=DIM, faults=[fault] * 20) as server:
        with pytest.raises(EncoderError, match=words) as caught:
            encoder(server).encode(["one", "two"])
        assert len(server.requests) == 3  # never retried twice over
    assert "MODELLENS_ENCODER=minilm" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_server_with_another_model_is_refused():
    with running(dim=DIM + 1) as server, pytest.raises(EncoderError, match=r"17-dimensional.*16"):
        encoder(server).encode(["one"])


def test_nobody_listening_is_said_plainly():
    with running() as server:
        pass
    with pytest.raises(EncoderError, match="unreachable"):
        encoder(server, max_retries=0).encode(["one"])


@pytest.mark.parametrize("faults", [[], [Fault.SERVER_ERROR] * 3, [Fault.QUOTA] * 3])
def test_no_key_in_errors_logs_or_repr(faults, caplog):
    caplog.set_level(logging.DEBUG)
    wrong = "sk-wrong-9876543210"
    with running(dim=DIM, faults=faults) as server:
        address = server.base_url.replace("http://", "http://user:hunter2@")
        used = OpenAIEncoder(SecretStr(KEY if faults else wrong), base_url=address, max_retries=1)
        with pytest.raises(EncoderError) as caught:
            used.encode(["one"])
    seen = str(caught.value) + repr(used) + str(vars(used)) + caplog.text
    chain = [caught.value, caught.value.__cause__]
    assert chain[1] is None
    assert caught.value.__suppress_context__
    for secret in (KEY, wrong, "sk-"):
        assert secret not in seen
    assert "hunter2" not in str(caught.value)


def test_another_service_has_another_hash():
    key = SecretStr(KEY)
    hashes = {
        OpenAIEncoder(key, base_url=url, model=model).weights_hash
        for url in (None, "http://localhost:1/v1", "http://localhost:2/v1")
        for model in ("text-embedding-3-small", "other")
    }
    assert len(hashes) == 6
    with_password = OpenAIEncoder(key, base_url="http://u:p@localhost:1/v1").weights_hash
    assert with_password == OpenAIEncoder(key, base_url="http://localhost:1/v1").weights_hash
