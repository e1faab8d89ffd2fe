"""The state of one profile as plain data: what `modellens status --json` prints.

Reads the lake, the report tables and what Dagster recorded; changes nothing. How it looks on a terminal
belongs in `display.py`.
"""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from modellens_core.config import Settings
from modellens_core.errors import BundleError
from modellens_core.evaluation.metrics import HEADLINE
from modellens_core.evaluation.summary import MIN_MODELS_SHOWN
from modellens_core.sources.registry import raw_keys
from modellens_core.store.lake import Lake
from pipelines.damage import require_readable
from pipelines.history import CUT_OFF, last_invocation
from pipelines.lock import is_held
from pipelines.storage import StorageError, clear_disk_errors

COUNTED = (
    "reports",
    "records",
    "models",
    "datasets",
    "tasks",
    "metrics",
    "groups",
    "conflicts",
    "rejects",
)


def collect_status(settings: Settings) -> dict[str, Any]:
    """Everything worth knowing about a profile, JSON-safe.

    Raises:
        ModelLensError: a table of the lake is broken, or the state cannot be read; the message says which.
    """
    with clear_disk_errors(settings):
        return _collected(settings)


def _collected(settings: Settings) -> dict[str, Any]:
    lake = Lake(settings.lake_dir)
    require_readable(lake)
    sources = source_states(lake, raw_keys(settings))
    corpus = corpus_counts(lake)
    bundle, problem = served_bundle(settings)
    status: dict[str, Any] = {
        "profile": settings.profile.value,
        "corpus": corpus,
        "sources": sources,
        "evaluation": evaluation_summary(lake),
        "paths": {
            "lake": str(settings.lake_dir),
            "database": _if_there(settings.database_path),
            "report": _if_there(settings.report_dir / "report.md"),
            "bundle": bundle,
        },
        "bundle_problem": problem,
        "at_work": is_held(settings),
    }
    last, problem = last_run(settings, at_work=status["at_work"])
    status |= {"last_run": last, "last_run_problem": problem}
    status["state"] = overall(status)
    return status


def overall(status: dict[str, Any]) -> str:
    """`at_work`, `unknown`, `never_run`, `cut_off`, `incomplete`, `attention` or `ok`."""
    last = status["last_run"]
    if status["at_work"]:
        return "at_work"
    if status["last_run_problem"]:
        return "unknown"
    if last is None and not status["corpus"]:
        return "never_run"
    if last is not None and last["status"] == CUT_OFF:
        return "cut_off"
    if status["paths"]["bundle"] is None or (last is not None and last["status"] != "SUCCESS"):
        return "incomplete"
    return "ok" if all(s["state"] == "ok" for s in status["sources"]) else "attention"


def source_states(lake: Lake, keys: Sequence[str]) -> list[dict[str, Any]]:
    """How each part of each source fared when it was last asked.

    Args:
        lake: where the states are.
        keys: collections that count; states of others may lie there from before.
    """
    tables = [f"raw/{key}/status" for key in keys]
    rows = [row for t in tables if lake.exists(t) for row in lake.read(t).to_pylist()]
    rows = [{**row, "seconds": round(row["seconds"], 2)} for row in rows]
    return sorted(rows, key=lambda row: (row["source"], row["part"]))


def corpus_counts(lake: Lake) -> dict[str, Any]:
    """Rows of each corpus table, records by tier and source, and what keeps records out of training."""
    if not lake.exists("corpus/records"):
        return {}
    counts: dict[str, Any] = {
        name: lake.info(f"corpus/{name}").rows for name in COUNTED if lake.exists(f"corpus/{name}")
    }
    for column in ("tier", "source"):
        table = lake.query(
            f"SELECT {column} AS name, count(*) AS n FROM corpus.records GROUP BY ALL ORDER BY ALL"  # noqa: S608 - fixed names
        )
        counts[f"records_by_{column}"] = {r["name"]: r["n"] for r in table.to_pylist()}
    tiers = lake.query("SELECT tier, count(*) AS n FROM corpus.reports GROUP BY ALL ORDER BY ALL")
    counts["reports_by_tier"] = {r["tier"]: r["n"] for r in tiers.to_pylist()}
    unknown = lake.query("SELECT count(*) AS n FROM corpus.records WHERE lower_is_better IS NULL")
    counts["records_of_unknown_direction"] = unknown.to_pylist()[0]["n"]
    return counts


def evaluation_summary(lake: Lake) -> dict[str, Any]:
    """The headline metric with its interval, by protocol and method."""
    if not lake.exists("evaluation/summary"):
        return {}
    found: dict[str, Any] = {}
    for row in lake.read("evaluation/summary").to_pylist():
        if row["metric"] == HEADLINE and row["min_models"] == MIN_MODELS_SHOWN[0]:
            entry = {k: row[k] for k in ("mean", "low", "high", "n_groups", "n_families")}
            found.setdefault(row["protocol"], {})[row["method"]] = entry
    return found


def served_bundle(settings: Settings) -> tuple[str | None, str | None]:
    """Path of the bundle that would be served, or what is wrong with it; neither before the first one."""
    from modellens_core.serving.bundle import LATEST, latest_bundle

    if not (settings.bundle_dir / LATEST).is_file():
        return None, None
    try:
        return str(latest_bundle(settings.bundle_dir).path), None
    except BundleError as error:
        return None, str(error)


def last_run(settings: Settings, *, at_work: bool) -> tuple[dict[str, Any] | None, str | None]:
    """The newest invocation that Dagster knows of, or why it cannot be told; neither before the first one.

    Dagster writes when it opens its records, so where nothing can be written they cannot be read; the rest
    of the status can.
    """
    if not (settings.dagster_dir / "history").is_dir():
        return None, None
    try:
        with clear_disk_errors(settings), dg.DagsterInstance.get() as instance:
            return last_invocation(instance, at_work=at_work), None
    except StorageError as error:
        return None, str(error)


def _if_there(path: Any) -> str | None:
    return str(path) if path.exists() else None
