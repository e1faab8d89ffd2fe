"""The whole graph on the planted world, and what a user then asks of it."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from modellens_core.serving import Recommender
from modellens_core.store import duck, sql
from modellens_core.store.lake import Lake
from pipelines.cli import app

pytestmark = pytest.mark.slow


def ask(site, *arguments):
    """Run the command line on the site's state."""
    return CliRunner().invoke(app, list(arguments))


def test_one_run_builds_everything(site):
    assert site.first.success, site.log
    assert {"raw_hub", "corpus_records", "ranker_production", "serving_bundle"} <= set(
        site.first.assets
    )
    assert "✓ corpus_records" in site.log
    for path in (site.settings.database_path, site.settings.report_dir / "report.md"):
        assert path.is_file()


def test_a_second_run_does_no_work_twice(site):
    outcome, log = site.run()
    assert outcome.success
    assert outcome.assets == ()
    assert "up to date" in log


def test_every_planted_score_becomes_one_record_from_its_best_report(site):
    with duck.open_read_only(site.settings.database_path) as con:
        rows = duck.query(
            con, "SELECT model_id, dataset_id, tier, score, n_reports FROM records", {}
        )
    planted = set(site.world.model_ids)
    found = [r for r in rows.to_pylist() if r["model_id"] in planted]
    assert len(found) == int(site.world.observed.sum())
    # The index's table (leaderboard), the card's metadata and the card's table say the same thing.
    assert {r["tier"] for r in found} == {"leaderboard"}
    assert np.mean([r["n_reports"] == 3 for r in found]) > 0.9
    places = {d["id"]: j for j, d in enumerate(site.world.datasets)}
    for row in found:
        i, j = site.world.model_ids.index(row["model_id"]), places[row["dataset_id"]]
        assert row["score"] == pytest.approx(site.world.score(i, j) / 100)


@pytest.mark.parametrize(("protocol", "at_least"), [("completion", 0.25), ("new_datasets", 0.25)])
def test_the_ranker_learned_what_was_planted_and_guessing_did_not(site, protocol, at_least):
    rows = Lake(site.settings.lake_dir).read("evaluation/summary").to_pylist()
    tau = {
        r["method"]: r["mean"]
        for r in rows
        if (r["protocol"], r["metric"], r["min_models"]) == (protocol, "weighted_tau", 5)
    }
    assert tau["modellens"] > at_least > abs(tau["random"]), tau
    assert tau["constant"] == pytest.approx(0, abs=1e-9)


def test_status_says_all_is_well_as_json(site):
    result = ask(site, "status", "--json")
    assert result.exit_code == 0, result.output
    status = json.loads(result.stdout)
    assert status["state"] == "ok"
    assert status["corpus"]["records"] >= int(site.world.observed.sum())
    assert {"completion", "new_datasets"} == set(status["evaluation"])
    assert status["last_run"]["status"] == "SUCCESS"


def test_recommend_ranks_real_models_with_reasons(site):
    wanted = site.world.datasets[0]
    result = ask(
        site, "recommend", wanted["description"], "--top", "5", "--max-params-b", "10", "--json"
    )
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    models = answer["recommendations"]
    assert len(models) == 5
    assert all(m["params_b"] <= 10 for m in models)
    scores = [m["score"] for m in models]
    assert scores == sorted(scores, reverse=True)
    assert all(m["model_id"] in site.world.model_ids for m in models)
    assert all(m["prior"] + m["residual"] == pytest.approx(m["score"], abs=1e-5) for m in models)


def test_the_api_scores_known_and_unknown_models(site):
    recommender = Recommender.latest(site.settings.bundle_dir)
    wanted = site.world.datasets[0]
    models = [*site.world.model_ids[:3], "nobody/llama-7b-never-seen"]
    scores = recommender.score(
        description=wanted["description"],
        task=wanted["task"],
        metric=wanted["metric"],
        models=models,
    )
    assert len(scores) == 4
    assert np.isfinite(list(scores)).all()


@pytest.mark.parametrize("name", [n.split("/")[1] for n in sql.names("examples")])
def test_every_example_query_runs(site, name):
    result = ask(site, "query", name, "--json")
    assert result.exit_code == 0, result.output
    assert isinstance(json.loads(result.stdout), list)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["recommend", "  "], "description"),
        (["recommend", "🐈 42"], "holds no words"),
        (["recommend", "photos of cats", "--top", "0"], "at least one"),
        (["recommend", "photos of cats", "--max-params-b", "nan"], "max_params_b is nan"),
        (["recommend", "photos of cats", "--license", ""], "license is empty"),
        (["recommend", "photos of cats", "--metric", "acuracy"], "acuracy"),
        (["recommend", "photos of cats", "--task", "no-such-task"], "no-such-task"),
        (["recommend", "photos of cats", "--bundle", "/no/such/folder"], "/no/such/folder"),
        (["query", "SELECT nothing FROM nowhere"], "DuckDB refused"),
        (["query", "no_such_example"], "no example query"),
        (["query", "best_models", "-p", "oops"], "name=value"),
        (["run", "--profile", "snapshot"], "MODELLENS_SNAPSHOT_DIR"),
        (["run", "--profile", "snapshot", "--snapshot-dir", "/no/such/folder"], "not a folder"),
    ],
)
def test_a_users_mistake_is_one_clear_line_and_exit_2(site, arguments, says):
    result = ask(site, *arguments)
    assert result.exit_code == 2, result.output
    line = result.stderr.strip()
    assert line.startswith("error:")
    assert says in line
    assert "Traceback" not in result.output
