"""The suite's own walls: no variable, no `.env` and no network of the machine it runs on."""

import os
import socket
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from modellens_core.config import load_settings
from pipelines.environment import QUIET
from tests.conftest import FOREIGN

ELSEWHERE = ("192.0.2.1", 9)  # an address reserved for documentation


def reach_elsewhere():
    with socket.socket() as outgoing:
        outgoing.connect(ELSEWHERE)


@pytest.mark.parametrize("reach", [reach_elsewhere, lambda: socket.getaddrinfo("example.org", 443)])
def test_nothing_outside_this_machine_is_reached(refused, reach):
    with pytest.raises(RuntimeError, match="loopback only"):
        reach()
    assert len(refused()) == 1


def test_loopback_is_open():
    with socket.create_server(("127.0.0.1", 0)) as server:
        for host in ("127.0.0.1", "localhost"):
            socket.create_connection((host, server.getsockname()[1])).close()


def test_processes_of_a_test_are_walled_in_as_well(refused):
    code = f"import socket; socket.socket().connect({ELSEWHERE!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "tests reach loopback only" in done.stderr
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        error = pool.submit(reach_elsewhere).exception(timeout=60)
    assert "loopback only" in str(error)
    assert len(refused()) == 2


def test_no_settings_of_the_developer_come_in():
    assert {name for name in os.environ if name.startswith(FOREIGN)} <= set(QUIET)
    assert not Path(".env").exists()
    assert load_settings().home == Path(".modellens")
