"""Reports become records: who wins, what belongs to the identity, and how z is made."""

import itertools
import json
from datetime import date, timedelta

import numpy as np
import pytest

from modellens_core.schema import Report, Tier, Unit
from modellens_core.sources.hub.readme_tables import read_readme
from tests.fakes.world import make_world
from tests.sql.lakes import NOW, corpus_of, report, rows

BY_STANDING = [
    {"tier": Tier.GOLD, "verified": True},
    {"tier": Tier.GOLD},
    {"tier": Tier.LEADERBOARD},
    {"tier": Tier.SILVER},
    {"tier": Tier.ARCHIVE},
    {"tier": Tier.BRONZE},
]


def test_the_world_becomes_its_records(tmp_path):
    world = make_world(n_models=12, n_datasets=9)
    lake = corpus_of(tmp_path, *world.items())
    records = rows(lake, "records")
    assert len(records) == int(world.observed.sum())
    assert len(rows(lake, "groups")) == 9
    assert len(rows(lake, "models")) == 12
    assert rows(lake, "conflicts") == []
    by_pair = {(r["model_id"], r["dataset_id"]): r for r in records}
    for j, dataset in enumerate(world.datasets):
        models = np.flatnonzero(world.observed[:, j])
        scores = np.array([world.score(i, j) / 100 for i in models])
        turned = -scores if dataset["lower_is_better"] else scores
        expected = (turned - turned.mean()) / turned.std()
        found = [by_pair[world.model_ids[i], dataset["id"]] for i in models]
        assert [r["score"] for r in found] == pytest.approx(list(scores))
        assert [r["z"] for r in found] == pytest.approx(list(expected))
        assert {r["lower_is_better"] for r in found} == {dataset["lower_is_better"]}


@pytest.mark.parametrize(
    ("better", "worse"), [*itertools.pairwise(BY_STANDING), (BY_STANDING[0], BY_STANDING[-1])]
)
def test_the_better_standing_wins_even_when_older(tmp_path, better, worse):
    old = report(value=50.0, evaluated_at=date(2020, 1, 1), **better)
    new = report(value=60.0, evaluated_at=date(2025, 1, 1), **worse)
    (record,) = rows(corpus_of(tmp_path, old, new), "records")
    assert record["report_id"] == old.report_id
    assert record["n_reports"] == 2
    assert record["spread"] == pytest.approx(0.1)


def test_among_equals_the_newest_wins_then_the_last_read_then_the_smallest_id(tmp_path):
    undated = report(value=50.0)
    dated = report(value=51.0, evaluated_at=date(2020, 1, 1))
    newer = report(value=52.0, evaluated_at=date(2021, 1, 1))
    (record,) = rows(corpus_of(tmp_path / "dated", undated, dated, newer), "records")
    assert record["report_id"] == newer.report_id

    reread = report(value=53.0, retrieved_at=NOW + timedelta(days=1))
    (record,) = rows(corpus_of(tmp_path / "reread", undated, reread), "records")
    assert record["report_id"] == reread.report_id

    twin = report(value=50.0, source_url="https://example.org/elsewhere")
    (record,) = rows(corpus_of(tmp_path / "twins", undated, twin), "records")
    assert record["report_id"] == min(undated.report_id, twin.report_id)


def test_the_setting_is_never_merged_away(tmp_path):
    lake = corpus_of(
        tmp_path,
        report(value=50.0, setting={"shots": 0}),
        report(value=60.0, setting={"shots": 5}),
        report(value=70.0),
    )
    records = rows(lake, "records", "group_id", "setting", "score")
    assert len({r["group_id"] for r in records}) == 3
    assert {r["setting"]: r["score"] for r in records} == {
        '{"shots":"0"}': 0.5, '{"shots":"5"}': 0.6, "{}": 0.7,
    }  # fmt: skip


def test_the_score_of_one_class_is_never_a_record_of_the_whole_dataset(tmp_path):
    readme = (
        "Results on CoNLL 2003:\n\n| | precision | recall | f1-score | support |\n|---|---|---|---|---|\n"
        "| PER | 0.95 | 0.94 | 0.96 | 9 |\n| LOC | 0.93 | 0.91 | 0.92 | 9 |\n| macro avg | 0.94 | 0.92 | 0.93 | 18 |\n"
    )
    read = read_readme(
        readme, "acme/glow-ner", source_url=None, source_revision=None, retrieved_at=NOW
    )
    whole = report(value=0.9, raw_dataset="CoNLL 2003", raw_metric="f1-score", unit=Unit.PROPORTION)
    records = rows(corpus_of(tmp_path, *read, whole), "records", "group_id", "metric_id", "setting")
    by_class = [r for r in records if "class" in json.loads(r["setting"])]
    assert len(by_class) == 6
    assert len({r["group_id"] for r in records}) == len(records) == 10
    of_all = [r for r in records if r not in by_class]
    assert (
        sum(r["metric_id"] == "f1" for r in of_all) == 1
    )  # "macro avg f1-score" is another metric


def test_what_a_dataset_name_implies_joins_the_stated_setting(tmp_path):
    lake = corpus_of(
        tmp_path,
        report(value=50.0, raw_dataset="MMLU (5-shot)", setting={"language": "en"}),
        report(value=60.0, raw_dataset="mmlu", setting={"language": "en", "shots": 5}),
    )
    (record,) = rows(lake, "records")
    assert record["n_reports"] == 2
    assert json.loads(record["setting"]) == {"language": "en", "shots": "5"}


