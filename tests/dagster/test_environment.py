"""Settings, the environment Dagster starts in, the doctor, and the lock."""

import json
import os
import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from modellens_core.config import load_settings, require_sources
from modellens_core.errors import ConfigError, ModelLensError
from pipelines.cli import app
from pipelines.doctor import examine
from pipelines.environment import QUIET, environment_of, make_state
from pipelines.lock import is_held, only_one


def test_state_goes_to_one_folder_per_profile_and_telemetry_is_off(settings):
    variables = environment_of(settings)
    assert variables["MODELLENS_STATE_DIR"] == str(settings.home / "quickstart" / "dagster")
    assert variables["DAGSTER_DISABLE_TELEMETRY"] == "yes"


@pytest.mark.parametrize("start", ["cli; cli.app(['status'])", "definitions; definitions.defs()"])
def test_no_library_reads_its_telemetry_switch_before_it_is_off(monkeypatch, start):
    for name in QUIET:
        monkeypatch.delenv(name)
    code = f"""
import atexit
def ask():
    import huggingface_hub
    print(huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY)
atexit.register(ask)
from pipelines import {start}
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "True"


def test_a_home_without_dagster_yaml_is_refused(settings, tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with pytest.raises(ConfigError, match=r"no dagster\.yaml"):
        environment_of(settings)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"profile": "quickest"}, "MODELLENS_PROFILE"),
        ({"seeds": "1,x"}, "MODELLENS_SEEDS is"),
        ({"seeds": ()}, "MODELLENS_SEEDS is"),
        ({"seeds": "1,2,1"}, "MODELLENS_SEEDS is.*more than once"),
        ({"seeds": "-1"}, "MODELLENS_SEEDS is"),
        ({"hub_max_models": -1}, "MODELLENS_HUB_MAX_MODELS is"),
        ({"threads": 0}, "MODELLENS_THREADS"),
        ({"encoder": "word2vec"}, "MODELLENS_ENCODER"),
    ],
)
def test_an_unusable_setting_names_its_variable(given, says):
    with pytest.raises(ConfigError, match=says):
        load_settings(**given)


def test_profile_snapshot_says_what_it_needs(tmp_path):
    with pytest.raises(ConfigError, match="MODELLENS_SNAPSHOT_DIR"):
        require_sources(load_settings(profile="snapshot"))
    with pytest.raises(ConfigError, match="not a folder"):
        require_sources(load_settings(profile="snapshot", snapshot_dir=tmp_path / "absent"))
    with pytest.raises(ConfigError, match="HF_ENDPOINT"):
        require_sources(load_settings(profile="snapshot", snapshot_dir=tmp_path))
    require_sources(
        load_settings(profile="snapshot", snapshot_dir=tmp_path, hub_endpoint="http://127.0.0.1:9")
    )


def test_keys_never_show(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted-secret")
    monkeypatch.setenv("HF_TOKEN", "hf_planted_secret")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    shown = repr(load_settings()) + str(
        [f.to_dict() for f in examine(load_settings(encoder="hashing"))]
    )
    assert "planted" not in shown


def test_the_password_of_an_endpoint_never_shows(settings, monkeypatch):
    monkeypatch.setenv("MODELLENS_HOME", str(settings.home))
    monkeypatch.setenv("MODELLENS_ENCODER", "hashing")
    monkeypatch.setenv("HF_ENDPOINT", "http://planted:secret@127.0.0.1:9/planted")
    for arguments in (["doctor"], ["doctor", "--json"], ["status", "--json"]):
        result = CliRunner().invoke(app, arguments)
        assert "127.0.0.1:9" in result.output or arguments[0] == "status"
        assert not {"planted", "secret"} & set(re.split(r"\W+", result.output))


def test_the_doctor_reports_a_hub_that_is_down_and_goes_on(settings):
    findings = {f.what: f for f in examine(settings)}
    assert findings["Hub"].state == "missing"
    assert "HF_ENDPOINT" in findings["Hub"].detail
    assert findings["dagster"].state == "ok"
    assert not [f for f in findings.values() if f.state == "broken"]


def test_the_doctor_fails_when_something_needed_is_broken(settings, monkeypatch):
    monkeypatch.setenv("MODELLENS_HOME", str(settings.home))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("MODELLENS_ENCODER", "minilm")
    monkeypatch.setenv("MODELLENS_ENCODER_PATH", str(settings.home))
    result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.exit_code == 1
    assert {f["what"]: f["state"] for f in json.loads(result.stdout)}["text encoder"] == "broken"


def test_two_runs_of_one_profile_do_not_meet(settings):
    make_state(settings)
    refused = pytest.raises(ModelLensError, match="another run")
    with only_one(settings), refused, only_one(settings):
        pass
    with only_one(settings):
        pass


def test_whether_a_run_is_at_work_can_be_asked_without_a_trace(settings):
    assert not is_held(settings)
    assert not settings.state_dir.exists()
    make_state(settings)
    with only_one(settings):
        assert is_held(settings)
    assert not is_held(settings)


def test_status_before_anything_was_built(settings, monkeypatch):
    monkeypatch.setenv("MODELLENS_HOME", str(settings.home))
    result = CliRunner().invoke(app, ["status", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["state"] == "never_run"
    assert list(settings.home.iterdir()) == []  # asking leaves no trace


@pytest.mark.parametrize("command", ["recommend", "query"])
def test_asking_before_anything_was_built_says_what_to_run(settings, monkeypatch, command):
    monkeypatch.setenv("MODELLENS_HOME", str(settings.home))
    result = CliRunner().invoke(app, [command, "photos of street scenes"])
    assert result.exit_code == 2
    assert "modellens run" in result.stderr


@pytest.mark.parametrize("command", ["run", "doctor"])
def test_a_home_that_cannot_be_written_is_one_clear_line(settings, monkeypatch, command):
    (settings.home / "file").write_text("in the way")
    monkeypatch.setenv("MODELLENS_HOME", str(settings.home / "file" / "home"))
    monkeypatch.setenv("MODELLENS_ENCODER", "hashing")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    result = CliRunner().invoke(app, [command])
    assert result.exit_code == {"run": 2, "doctor": 1}[command]
    assert "set MODELLENS_HOME" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("port", ["99999999", "65536", "0", "-1"])
def test_a_port_that_there_is_not_is_refused(settings, monkeypatch, port):
    monkeypatch.setenv("MODELLENS_HOME", str(settings.home))
    started = []
    monkeypatch.setattr(os, "execv", lambda *command: started.append(command))
    monkeypatch.chdir(settings.home)  # the command leaves it
    result = CliRunner().invoke(app, ["dev", f"--port={port}"])
    assert result.exit_code == 2
    assert "--port" in result.stderr
    assert re.search(r"than or equal to (1|65535)\b", result.stderr)
    assert not started


def test_an_env_file_in_another_encoding_is_one_clear_line(tmp_path, monkeypatch):
    (tmp_path / ".env").write_bytes("MODELLENS_HOME=größer".encode("latin-1"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"\.env is not UTF-8"):
        load_settings()
