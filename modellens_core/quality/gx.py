"""Runs a declared suite with Great Expectations and returns plain outcomes.

The bridge between `suites.py` and whoever asks (Dagster asset checks, tests). Great Expectations is
imported here, inside the function: it costs seconds and a quarter of a gigabyte. It runs on pandas
frames of the few columns the rules read; its DuckDB route fails on every expectation (docs/adr/0003).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from modellens_core.quality.suites import Rule, Suite


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one rule fared on one table."""

    rule: str
    passed: bool
    unexpected_count: int
    unexpected_percent: float
    examples: tuple[Any, ...]
    why: str


def run_suite(suite: Suite, table: pa.Table) -> list[Outcome]:
    """Check a table against a suite.

    Args:
        suite: the rules.
        table: must hold `suite.columns`; other columns are not looked at.

    Returns:
        One outcome per rule, in order. A rule that Great Expectations could not evaluate counts as
        failed, with its message as the reason: an unreadable check protects nobody.
    """
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    import great_expectations.expectations as gxe
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    frame = table.select(list(suite.columns)).to_pandas()
    asset = context.data_sources.add_pandas("lake").add_dataframe_asset(suite.table)
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    return [
        _outcome(rule, batch.validate(getattr(gxe, rule.expectation)(**rule.arguments)))
        for rule in suite.rules
    ]


def _outcome(rule: Rule, result: Any) -> Outcome:
    details: Mapping[str, Any] = result.result or {}
    why = rule.why
    raised = _message(result.exception_info)
    if raised:
        why = f"could not be evaluated: {raised}"
    return Outcome(
        rule=rule.name,
        passed=bool(result.success) and not raised,
        unexpected_count=int(details.get("unexpected_count") or 0),
        unexpected_percent=float(details.get("unexpected_percent") or 0.0),
        examples=tuple(details.get("partial_unexpected_list") or ())[:5],
        why=why,
    )


def _message(info: Any) -> str | None:
    if not isinstance(info, Mapping):
        return None
    if "raised_exception" in info:
        return str(info.get("exception_message")) if info["raised_exception"] else None
    nested = (_message(v) for v in info.values())
    return next((m for m in nested if m), None)
