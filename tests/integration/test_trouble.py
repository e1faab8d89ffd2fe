"""What can go wrong in a run, and what must survive it."""

from dataclasses import replace

import pytest
from typer.testing import CliRunner

import assets.splits
from assets.outputs import outputs
from modellens_core.serving import Recommender
from modellens_core.splits import freeze
from modellens_core.store.lake import Lake, file_sha256
from pipelines.cli import app
from pipelines.damage import lost_assets
from pipelines.doctor import examine
from pipelines.status import collect_status
from tests.fakes.index_server import build_wheel

pytestmark = pytest.mark.slow


def state(site):
    """What the outside world sees of a finished state."""
    return {
        "database": file_sha256(site.settings.database_path),
        "bundle": (site.settings.bundle_dir / "LATEST").read_text("utf-8"),
        "report": file_sha256(site.settings.report_dir / "report.md"),
    }


def test_a_hub_that_is_down_is_reported_and_stops_nothing(copy, monkeypatch):
    before = state(copy)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    outcome, log = copy.run(refresh=True)
    assert outcome.success, log
    assert [c.asset for c in outcome.failed_checks if c.name == "answered"] == ["raw_hub"]
    status = collect_status(copy.settings)
    assert status["state"] == "attention"
    assert {s["source"]: s["state"] for s in status["sources"]}["hub"] == "unreachable"
    assert state(copy) == before  # the last good listing still stands, so nothing changed below it


def test_a_refresh_that_broke_down_is_not_forgotten(copy, monkeypatch):
    before = state(copy)

    def breaks(*_):
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "write", breaks)
        outcome, log = copy.run(refresh=True)
        assert not outcome.success, log
        assert {"raw_hub", "raw_package_index"} <= set(outcome.failed_steps)
        assert collect_status(copy.settings)["state"] == "incomplete"
    outcome, log = copy.run()
    assert outcome.success, log
    assert {"raw_hub", "raw_package_index"} <= set(built(log))
    assert collect_status(copy.settings)["state"] == "ok"
    assert state(copy) == before
    outcome, log = copy.run()
    assert "everything is up to date" in log


def test_a_rewritten_card_closes_what_it_said_before(copy):
    old = copy.hub.repository.get("model", "people/asr-strings")
    text = old.read("README.md").replace(b'"20.0 \\xB1 1.2"', b"18.5")
    assert text != old.read("README.md")
    copy.hub.repository.put(replace(old, files={"README.md": text}))
    try:
        outcome, log = copy.run(refresh=True)
    finally:
        copy.hub.repository.put(old)
    assert outcome.success, log
    lake = Lake(copy.settings.lake_dir)
    [closed] = lake.read("corpus/closed").to_pylist()
    assert (closed["raw_model"], closed["raw_value"]) == ("people/asr-strings", "20.0 ± 1.2")
    assert closed["source_revision"] == old.sha
    said = [
        r for r in lake.read("corpus/reports").to_pylist() if r["raw_model"] == closed["raw_model"]
    ]
    assert [r["value"] for r in said] == [18.5]


def test_a_corrupt_wheel_leaves_the_last_good_rows(copy, monkeypatch):
    before = state(copy)
    (name,) = copy.index.files["planted-zoo"]
    other = build_wheel(
        "planted-zoo", "1.0", {"planted_zoo/.mim/configs/all/metafile.yml": "Models: []"}
    )
    monkeypatch.setitem(copy.index.files["planted-zoo"], name, other)
    for cached in (copy.settings.cache_dir / "wheels").rglob("*.whl"):
        cached.unlink()
    outcome, log = copy.run(refresh=True)
    assert outcome.success, log
    states = {s["source"]: s["state"] for s in collect_status(copy.settings)["sources"]}
    assert states["package_index"] == "corrupt"
    assert state(copy) == before


def test_a_blocking_check_stops_everything_below_it(copy, monkeypatch):
    before = state(copy)
    # Break the splitter so that it leaks, and its own guard, so that only the asset check can notice.
    honest = freeze.PROTOCOLS["new_datasets"]

    def leaking(features, rows, seed):
        parts = honest(features, rows, seed).copy()
        test = parts == "test"
        parts[test.nonzero()[0][::2]] = "train"
        return parts

    monkeypatch.setattr(freeze, "PROTOCOLS", {**freeze.PROTOCOLS, "new_datasets": leaking})
    monkeypatch.setattr(freeze, "require_clean", lambda *_: None)
    monkeypatch.setattr(
        assets.splits, "SPLIT_SEED", assets.splits.SPLIT_SEED + 1
    )  # makes them stale
    outcome, log = copy.run()
    assert not outcome.success
    failed = [(c.asset, c.name) for c in outcome.failed_checks if c.severity == "ERROR"]
    assert ("split_new_datasets", "no_leaks") in failed
    assert "ranker_new_datasets" not in built(log)
    assert "serving_bundle" not in built(log)
    assert state(copy) == before

    monkeypatch.setattr(freeze, "PROTOCOLS", {**freeze.PROTOCOLS, "new_datasets": honest})
    outcome, log = copy.run()
    assert outcome.success, log
    assert "split_new_datasets" in outcome.assets


def built(log):
    """Assets that the log says were materialised."""
    return [line.split()[1] for line in log.splitlines() if line.strip().startswith("✓")]


def test_lost_and_damaged_outputs_are_built_again(copy):
    before = state(copy)
    copy.settings.database_path.unlink()
    release = copy.settings.bundle_dir / before["bundle"].strip()
    with (release / "ranker.safetensors").open("r+b") as weights:
        weights.truncate(100)
    status = collect_status(copy.settings)
    assert status["state"] == "incomplete"
    assert "ranker.safetensors was changed" in status["bundle_problem"]
    assert "ranker.safetensors was changed" in CliRunner().invoke(app, ["status"]).stdout
    (finding,) = [f for f in examine(copy.settings) if f.what == "bundle"]
    assert finding.state == "broken"
    assert "ranker.safetensors was changed" in finding.detail
    outcome, log = copy.run()
    assert outcome.success, log
    assert set(outcome.assets) == {"corpus_database", "serving_bundle"}
    assert copy.settings.database_path.is_file()
    assert Recommender.latest(copy.settings.bundle_dir).score("legal texts", ["org/x-1b"])


def test_every_file_of_the_lake_has_an_asset_that_would_build_it_again(copy):
    lake = copy.settings.lake_dir
    known = {path for files in outputs(copy.settings).values() for path in files}
    found = {path for path in lake.rglob("*") if path.is_file()}
    assert found <= known
    assert all(path.is_file() for path in known)
    assert lost_assets(copy.settings) == []


def test_broken_and_lost_tables_are_reported_and_built_again(copy):
    before = state(copy)
    lake = Lake(copy.settings.lake_dir)
    lake.path("corpus/models").write_bytes(b"PAR1 and nothing more")
    lake.path("raw/package_index/files").write_bytes(b"")
    (copy.settings.lake_dir / "training/completion/seed-0/ranker.json").unlink()
    copy.settings.database_path.write_bytes(b"garbage" * 1000)
    result = CliRunner().invoke(app, ["status"])
    assert result.exit_code == 2
    assert "corpus/models" in result.stderr
    assert "modellens run" in result.stderr
    outcome, log = copy.run()
    assert outcome.success, log
    assert "corpus/models" in log
    wanted = {"corpus_models", "raw_package_index", "ranker_completion", "corpus_database"}
    assert wanted <= set(outcome.assets)
    assert collect_status(copy.settings)["state"] == "ok"
    assert state(copy)["bundle"] == before["bundle"]
