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


def card(repository, *scores):
    """One document's scores, each (dataset, metric, value), of the repository's own model."""
    return [
        report(
            raw_model=repository, raw_dataset=dataset, raw_metric=metric, value=value,
            source_url=f"https://example.org/{repository}",
        )
        for dataset, metric, value in scores
    ]  # fmt: skip


DOCUMENTS = {
    "three scores below 1 in one card are proportions, whatever others write about its datasets": (
        card("o/m", ("a", "accuracy", 0.91), ("a", "f1", 0.8), ("b", "recall", 0.7)),
        [0.91, 0.8, 0.7],
    ),
    "a value of at most 1 in a table in percent may be either": (
        [
            report(raw_model=f"o/{i}", value=value, source_url="https://example.org/table")
            for i, value in enumerate((0.9, 45.0, 67.0))
        ],
        [None, 0.45, 0.67],
    ),
    "one metric in proportions beside another in percent": (
        card(
            "o/m",
            *((f"news-{i}", "chrf", v) for i, v in enumerate((0.3, 0.4, 0.5))),
            *((f"news-{i}", "bleu", v) for i, v in enumerate((20.0, 30.0, 40.0))),
        ),
        [0.3, 0.4, 0.5, 0.2, 0.3, 0.4],
    ),
    "a hopeless language pair among good ones, or another scale": (
        card(
            "o/m", *((f"news-{i}", "bleu", v) for i, v in enumerate((0.4, 20.0, 30.0, 25.0, 18.0)))
        ),
        [None, 0.2, 0.3, 0.25, 0.18],
    ),
    "half of a card in percent, half not: nobody can tell": (
        card("o/m", *((f"news-{i}", "bleu", v) for i, v in enumerate((0.4, 0.3, 30.0, 25.0)))),
        [None, None, 0.3, 0.25],
    ),
    "a publisher writes one metric in one way": (
        [
            found
            for i, v in enumerate((0.3, 0.4, 0.5))
            for found in card(f"o/m{i}", (f"news-{i}", "chrf", v), (f"news-{i}", "bleu", 100 * v))
        ],
        [0.3, 0.3, 0.4, 0.4, 0.5, 0.5],
    ),
    "metadata writes one name in one way, tables another name in another": (
        [
            *(
                found
                for i, v in enumerate((0.3, 0.4, 0.5))
                for found in card(f"w{i}/m", ("glue/cola", "mcc", v))
            ),
            *(
                found
                for i, v in enumerate((30.0, 40.0))
                for found in card(f"x{i}/m", ("CoLA", "mcc", v))
            ),
        ],
        [0.3, 0.4, 0.5, 0.3, 0.4],
    ),
    "nought is nought": (card("o/m", ("a", "mcc", 0.0)), [0.0]),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_a_document_says_elsewhere_is_evidence(tmp_path, name):
    items, expected = DOCUMENTS[name]
    others = [
        found
        for i in range(3)
        for dataset in ("a", "b")
        for metric in ("accuracy", "f1", "recall")
        for found in card(f"elsewhere{i}/m", (dataset, metric, 88.0))
    ]
    lake = corpus_of(tmp_path, *items, *others)
    scores = {r["report_id"]: r["score"] for r in rows(lake, "reports")}
    assert [scores[item.report_id] for item in items] == [
        e if e is None else pytest.approx(e) for e in expected
    ]


def test_undecided_units_are_counted_per_source(tmp_path):
    lake = corpus_of(tmp_path, report(value=0.5), report(value=50.0, raw_model="o/x"))
    (source,) = rows(lake, "sources")
    assert (source["n_reports"], source["n_records"], source["n_undecided_unit"]) == (2, 1, 1)
