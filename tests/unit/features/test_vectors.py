"""The vector cache: every text once, a killed run loses nothing finished, damage is repaired, never mixed."""

import logging

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modellens_core.features import vectors as module
from modellens_core.features.encoders.base import EncoderError
from modellens_core.features.encoders.hashing import HashingEncoder
from modellens_core.features.vectors import cache_folder, embed_texts
from modellens_core.progress import silent


class Counting(HashingEncoder):
    """Counts what it is asked, and can fail after some calls or call itself something else."""

    def __init__(self, dim=8, name=None, weights=None, fail_after=None):
        super().__init__(dim)
        self.seen: list[str] = []
        self.name, self.weights, self.calls_left = name, weights, fail_after

    @property
    def encoder_id(self):
        return self.name or super().encoder_id

    @property
    def weights_hash(self):
        return self.weights or super().weights_hash

    def encode(self, texts, progress=silent):
        if self.calls_left == 0:
            raise EncoderError("killed")
        if self.calls_left is not None:
            self.calls_left -= 1
        self.seen += texts
        return super().encode(texts, progress)


@pytest.fixture
def small_shards(monkeypatch):
    monkeypatch.setattr(module, "SHARD_TEXTS", 4)


TEXTS = [f"text number {i}" for i in range(10)]


def test_every_distinct_text_is_embedded_once_ever(tmp_path, small_shards):
    encoder = Counting()
    texts = [*TEXTS, "", TEXTS[0], "  "]
    first = embed_texts(texts, encoder, tmp_path)
    assert sorted(encoder.seen) == sorted(TEXTS)
    assert np.array_equal(first[:10], HashingEncoder(8).encode(TEXTS))
    assert np.array_equal(first[11], first[0])
    assert not first[[10, 12]].any()
    again = Counting()
    second = embed_texts([*reversed(texts), "new"], again, tmp_path)
    assert again.seen == ["new"]
    assert np.array_equal(second[:-1], first[::-1])


@given(st.lists(st.text(max_size=10), max_size=12))
def test_rows_are_those_of_the_encoder(tmp_path_factory, texts):
    folder = tmp_path_factory.mktemp("cache")
    for _ in range(2):
        found = embed_texts(texts, HashingEncoder(4), folder)
        assert np.array_equal(found, HashingEncoder(4).encode(texts))


def test_a_killed_run_keeps_its_finished_shards(tmp_path, small_shards):
    with pytest.raises(EncoderError):
        embed_texts(TEXTS, Counting(fail_after=2), tmp_path)
    rest = Counting()
    embed_texts(TEXTS, rest, tmp_path)
    assert len(rest.seen) == 2


def test_an_unfinished_shard_does_not_count(tmp_path, small_shards):
    folder = cache_folder(Counting(), tmp_path)
    embed_texts(TEXTS, Counting(), tmp_path)
    for index in folder.glob("*.parquet"):
        index.unlink()  # killed between the vectors and their index
    again = Counting()
    embed_texts(TEXTS, again, tmp_path)
    assert len(again.seen) == 10


@pytest.mark.parametrize(
    ("suffix", "damage"),
    [
        (".npy", "cut"),
        (".npy", "flip"),
        (".npy", "gone"),
        (".parquet", "cut"),
        (".parquet", "flip"),
    ],
)
def test_a_damaged_shard_is_made_again_with_a_warning(
    tmp_path, small_shards, caplog, suffix, damage
):
    clean = embed_texts(TEXTS, Counting(), tmp_path)
    folder = cache_folder(Counting(), tmp_path)
    victim = min(folder.glob(f"*{suffix}"))
    raw = bytearray(victim.read_bytes())
    if damage == "gone":
        victim.unlink()
    elif damage == "cut":
        victim.write_bytes(raw[: len(raw) // 2])
    else:
        raw[-3] ^= 0xFF
        victim.write_bytes(raw)
    again = Counting()
    with caplog.at_level(logging.WARNING):
        assert np.array_equal(embed_texts(TEXTS, again, tmp_path), clean)
    assert 0 < len(again.seen) <= 4
    assert "damaged" in caplog.text
    caplog.clear()
    quiet = Counting()
    assert np.array_equal(embed_texts(TEXTS, quiet, tmp_path), clean)
    assert quiet.seen == []
    assert caplog.text == ""


@pytest.mark.parametrize("other", [{"name": "another/encoder"}, {"weights": "f" * 64}, {"dim": 16}])
def test_vectors_of_two_encoders_never_meet(tmp_path, other):
    embed_texts(TEXTS, Counting(), tmp_path)
    encoder = Counting(**other)
    found = embed_texts(TEXTS, encoder, tmp_path)
    assert sorted(encoder.seen) == sorted(TEXTS)
    assert found.shape == (10, other.get("dim", 8))
    assert cache_folder(encoder, tmp_path).parent == tmp_path / "vectors"


def test_progress_ends_at_the_number_of_missing_texts(tmp_path, small_shards):
    embed_texts(TEXTS[:3], HashingEncoder(4), tmp_path)
    heard = []
    embed_texts(TEXTS, HashingEncoder(4), tmp_path, lambda *step: heard.append(step))
    assert heard[-1] == ("embed texts", 7, 7)
    assert [done for _, done, _ in heard] == sorted(done for _, done, _ in heard)
