"""A disk that is full, read-only or damaged is one clear line, never a traceback."""

import errno
import json
import os
import subprocess
import sys

import dagster as dg
import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.environment import make_state, prepare
from pipelines.storage import StorageError, clear_disk_errors

# No file of this process may hold a single byte: what a full disk does, but for the error's name.
FULL = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); from pipelines.cli import app; app()"


@pytest.fixture
def home(settings, monkeypatch):
    """A home in which something ran once."""
    monkeypatch.setenv("MODELLENS_HOME", str(settings.home))
    monkeypatch.setenv("MODELLENS_ENCODER", "hashing")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    prepare(settings)
    make_state(settings)
    with dg.DagsterInstance.get():
        pass  # makes its records
    return settings.home


def modellens(*arguments):
    return subprocess.run(
        [sys.executable, "-c", FULL, *arguments], capture_output=True, text=True, check=False
    )


def test_a_run_on_a_full_disk_is_one_clear_line(home):
    done = modellens("run")
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("error:")
    assert "free space" in line
    assert str(home) in line


def test_status_on_a_full_disk_shows_what_can_be_read(home):
    done = modellens("status", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["state"] == "unknown"
    assert found["last_run"] is None
    assert "free space" in found["last_run_problem"]
    assert "free space" in modellens("status").stdout


def test_records_that_are_no_database_are_named(home, settings):
    (settings.dagster_dir / "history" / "runs.db").write_bytes(b"garbage" * 1000)
    result = CliRunner().invoke(app, ["run"])
    assert result.exit_code == 2, result.output
    assert "move that folder away" in result.stderr
    assert str(settings.dagster_dir) in result.stderr


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_the_systems_own_errors_are_explained(settings, number):
    says = f"somewhere.*{os.strerror(number)}.*MODELLENS_HOME"
    with pytest.raises(StorageError, match=says), clear_disk_errors(settings):
        raise OSError(number, os.strerror(number), "/somewhere")


@pytest.mark.parametrize("error", [FileNotFoundError(errno.ENOENT, "no"), ValueError("a mistake")])
def test_mistakes_of_ours_are_not_taken_for_the_disks(settings, error):
    with pytest.raises(type(error)), clear_disk_errors(settings):
        raise error
