"""A run that is interrupted, then killed, then left alone comes to what an undisturbed run comes to."""

import signal
import sys
import time
from dataclasses import replace

import pytest

from modellens_core.store.lake import Lake, file_sha256, unfinished
from pipelines.environment import environment_of
from tests.integration.conftest import apply
from tests.processes import process_groups

pytestmark = pytest.mark.slow


@pytest.fixture
def fresh(site, tmp_path, monkeypatch):
    """The site's servers with a state of its own in which nothing was built."""
    settings = site.settings.model_copy(update={"home": tmp_path / "home"})
    environment = {**site.environment, **environment_of(settings)}
    apply(monkeypatch, environment, site.wheel)
    return replace(site, settings=settings, environment=environment)


@pytest.fixture
def run(fresh):
    """Start `modellens run` as a process; whatever is left of it ends with the test."""
    with process_groups() as start_process:
        launch = [sys.executable, "-m", "tests.integration.launch", fresh.wheel.model_dump_json()]
        yield lambda: start_process([*launch, "run"])


def checkpoints(site):
    """When each running training last finished an epoch."""
    found = site.settings.lake_dir.glob("training/*/seed-0/checkpoint/last.safetensors")
    return {path: path.stat().st_mtime_ns for path in found}


def wait_for_training(site, process):
    """Return when an epoch has been finished."""
    before, deadline = checkpoints(site), time.monotonic() + 240
    while checkpoints(site) in ({}, before):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def end_of(process):
    """What was printed, once the run and all its children have ended: they hold the same pipe."""
    return process.communicate(timeout=15)[0]


def records(site):
    """The corpus, without the time at which the sources were read."""
    table = Lake(site.settings.lake_dir).read("corpus/records").drop_columns("retrieved_at")
    return table.sort_by("record_id").to_pylist()


def rankers(site):
    """Hash of every trained ranker."""
    folder = site.settings.lake_dir / "training"
    found = folder.glob("*/seed-*/ranker.safetensors")
    return {str(path.relative_to(folder)): file_sha256(path) for path in found}


def test_interrupted_and_killed_runs_lose_nothing_and_change_nothing(site, fresh, run):
    interrupted = run()
    wait_for_training(fresh, interrupted)
    interrupted.send_signal(signal.SIGINT)
    printed = end_of(interrupted)
    assert interrupted.returncode == 130, printed
    assert "nothing finished is lost" in printed
    assert "Traceback" not in printed
    assert "- ranker_" in printed

    killed = run()
    wait_for_training(fresh, killed)
    killed.kill()
    printed = end_of(killed)
    assert "corpus_records" not in printed  # what the first run finished was not built again

    last = run()
    printed = last.communicate(timeout=300)[0]
    assert last.returncode == 0, printed
    assert records(fresh) == records(site)
    assert rankers(fresh) == rankers(site)
    assert list(unfinished(fresh.settings.state_dir)) == []
