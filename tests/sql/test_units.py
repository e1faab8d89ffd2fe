"""Percent or proportion: decided by evidence, case by case, from a golden file."""

import itertools
import json
from pathlib import Path

import pytest

from modellens_core.schema import Tier, Unit
from tests.sql.lakes import corpus_of, report, rows

CASES = json.loads((Path(__file__).parents[1] / "golden/corpus/units.json").read_text("utf-8"))[
    "cases"
]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """All cases in one corpus: each has a source, a dataset and authors of its own."""
    items = [
        report(
            source=f"source-{c}", tier=Tier(case["tier"]), raw_model=f"org{c}/m{i}",
            raw_dataset=f"case{c}-set", raw_metric=case["metric"], value=value,
            unit=Unit(unit) if unit else None,
        )
        for c, case in enumerate(CASES)
        for i, (value, unit) in enumerate(
            itertools.zip_longest(case["values"], case.get("units", ()))
        )
    ]  # fmt: skip
    lake = corpus_of(tmp_path_factory.mktemp("units"), *items)
    return {r["raw_model"]: r for r in rows(lake, "reports")}, rows(lake, "records")


@pytest.mark.parametrize("number", range(len(CASES)), ids=[c["name"] for c in CASES])
def test_unit(found, number):
    reports, records = found
    case = CASES[number]
    read = [reports[f"org{number}/m{i}"] for i in range(len(case["values"]))]
    assert [[r["score"], r["unit"]] for r in read] == [
        [score if score is None else pytest.approx(score), unit] for score, unit in case["read"]
    ]
    decided = {r["report_id"] for r in read if r["score"] is not None}
    ids = {r["report_id"] for r in read}
    assert {r["report_id"] for r in records if r["report_id"] in ids} == decided


def test_an_authors_own_convention_decides_where_the_dataset_cannot(tmp_path):
    """One card with three scores below 1 writes proportions, whatever others write about its datasets."""
    lake = corpus_of(
        tmp_path,
        *(report(raw_dataset=f"set-{i}", value=v) for i, v in enumerate((0.91, 0.8, 0.7))),
        *(report(raw_model="o/other", raw_dataset=f"set-{i}", value=88.0) for i in range(3)),
    )
    scores = [r["score"] for r in rows(lake, "records") if r["model_id"] == "org/bert"]
    assert sorted(scores) == [0.7, 0.8, 0.91]


def test_undecided_units_are_counted_per_source(tmp_path):
    lake = corpus_of(tmp_path, report(value=0.5), report(value=50.0, raw_model="o/x"))
    (source,) = rows(lake, "sources")
    assert (source["n_reports"], source["n_records"], source["n_undecided_unit"]) == (2, 1, 1)
