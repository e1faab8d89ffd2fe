"""How near is near: measured between families, never against a dataset's own text."""

import numpy as np
import pytest

from modellens_core.features.domain import SAMPLED, sample_described, similarity_floor


def test_the_own_family_does_not_count():
    vectors = np.array([[1, 0], [0.8, 0.6], [0.6, 0.8]], dtype=np.float32)
    families = np.array(["a", "a", "b"])
    assert similarity_floor(vectors[:1], [0], vectors, families) == pytest.approx(0.6)
    assert similarity_floor(vectors[2:], [2], vectors, families) == pytest.approx(0.96)


def test_datasets_without_text_are_near_to_nobody():
    vectors = np.array([[1, 0], [0, 0], [-0.6, 0.8]], dtype=np.float32)
    floor = similarity_floor(vectors[:1], [0], vectors, np.array(["a", "b", "c"]))
    assert floor == pytest.approx(-0.6)


def test_nothing_to_compare_with_means_nobody_is_a_stranger():
    one = np.array([[1, 0]], dtype=np.float32)
    assert similarity_floor(one, [0], one, np.array(["a"])) == 0.0
    assert similarity_floor(np.zeros((0, 2), np.float32), [], one, np.array(["a"])) == 0.0


def test_the_sample_is_even_and_bounded():
    described = [None if i % 2 else f"text {i}" for i in range(5000)]
    found = sample_described(described)
    assert len(found) == len(set(found)) == SAMPLED
    assert all(described[at] for at in found)
    assert found[0] == 0
    assert found[-1] > 4900
    assert sample_described(["a", "", None, "b"]) == [0, 3]
