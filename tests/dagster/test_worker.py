"""The training worker as a process: it ends with whoever started it, and Ctrl-C stops all of it."""

import os
import signal
import sys
import time

import pytest
import yaml

from modellens_core.training.config import CONFIG_DIR
from tests.fakes.world import make_world
from tests.processes import process_groups
from tests.unit.training.lakes import parts_by_family, write_lake

ENDLESS = {"max_epochs": 100_000, "patience": 100_000}
STARTER = """
import os, subprocess, sys
subprocess.run([sys.executable, "-m", "pipelines.worker", "--parent", str(os.getpid()), *sys.argv[1:]])
"""


@pytest.fixture(scope="module")
def arguments(tmp_path_factory):
    """Arguments of a worker that would train for hours."""
    folder = tmp_path_factory.mktemp("worker")
    features, rows = make_world(n_models=15, n_datasets=12).arrays()
    write_lake(folder / "lake", features, rows, parts_by_family(rows))
    recipe = yaml.safe_load((CONFIG_DIR / "default.yaml").read_text("utf-8"))
    (folder / "endless.yaml").write_text(yaml.safe_dump({**recipe, **ENDLESS}), "utf-8")
    return [
        "--lake", str(folder / "lake"), "--protocol", "planted", "--seeds", "0",
        "--config", str(folder / "endless.yaml"),
    ]  # fmt: skip


@pytest.fixture
def training(arguments, tmp_path):
    """Start a command with the worker's arguments; returns it when its child is training."""
    with process_groups() as start_process:

        def start(*command):
            process = start_process([sys.executable, *command, *arguments, "--out", str(tmp_path)])
            deadline = time.monotonic() + 60
            while not (tmp_path / "seed-0/checkpoint/last.safetensors").exists():
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < deadline
                time.sleep(0.05)
            return process

        yield start


def printed_by_all(process):
    """What was printed, once nobody is left to print: every process below holds the same pipe."""
    return process.communicate(timeout=10)[0]


def test_a_killed_starter_takes_the_worker_and_its_children_along(training):
    starter = training("-c", STARTER)
    starter.kill()
    printed_by_all(starter)


def test_ctrl_c_stops_the_worker_and_its_children_without_a_traceback(training):
    worker = training("-m", "pipelines.worker")
    # A terminal sends it to the whole group, and Dagster once more to the worker.
    os.killpg(worker.pid, signal.SIGINT)
    worker.send_signal(signal.SIGINT)
    printed = printed_by_all(worker)
    assert worker.returncode == 130
    assert "Traceback" not in printed
