"""Runs the loopback Hub: in a thread for tests, or around a command that should talk to it.

The port is a free one on 127.0.0.1; the child command finds it in `HF_ENDPOINT`. Signals reach the
child once, and its exit code is returned. What is served is the caller's choice.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

import uvicorn

from tests.fakes.hub.app import HubApp, RequestLog
from tests.fakes.hub.faults import Faults, RateLimit
from tests.fakes.hub.repository import Repository

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class RunningHub:
    """A Hub that answers at `endpoint`."""

    endpoint: str
    repository: Repository
    faults: Faults
    log: RequestLog


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: they belong to whoever runs the thread."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def running_hub(
    repository: Repository, quota: Mapping[str, int] | None = None, window: int = 300
) -> Iterator[RunningHub]:
    """Serve a repository on a free loopback port for as long as the context is open.

    Args:
        repository: what to serve; may change meanwhile.
        quota: requests per window and bucket ("api", "resolvers"); unlimited where not given.
        window: seconds of a rate-limit window.

    Yields:
        The endpoint, the fault planner and the log of requests.
    """
    faults, log = Faults(), RequestLog()
    app = HubApp(repository, faults, RateLimit(quota or {}, window), log)
    listening = socket.create_server((LOOPBACK, 0))
    # Planned failures would fill the log with tracebacks.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1
    )
    server = _Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield RunningHub(f"http://{LOOPBACK}:{listening.getsockname()[1]}", repository, faults, log)
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listening.close()


def child_environment(endpoint: str) -> dict[str, str]:
    """The environment of a command that talks to this Hub and to no other."""
    around = os.environ.get("NO_PROXY", "")
    direct = ",".join(filter(None, (around, LOOPBACK)))
    return {
        **os.environ, "HF_ENDPOINT": endpoint, "HF_HUB_DISABLE_TELEMETRY": "1",
        "NO_PROXY": direct, "no_proxy": direct,
    }  # fmt: skip


def run_command(endpoint: str, command: Sequence[str]) -> int:
    """Run a command against the Hub.

    Returns:
        Its exit code; 128 + n if signal n ended it.
    """
    child = subprocess.Popen(list(command), env=child_environment(endpoint))

    def forward(number: int, _frame: FrameType | None) -> None:
        # A terminal sends Ctrl-C to the whole foreground group: the child has it already.
        from_terminal = sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
        if not (number == signal.SIGINT and from_terminal):
            child.send_signal(number)

    before = {n: signal.signal(n, forward) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        code = child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 128 - code if code < 0 else code
