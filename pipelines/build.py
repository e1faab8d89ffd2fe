"""Assembles the definitions: the same function serves the application and every test.

Wiring only. Which assets exist is decided in `assets/`; which values they get in `resources.py`.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from rich.console import Console

from assets import all_assets, all_checks
from modellens_core.config import Settings, load_settings
from pipelines.jobs import JOBS
from pipelines.loggers import progress_logger
from pipelines.resources import build_resources


def build_defs(
    settings: Settings | None = None,
    *,
    resources: Mapping[str, Any] | None = None,
    console: Console | None = None,
) -> dg.Definitions:
    """A fresh `Definitions` for one profile.

    Args:
        settings: the profile and its paths; from the environment if None.
        resources: replacements by name ("workspace", "pipes_subprocess").
        console: where the `progress` logger prints; standard error if None.
    """
    chosen = settings or load_settings()
    return dg.Definitions(
        assets=all_assets(chosen),
        asset_checks=all_checks(chosen),
        jobs=JOBS,
        resources={**build_resources(chosen), **(resources or {})},
        # SQL and training keep both cores busy by themselves, and a process per step would cost seconds.
        executor=dg.in_process_executor,
        loggers={
            "progress": progress_logger(console or Console(stderr=True)),
            "console": dg.colored_console_logger,
        },
    )
