"""Asset checks: SQL rules, Great Expectations suites and the leak audit, as Dagster shows them.

A rule is a file in `sql/checks/` (0 rows = pass; its header names the asset and the severity), a suite in
`modellens_core.quality.suites`, the audit in `modellens_core.splits.leakage`, or the search for sisters that
it cannot know in `modellens_core.splits.siblings`. A rule of severity `error` blocks: nothing downstream of its
asset is materialised when it fails.
"""

from collections.abc import Iterator

import dagster as dg
import pyarrow as pa

from assets.corpus import asset_of
from assets.metadata import markdown_table
from assets.resources import Workspace
from modellens_core.config import Settings
from modellens_core.quality.suites import SUITES, Suite
from modellens_core.splits.freeze import PROTOCOLS
from modellens_core.store import sql

SHOWN_ROWS = 10


def severity_of(level: str) -> dg.AssetCheckSeverity:
    """`error` or `warn` as Dagster's severity."""
    return dg.AssetCheckSeverity.ERROR if level == "error" else dg.AssetCheckSeverity.WARN


def sql_check(query: str, settings: Settings) -> dg.AssetChecksDefinition:
    """The check of one `sql/checks/*.sql`. It waits for every table that it compares."""
    asset, level = sql.header(query, "asset"), sql.header(query, "severity")
    read = {key for name in sql.inputs(query) for key in asset_of(name, settings)}

    @dg.asset_check(
        asset=asset,
        additional_deps=sorted(read - {asset}),
        name=query.split("/")[1],
        description=sql.describe(query),
        blocking=level == "error",
    )
    def check(workspace: Workspace) -> dg.AssetCheckResult:
        rows = workspace.lake.query(sql.load(query))
        return dg.AssetCheckResult(
            passed=rows.num_rows == 0,
            severity=severity_of(level),
            description=f"{rows.num_rows:,} offending rows" if rows.num_rows else None,
            metadata={"offending": rows.num_rows, "examples": dg.MetadataValue.md(shown(rows))},
        )

    return check


def shown(rows: pa.Table) -> str:
    """The first offending rows as Markdown."""
    head = rows.slice(0, SHOWN_ROWS)
    return markdown_table(head.schema.names, [list(r.values()) for r in head.to_pylist()])


def suite_check(suite: Suite) -> dg.AssetChecksDefinition:
    """One multi-check that runs a Great Expectations suite, one result per rule, all blocking."""
    asset = suite.table.replace("/", "_")
    specs = [
        dg.AssetCheckSpec(f"gx_{r.name}", asset=asset, description=r.why, blocking=True)
        for r in suite.rules
    ]

    @dg.multi_asset_check(name=f"gx_{asset}", specs=specs)
    def check(workspace: Workspace) -> Iterator[dg.AssetCheckResult]:
        from modellens_core.quality.gx import run_suite

        table = workspace.lake.read(suite.table, columns=list(suite.columns))
        for outcome in run_suite(suite, table):
            yield dg.AssetCheckResult(
                check_name=f"gx_{outcome.rule}",
                asset_key=asset,
                passed=outcome.passed,
                severity=dg.AssetCheckSeverity.ERROR,
                description=None
                if outcome.passed
                else f"{outcome.unexpected_count:,} rows ({outcome.unexpected_percent:.2f}%): {outcome.why}",
                metadata={
                    "unexpected_count": outcome.unexpected_count,
                    "examples": dg.MetadataValue.json([str(e) for e in outcome.examples]),
                },
            )

    return check


def leak_check(protocol: str) -> dg.AssetChecksDefinition:
    """The leak audit of one split; it must find nothing, and blocks training when it does."""

    @dg.asset_check(
        asset=f"split_{protocol}",
        name="no_leaks",
        blocking=True,
        description="No test row can be read off the training rows: same pair under another metric, "
        "clones, aliases, families on both sides.",
    )
    def check(workspace: Workspace) -> dg.AssetCheckResult:
        from modellens_core.splits.leakage import audit
        from modellens_core.splits.problem import Problem

        found = Problem.load(workspace.lake, protocol)
        leaks = [k for k in audit(found.features, found.rows, found.parts, protocol) if k.count]
        rows = [[leak.kind, leak.count, "; ".join(map(str, leak.examples[:3]))] for leak in leaks]
        return dg.AssetCheckResult(
            passed=not leaks,
            description="; ".join(f"{leak.kind}: {leak.count}" for leak in leaks) or None,
            metadata={
                "leaks": dg.MetadataValue.md(markdown_table(["kind", "count", "examples"], rows))
            },
        )

    return check


def sibling_check(protocol: str) -> dg.AssetChecksDefinition:
    """Datasets of one split that look like sisters across its line: hints for people, never blocking."""

    @dg.asset_check(
        asset=f"split_{protocol}",
        name="no_siblings",
        description="No two datasets on different sides look like one benchmark by their names or scores. A "
        "true pair belongs together in normalize/data/datasets.yaml; others are coincidences.",
    )
    def check(workspace: Workspace) -> dg.AssetCheckResult:
        from modellens_core.splits.problem import Problem
        from modellens_core.splits.siblings import find_siblings

        split = Problem.load(workspace.lake, protocol)
        found = [s for s in find_siblings(split.features, split.rows, split.parts) if s.count]
        rows = [[s.kind, s.count, "; ".join(s.examples)] for s in found]
        return dg.AssetCheckResult(
            passed=not found,
            severity=dg.AssetCheckSeverity.WARN,
            description="; ".join(f"{s.kind}: {s.count} pairs to look at" for s in found) or None,
            metadata={
                "siblings": dg.MetadataValue.md(markdown_table(["kind", "pairs", "examples"], rows))
            },
        )

    return check


def build_checks(settings: Settings) -> list[dg.AssetChecksDefinition]:
    """Every check that is not made by the asset itself."""
    return [
        *(sql_check(q, settings) for q in sql.names("checks")),
        *(suite_check(s) for s in SUITES),
        *(leak_check(p) for p in PROTOCOLS),
        *(sibling_check(p) for p in PROTOCOLS if p != "completion"),  # which hides no datasets
    ]
