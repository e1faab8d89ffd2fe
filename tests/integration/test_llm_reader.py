"""The language-model reader through the graph: Hub, questions, answers, staged reports, and the retry."""

import dagster as dg
import pytest

from assets import all_assets
from modellens_core.config import load_settings, require_sources
from modellens_core.errors import ConfigError
from modellens_core.sources.base import SourceState
from modellens_core.store.lake import Lake
from pipelines.doctor import examine
from pipelines.resources import build_resources
from pipelines.runner import raw_assets, sources_to_retry
from pipelines.status import collect_status
from tests.fakes.hub import HubRepo, MemoryRepository, running_hub
from tests.fakes.llm_server import running_llm
from tests.fakes.openai_server import KEY

TABLE = b"# glow\n\n| Benchmark | Metric | Score |\n|---|---|---|\n| IMDB | accuracy | %d.5 |\n"
CHOSEN = ("raw_hub", "raw_hub_llm_answers", "stg_hub_bronze")


@pytest.fixture
def hub():
    repos = [HubRepo(f"acme/glow-{i}", {"README.md": TABLE % (60 + i)}) for i in range(6)]
    with running_hub(MemoryRepository(repos)) as running:
        yield running


@pytest.fixture
def environment(monkeypatch, tmp_path, hub):
    """A profile of its own whose README tables are read by a language model."""
    variables = {
        "MODELLENS_HOME": str(tmp_path), "MODELLENS_PROFILE": "full", "HF_ENDPOINT": hub.endpoint,
        "MODELLENS_BRONZE_READER": "llm", "OPENAI_API_KEY": KEY, "MODELLENS_ENCODER": "hashing",
    }  # fmt: skip
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def materialize(settings, instance):
    result = dg.materialize(
        all_assets(settings),
        selection=[
            k for k in CHOSEN if k != "raw_hub_llm_answers" or settings.bronze_reader == "llm"
        ],
        resources=build_resources(settings),
        instance=instance,
    )
    assert result.success
    return result


def extractors(settings):
    reports = Lake(settings.lake_dir).read("staging/hub_bronze/reports")
    return {e.partition("/")[0] for e in reports["extractor"].to_pylist()}, reports.num_rows


def test_tables_are_asked_about_once_and_staged(environment):
    with running_llm() as server, dg.DagsterInstance.ephemeral() as instance:
        environment.setenv("OPENAI_BASE_URL", server.base_url)
        environment.setenv("MODELLENS_LLM_MAX_TOKENS", "6500")
        settings = load_settings()
        result = materialize(settings, instance)
        asked = len(server.requests)
        assert 0 < asked < 6
        checks = {e.asset_key.to_user_string(): e for e in result.get_asset_check_evaluations()}
        assert not checks["raw_hub_llm_answers"].passed
        assert "budget" in checks["raw_hub_llm_answers"].description
        assert extractors(settings) == ({"llm:gpt-5.4-mini", "readme_tables"}, 6)
        assert [k.to_user_string() for k in sources_to_retry(settings, instance)] == [
            "raw_hub_llm_answers"
        ]

        environment.setenv("MODELLENS_LLM_MAX_TOKENS", "100000")
        materialize(load_settings(), instance)
        assert len(server.requests) == 6
        assert extractors(settings) == ({"llm:gpt-5.4-mini"}, 6)
        assert sources_to_retry(settings, instance) == []
        states = {s["part"]: s["state"] for s in collect_status(settings)["sources"]}
        assert states["llm_answers"] == SourceState.OK

        environment.setenv("MODELLENS_BRONZE_READER", "deterministic")
        back = load_settings()
        materialize(back, instance)
        assert extractors(back) == ({"readme_tables"}, 6)
        assert "llm_answers" not in {s["part"] for s in collect_status(back)["sources"]}


def test_the_asset_is_there_only_for_this_reader(environment):
    keys = {k.to_user_string() for k in raw_assets(load_settings())}
    assert "raw_hub_llm_answers" in keys
    environment.setenv("MODELLENS_BRONZE_READER", "deterministic")
    graph = {k.to_user_string() for a in all_assets(load_settings()) for k in a.keys}
    assert "raw_hub_llm_answers" not in graph
    assert {k.to_user_string() for k in raw_assets(load_settings())} == keys - {
        "raw_hub_llm_answers"
    }


def test_a_reader_without_a_service_is_refused_before_the_run(environment):
    environment.delenv("OPENAI_API_KEY")
    environment.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(ConfigError, match="OPENAI_BASE_URL"):
        require_sources(load_settings())
    finding = next(f for f in examine(load_settings()) if f.what == "README tables")
    assert finding.state == "broken"
    environment.setenv("OPENAI_API_KEY", KEY)
    finding = next(f for f in examine(load_settings()) if f.what == "README tables")
    assert (finding.state, KEY in finding.detail) == ("ok", False)
