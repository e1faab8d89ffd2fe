"""The profile's lock: one run at a time, and whether a run is at work.

Held by the operating system, so a killed run holds nothing. Who takes it belongs in `runner.py`.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from modellens_core.config import Settings
from modellens_core.errors import ModelLensError

# Longer than `is_held` takes to look, so that a look never turns a run away.
PATIENCE_SECONDS = 0.5


def _path(settings: Settings) -> Path:
    return settings.state_dir / "run.lock"


@contextmanager
def only_one(settings: Settings) -> Iterator[None]:
    """Hold the profile's lock. Its state folder must exist.

    Raises:
        ModelLensError: another run holds it.
    """
    lock = FileLock(_path(settings))
    try:
        lock.acquire(timeout=PATIENCE_SECONDS)
    except Timeout:
        raise ModelLensError(
            f"another run of profile {settings.profile.value} is at work ({_path(settings)}); "
            "wait for it to end"
        ) from None
    try:
        yield
    finally:
        lock.release()


def is_held(settings: Settings) -> bool:
    """Whether a run of this profile is at work now. Needs only to read, and leaves no file behind."""
    if not _path(settings).exists():
        return False
    with _path(settings).open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # what FileLock takes on Unix
        except BlockingIOError:
            return True
    return False
