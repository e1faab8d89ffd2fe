"""Runs the graph from the command line: what is stale, in one Dagster run, with progress, once at a time.

`modellens run` and `make run` come here. The graph itself, its checks and its logger are Dagster's; this
module chooses assets, holds the lock, and turns the outcome into something a person or a program reads.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import dagster as dg
from filelock import FileLock, Timeout
from rich.console import Console

from modellens_core.config import Settings
from modellens_core.errors import BundleError, ModelLensError
from modellens_core.sources.base import SourceState
from modellens_core.sources.registry import raw_keys
from modellens_core.store.lake import Lake
from pipelines.build import build_defs
from pipelines.staleness import stale_assets

JOB = "everything"
TIERS = (
    {"raw"},
    {"staging", "corpus"},
    {"features", "splits"},
    {"training", "evaluation", "serving"},
)


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """A check that did not pass in this run."""

    asset: str
    name: str
    severity: str
    detail: str


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended."""

    success: bool
    assets: tuple[str, ...]
    failed_steps: tuple[str, ...] = ()
    failed_checks: tuple[FailedCheck, ...] = field(default=())


@contextmanager
def only_one(settings: Settings) -> Iterator[None]:
    """Hold the profile's lock.

    Raises:
        ModelLensError: another run holds it.
    """
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    path = settings.state_dir / "run.lock"
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ModelLensError(
            f"another run of profile {settings.profile.value} is at work ({path}); wait for it to end"
        ) from None
    try:
        yield
    finally:
        lock.release()


def raw_assets(settings: Settings) -> list[dg.AssetKey]:
    """The assets that ask the profile's sources."""
    return [dg.AssetKey(f"raw_{key}") for key in raw_keys(settings)]


def sources_to_retry(settings: Settings) -> list[dg.AssetKey]:
    """Raw assets whose last collection did not get everything: a rerun asks those sources again."""
    lake = Lake(settings.lake_dir)
    keys = []
    for name in raw_keys(settings):
        table = f"raw/{name}/status"
        if lake.exists(table):
            states = set(lake.read(table, columns=["state"])["state"].to_pylist())
            if states - {SourceState.OK.value}:
                keys.append(dg.AssetKey(f"raw_{name}"))
    return keys


def lost_assets(settings: Settings) -> list[dg.AssetKey]:
    """Assets that were built once but whose output is gone or damaged: Dagster cannot know."""
    there = {
        "corpus_database": settings.database_path.is_file(),
        "evaluation_report": (settings.report_dir / "report.md").is_file(),
        "serving_bundle": _bundle_is_sound(settings),
    }
    return [dg.AssetKey(name) for name, present in there.items() if not present]


def _bundle_is_sound(settings: Settings) -> bool:
    from modellens_core.serving.bundle import latest_bundle

    try:
        latest_bundle(settings.bundle_dir)
    except BundleError:
        return False
    return True


def run_graph(settings: Settings, console: Console, *, refresh: bool = False) -> RunOutcome:
    """Materialise what is stale and what follows from it.

    The first time everything is missing and one run builds it all. After a change, tier by tier: a run
    brings the earliest stale tier up to date, and only if that is new data is there more to do.

    Args:
        settings: the profile.
        console: where progress goes.
        refresh: ask every source again, not only those that failed last time.
    """
    defs = build_defs(settings, console=console)
    outcomes: list[RunOutcome] = []
    with only_one(settings), dg.DagsterInstance.get() as instance:
        again = raw_assets(settings) if refresh else sources_to_retry(settings)
        wave = next_wave(defs, {*stale_assets(defs, instance), *again, *lost_assets(settings)})
        if not wave:
            console.print("[bold]everything is up to date[/bold]")
        while wave:
            console.print(f"[bold]{len(wave)} assets to build[/bold]")
            outcomes.append(_execute(defs, instance, wave))
            if not outcomes[-1].success:
                break
            done = {dg.AssetKey(name) for o in outcomes for name in o.assets}
            left = {*stale_assets(defs, instance), *lost_assets(settings)} - done
            wave = next_wave(defs, left)
    return _merge(outcomes)


def next_wave(defs: dg.Definitions, stale: set[dg.AssetKey]) -> list[dg.AssetKey]:
    """What to build in one run: the stale assets of the earliest tier and what they feed within it.

    Tables of one tier are checked against each other, so they are rebuilt together; between tiers, equal
    data stops the work. If nothing exists yet, everything is built in one run.
    """
    graph = defs.resolve_asset_graph()
    everything = graph.materializable_asset_keys
    if not everything - stale:
        chosen = set(everything)
    else:
        below = dg.AssetSelection.assets(*stale).downstream().resolve(graph) if stale else set()
        tiers = [{k for k in everything if graph.get(k).group_name in t} for t in TIERS]
        chosen = next((set(below & tier) for tier in tiers if stale & tier), set())
    return sorted(chosen, key=dg.AssetKey.to_user_string)


def _execute(
    defs: dg.Definitions, instance: dg.DagsterInstance, keys: list[dg.AssetKey]
) -> RunOutcome:
    # Dagster warns of its own use of a preview function, once per training subprocess.
    warnings.filterwarnings("ignore", category=dg.PreviewWarning)
    result = defs.resolve_job_def(JOB).execute_in_process(
        instance=instance,
        asset_selection=keys,
        run_config={"loggers": {"progress": {}}},
        raise_on_error=False,
    )
    checks = tuple(
        FailedCheck(
            asset=e.asset_key.to_user_string(),
            name=e.check_name,
            severity=e.severity.value,
            detail=e.description or "",
        )
        for e in result.get_asset_check_evaluations()
        if not e.passed
    )
    failed = tuple(e.step_key or "" for e in result.all_events if e.is_step_failure)
    return RunOutcome(result.success, tuple(k.to_user_string() for k in keys), failed, checks)


def _merge(outcomes: list[RunOutcome]) -> RunOutcome:
    return RunOutcome(
        success=all(o.success for o in outcomes),
        assets=tuple(a for o in outcomes for a in o.assets),
        failed_steps=tuple(s for o in outcomes for s in o.failed_steps),
        failed_checks=tuple(c for o in outcomes for c in o.failed_checks),
    )
