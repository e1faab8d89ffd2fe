"""What a person sees while the graph runs."""

from io import StringIO

import dagster as dg
import pytest
from rich.console import Console

from assets.resources import progress_line
from pipelines.loggers import progress_logger


def lines(*definitions, checks=()):
    """Run assets with the progress logger and return what it printed."""
    out = StringIO()
    defs = dg.Definitions(
        assets=definitions,
        asset_checks=checks,
        loggers={"progress": progress_logger(Console(file=out, width=200))},
        jobs=[dg.define_asset_job("all")],
    )
    defs.resolve_job_def("all").execute_in_process(
        run_config={"loggers": {"progress": {}}},
        raise_on_error=False,
        instance=dg.DagsterInstance.ephemeral(),
    )
    return out.getvalue()


def test_success_shows_rows_and_what_the_asset_said():
    @dg.asset
    def records(context: dg.AssetExecutionContext):
        context.log.info("[reading] half way")
        return dg.MaterializeResult(metadata={"dagster/row_count": 1234})

    shown = lines(records)
    assert "✓ records  1,234 rows" in shown
    assert "[reading] half way" in shown  # brackets are text, not markup


def test_failure_shows_the_reason_once_and_not_the_plan():
    @dg.asset
    def broken():
        raise ValueError("the disk is full")

    @dg.asset(deps=[broken])
    def below():
        raise AssertionError("must not run")

    shown = lines(broken, below)
    assert shown.count("the disk is full") == 1
    assert "Not executing" not in shown


def test_a_failed_check_shows_its_description_and_a_passed_one_nothing():
    @dg.asset
    def corpus():
        pass

    @dg.asset_check(asset=corpus)
    def bad():
        return dg.AssetCheckResult(
            passed=False, description="3 orphans", severity=dg.AssetCheckSeverity.WARN
        )

    @dg.asset_check(asset=corpus)
    def good():
        return dg.AssetCheckResult(passed=True, description="fine")

    shown = lines(corpus, checks=[bad, good])
    assert "check bad: 3 orphans" in shown
    assert "fine" not in shown


@pytest.mark.parametrize(
    ("done", "total", "seconds", "line"),
    [
        (0, 10, 0.0, "texts: 0/10 (0%)"),
        (50, 200, 5.0, "texts: 50/200 (25%), 10/s, 15 s left"),
        (200, 200, 10.0, "texts: 200/200 (100%), 20/s"),
        (7, None, 10.0, "texts: 7, 0.7/s"),
        (0, 0, 1.0, "texts: 0"),
    ],
)
def test_progress_lines(done, total, seconds, line):
    assert progress_line("texts", done, total, seconds) == line
