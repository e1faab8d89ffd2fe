"""What an asset may ask for: the workspace (settings and lake) and a way to report progress.

The resource classes live beside the assets because assets name them in their signatures; which values
they get is decided in `pipelines/resources.py`. No secret is ever a resource field: fields show in the
UI, so keys are read from the environment when they are used.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from modellens_core.config import Settings, load_settings
from modellens_core.progress import Progress
from modellens_core.store.lake import Lake

REPORT_EVERY_SECONDS = 2.0


class Workspace(dg.ConfigurableResource):
    """One profile's settings and lake.

    `overrides` holds plain (non-secret) settings that were given on the command line or by a test;
    everything else comes from the environment.
    """

    overrides: dict[str, Any]

    @property
    def settings(self) -> Settings:
        """Settings of this run."""
        return load_settings(**self.overrides)

    @property
    def lake(self) -> Lake:
        """The lake of this run's profile."""
        return Lake(self.settings.lake_dir)


def log_progress(context: dg.AssetExecutionContext) -> Progress:
    """A progress callback that writes a log line with rate and time left, at most every two seconds."""
    state: dict[str, Any] = {"label": None, "start": 0.0, "last": 0.0}

    def report(label: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if state["label"] != label:
            state.update(label=label, start=now, last=now)
        finished = total is not None and done >= total
        if now - state["last"] < REPORT_EVERY_SECONDS and not (
            finished and state["last"] > state["start"]
        ):
            return
        state["last"] = now
        context.log.info(progress_line(label, done, total, now - state["start"]))

    return report


def progress_line(label: str, done: int, total: int | None, seconds: float) -> str:
    """`embedding texts: 1,204/3,310 (36%), 212/s, 10 s left`."""
    rate = done / seconds if seconds > 0 else 0.0
    line = f"{label}: {done:,}" + (f"/{total:,} ({done / max(total, 1):.0%})" if total else "")
    if rate:
        line += f", {rate:,.0f}/s" if rate >= 10 else f", {rate:.1f}/s"
        if total and done < total:
            line += f", {(total - done) / rate:,.0f} s left"
    return line


def paths(settings: Settings) -> Mapping[str, Path]:
    """Where the finished things lie, for metadata and summaries."""
    return {
        "corpus": settings.database_path,
        "report": settings.report_dir / "report.md",
        "bundle": settings.bundle_dir,
        "lake": settings.lake_dir,
    }
