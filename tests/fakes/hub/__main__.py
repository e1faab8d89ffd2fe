"""`python -m tests.fakes.hub --snapshot DIR -- COMMAND...`: a Hub around a command, or until Ctrl-C."""

import argparse
import contextlib
import signal
import sys
from pathlib import Path

from tests.fakes.hub.serve import run_command, running_hub
from tests.fakes.hub.snapshot import snapshot_repository
from tests.fakes.hub.world import world_repository


def main(arguments: list[str]) -> int:
    """Serve what the arguments name; the command's exit code, or 0 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.hub", description=__doc__)
    origin = parser.add_mutually_exclusive_group(required=True)
    origin.add_argument("--snapshot", type=Path, metavar="DIR", help="folder with the real records")
    origin.add_argument("--world", action="store_true", help="the small planted world")
    parser.add_argument("command", nargs="*", help="after --: what to run against this Hub")
    options = parser.parse_args(arguments)
    if options.world:
        repository = world_repository()
    elif (options.snapshot / "hub").is_dir():
        repository = snapshot_repository(options.snapshot)
    else:
        parser.error(
            f"{options.snapshot} has no folder hub/: give the folder with the real records"
        )
    with running_hub(repository) as hub:
        served = len(repository.all("model"))
        print(f"loopback Hub: {served:,} models at {hub.endpoint}", file=sys.stderr, flush=True)  # noqa: T201
        if options.command:
            return run_command(hub.endpoint, options.command)
        print(hub.endpoint, flush=True)  # noqa: T201
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
