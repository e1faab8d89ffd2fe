import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modellens_core.progress import silent
from modellens_core.schema import (
    DatasetFact,
    ModelFact,
    Reject,
    Report,
    ReportedBy,
    Tier,
    canonical_setting,
    staging_tables,
)
from modellens_core.sources.base import SourceState
from modellens_core.sources.papers_with_code import (
    FILES,
    clean_description,
    collect_papers_with_code,
    full_name,
    parse_papers_with_code,
)
from tests.unit.sources.local_snapshot import real_snapshot, settings_for

GOLDEN = json.loads(
    (Path(__file__).parents[2] / "golden/papers_with_code/tree.json").read_text("utf-8")
)


def write_tree(folder: Path, tree) -> Path:
    path = folder / FILES["tables"].path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(json.dumps(tree).encode(), mtime=0))
    return path


@pytest.fixture
def folder(tmp_path):
    write_tree(tmp_path, GOLDEN["tables"])
    pq.write_table(pa.Table.from_pylist(GOLDEN["datasets"]), tmp_path / FILES["datasets"].path)
    return tmp_path


def collect(folder, previous=None):
    return collect_papers_with_code(settings_for(folder), previous or {}, silent)


@pytest.fixture
def items(folder):
    got = collect(folder)
    assert {s.state for s in got.statuses} == {SourceState.OK}
    return list(parse_papers_with_code(got.tables))


def kind(items, wanted):
    return [i for i in items if isinstance(i, wanted)]


def test_golden_reports(items):
    reports = kind(items, Report)
    assert [
        [
            r.raw_model, r.raw_dataset, r.raw_metric, r.raw_value, r.value, r.unit,
            r.evaluated_at.isoformat(), json.loads(canonical_setting(r.setting)),
        ]
        for r in reports
    ] == GOLDEN["reports"]  # fmt: skip
    assert {(r.source, r.tier, r.raw_task, r.reported_by, r.lower_is_better) for r in reports} == {
        ("papers_with_code", Tier.ARCHIVE, "Dependency Parsing", ReportedBy.UNKNOWN, None)
    }
    assert {r.source_url for r in reports} == {"https://example.org/a", "https://example.org/b"}


def test_golden_rejects(items):
    assert [[r.where, r.reason, r.raw] for r in kind(items, Reject)] == GOLDEN["rejects"]


def test_the_first_paper_introduces_a_model(items):
    facts = [
        {k: getattr(f, k) for k in GOLDEN["models"][0]} | {"released_at": f.released_at.isoformat()}
        for f in kind(items, ModelFact)
    ]
    assert facts == GOLDEN["models"]


def test_datasets_and_the_variants_that_are_used_are_described(items):
    assert [
        [f.raw_dataset, f.raw_task, f.description, list(f.languages), f.modality, f.url]
        for f in kind(items, DatasetFact)
    ] == GOLDEN["dataset_facts"]


def test_the_raw_table_keeps_each_leaderboard_as_it_was(folder):
    table = collect(folder).tables["tables"].to_pylist()
    assert [(r["task_path"], r["parent_dataset"], r["dataset"]) for r in table] == [
        ("Parsing / Dependency Parsing", None, "Treebank"),
        ("Parsing / Dependency Parsing", "Treebank", "Dev"),
    ]
    written = GOLDEN["tables"][0]["subtasks"][0]["datasets"][0]
    kept = json.loads(table[0]["json"])
    assert kept == {k: v for k, v in written.items() if k != "subdatasets"}


def damaged(folder: Path, damage: str) -> None:
    path = folder / FILES["tables"].path
    whole = path.read_bytes()
    match damage:
        case "cut short":
            path.write_bytes(whole[: len(whole) // 2])
        case "not gzip":
            path.write_bytes(b"<html>moved</html>")
        case "flipped bits":
            path.write_bytes(whole[:40] + bytes(b ^ 0xFF for b in whole[40:60]) + whole[60:])
        case "bad JSON":
            path.write_bytes(gzip.compress(b'[{"task": "x", '))
        case "other JSON":
            write_tree(folder, {"task": "x"})
        case "no task name":
            write_tree(folder, [{"datasets": []}])


@pytest.mark.parametrize(
    "damage", ["cut short", "not gzip", "flipped bits", "bad JSON", "other JSON", "no task name"]
)
def test_a_damaged_archive_is_reported_and_the_last_good_one_stays(folder, damage):
    good = collect(folder)
    damaged(folder, damage)
    got = collect(folder, good.tables)
    status, other = got.statuses
    assert (status.state, other.state) == (SourceState.CORRUPT, SourceState.OK)
    assert FILES["tables"].path.rpartition("/")[2] in status.detail
    assert "\n" not in status.detail
    assert got.tables["tables"].equals(good.tables["tables"])
    assert collect(folder).tables["tables"].num_rows == 0


@pytest.mark.parametrize(
    ("parent", "name", "full"),
    [
        (None, "SST-2", "SST-2"),
        ("GLUE", "SST-2", "GLUE SST-2"),
        ("GLUE", "GLUE SST-2", "GLUE SST-2"),
    ],
)
def test_full_name(parent, name, full):
    assert full_name(parent, name) == full


@pytest.mark.parametrize("text", [None, "", "Source: [x](y)", "  \r\n"])
def test_a_description_without_prose_is_none(text):
    assert clean_description(text) is None


def test_the_real_archive_is_read_completely():
    folder = real_snapshot("papers_with_code")
    got = collect(folder)
    assert {s.state for s in got.statuses} == {SourceState.OK}
    staged = staging_tables(parse_papers_with_code(got.tables))
    assert {name: t.num_rows for name, t in staged.items()} == {
        "reports": 23_319, "models": 6_704, "datasets": 7_168, "rejects": 757,
    }  # fmt: skip
