import pytest
from hypothesis import given
from hypothesis import strategies as st

from modellens_core.normalize.metrics import (
    Metric,
    resolve_metric,
)
from tests.unit.normalize.cases import TEXTS, UNPLEASANT, golden

KINDS = {"proportion", "count", "error", "score", "time", "rank", "unknown"}


@pytest.mark.parametrize("case", golden("metrics"), ids=lambda case: case["raw"])
def test_golden(case) -> None:
    metric = resolve_metric(case["raw"])
    assert (metric.metric_id, metric.lower_is_better, metric.unit) == (
        case["metric_id"],
        case["lower_is_better"],
        case["unit"],
    )
    assert metric.is_quality


@pytest.mark.parametrize("raw", golden("metrics_not_quality"))
def test_what_is_not_quality_is_flagged(raw: str) -> None:
    metric = resolve_metric(raw)
    assert not metric.is_quality
    assert metric.lower_is_better is None


def check(raw: str, task: str | None = None) -> Metric:
    metric = resolve_metric(raw, task)
    assert metric.kind in KINDS
    assert metric.unit in {"proportion", "raw"}
    assert metric.metric_id
    assert len(metric.metric_id) <= 200
    if metric.minimum is not None and metric.maximum is not None:
        assert metric.minimum < metric.maximum
    return metric


@given(TEXTS, st.one_of(st.none(), TEXTS))
def test_total_on_any_text(raw: str, task: str | None) -> None:
    check(raw, task)


@pytest.mark.parametrize("raw", UNPLEASANT)
def test_total_on_unpleasant_text(raw: str) -> None:
    check(raw)


@given(TEXTS)
def test_an_id_resolves_to_itself(raw: str) -> None:
    first = resolve_metric(raw)
    again = resolve_metric(first.metric_id)
    assert again.metric_id == first.metric_id
    if first.kind != "unknown" and not set("↓↑") & set(raw):
        assert again == first


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("F1", "Macro F1"),
        ("Micro F1", "Macro F1"),
        ("top-1 accuracy", "top-5 accuracy"),
        ("recall@1", "recall@10"),
        ("map@50", "mAP@0.5"),
        ("ROUGE-1", "ROUGE-2"),
        ("AP50", "AP75"),
        ("chrF", "chrF++"),
        ("Validation ROC-AUC", "Test ROC-AUC"),
        ("accuracy (mean of 5 runs)", "accuracy (mean of 10 runs)"),
        ("F1@10%", "F1@10"),
        ("WER (+LM)", "WER"),
        ("accuracy", "accuracy_stderr"),
        ("box AP", "mask AP"),
        ("max E-measure", "mean E-measure"),
        ("SI-SDR", "SI-SDRi"),
        ("arithmetic_mean_rank", "geometric_mean_rank"),
        ("Box APval", "Box APtest"),
    ],
)
def test_different_metrics_stay_apart(one: str, other: str) -> None:
    assert resolve_metric(one).metric_id != resolve_metric(other).metric_id


def test_a_name_can_depend_on_the_task() -> None:
    assert resolve_metric("MR", "Link Prediction").metric_id == "mean-rank"
    assert resolve_metric("MR", "Pedestrian Detection").metric_id == "miss-rate"
    assert resolve_metric("MR").lower_is_better is None
    assert resolve_metric("mAP@50", "Object Detection").metric_id == "map@0.5"
    assert resolve_metric("mAP@50", "Retrieval").metric_id == "map@50"


def test_arrows_do_not_overrule_the_registry() -> None:
    assert resolve_metric("FID ↑").lower_is_better is True
    assert resolve_metric("Accuracy ↓").lower_is_better is False


def test_ranges_are_in_the_canonical_unit() -> None:
    assert (resolve_metric("accuracy (%)").minimum, resolve_metric("accuracy (%)").maximum) == (
        0,
        1,
    )
    assert resolve_metric("MCC").minimum == -1
    assert resolve_metric("WER").maximum is None
    assert resolve_metric("accuracy drop").minimum is None
