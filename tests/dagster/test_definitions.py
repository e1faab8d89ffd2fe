"""The graph as people see it: layers, order, checks, and where `dagster dev` finds it."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml

import assets
from modellens_core.config import Profile, load_settings
from modellens_core.store import sql
from pipelines.build import build_defs
from pipelines.jobs import JOBS
from tests.layers import LAYERS

ROOT = Path(assets.__file__).parents[1]


@pytest.fixture(params=[*Profile, "llm"])
def graph(request, tmp_path):
    """The graph of each profile, and the one whose README tables a language model reads."""
    chosen = (
        {"profile": "full", "bronze_reader": "llm"}
        if request.param == "llm"
        else {"profile": request.param}
    )
    settings = load_settings(**chosen, home=tmp_path, snapshot_dir=tmp_path)
    return build_defs(settings).resolve_asset_graph()


def test_every_profile_loads_and_has_every_layer(graph):
    groups = {graph.get(k).group_name for k in graph.materializable_asset_keys}
    assert groups == set(LAYERS)


def test_work_flows_one_way_through_the_layers(graph):
    place = {layer: i for i, layer in enumerate(LAYERS)}
    for key in graph.materializable_asset_keys:
        node = graph.get(key)
        for parent in node.parent_keys:
            assert place[graph.get(parent).group_name] <= place[node.group_name], (parent, key)


def test_every_asset_says_what_it_is_and_versions_its_code(graph):
    for key in graph.materializable_asset_keys:
        node = graph.get(key)
        assert node.description, key
        assert node.code_version, key


def test_splits_are_audited_and_those_that_hide_datasets_are_searched_for_sisters(graph):
    checks = {
        (k.asset_key.to_user_string(), k.name): graph.get(k).blocking
        for k in graph.asset_check_keys
    }
    assert {k: b for k, b in checks.items() if k[0].startswith("split_")} == {
        ("split_completion", "no_leaks"): True,
        ("split_new_datasets", "no_leaks"): True,
        ("split_production", "no_leaks"): True,
        ("split_new_datasets", "no_siblings"): False,
        ("split_production", "no_siblings"): False,
    }


def test_every_rule_in_sql_is_a_check_of_an_existing_asset(graph):
    names = {k.name: graph.get(k) for k in graph.asset_check_keys}
    for query in sql.names("checks"):
        check = names[query.split("/")[1]]
        assert graph.has(check.key.asset_key)
        assert sql.header(query, "severity") in {"error", "warn"}
        assert check.blocking == (sql.header(query, "severity") == "error")


def test_leaks_and_column_contracts_block(graph):
    blocking = {
        (k.asset_key.to_user_string(), k.name)
        for k in graph.asset_check_keys
        if graph.get(k).blocking
    }
    for protocol in ("completion", "new_datasets", "production"):
        assert (f"split_{protocol}", "no_leaks") in blocking
    assert ("corpus_records", "gx_record_id_unique") in blocking


def test_a_source_that_is_down_does_not_block(graph):
    answered = [graph.get(k) for k in graph.asset_check_keys if k.name == "answered"]
    assert answered
    assert not any(node.blocking for node in answered)


def test_jobs_resolve():
    defs = build_defs(load_settings(profile="quickstart"))
    for job in JOBS:
        assert isinstance(defs.resolve_job_def(job.name), dg.JobDefinition)


def test_the_workspace_names_the_code_location():
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text("utf-8"))
    (location,) = workspace["load_from"]
    assert location["python_module"]["module_name"] == "pipelines.definitions"


def test_loading_the_code_location_imports_nothing_heavy():
    heavy = ["torch", "great_expectations", "sentence_transformers", "sklearn", "matplotlib"]
    code = (
        "import sys; from pipelines.build import build_defs; build_defs();"
        f"print([m for m in {heavy!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_top_level_packages_come_from_this_checkout():
    assert Path(assets.__file__).is_relative_to(ROOT)
    assert (ROOT / "sql").is_dir()
