"""Models, datasets, tasks and metrics: what all sources together say about them."""

from datetime import date

import pytest

from modellens_core.schema import DatasetFact, ModelFact
from tests.sql.lakes import corpus_of, report, rows


def test_facts_of_one_model_are_merged_the_most_exact_size_first(tmp_path):
    lake = corpus_of(
        tmp_path,
        ModelFact(
            source="hub", raw_model="org/Bert-7b", params_b=6.9, params_origin="config", languages=("en",),
            tags=("x",), downloads=10, released_at=date(2024, 5, 1), description="A model.",
            base_model="org/base-bert", url="https://example.org/org/Bert-7b",
        ),
        report(raw_model="org/bert-7B"),
        board=[
            ModelFact(
                source="board", raw_model="ORG/bert-7b", params_b=7.24, params_origin="source",
                license="mit", languages=("de", "en"), likes=3, released_at=date(2024, 4, 1),
                description="Another text.",
            ),
            ModelFact(source="weights", raw_model="org/Bert-7b", params_b=7.1, params_origin="safetensors"),
        ],
    )  # fmt: skip
    (model,) = rows(lake, "models")
    assert model["model_id"] == "org/Bert-7b"  # as its repository spells it
    assert (model["org"], model["name"]) == ("org", "Bert-7b")
    assert (model["params_b"], model["params_origin"]) == (7.1, "safetensors")
    assert (model["license"], model["downloads"], model["likes"]) == ("mit", 10, 3)
    assert model["languages"] == ["de", "en"]
    assert model["released_at"] == date(2024, 4, 1)
    assert model["description"] == "A model."  # the repository's own words first
    assert model["described_by"] == ["board", "hub", "weights"]
    assert (model["family"], model["base_model"], model["n_records"]) == (
        "bert",
        "org/base-bert",
        1,
    )


def test_a_size_comes_from_the_name_where_nobody_states_it(tmp_path):
    lake = corpus_of(tmp_path, report(raw_model="org/llama-13b"), report(raw_model="org/plain"))
    found = {m["model_id"]: m for m in rows(lake, "models")}
    assert (found["org/llama-13b"]["params_b"], found["org/llama-13b"]["params_origin"]) == (
        13.0,
        "name",
    )
    assert found["org/llama-13b"]["size_bucket"] > 0
    plain = found["org/plain"]
    assert (plain["params_b"], plain["params_origin"], plain["size_bucket"]) == (None, None, 0)


def test_a_parent_is_the_model_of_the_corpus_and_never_the_model_itself(tmp_path):
    lake = corpus_of(
        tmp_path,
        ModelFact(source="hub", raw_model="org/Parent", base_model="org/parent"),
        ModelFact(source="hub", raw_model="org/child", base_model="ORG/PARENT"),
    )
    assert {m["model_id"]: m["base_model"] for m in rows(lake, "models")} == {
        "org/Parent": None, "org/child": "org/Parent",
    }  # fmt: skip


def test_models_and_datasets_without_scores_are_listed(tmp_path):
    lake = corpus_of(
        tmp_path,
        report(),
        ModelFact(source="hub", raw_model="org/unscored"),
        DatasetFact(source="hub", raw_dataset="unscored-set", description="Nobody tried."),
    )
    assert {m["model_id"]: m["n_records"] for m in rows(lake, "models")} == {
        "org/bert": 1, "org/unscored": 0,
    }  # fmt: skip
    assert {d["dataset_id"]: d["n_records"] for d in rows(lake, "datasets")} == {
        "squad": 1, "unscored-set": 0,
    }  # fmt: skip


def test_a_dataset_takes_the_longest_description_and_the_modality_of_its_task(tmp_path):
    lake = corpus_of(
        tmp_path,
        report(raw_dataset="my-faces", raw_task="image-classification"),
        DatasetFact(source="a", raw_dataset="my-faces", description="Short."),
        DatasetFact(
            source="b", raw_dataset="My Faces", description="A long one.", languages=("en",)
        ),
        DatasetFact(source="b", raw_dataset="my-talks", modality="audio"),
    )
    faces, talks = rows(lake, "datasets")
    assert (faces["description"], faces["languages"], faces["modality"]) == (
        "A long one.",
        ["en"],
        "image",
    )
    assert (faces["n_records"], faces["n_models"]) == (1, 1)
    assert talks["modality"] == "audio"


@pytest.mark.parametrize(
    ("n_groups", "difference", "clones"), [(5, 0.0, True), (4, 0.0, False), (5, 0.1, False)]
)
def test_equal_scores_in_five_groups_are_a_clone(tmp_path, n_groups, difference, clones):
    items = [
        report(raw_model=model, raw_dataset=f"set-{g}", value=50.0 + g + (extra if g == 0 else 0.0))
        for model, extra in (("b/copy", 0.0), ("a/original", difference), ("c/other", 7.0))
        for g in range(n_groups)
    ]
    found = {m["model_id"]: m["clone_cluster"] for m in rows(corpus_of(tmp_path, *items), "models")}
    assert found == {
        "a/original": "a/original",
        "b/copy": "a/original" if clones else "b/copy",
        "c/other": "c/other",
    }


def test_metrics_and_tasks_are_listed_with_what_is_known(tmp_path):
    lake = corpus_of(
        tmp_path,
        report(),
        report(raw_metric="wer", value=12.0),
        report(raw_metric="frobnication", lower_is_better=True),
        report(raw_metric="mystery", raw_task=None, raw_dataset="elsewhere"),
    )
    metrics = {m["metric_id"]: m for m in rows(lake, "metrics")}
    assert {k: m["lower_is_better"] for k, m in metrics.items()} == {
        "accuracy": False, "wer": True, "frobnication": True, "mystery": None,
    }  # fmt: skip
    assert (metrics["accuracy"]["unit"], metrics["accuracy"]["maximum"]) == ("proportion", 1.0)
    assert metrics["wer"]["maximum"] is None
    assert {t["task_id"]: t["n_records"] for t in rows(lake, "tasks")} == {
        "question-answering": 3, "unknown": 1,
    }  # fmt: skip


def test_a_copy_is_found_although_the_original_was_measured_in_more_places(tmp_path):
    def board(source, *models):
        return [
            report(source=source, raw_model=m, raw_dataset=f"{source}-{g}", value=50.0 + g)
            for m in models
            for g in range(5)
        ]

    lake = corpus_of(
        tmp_path,
        report(raw_model="b/original", value=77.0),
        one=board("one", "b/original", "c/copy"),
        two=board("two", "c/copy", "a/copy-of-copy"),
    )
    assert {m["clone_cluster"] for m in rows(lake, "models")} == {"a/copy-of-copy"}
