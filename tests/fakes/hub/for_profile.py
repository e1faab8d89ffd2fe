"""Runs a command with what its profile needs: `python -m tests.fakes.hub.for_profile COMMAND...`.

Profile snapshot reads the Hub's cards through the genuine client, from a local Hub around the command; other
profiles need nothing. The Makefile asks here, so that a profile counts wherever it was set: on make's
command line, in the environment, or in `.env`. What is wrong with the settings is for the command to say.
"""

import os
import sys
from pathlib import Path

from modellens_core.config import Profile, load_settings
from modellens_core.errors import ModelLensError


def snapshot_folder() -> Path | None:
    """The folder that a local Hub should serve, None if the profile needs none or has none."""
    try:
        settings = load_settings()
    except ModelLensError:
        return None
    folder = settings.snapshot_dir
    wanted = settings.profile is Profile.SNAPSHOT and folder is not None and folder.is_dir()
    return folder if wanted else None


def main(command: list[str]) -> int:
    """Run the command; its exit code."""
    folder = snapshot_folder()
    if folder is None:
        os.execvp(command[0], command)
    # Imported late: the other profiles wait for no web server.
    from tests.fakes.hub.__main__ import main as run_hub

    return run_hub(["--snapshot", str(folder), "--", *command])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
