"""The code location: what `dagster dev` loads (`workspace.yaml` names this module)."""

import dagster as dg

from pipelines.build import build_defs


@dg.definitions
def defs() -> dg.Definitions:
    """Definitions of the profile named by the environment."""
    return build_defs()
