"""What was built once and is gone or damaged: Dagster knows what it built, not what became of it.

Looks at file footers, headers and hashes, so that a run can build again what is lost (docs/adr/0004).
Which asset writes which file is listed in `assets/outputs.py`.
"""

from datetime import UTC, datetime

import dagster as dg

from assets.outputs import outputs
from modellens_core.config import Settings
from modellens_core.errors import BundleError, ModelLensError
from modellens_core.store import duck
from modellens_core.store.lake import Lake


def lost_assets(settings: Settings) -> list[dg.AssetKey]:
    """Assets whose output is missing or cannot be used."""
    lost = [n for n, files in outputs(settings).items() if not all(f.is_file() for f in files)]
    if not _database_opens(settings):
        lost.append("corpus_database")
    if not _bundle_is_sound(settings):
        lost.append("serving_bundle")
    return [dg.AssetKey(name) for name in lost]


def discard_broken_tables(settings: Settings) -> list[str]:
    """Take tables that cannot be read out of the lake, for the run to build them again.

    One broken file would stop every query over the lake, so it is worse than none. What no source says any
    more cannot be built again: such a table is kept under another name.

    Returns:
        What was done, one line per table.
    """
    lake = Lake(settings.lake_dir)
    return [
        _set_aside(lake, table) if _is_history(table) else _removed(lake, table)
        for table in lake.broken()
    ]


def _is_history(table: str) -> bool:
    return table.startswith("staging/") and table.endswith("/closed")


def _removed(lake: Lake, table: str) -> str:
    lake.path(table).unlink()
    return f"{table} cannot be read and is built again"


def _set_aside(lake: Lake, table: str) -> str:
    path = lake.path(table)
    # Not *.parquet, so that the lake does not see it; the time, so that one never replaces another.
    aside = path.with_name(f"{path.name}.broken-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}")
    path.rename(aside)
    return (
        f"{table} cannot be read and is begun anew; it held what sources no longer say, which no run can read "
        f"again, so it is kept as {aside}; if you have a backup of {path}, put it back after this run"
    )


def require_readable(lake: Lake) -> None:
    """Check that every table of the lake can be read.

    Raises:
        ModelLensError: one cannot; the message names it.
    """
    broken = lake.broken()
    if broken:
        raise ModelLensError(
            f"{', '.join(broken)} in {lake.root} cannot be read: not a whole Parquet file; "
            "run `modellens run`, which builds it again or, if nothing can, sets it aside"
        )


def _database_opens(settings: Settings) -> bool:
    try:
        with duck.open_read_only(settings.database_path):
            return True
    except duck.Error:
        return False


def _bundle_is_sound(settings: Settings) -> bool:
    from modellens_core.serving.bundle import latest_bundle

    try:
        latest_bundle(settings.bundle_dir)
    except BundleError:
        return False
    return True
