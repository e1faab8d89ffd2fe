"""Only models that can do the task are ranked, and limits mean what a person means by them."""

import numpy as np
import pytest

from modellens_core.errors import ModelLensError
from modellens_core.serving.candidates import Catalogue, Filters

TASKS = ["asr", "audio-tagging", "classification", "detection", "segmentation", "unknown", "zzz"]
MODALITY = ["audio", "audio", "image", "image", "image", "unknown", "unknown"]


def catalogue(scored: list[tuple[int, str]], n: int, **columns) -> Catalogue:
    text = {
        k: np.asarray([""] * n) for k in ("license", "family", "stated_task", "stated_modality")
    }
    given = {k: np.asarray(v) for k, v in columns.items()}
    return Catalogue(
        **{
            "params_b": np.full(n, np.nan), "clone_cluster": np.arange(n), **text,
            "task_ids": np.asarray(TASKS), "modality": np.asarray(MODALITY),
            "scored_model": np.asarray([m for m, _ in scored], dtype=np.int32),
            "scored_task": np.asarray([TASKS.index(t) for _, t in scored], dtype=np.int32), **given,
        }
    )  # fmt: skip


def zoo() -> Catalogue:
    """30 detectors that also segment, 30 classifiers of which one detects, 30 recognisers, 2 taggers."""
    scored = [(m, "detection") for m in range(30)] + [(m, "segmentation") for m in range(0, 30, 2)]
    scored += [(m, "classification") for m in range(30, 60)] + [(30, "detection")]
    scored += [(m, "segmentation") for m in (60, 61)]
    scored += [(m, "asr") for m in range(62, 92)] + [(m, "audio-tagging") for m in range(92, 94)]
    stated = [""] * 97
    stated[95], stated[96] = "detection", "asr"
    modality = [""] * 97
    modality[95], modality[96] = "image", "audio"
    return catalogue(scored, 97, stated_task=stated, stated_modality=modality)


def able(name: str) -> tuple[set[int], str]:
    mask, note = zoo().able(TASKS.index(name))
    return set(np.flatnonzero(mask).tolist()), note


def test_tasks_that_go_together_share_their_models_and_others_do_not():
    found, note = able("detection")
    assert found == {*range(31), 60, 61, 95}
    assert note == ""


def test_speech_recognition_gets_no_image_nets():
    found, note = able("asr")
    assert found == {*range(62, 92), 96}
    assert note == ""


def test_too_few_models_widen_to_the_modality_and_say_so():
    found, note = able("audio-tagging")
    assert found == {*range(62, 94), 96}
    assert "all audio models" in note


def test_a_task_nobody_knows_ranks_everything_and_says_so():
    found, note = able("zzz")
    assert len(found) == 97
    assert "all models" in note


SIZED = {"params_b": [0.1, 7.0, 70.0, np.nan], "license": ["apache-2.0", "llama3", "mit", ""],
         "family": ["bert", "llama", "qwen", "unknown"]}  # fmt: skip


@pytest.mark.parametrize(
    ("filters", "expected", "unsized"),
    [
        (Filters(), {0, 1, 2, 3}, 0),
        (Filters(max_params_b=7), {0, 1}, 1),
        (Filters(min_params_b=1), {1, 2}, 1),
        (Filters(max_params_b=7, include_unknown_sizes=True), {0, 1, 3}, 0),
        (Filters(license="Apache"), {0}, 0),
        (Filters(license=["mit", "llama"]), {1, 2}, 0),
        (Filters(license=[]), set(), 0),
        (Filters(families=["BERT", "qwen"]), {0, 2}, 0),
        (Filters(families=["bert"], max_params_b=1), {0}, 0),
        (Filters(license="gpl"), set(), 0),
    ],
)
def test_limits(filters, expected, unsized):
    passing = catalogue([], 4, **SIZED).within(filters)
    assert set(np.flatnonzero(passing.mask).tolist()) == expected
    assert passing.unsized == unsized


def test_limits_that_exclude_each_other_are_an_error():
    with pytest.raises(ModelLensError, match="swap"):
        catalogue([], 4, **SIZED).within(Filters(min_params_b=8, max_params_b=7))


def test_of_copies_only_the_best_is_listed():
    models = catalogue([], 5, clone_cluster=[0, 1, 0, 2, 1])
    index = np.array([0, 1, 2, 4])
    best = models.best_of_clones(index, np.array([0.5, 0.1, 0.9, 0.2]))
    assert index[best].tolist() == [2, 4]
