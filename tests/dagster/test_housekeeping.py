"""A run begins by clearing away what killed runs left and what nothing reads, and nothing else."""

import os
import time
from pathlib import Path

import pyarrow as pa
import pytest

from modellens_core.config import load_settings
from modellens_core.store.lake import Lake, atomic_path
from pipelines.housekeeping import clear_away


@pytest.fixture
def settings(tmp_path):
    return load_settings(profile="quickstart", home=tmp_path, seeds="0,2")


def paths(folder):
    return {str(p.relative_to(folder)) for p in folder.rglob("*")}


def half_written(path: Path):
    """What a writer leaves that is killed: its temporary file, under the name it really has."""
    with atomic_path(path) as tmp:
        tmp.write_text("half")
        name = tmp
    path.rename(name)
    return name


def test_nothing_to_clear_away_in_a_new_home(settings):
    assert clear_away(settings) == []
    assert not settings.home.exists() or list(settings.home.iterdir()) == []


def test_what_killed_writers_left_goes_and_what_is_whole_stays(settings):
    lake = Lake(settings.lake_dir)
    lake.write("corpus/records", pa.table({"a": [1]}))
    (settings.bundle_dir / "20260101-000000-abcd").mkdir(parents=True)
    (settings.bundle_dir / "LATEST").write_text("20260101-000000-abcd")
    settings.dagster_dir.mkdir()
    whole = paths(settings.home)
    half_written(lake.path("corpus/records").with_name("models.parquet"))
    half_written(settings.report_dir / "report.md")
    half = half_written(settings.database_path)
    half.with_name(f"{half.name}.wal").write_text("")
    draft = settings.bundle_dir / ".0a1b2c3d.tmp"
    spill = lake.root / ".spill-0a1b2c3d.tmp"
    for folder in (draft, spill):
        folder.mkdir()
        (folder / "content").write_text("half")
    clear_away(settings)
    settings.report_dir.rmdir()
    assert paths(settings.home) == whole


def test_the_cache_that_profiles_share_is_swept_only_of_what_is_old(settings):
    fresh = half_written(settings.cache_dir / "vectors" / "new.npy")
    old = half_written(settings.cache_dir / "vectors" / "old.npy")
    yesterday = time.time() - 90_000
    os.utime(old, (yesterday, yesterday))
    assert clear_away(settings) == [old]
    assert fresh.exists()


def test_rankers_of_seeds_that_are_not_configured_go(settings):
    training = settings.lake_dir / "training"
    for name in (
        "completion/seed-0",
        "completion/seed-1",
        "completion/seed-2",
        "production/seed-2",
    ):
        (training / name).mkdir(parents=True)
    clear_away(settings)
    assert {p for p in paths(training) if "seed" in p} == {"completion/seed-0", "completion/seed-2"}


def test_staged_rows_of_a_source_that_is_no_longer_read_go(settings):
    lake = Lake(settings.lake_dir)
    for name in ("staging/hub_gold/reports", "staging/gone/reports", "raw/gone/files"):
        lake.write(name, pa.table({"a": [1]}))
    clear_away(settings)
    assert lake.tables() == ["raw/gone/files", "staging/hub_gold/reports"]
