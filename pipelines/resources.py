"""Which resource values the assets get in the application."""

from typing import Any

import dagster as dg

from assets.resources import Workspace
from modellens_core.config import Settings


def build_resources(settings: Settings) -> dict[str, Any]:
    """Resources of one profile. Only plain settings go in: resource fields are visible in the UI."""
    plain = {
        "profile": settings.profile.value,
        "home": str(settings.home),
        "snapshot_dir": str(settings.snapshot_dir) if settings.snapshot_dir else None,
    }
    return {
        "workspace": Workspace(overrides={k: v for k, v in plain.items() if v is not None}),
        "pipes_subprocess": dg.PipesSubprocessClient(),
    }
