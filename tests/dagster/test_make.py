"""`make run` runs the profile that was asked for: on its command line, in the environment, or in `.env`."""

import gzip
import shutil
import subprocess
import sys
import tarfile

import pytest

from pipelines.environment import PROJECT_ROOT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")

# Stands in for the command line: says what it was given, after the check that the real one makes.
MODELLENS = f"""#!{sys.executable}
import sys
from modellens_core.config import load_settings, require_sources
from modellens_core.errors import ModelLensError
try:
    settings = load_settings()
    require_sources(settings)
except ModelLensError as error:
    sys.exit(f"error: {{error}}")
print(settings.profile, settings.hub_endpoint)
"""


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Run a target of the project's Makefile in a folder with a `.venv` that needs no installation."""
    shutil.copy(PROJECT_ROOT / "Makefile", tmp_path)
    bin_folder = tmp_path / ".venv" / "bin"
    bin_folder.mkdir(parents=True)
    python = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'  # a link would not find its packages
    for name, text in (("python", python), ("modellens", MODELLENS)):
        (bin_folder / name).write_text(text)
        (bin_folder / name).chmod(0o755)
    monkeypatch.delenv("PROFILE", raising=False)

    def run(*arguments, env_file="", target="run"):
        (tmp_path / ".env").write_text(env_file)
        return subprocess.run(
            ["make", "-s", "-o", ".venv/.installed", target, *arguments],
            cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return run


def write_empty_snapshot(folder):
    """What the local Hub reads, with no model in it."""
    hub = folder / "hub"
    hub.mkdir(parents=True)
    for name in ("models-2022-02-21.jsonl.gz", "llm-manifests-2024-05.jsonl.gz"):
        gzip.open(hub / name, "wt").close()
    for name in ("cards.tar.xz", "eval_results_examples.tar.xz"):
        tarfile.open(hub / name, "w:xz").close()


def test_a_profile_in_the_env_file_holds(make):
    assert make(env_file="MODELLENS_PROFILE=full\n").stdout.split()[0] == "full"
    assert make().stdout.split()[0] == "quickstart"


def test_the_command_line_and_the_environment_come_before_the_env_file(make, monkeypatch):
    monkeypatch.setenv("MODELLENS_PROFILE", "full")
    assert make(env_file="MODELLENS_PROFILE=snapshot\n").stdout.split()[0] == "full"
    assert make("PROFILE=quickstart").stdout.split()[0] == "quickstart"


def test_profile_snapshot_without_its_folder_says_what_it_needs(make, tmp_path):
    for arguments, env_file in ((["PROFILE=snapshot"], ""), ([], "MODELLENS_PROFILE=snapshot\n")):
        result = make(*arguments, env_file=env_file)
        assert "error: profile snapshot needs MODELLENS_SNAPSHOT_DIR" in result.stderr
        assert "Traceback" not in result.stderr
    result = make("PROFILE=snapshot", f"MODELLENS_SNAPSHOT_DIR={tmp_path / 'absent'}")
    assert "is not a folder" in result.stderr


def test_profile_snapshot_gets_a_local_hub_wherever_it_was_asked_for(make, tmp_path):
    snapshot = tmp_path / "snapshot"
    write_empty_snapshot(snapshot)
    for arguments, env_file in (
        (["PROFILE=snapshot", f"MODELLENS_SNAPSHOT_DIR={snapshot}"], ""),
        ([], f"MODELLENS_PROFILE=snapshot\nMODELLENS_SNAPSHOT_DIR={snapshot}\n"),
    ):
        result = make(*arguments, env_file=env_file)
        assert result.returncode == 0, result.stderr
        assert result.stdout.startswith("snapshot http://127.0.0.1:")


def test_a_wrong_profile_is_named_by_the_command_itself(make):
    result = make(env_file="MODELLENS_PROFILE=quickest\n")
    assert "error: setting MODELLENS_PROFILE is not usable" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_hub_bench_without_its_folder_says_what_it_needs(make, monkeypatch):
    monkeypatch.delenv("MODELLENS_SNAPSHOT_DIR", raising=False)
    result = make(target="bench-hub")
    assert result.returncode == 2
    assert result.stderr.startswith("error: bench-hub needs MODELLENS_SNAPSHOT_DIR")
    assert "usage" not in result.stderr
