"""Names lead to what they mean or to an error with near ones; what is left out follows the neighbours."""

import numpy as np
import pytest

from modellens_core.errors import ModelLensError, UnknownNameError
from modellens_core.serving.context import (
    Contexts,
    Neighbours,
    find_metric,
    find_task,
    nearest_datasets,
)

TASKS = ["automatic-speech-recognition", "object-detection", "text-classification"]
METRICS = ["accuracy", "mystery-metric", "rouge-l", "wer"]


@pytest.mark.parametrize(
    ("name", "index"),
    [("object-detection", 1), ("Object Detection", 1), ("ASR", 0), (" text-classification ", 2)],
)
def test_tasks_are_found_by_id_and_by_spelling(name, index):
    assert find_task(name, TASKS) == index


@pytest.mark.parametrize(
    ("name", "index"), [("accuracy", 0), ("Acc", 0), ("WER", 3), ("mystery-metric", 1)]
)
def test_metrics_are_found_by_id_and_by_spelling(name, index):
    assert find_metric(name, METRICS) == index


def test_unknown_names_come_with_near_ones():
    with pytest.raises(UnknownNameError, match=r"no metric 'acuracy'.*accuracy"):
        find_metric("acuracy", METRICS)
    with pytest.raises(UnknownNameError, match=r"no task 'detection-of-things'.*object-detection"):
        find_task("detection-of-things", TASKS)
    with pytest.raises(UnknownNameError, match=r"'qqqqqq'.*leave --task out"):
        find_task("qqqqqq", TASKS)


def contexts(rows) -> Contexts:
    return Contexts(*(np.asarray(column, dtype=np.int32) for column in zip(*rows, strict=True)))


def near(*pairs) -> Neighbours:
    return Neighbours(
        np.asarray([d for d, _ in pairs]), np.asarray([s for _, s in pairs], dtype=np.float32)
    )


KNOWN = contexts([(0, 0, 3, 10), (1, 0, 3, 10), (2, 2, 0, 500), (2, 2, 2, 10), (3, 2, 2, 3)])


def test_the_task_of_the_near_datasets_wins_not_that_of_the_large_ones():
    assert KNOWN.likely_task(near((0, 0.6), (1, 0.5), (2, 0.5))) == 0
    assert KNOWN.likely_task(near((2, 0.9), (0, 0.6), (1, 0.5))) == 2


def test_the_unnamed_task_wins_only_if_nothing_else_is_near():
    assert KNOWN.likely_task(near((0, 0.9), (2, 0.2)), unnamed=0) == 2
    assert KNOWN.likely_task(near((0, 0.9)), unnamed=0) == 0


def test_the_metric_is_one_of_the_task():
    assert KNOWN.likely_metric(near((0, 0.9), (2, 0.3)), task=2) == 0
    assert KNOWN.likely_metric(near((3, 0.9), (2, 0.3)), task=2) == 2
    assert KNOWN.likely_metric(near((0, 0.9)), task=2) == 0, "no near dataset has the task"
    assert KNOWN.likely_metric(near((0, 0.9)), task=1) == 3, "nobody measured the task"


def test_nothing_known_nothing_inferred():
    nothing = Contexts(*(np.zeros(0, dtype=np.int32),) * 4)
    with pytest.raises(ModelLensError, match="give a task"):
        nothing.likely_task(near((0, 0.5)))
    with pytest.raises(ModelLensError, match="give a metric"):
        nothing.likely_metric(near((0, 0.5)), task=0)


def test_nearest_come_first_and_datasets_without_text_never():
    found = nearest_datasets(np.array([0, np.nan, 1, 0.8], dtype=np.float32))
    assert found.index.tolist() == [2, 3, 0]
    assert found.similarity.tolist() == pytest.approx([1, 0.8, 0])
    assert found.first(2).index.tolist() == [2, 3]
    assert len(nearest_datasets(np.full(2, np.nan, np.float32)).index) == 0


def test_siblings_have_one_voice():
    families = np.array(["mot", "coco", "mot", "voc"])
    found = near((2, 0.9), (0, 0.8), (1, 0.7), (3, 0.6)).one_per_family(families)
    assert found.index.tolist() == [2, 1, 3]
    assert found.similarity.tolist() == pytest.approx([0.9, 0.7, 0.6])
