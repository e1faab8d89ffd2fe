"""Runs the graph from the command line: what is stale, wave by wave, with progress, once at a time.

`modellens run` and `make run` come here. The graph itself, its checks and its logger are Dagster's; this
module chooses assets, starts a Dagster run per wave under the lock, and turns the outcome into something a
person or a program reads. What was recorded of past runs belongs in `history.py`.
"""

import uuid
import warnings
from dataclasses import dataclass, field

import dagster as dg
from rich.console import Console
from rich.markup import escape

from modellens_core.config import Settings
from modellens_core.sources.base import SourceState
from modellens_core.sources.registry import raw_keys
from modellens_core.store.lake import Lake
from pipelines.build import build_defs
from pipelines.damage import discard_broken_tables, lost_assets
from pipelines.environment import make_state
from pipelines.history import INVOCATION, close_cut_off, mark_finished, others_at_work
from pipelines.housekeeping import clear_away
from pipelines.lock import only_one
from pipelines.staleness import stale_assets, unfinished_attempts
from pipelines.storage import clear_disk_errors

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


def raw_assets(settings: Settings) -> list[dg.AssetKey]:
    """The assets that ask the profile's sources."""
    return [dg.AssetKey(f"raw_{key}") for key in raw_keys(settings)]


def sources_to_retry(settings: Settings, instance: dg.DagsterInstance) -> list[dg.AssetKey]:
    """Raw assets whose last collection failed or did not get everything: a rerun asks those sources again."""
    lake = Lake(settings.lake_dir)
    keys = sorted(unfinished_attempts(instance, raw_assets(settings)))
    for name in raw_keys(settings):
        table = f"raw/{name}/status"
        if lake.exists(table):
            states = set(lake.read(table, columns=["state"])["state"].to_pylist())
            if states - {SourceState.OK.value}:
                keys.append(dg.AssetKey(f"raw_{name}"))
    return keys


def run_graph(settings: Settings, console: Console, *, refresh: bool = False) -> RunOutcome:
    """Materialise what is stale and what follows from it.

    The first time everything is missing and one Dagster run builds it all. After a change there may be
    several, tier by tier: each brings the earliest stale tier up to date, and the next follows only if that
    is new data.

    Args:
        settings: the profile.
        console: where progress goes.
        refresh: ask every source again, not only those that failed last time.

    Raises:
        KeyboardInterrupt: Ctrl-C; what was finished before stays.
        ModelLensError: another run is at work, or the state cannot be written, now or half-way.
    """
    defs = build_defs(settings, console=console)
    outcomes: list[RunOutcome] = []
    tags = {INVOCATION: uuid.uuid4().hex}
    make_state(settings)
    with (
        clear_disk_errors(settings),
        only_one(settings),
        dg.DagsterInstance.get() as instance,
    ):
        close_cut_off(instance)
        if not others_at_work(instance):
            clear_away(settings)
        for line in discard_broken_tables(settings):
            console.print(f"[yellow]{escape(line)}[/yellow]", highlight=False, soft_wrap=True)
        again = raw_assets(settings) if refresh else sources_to_retry(settings, instance)
        wave = next_wave(defs, {*stale_assets(defs, instance), *again, *lost_assets(settings)})
        if not wave:
            console.print("[bold]everything is up to date[/bold]")
        while wave:
            console.print(f"[bold]{len(wave)} asset{'s' * (len(wave) > 1)} to build[/bold]")
            outcomes.append(_execute(defs, instance, wave, tags))
            if not outcomes[-1].success:
                break
            done = {dg.AssetKey(name) for o in outcomes for name in o.assets}
            left = {*stale_assets(defs, instance), *lost_assets(settings)} - done
            wave = next_wave(defs, left)
        else:
            mark_finished(instance)
    return _merge(outcomes)


def next_wave(defs: dg.Definitions, stale: set[dg.AssetKey]) -> list[dg.AssetKey]:
    """What to build in one Dagster run: the stale assets of the earliest tier and what they feed within it.

    Tables of one tier are checked against each other, so they are rebuilt together; between tiers, equal
    data stops the work. If nothing exists yet, everything is built in one.
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
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    keys: list[dg.AssetKey],
    tags: dict[str, str],
) -> RunOutcome:
    # Dagster warns of its own use of a preview function, once per training subprocess.
    warnings.filterwarnings("ignore", category=dg.PreviewWarning)
    try:
        result = defs.resolve_job_def(JOB).execute_in_process(
            instance=instance,
            asset_selection=keys,
            run_config={"loggers": {"progress": {}}},
            tags=tags,
            raise_on_error=False,
        )
    except dg.DagsterExecutionInterruptedError:  # between steps
        raise KeyboardInterrupt from None
    if _was_interrupted(result):
        raise KeyboardInterrupt
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


def _was_interrupted(result: dg.ExecuteInProcessResult) -> bool:
    """Whether Ctrl-C ended the run: Dagster records it as a failed run, with a reason of its own."""
    ends = [e for e in result.all_events if e.event_type is dg.DagsterEventType.RUN_FAILURE]
    reasons = [e.job_failure_data.failure_reason for e in ends]
    return any(r is not None and r.value == "UNEXPECTED_TERMINATION" for r in reasons)


def _merge(outcomes: list[RunOutcome]) -> RunOutcome:
    return RunOutcome(
        success=all(o.success for o in outcomes),
        assets=tuple(a for o in outcomes for a in o.assets),
        failed_steps=tuple(s for o in outcomes for s in o.failed_steps),
        failed_checks=tuple(c for o in outcomes for c in o.failed_checks),
    )
