"""The progress log of the command line: one line per asset and what assets say while they work.

A Dagster logger, so that it sees every event of a run; `dagster dev` keeps its own.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg
from rich.console import Console
from rich.markup import escape

PLAN_REMARK = (
    "Dependencies for step"  # Dagster's word for each step after a failed one: one is enough
)


class ProgressHandler(logging.Handler):
    """Turns Dagster's event records into short lines on a terminal."""

    def __init__(self, console: Console) -> None:
        super().__init__(logging.DEBUG)  # Dagster logs its events at this level
        self.console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record, or nothing if it is not news to a person."""
        meta: dict[str, Any] = getattr(record, "dagster_meta", {})
        event = meta.get("dagster_event")
        line = event_line(event) if event is not None else message_line(record, meta)
        if line:
            self.console.print(line, highlight=False, soft_wrap=True)


def message_line(record: logging.LogRecord, meta: dict[str, Any]) -> str | None:
    """A line an asset logged itself."""
    text = str(meta.get("orig_message") or record.getMessage())
    if record.levelno < logging.INFO or text.startswith(PLAN_REMARK):
        return None
    style = "yellow" if record.levelno >= logging.WARNING else "dim"
    return f"    [{style}]{escape(text)}[/{style}]"


def event_line(event: dg.DagsterEvent) -> str | None:
    """A line for an event worth showing."""
    shape = LINES.get(event.event_type_value)
    return shape(event) if shape else None


def _materialized(event: dg.DagsterEvent) -> str:
    materialization = event.step_materialization_data.materialization
    rows = materialization.metadata.get("dagster/row_count")
    count = f"  {rows.value:,} rows" if rows is not None and isinstance(rows.value, int) else ""
    return f"  [green]✓[/green] {materialization.asset_key.to_user_string()}{count}"


def _checked(event: dg.DagsterEvent) -> str | None:
    check = event.asset_check_evaluation_data
    if check.passed:
        return None
    colour = "red" if check.blocking else "yellow"
    return f"    [{colour}]check {check.check_name}: {escape(check.description or 'failed')}[/{colour}]"


def _started(event: dg.DagsterEvent) -> str:
    return f"  [cyan]…[/cyan] {event.step_key}"


def _failed(event: dg.DagsterEvent) -> str:
    if event.step_failure_data.error_source.value == "INTERRUPT":
        return f"  [yellow]- {event.step_key} stopped[/yellow]"
    error = event.step_failure_data.error
    cause = error.cause or error if error else None
    return (
        f"  [red]✗ {event.step_key}: {escape(cause.message.strip() if cause else 'failed')}[/red]"
    )


def _skipped(event: dg.DagsterEvent) -> str:
    return f"  [yellow]- {event.step_key} skipped: something before it failed[/yellow]"


LINES: Mapping[str, Callable[[dg.DagsterEvent], str | None]] = {
    "ASSET_MATERIALIZATION": _materialized,
    "ASSET_CHECK_EVALUATION": _checked,
    "STEP_START": _started,
    "STEP_FAILURE": _failed,
    "STEP_SKIPPED": _skipped,
}


def progress_logger(console: Console) -> dg.LoggerDefinition:
    """The logger definition; `console` decides where the lines go."""

    def progress(_context: dg.InitLoggerContext) -> logging.Logger:
        # Not from logging's registry: each run gets its own, so that no run prints to another's console.
        log = logging.Logger("modellens.progress", level=logging.DEBUG)  # noqa: LOG001
        log.addHandler(ProgressHandler(console))
        return log

    return dg.LoggerDefinition(progress, description="Short progress lines for people.")
