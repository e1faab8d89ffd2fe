"""The Great Expectations bridge: rules pass on good rows, fail on bad ones, and say which."""

import pyarrow as pa

from modellens_core.quality.gx import run_suite
from modellens_core.quality.suites import RECORDS, Rule, Suite

GOOD = {
    "record_id": ["a", "b", "c"],
    "model_id": ["org/x", "org/y", "ResNet-50"],
    "group_id": ["g", "g", "g"],
    "tier": ["gold", "silver", "bronze"],
    "z": [1.0, -1.0, None],
    "n_reports": [1, 2, 1],
}


def outcomes(**changes):
    table = pa.table({**GOOD, **changes})
    return {o.rule: o for o in run_suite(RECORDS, table)}


def test_good_rows_pass_every_rule():
    assert all(o.passed for o in outcomes().values())


def test_each_broken_rule_fails_alone_and_names_examples():
    broken = {
        "record_id_unique": {"record_id": ["a", "a", "c"]},
        "model_id_looks_like_a_name": {"model_id": ["nan", "org/y", "z"]},
        "group_id_present": {"group_id": ["g", None, "g"]},
        "z_is_moderate": {"z": [1e6, -1.0, None]},
        "n_reports_positive": {"n_reports": [0, 2, 1]},
    }
    for rule, change in broken.items():
        found = outcomes(**change)
        assert [name for name, o in found.items() if not o.passed] == [rule]
        assert found[rule].unexpected_count > 0
    assert outcomes(model_id=["nan", "org/y", "z"])["model_id_looks_like_a_name"].examples == (
        "nan",
    )


def test_an_empty_table_fails():
    table = pa.table(GOOD).slice(0, 0)
    assert not {o.rule: o for o in run_suite(RECORDS, table)}["not_empty"].passed


def test_a_rule_that_cannot_run_counts_as_failed():
    rule = Rule("no_such_column", "ExpectColumnValuesToNotBeNull", {"column": "absent"}, "why")
    (outcome,) = run_suite(Suite("t", ("tier",), (rule,)), pa.table(GOOD))
    assert not outcome.passed
    assert "could not be evaluated" in outcome.why
