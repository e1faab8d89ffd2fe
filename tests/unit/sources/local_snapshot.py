"""Where the tests of file-based sources find a snapshot: a small written one, or the real one beside us."""

import os
from pathlib import Path

import pytest

from modellens_core.config import Profile, Settings


def settings_for(folder: Path) -> Settings:
    return Settings(profile=Profile.SNAPSHOT, snapshot_dir=folder)


def real_snapshot(part: str) -> Path:
    """The folder of the real snapshot; skips the test where there is none."""
    beside = Path(__file__).resolve().parents[4] / "shared/data"
    folder = Path(os.environ.get("REAL_RECORDS_DIR", beside))
    if not (folder / part).is_dir():
        pytest.skip(f"no real snapshot with {part}/; set REAL_RECORDS_DIR to run this")
    return folder
