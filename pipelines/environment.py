"""Prepares the process environment that Dagster reads at start: its home, its state, no telemetry.

Called by the command line before Dagster's instance is opened; `make dev` goes through it too. What the
settings are belongs in `modellens_core.config`.
"""

import os
import tempfile
from pathlib import Path

from modellens_core.config import Settings
from modellens_core.errors import ConfigError

PROJECT_ROOT = Path(__file__).resolve().parents[1]

QUIET = {
    "DAGSTER_DISABLE_TELEMETRY": "yes",
    "GX_ANALYTICS_ENABLED": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


def quiet() -> None:
    """Switch telemetry off in this process. First of all: libraries read these when they are imported."""
    os.environ.update(QUIET)


def environment_of(settings: Settings) -> dict[str, str]:
    """The variables that Dagster and the libraries read for this profile.

    Raises:
        ConfigError: the project's `dagster.yaml` is not where the code is (not run from a checkout).
    """
    home = Path(os.environ.get("DAGSTER_HOME", PROJECT_ROOT))
    if not (home / "dagster.yaml").is_file():
        raise ConfigError(
            f"no dagster.yaml in {home}: run from a checkout of the project, or set DAGSTER_HOME to a "
            "folder with a dagster.yaml"
        )
    variables = {
        **QUIET,
        "DAGSTER_HOME": str(home),
        "MODELLENS_PROFILE": settings.profile.value,
        "MODELLENS_HOME": str(settings.home.expanduser().resolve()),
        "MODELLENS_STATE_DIR": str(settings.dagster_dir),
    }
    if settings.snapshot_dir is not None:
        variables["MODELLENS_SNAPSHOT_DIR"] = str(settings.snapshot_dir.resolve())
    return variables


def prepare(settings: Settings) -> None:
    """Set the variables of `environment_of` in this process. Creates nothing: asking changes nothing."""
    os.environ.update(environment_of(settings))


def make_state(settings: Settings) -> None:
    """Create the profile's state folder, for a run that will write to it.

    Raises:
        ConfigError: it cannot be created, or not written to.
    """
    try:
        settings.dagster_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.state_dir):
            pass
    except OSError as error:
        raise ConfigError(
            f"cannot write to {settings.state_dir} ({error.strerror}); "
            "set MODELLENS_HOME to a folder that you may write to"
        ) from None
