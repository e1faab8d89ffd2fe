"""What Dagster's run records say about invocations of `modellens run`.

One invocation may be several Dagster runs (its waves); they carry a common tag, and the last one a second
tag once nothing was left to do. What is to be done belongs in `runner.py`, how it looks in `display.py`.
"""

from typing import Any

import dagster as dg

INVOCATION = "modellens/invocation"
FINISHED = "modellens/finished"
CUT_OFF = "CUT_OFF"

_UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def close_cut_off(instance: dg.DagsterInstance) -> None:
    """Record runs that a kill left unfinished as cancelled. Call it under the lock: then none is alive."""
    for run in instance.get_runs(filters=dg.RunsFilter(statuses=_UNFINISHED)):
        if INVOCATION in run.tags:
            instance.report_run_canceled(run, message="The process was gone before the run ended.")


def others_at_work(instance: dg.DagsterInstance) -> bool:
    """Whether runs that know no lock, those of Dagster's UI, have not ended. Ask after `close_cut_off`."""
    return bool(instance.get_runs(filters=dg.RunsFilter(statuses=_UNFINISHED), limit=1))


def mark_finished(instance: dg.DagsterInstance) -> None:
    """Record that nothing is left to do after the newest run, whatever became of that run itself."""
    for run in instance.get_runs(limit=1):
        instance.add_run_tags(run.run_id, {FINISHED: "yes"})


def last_invocation(instance: dg.DagsterInstance, *, at_work: bool) -> dict[str, Any] | None:
    """The newest invocation as plain data, None if nothing ever ran.

    Args:
        instance: where runs are recorded.
        at_work: whether a run of the profile holds the lock now.

    Returns:
        `status` is Dagster's, or `CUT_OFF` for an invocation that ended without saying so; `seconds` and
        `failed_checks` cover all its waves, a check counting as it came out last.
    """
    newest = instance.get_run_records(limit=1)
    if not newest:
        return None
    tags = newest[0].dagster_run.tags
    waves = newest
    if INVOCATION in tags:
        same = dg.RunsFilter(tags={INVOCATION: tags[INVOCATION]})
        waves = list(instance.get_run_records(filters=same, ascending=True))
    spans = [w.end_time - w.start_time for w in waves if w.end_time and w.start_time]
    return {
        "run_ids": [w.dagster_run.run_id for w in waves],
        "status": _status(newest[0].dagster_run, at_work=at_work),
        "started_at": waves[0].create_timestamp.isoformat(),
        "seconds": round(sum(spans), 1) if spans else None,
        "failed_checks": _failed_checks(instance, [w.dagster_run.run_id for w in waves]),
    }


def _status(run: dg.DagsterRun, *, at_work: bool) -> str:
    if FINISHED in run.tags:
        return dg.DagsterRunStatus.SUCCESS.value
    # A wave that succeeded is not yet an invocation that did: more may have been left to do.
    ended = {dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}
    if INVOCATION in run.tags and run.status not in ended and not at_work:
        return CUT_OFF
    return run.status.value


def _failed_checks(instance: dg.DagsterInstance, run_ids: list[str]) -> list[dict[str, str]]:
    kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    newest: dict[dg.AssetCheckKey, dg.AssetCheckEvaluation] = {}
    for run_id in run_ids:
        for entry in instance.all_logs(run_id, of_type=kind):
            check = entry.get_dagster_event().asset_check_evaluation_data
            newest[check.asset_check_key] = check
    return [
        {
            "asset": c.asset_key.to_user_string(),
            "check": c.check_name,
            "severity": c.severity.value,
            "detail": c.description or "",
        }
        for c in newest.values()
        if not c.passed
    ]
