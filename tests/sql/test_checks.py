"""Every check passes on a sound corpus, and fails when the rule it protects is broken."""

import shutil
from pathlib import Path

import pytest

from modellens_core.schema import ModelFact, Tier, Unit
from modellens_core.store import sql
from modellens_core.store.lake import Lake
from tests.sql.lakes import corpus_of, corpus_queries, report

# check -> the table that is damaged, and the query that damages it
DAMAGES = {
    "conflicts_sane": (
        "corpus/conflicts",
        "SELECT * REPLACE ('0000' AS winner_report_id) FROM corpus.conflicts",
    ),
    "datasets_unique": (
        "corpus/datasets",
        "SELECT * FROM corpus.datasets UNION ALL SELECT * FROM corpus.datasets",
    ),
    "direction_contradictions": (
        "corpus/reports",
        "SELECT * REPLACE (true AS stated_lower_is_better) FROM corpus.reports",
    ),
    "direction_disagreements": (
        "corpus/reports",
        "SELECT * REPLACE (NULL::BOOLEAN AS lower_is_better, value < 51 AS stated_lower_is_better) FROM corpus.reports",
    ),
    "empty_sources": (
        "corpus/sources",
        "SELECT * REPLACE (0 AS n_reports, 0 AS n_read) FROM corpus.sources",
    ),
    "group_direction": (
        "corpus/records",
        "SELECT * REPLACE (model_id = 'o/m1' AS lower_is_better) FROM corpus.records",
    ),
    "group_sizes": (
        "corpus/groups",
        "SELECT * REPLACE (n_models + 1 AS n_models) FROM corpus.groups",
    ),
    "metrics_unique": (
        "corpus/metric_names",
        """SELECT * FROM corpus.metric_names UNION ALL
        SELECT * REPLACE (true AS lower_is_better) FROM corpus.metric_names""",
    ),
    "models_unique": (
        "corpus/models",
        """SELECT * FROM corpus.models UNION ALL
        SELECT * REPLACE (upper(model_id) AS model_id) FROM corpus.models""",
    ),
    "only_quality": (
        "corpus/metrics",
        "SELECT * REPLACE (false AS is_quality) FROM corpus.metrics",
    ),
    "orphan_datasets": (
        "corpus/datasets",
        "SELECT * REPLACE ('elsewhere' AS dataset_family) FROM corpus.datasets",
    ),
    "orphan_groups": ("corpus/groups", "SELECT * REPLACE ('other' AS task_id) FROM corpus.groups"),
    "orphan_metrics": (
        "corpus/metrics",
        "SELECT * FROM corpus.metrics WHERE metric_id <> 'accuracy'",
    ),
    "orphan_models": ("corpus/models", "SELECT * FROM corpus.models WHERE model_id <> 'o/m1'"),
    "orphan_tasks": ("corpus/tasks", "SELECT * FROM corpus.tasks WHERE task_id = 'unknown'"),
    "precedence": (
        "corpus/reports",
        "SELECT * REPLACE (if(raw_value = '52.0', 'gold', tier) AS tier) FROM corpus.reports",
    ),
    "record_ids_unique": (
        "corpus/records",
        "SELECT * REPLACE ('1' AS record_id) FROM corpus.records",
    ),
    "records_unique": (
        "corpus/records",
        "SELECT * REPLACE ('o/m1' AS model_id) FROM corpus.records",
    ),
    "report_ids_unique": (
        "corpus/reports",
        "SELECT * FROM corpus.reports UNION ALL SELECT * FROM corpus.reports",
    ),
    "reports_complete": ("corpus/reports", "SELECT * FROM corpus.reports WHERE model_id <> 'o/m1'"),
    "score_range": (
        "corpus/records",
        "SELECT * REPLACE (score * 100 AS score) FROM corpus.records",
    ),
    "undecided_units": (
        "corpus/sources",
        "SELECT * REPLACE (100 AS n_reports, 21 AS n_undecided_unit) FROM corpus.sources",
    ),
    "undirected_z": (
        "corpus/records",
        "SELECT * REPLACE (NULL::BOOLEAN AS lower_is_better) FROM corpus.records",
    ),
    "unknown_directions": (
        "corpus/records",
        "SELECT * REPLACE (if(model_id < 'o/m3', NULL, lower_is_better) AS lower_is_better) FROM corpus.records",
    ),
    "widespread_conflicts": (
        "corpus/conflicts",
        "SELECT c.* FROM corpus.conflicts AS c, range(11)",
    ),
    "z_standardised": ("corpus/records", "SELECT * REPLACE (-z AS z) FROM corpus.records"),
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Lake:
    """Twelve models on two datasets, ten results confirmed by a second source, one of them disputed."""
    cards = [
        report(
            raw_model=f"o/m{i}",
            raw_dataset=d,
            value=50.0 + i,
            unit=Unit.PERCENT,
            lower_is_better=False,
        )
        for i in range(12)
        for d in ("squad", "my-set")
    ]
    confirmed = [
        report(
            tier=Tier.BRONZE, raw_model=f"o/m{i}", value=52.0 if i == 1 else 50.0 + i,
            unit=Unit.PERCENT, lower_is_better=False, source_url="https://example.org",
        )
        for i in range(10)
    ]  # fmt: skip
    facts = [ModelFact(source="hub", raw_model=f"o/m{i}", params_b=1.0 + i) for i in range(12)]
    return corpus_of(tmp_path_factory.mktemp("sound"), *cards, *confirmed, *facts)


def checks() -> list[str]:
    return [name.split("/")[1] for name in sql.names("checks")]


def test_every_check_has_a_damage():
    assert set(checks()) == set(DAMAGES)


@pytest.mark.parametrize("check", checks())
def test_header_names_asset_and_severity(check):
    assert sql.header(f"checks/{check}", "severity") in {"error", "warn"}
    table = sql.header(f"checks/{check}", "asset").removeprefix("corpus_")
    assert f"corpus/{table}" in sql.names("corpus")
    assert sql.describe(f"checks/{check}").endswith((".", ":"))


@pytest.mark.parametrize("check", checks())
def test_a_check_reads_nothing_that_is_built_after_its_asset(check):
    """The runner looks at a check as soon as its asset is there."""
    table = sql.header(f"checks/{check}", "asset").removeprefix("corpus_")
    upstream, todo = set(), [table]
    while todo:
        name = todo.pop()
        upstream.add(name)
        needs = {t.removeprefix("corpus.") for t in sql.inputs(f"corpus/{name}")}
        todo += sorted((needs & set(corpus_queries())) - upstream)
    read = {t.removeprefix("corpus.") for t in sql.inputs(f"checks/{check}")}
    assert read & set(corpus_queries()) <= upstream


def test_all_checks_pass_on_a_sound_corpus(sound):
    failed = {check: sound.query(sql.load(f"checks/{check}")).to_pylist() for check in checks()}
    assert {check: found for check, found in failed.items() if found} == {}


@pytest.mark.parametrize("check", checks())
def test_a_broken_rule_is_found(sound, tmp_path, check):
    root = Path(shutil.copytree(sound.root, tmp_path / "lake"))
    lake = Lake(root)
    table, damage = DAMAGES[check]
    lake.write_query(table, damage)
    assert lake.query(sql.load(f"checks/{check}")).num_rows > 0