def test_a_configuration_that_names_the_dataset_is_no_setting(tmp_path):
    lake = corpus_of(
        tmp_path,
        report(value=50.0, raw_dataset="glue", setting={"config": "cola", "split": "test"}),
        report(value=50.0, raw_dataset="CoLA", setting={"split": "test"}),
        report(value=50.0, raw_dataset="wmt16", setting={"config": "de-en"}),
        report(value=60.0, raw_dataset="glue", setting={"config": "cola", "protocol": "fixed"}),
    )
    records = rows(lake, "records", "dataset_id", "dataset_family", "setting", "n_reports")
    assert sorted(tuple(r.values()) for r in records) == [
        ("glue", "glue", '{"config":"cola","protocol":"fixed"}', 1),
        ("glue/cola", "glue", '{"split":"test"}', 2),
        ("wmt16", "wmt", '{"config":"de-en"}', 1),
    ]


def test_runs_of_one_model_are_records_of_one_group_and_one_model_in_it(tmp_path):
    def run(model, value, precision):
        return report(raw_model=model, value=value, setting={"model.precision": precision})

    lake = corpus_of(
        tmp_path, run("o/a", 60.0, "int8"), run("o/a", 80.0, "bf16"), run("o/b", 60.0, "bf16")
    )
    records = rows(lake, "records")
    assert len(records) == 3
    (group,) = rows(lake, "groups")
    assert (group["n_models"], group["n_records"], group["setting"]) == (2, 3, "{}")
    # a counts once, at 70: mean 65, std 5
    z = {(r["model_id"], r["value"]): r["z"] for r in records}
    assert z == pytest.approx({("o/a", 60.0): -1.0, ("o/a", 80.0): 3.0, ("o/b", 60.0): -1.0})


def leaderboard(precision: str, value: float) -> Report:
    return report(
        source="open_llm_leaderboard_v1", tier=Tier.LEADERBOARD, raw_dataset="ai2_arc",
        raw_metric="acc_norm", value=value, unit=Unit.PERCENT,
        setting={"protocol": "open_llm_leaderboard_v1", "shots": 25, "model.precision": precision},
    )  # fmt: skip


def write_back(value: float) -> Report:
    return report(
        raw_dataset="AI2 Reasoning Challenge (25-Shot)", raw_metric="acc_norm", value=value,
        unit=Unit.PERCENT,
        setting={"protocol": "open_llm_leaderboard_v1", "config": "ARC-Challenge", "split": "test"},
    )  # fmt: skip


def test_a_result_written_back_into_a_card_meets_the_leaderboards_own(tmp_path):
    own = leaderboard("bfloat16", 46.0751)
    lake = corpus_of(tmp_path, write_back(46.08), oll=[own])
    (record,) = rows(lake, "records")
    assert (record["report_id"], record["n_reports"]) == (own.report_id, 2)
    assert json.loads(record["setting"]) == {
        "protocol": "open_llm_leaderboard_v1", "model.precision": "bfloat16",
    }  # fmt: skip
    assert rows(lake, "conflicts") == []  # rounding is no disagreement


def test_a_write_back_stays_apart_where_two_precisions_were_run(tmp_path):
    runs = [leaderboard("bfloat16", 46.1), leaderboard("4bit", 44.0)]
    lake = corpus_of(tmp_path, write_back(46.08), oll=runs)
    settings = sorted(r["setting"] for r in rows(lake, "records"))
    assert [json.loads(s).get("model.precision") for s in settings] == ["4bit", "bfloat16", None]


def test_the_registry_knows_better_than_a_source_which_end_is_good(tmp_path):
    wrong = [
        report(raw_model=f"o/{i}", raw_metric="wer", value=5.0 + i, lower_is_better=False)
        for i in range(3)
    ]
    records = rows(corpus_of(tmp_path, *wrong), "records")
    assert {r["lower_is_better"] for r in records} == {True}
    assert max(records, key=lambda r: r["z"])["value"] == 5.0


@pytest.mark.parametrize(
    ("stated", "expected"),
    [((True, None), True), ((False, False), False), ((True, False), None), ((None, None), None)],
)
def test_an_unknown_direction_is_taken_from_sources_that_agree(tmp_path, stated, expected):
    items = [
        report(raw_model=f"o/{i}", raw_metric="frobnication", value=5.0 + i, lower_is_better=s)
        for i, s in enumerate(stated)
    ]
    records = rows(corpus_of(tmp_path, *items), "records")
    assert [r["lower_is_better"] for r in records] == [expected, expected]
    assert [r["z"] is None for r in records] == [expected is None] * 2


def test_nobody_to_compare_with_gives_no_z_and_equal_scores_give_zero(tmp_path):
    alone = report(raw_dataset="alone-set", value=50.0)
    equal = [report(raw_model=f"o/{i}", value=50.0) for i in range(2)]
    found = {r["model_id"]: r["z"] for r in rows(corpus_of(tmp_path, alone, *equal), "records")}
    assert found == {"org/bert": None, "o/0": 0.0, "o/1": 0.0}


def test_a_missing_task_comes_from_the_dataset_then_from_the_model(tmp_path):
    from modellens_core.schema import ModelFact

    lake = corpus_of(
        tmp_path,
        ModelFact(source="hub", raw_model="o/tagged", pipeline_tag="image-classification"),
        report(raw_task="question-answering", setting={"n": 1}),
        report(raw_task="question-answering", setting={"n": 2}),
        report(raw_task="summarization"),
        report(raw_model="o/tagged", raw_task=None),
        report(raw_model="o/tagged", raw_task=None, raw_dataset="other-set"),
        report(raw_model="o/plain", raw_task=None, raw_dataset="other-set"),
    )
    found = {(r["model_id"], r["dataset_id"]): r["task_id"] for r in rows(lake, "records")}
    assert found["o/tagged", "squad"] == "question-answering"
    assert found["o/tagged", "other-set"] == "image-classification"
    assert found["o/plain", "other-set"] == "unknown"
