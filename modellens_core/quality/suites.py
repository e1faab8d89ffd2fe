"""Column contracts, declared: which Great Expectations rule each table must satisfy at each gate.

Only declarations: rules are named by their Great Expectations class and its arguments, so that this file
loads without importing that library. Running them belongs in `gx.py`; relational rules (keys, orphans,
leaks) are SQL in `sql/checks/`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modellens_core.schema import ReportedBy, Tier


@dataclass(frozen=True, slots=True)
class Rule:
    """One expectation: a class name of `great_expectations.expectations` and its arguments."""

    name: str
    expectation: str
    arguments: Mapping[str, Any]
    why: str


@dataclass(frozen=True, slots=True)
class Suite:
    """The rules of one table. A failed suite stops everything downstream of the table."""

    table: str
    columns: tuple[str, ...]  # the columns the rules read
    rules: tuple[Rule, ...]


def _not_null(column: str, why: str) -> Rule:
    return Rule(f"{column}_present", "ExpectColumnValuesToNotBeNull", {"column": column}, why)


def _one_of(column: str, values: list[str], why: str) -> Rule:
    arguments = {"column": column, "value_set": values}
    return Rule(f"{column}_known", "ExpectColumnValuesToBeInSet", arguments, why)


_TIERS = [t.value for t in Tier]
_REPORTERS = [r.value for r in ReportedBy]

REPORTS = Suite(
    table="corpus/reports",
    columns=("report_id", "model_id", "dataset_id", "metric_id", "tier", "reported_by", "value"),
    rules=(
        Rule("not_empty", "ExpectTableRowCountToBeBetween", {"min_value": 1}, "no rows: no corpus"),
        _not_null("report_id", "a report that cannot be named cannot be explained"),
        _not_null("model_id", "every report is about a model"),
        _not_null("dataset_id", "every report is about a dataset"),
        _not_null("metric_id", "every report has a metric, if only an unknown one"),
        _not_null("value", "a report without a number is a reject"),
        _one_of("tier", _TIERS, "precedence is defined for these tiers only"),
        _one_of("reported_by", _REPORTERS, "who ran it is one of these, or unknown"),
    ),
)

RECORDS = Suite(
    table="corpus/records",
    columns=("record_id", "model_id", "group_id", "tier", "z", "n_reports"),
    rules=(
        Rule("not_empty", "ExpectTableRowCountToBeBetween", {"min_value": 1}, "no rows: no corpus"),
        Rule(
            "record_id_unique", "ExpectColumnValuesToBeUnique", {"column": "record_id"},
            "one row per identity",
        ),
        Rule(
            "model_id_looks_like_a_name", "ExpectColumnValuesToNotMatchRegex",
            {"column": "model_id", "regex": r"^(?:nan|none|null|-|\s*)$"},
            "a missing value that became a model's name",
        ),
        _not_null("group_id", "a record belongs to a group, or cannot be compared"),
        Rule(
            "z_is_moderate", "ExpectColumnValuesToBeBetween",
            {"column": "z", "min_value": -60, "max_value": 60},
            "z beyond sqrt(group size) cannot happen; a far larger one is a unit mix-up",
        ),
        Rule(
            "n_reports_positive", "ExpectColumnValuesToBeBetween",
            {"column": "n_reports", "min_value": 1}, "a record comes from at least one report",
        ),
    ),
)  # fmt: skip

SUITES: tuple[Suite, ...] = (REPORTS, RECORDS)
