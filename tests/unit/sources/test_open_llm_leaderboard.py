import json
import math
from collections import Counter
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modellens_core.config import Profile, Settings
from modellens_core.progress import silent
from modellens_core.schema import ModelFact, Reject, Report, canonical_setting, staging_tables
from modellens_core.sources.base import SourceState
from modellens_core.sources.open_llm_leaderboard import (
    FILES,
    collect_open_llm_leaderboard,
    parse_open_llm_leaderboard,
)
from tests.unit.sources.local_snapshot import real_snapshot, settings_for

GOLDEN = Path(__file__).parents[2] / "golden/open_llm_leaderboard"
EDITIONS = {name: json.loads((GOLDEN / f"{name}.json").read_text("utf-8")) for name in ("v1", "v2")}


def write(folder: Path, edition: str, rows) -> Path:
    path = folder / FILES[edition].path
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def collect(folder: Path, previous=None):
    return collect_open_llm_leaderboard(settings_for(folder), previous or {}, silent)


@pytest.fixture
def folder(tmp_path):
    for edition, golden in EDITIONS.items():
        write(tmp_path, edition, golden["rows"])
    return tmp_path


def items_of(got, edition, kind):
    return [
        i for i in parse_open_llm_leaderboard({edition: got.tables[edition]}) if isinstance(i, kind)
    ]


@pytest.mark.parametrize("edition", EDITIONS)
def test_golden(folder, edition):
    golden, got = EDITIONS[edition], collect(folder)
    assert [s.state for s in got.statuses] == [SourceState.OK, SourceState.OK]
    reports = items_of(got, edition, Report)
    said = [
        [
            r.raw_model, r.raw_dataset, r.raw_metric, r.raw_value, r.setting["model.precision"],
            json.loads(canonical_setting(r.setting))["shots"],
        ]
        for r in reports
    ]  # fmt: skip
    assert said == golden["reports"]
    for r in reports:
        assert {k: getattr(r, k) for k in golden["shared"]} == golden["shared"]
        assert r.value == float(r.raw_value)
        assert r.setting["protocol"] == r.source
        assert r.source_url.endswith("/contents")
        assert len(r.source_revision) == 64
    dates = [None if d is None else date.fromisoformat(d) for d in golden["evaluated_at"]]
    assert sorted({r.evaluated_at for r in reports}, key=str) == dates
    for fact, expected in zip(items_of(got, edition, ModelFact), golden["models"], strict=True):
        row = {k: getattr(fact, k) for k in expected}
        row["tags"] = list(row["tags"])
        row["released_at"] = row["released_at"] and row["released_at"].isoformat()
        assert row == expected
    assert Counter(r.reason for r in items_of(got, edition, Reject)) == golden["rejects"]


def test_the_raw_tables_are_the_files_with_a_stamp(folder):
    table = collect(folder).tables["v2"]
    assert (
        table.drop_columns(["_file", "_sha256", "_retrieved_at"]).to_pylist()
        == EDITIONS["v2"]["rows"]
    )
    assert set(table["_file"].to_pylist()) == {FILES["v2"].path}


def test_reading_twice_gives_the_same(folder):
    first, second = collect(folder), collect(folder)
    assert all(first.tables[name].equals(second.tables[name]) for name in FILES)
    staged = [staging_tables(parse_open_llm_leaderboard(got.tables)) for got in (first, second)]
    assert all(staged[0][name].equals(staged[1][name]) for name in staged[0])


@pytest.mark.parametrize("column", ["GPQA Raw", "fullname"])
def test_a_renamed_column_is_named_and_the_last_good_table_stays(folder, column):
    good = collect(folder)
    rows = [
        {("renamed" if k == column else k): v for k, v in r.items()} for r in EDITIONS["v2"]["rows"]
    ]
    write(folder, "v2", rows)
    got = collect(folder, good.tables)
    status = {s.part: s for s in got.statuses}[FILES["v2"].path]
    assert status.state is SourceState.CORRUPT
    assert repr(column) in status.detail
    assert FILES["v2"].path in status.detail
    assert "last good copy stays" in status.detail
    assert got.tables["v2"].equals(good.tables["v2"])


def test_a_lost_fact_column_costs_only_what_it_says(folder):
    rows = [{k: v for k, v in r.items() if k != "Merged"} for r in EDITIONS["v2"]["rows"]]
    write(folder, "v2", rows)
    got = collect(folder)
    status = {s.part: s for s in got.statuses}[FILES["v2"].path]
    assert (status.state, "'Merged'" in status.detail) == (SourceState.PARTIAL, True)
    assert len(items_of(got, "v2", Report)) == len(EDITIONS["v2"]["reports"])


def test_a_file_cut_short_is_corrupt_and_the_other_is_read(folder):
    path = folder / FILES["v1"].path
    path.write_bytes(path.read_bytes()[:-100])
    got = collect(folder)
    assert [s.state for s in got.statuses] == [SourceState.CORRUPT, SourceState.OK]
    assert got.tables["v1"].num_rows == 0
    assert got.tables["v2"].num_rows == 2
    assert not items_of(got, "v1", Report)


def test_missing_files_and_a_missing_setting_are_told_apart(tmp_path):
    for settings, hint in (
        (settings_for(tmp_path), "there is no open_llm_leaderboard/contents"),
        (Settings(profile=Profile.FULL, snapshot_dir=None), "set MODELLENS_SNAPSHOT_DIR"),
    ):
        got = collect_open_llm_leaderboard(settings, {}, silent)
        assert {s.state for s in got.statuses} == {SourceState.UNREACHABLE}
        assert all(hint in s.detail for s in got.statuses)
        assert set(got.tables) == {"v1", "v2"}
        assert list(parse_open_llm_leaderboard(got.tables)) == []


def test_a_value_that_is_no_number_is_refused(folder):
    rows = [{**EDITIONS["v2"]["rows"][0], "BBH Raw": math.nan}]
    write(folder, "v2", rows)
    got = collect(folder)
    assert len(items_of(got, "v2", Report)) == 5
    assert "missing_value" in {r.reason for r in items_of(got, "v2", Reject)}


def test_the_real_tables_are_read_completely():
    folder = real_snapshot("open_llm_leaderboard")
    got = collect(folder)
    assert {s.state for s in got.statuses} == {SourceState.OK}
    staged = staging_tables(parse_open_llm_leaderboard(got.tables))
    counted = Counter(staged["reports"]["source"].to_pylist())
    assert counted["open_llm_leaderboard_v2"] == 6 * 3827
    assert counted["open_llm_leaderboard_v1"] > 34_000
    reasons = Counter(staged["rejects"]["reason"].to_pylist())
    assert reasons == {"missing_value": 72, "rescaled_copy": 6, "aggregate": 2}
