"""Publishes the corpus as one DuckDB file, for people and tools that query it.

The file is built beside the old one from the corpus's Parquet tables (which stay) and swapped in whole:
a reader that has the old one open keeps it, and a failed build leaves it. What the tables mean stands in
`sql/corpus/` and becomes their comments; no rule about data belongs here.
"""

from collections.abc import Sequence
from pathlib import Path

from modellens_core.errors import ModelLensError
from modellens_core.store import duck, sql
from modellens_core.store.lake import Lake, atomic_path

# The mapping tables have no SQL file to take their description from.
_NAME_COMMENTS = {
    "model_names": "Which model each source means by a name; model_id is null where a name means none.",
    "dataset_names": "Which dataset each source means by a name, and what the name says about the setting.",
    "task_names": "Which task a name means.",
    "metric_names": "Which metric a name means, and what is known about that metric.",
}


def release_tables() -> dict[str, str]:
    """Names of the published tables, sorted, and what one row of each is."""
    described = {name.split("/")[1]: sql.describe(name) for name in sql.names("corpus")}
    return dict(sorted((described | _NAME_COMMENTS).items()))


def publish_database(lake: Lake, path: Path, tables: Sequence[str] | None = None) -> dict[str, int]:
    """Build the database and swap it in.

    Args:
        lake: holds the `corpus/*` tables.
        path: the database file; replaced only by a complete one.
        tables: names to publish; all of `release_tables()` if None.

    Returns:
        Number of rows per table.

    Raises:
        ModelLensError: a corpus table is missing, or the file cannot be written; the old file stays.
    """
    comments = release_tables()
    names = sorted(comments if tables is None else tables)
    files = {name: lake.require(f"corpus/{name}") for name in names}
    with atomic_path(path) as tmp:
        try:
            duck.write_database(tmp, files, comments)
        except (duck.Error, OSError) as error:
            reason = str(error).splitlines()[0]
            raise ModelLensError(
                f"could not write {path.name}: {reason}; the old file stays, run again"
            ) from error
        finally:
            tmp.with_name(f"{tmp.name}.wal").unlink(missing_ok=True)
    return {name: lake.info(f"corpus/{name}").rows for name in names}
