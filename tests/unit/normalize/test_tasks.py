import pytest
from hypothesis import given

from modellens_core.normalize.tasks import MODALITIES, resolve_task
from tests.unit.normalize.cases import TEXTS, UNPLEASANT, golden

PIPELINE_TAGS = (
    "text-classification", "token-classification", "question-answering", "translation",
    "summarization", "text-generation", "fill-mask", "feature-extraction",
    "sentence-similarity", "zero-shot-classification", "table-question-answering",
    "text-ranking", "image-classification", "image-segmentation", "object-detection",
    "image-to-image", "depth-estimation", "keypoint-detection", "mask-generation",
    "zero-shot-image-classification", "zero-shot-object-detection",
    "unconditional-image-generation", "image-feature-extraction", "video-classification",
    "automatic-speech-recognition", "audio-classification", "audio-to-audio", "text-to-speech",
    "text-to-audio", "voice-activity-detection", "image-to-text", "image-text-to-text",
    "visual-question-answering", "document-question-answering", "text-to-image",
    "text-to-video", "image-to-video", "video-text-to-text", "audio-text-to-text", "any-to-any",
    "tabular-classification", "tabular-regression", "time-series-forecasting", "graph-ml",
    "reinforcement-learning", "robotics",
)  # fmt: skip


@pytest.mark.parametrize("case", golden("tasks"), ids=lambda case: str(case["raw"]))
def test_golden(case) -> None:
    task = resolve_task(case["raw"])
    assert (task.task_id, task.modality) == (case["task_id"], case["modality"])


@pytest.mark.parametrize("tag", PIPELINE_TAGS)
def test_every_pipeline_tag_has_a_modality(tag: str) -> None:
    assert resolve_task(tag).modality != "unknown"


@given(TEXTS)
def test_total_and_ids_resolve_to_themselves(raw: str) -> None:
    task = resolve_task(raw)
    assert task.modality in MODALITIES
    assert resolve_task(task.task_id) == task


@pytest.mark.parametrize("raw", UNPLEASANT)
def test_total_on_unpleasant_text(raw: str) -> None:
    assert resolve_task(raw).modality in MODALITIES


def test_finer_tasks_are_not_folded_into_coarser_ones() -> None:
    ids = {resolve_task(t).task_id for t in ("text classification", "sentiment analysis", "NLI")}
    assert len(ids) == 3
