"""The published database: complete, described, swapped in whole, and good for every example query."""

import re
from datetime import date
from pathlib import Path

import pytest

from modellens_core.errors import ModelLensError
from modellens_core.schema import DatasetFact, ModelFact, Tier, Unit
from modellens_core.store import duck, sql
from modellens_core.store.lake import Lake
from modellens_core.store.release import publish_database, release_tables
from pipelines.queries import run_query
from tests.fakes.world import make_world
from tests.sql.lakes import corpus_of, report


@pytest.fixture(scope="module")
def lake(tmp_path_factory) -> Lake:
    """The planted world, and for the examples: a dispute, a clone, an unknown metric, a reject."""
    world = make_world(n_models=10, n_datasets=9)
    board = [
        report(
            source="board", tier=Tier.LEADERBOARD, raw_model=model, raw_dataset=dataset, value=value,
            unit=Unit.PERCENT, raw_task="text-generation",
        )
        for dataset in ("squad", "imagenet", "exam-a", "exam-b", "exam-c")
        for model, value in (("org/bert", 91.2), ("copy/bert", 91.2), ("org/other", 80.0))
    ]  # fmt: skip
    return corpus_of(
        tmp_path_factory.mktemp("lake"),
        *world.items(),
        report(value=80.0, raw_task="text-generation", source_url="https://example.org/card"),
        report(raw_metric="frobnication"),
        report(raw_metric="Number of params", value=110.0),
        ModelFact(source="hub", raw_model="org/bert", params_b=0.11, params_origin="config", license="mit"),
        DatasetFact(source="hub", raw_dataset="squad", description="Questions about paragraphs."),
        board=board,
        dated=[report(source="dated", evaluated_at=date(2025, 1, 1 + i), raw_model=f"dated/bert-{i}", value=50.0 + i)
               for i in range(3)],
    )  # fmt: skip


@pytest.fixture(scope="module")
def database(lake, tmp_path_factory):
    path = tmp_path_factory.mktemp("release") / "corpus.duckdb"
    publish_database(lake, path)
    return path


def test_counts_and_comments_are_those_of_the_corpus(lake, database):
    counts = publish_database(lake, database)
    assert set(counts) == set(release_tables())
    with duck.open_read_only(database) as con:
        found = con.execute(
            "SELECT table_name, comment FROM duckdb_tables() ORDER BY ALL"
        ).fetchall()
        assert dict(found) == release_tables()
        for name, count in counts.items():
            assert con.execute(f'SELECT count(*) FROM "{name}"').fetchall() == [(count,)]
    assert counts["records"] == lake.info("corpus/records").rows > 0


def test_the_documentation_names_every_table_and_column(database):
    text = (Path(__file__).parents[2] / "docs/corpus-schema.md").read_text("utf-8")
    told = {
        line.split("|")[1].strip(" `"): set(re.findall(r"`(\w+)`", line))
        for line in text.splitlines()
        if line.startswith("| `")
    }
    with duck.open_read_only(database) as con:
        found = con.execute("SELECT table_name, column_name FROM duckdb_columns()").fetchall()
    columns = {table: {c for t, c in found if t == table} for table in release_tables()}
    assert {t: told[t] - {t} for t in columns} == columns


def test_a_reader_keeps_the_old_file_and_the_next_one_sees_the_new(lake, tmp_path):
    path = tmp_path / "corpus.duckdb"
    publish_database(lake, path, ["tasks"])
    with duck.open_read_only(path) as old:
        publish_database(lake, path, ["metrics"])
        assert old.execute("SELECT count(*) > 0 FROM tasks").fetchall() == [(True,)]
    with duck.open_read_only(path) as new:
        assert new.execute("SELECT count(*) > 0 FROM metrics").fetchall() == [(True,)]
    assert [p.name for p in tmp_path.iterdir()] == ["corpus.duckdb"]


def test_a_failed_build_leaves_the_old_file_and_no_rubbish(lake, tmp_path):
    path = tmp_path / "corpus.duckdb"
    publish_database(lake, path, ["tasks"])
    before = path.read_bytes()
    broken = Lake(tmp_path / "lake")
    broken.write("corpus/metrics", lake.read("corpus/metrics"))
    broken.path("corpus/tasks").write_bytes(b"PAR1 cut short")
    with pytest.raises(ModelLensError, match="old file stays"):
        publish_database(broken, path, ["metrics", "tasks"])
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["corpus.duckdb", "lake"]


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(ModelLensError, match="corpus/tasks"):
        publish_database(Lake(tmp_path), tmp_path / "corpus.duckdb", ["tasks"])


def test_there_are_ten_examples_and_all_are_described():
    names = sql.names("examples")
    assert len(names) >= 10
    assert all(sql.describe(name) for name in names)


@pytest.mark.parametrize("example", [n.split("/")[1] for n in sql.names("examples")])
def test_every_example_answers_with_its_default_parameters(database, example):
    assert run_query(database, example, []).num_rows > 0


def ask(database, example, *parameters):
    return run_query(database, example, parameters).to_pylist()


def test_best_models_within_a_size(database):
    (best,) = ask(database, "best_models", "dataset=squad", "max_params_b=1")
    assert (best["model_id"], best["score"], best["license"]) == ("org/bert", 0.912, "mit")
    assert ask(database, "best_models", "dataset=squad", "max_params_b=0.1") == []


def test_datasets_of_a_model_with_its_rank(database):
    found = ask(database, "datasets_of_model", "model=org/other")
    assert {r["dataset_id"] for r in found} == {"squad", "imagenet", "exam-a", "exam-b", "exam-c"}
    assert {(r["rank"], r["n"]) for r in found} == {(3, 3)}


def test_disagreements_name_both_sides(database):
    first = ask(database, "disagreements", "limit=1")[0]
    assert (first["winner_source"], first["loser_source"]) == ("board", "hub")
    assert first["spread"] == pytest.approx(0.112)


def test_clones_are_shown_together(database):
    (cluster,) = ask(database, "clones", "limit=5")
    assert cluster["some_of_them"] == ["copy/bert", "org/bert"]


def test_unknown_directions_and_refusals_are_listed(database):
    assert [r["metric_id"] for r in ask(database, "unknown_directions")] == ["frobnication"]
    assert [r["reason"] for r in ask(database, "refused")] == ["not_a_quality_metric"]


def test_ranks_fall_as_others_are_published(database):
    found = ask(database, "rank_history", "model=dated/bert-0")
    assert [(r["rank_then"], r["rank_now"], r["n_now"]) for r in found] == [(1, 3, 3)]


def test_evidence_shows_winner_and_loser(database):
    found = ask(database, "evidence", "model=org/bert", "dataset=squad")
    spoken = {
        (r["source"], r["raw_value"], r["won"]) for r in found if r["metric_id"] == "accuracy"
    }
    assert spoken == {("board", "91.2", True), ("hub", "80.0", False)}
