"""The code location: what `dagster dev` loads (`workspace.yaml` names this module)."""

import dagster as dg

from pipelines.environment import quiet


@dg.definitions
def defs() -> dg.Definitions:
    """Definitions of the profile named by the environment."""
    quiet()
    from pipelines.build import (
        build_defs,
    )  # imports libraries that must find telemetry switched off

    return build_defs()
