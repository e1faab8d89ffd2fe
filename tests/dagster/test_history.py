"""What status says of past runs: several Dagster runs of one invocation count as one, a kill as a kill."""

import dagster as dg
import pytest

from pipelines.environment import make_state, prepare
from pipelines.history import (
    INVOCATION,
    close_cut_off,
    last_invocation,
    mark_finished,
    others_at_work,
)
from pipelines.lock import only_one
from pipelines.status import collect_status

OURS = {INVOCATION: "one"}


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def job(check="sound", passed=True):
    @dg.asset(check_specs=[dg.AssetCheckSpec(check, asset="corpus")])
    def corpus():
        return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=passed)])

    return dg.Definitions(assets=[corpus]).resolve_implicit_global_asset_job_def()


def wave(instance, check="sound", passed=True, tags=OURS):
    job(check, passed).execute_in_process(instance=instance, tags=tags)


def killed(instance, tags=OURS):
    """A run that a kill left as it was."""
    instance.create_run_for_job(job(), tags=tags, status=dg.DagsterRunStatus.STARTED)


def test_nothing_ran_yet(instance):
    assert last_invocation(instance, at_work=False) is None


def test_the_waves_of_one_invocation_are_shown_together(instance):
    wave(instance, tags={INVOCATION: "an older one"}, passed=False)
    wave(instance, "leaks", passed=False)
    wave(instance, "orphans", passed=False)
    wave(instance)
    mark_finished(instance)
    shown = last_invocation(instance, at_work=False)
    assert shown["status"] == "SUCCESS"
    assert len(shown["run_ids"]) == 3
    assert [c["check"] for c in shown["failed_checks"]] == ["leaks", "orphans"]
    records = instance.get_run_records(limit=3)
    assert shown["seconds"] == pytest.approx(
        sum(r.end_time - r.start_time for r in records), abs=0.1
    )


def test_a_check_counts_as_it_came_out_last(instance):
    wave(instance, passed=False)
    wave(instance, passed=True)
    assert last_invocation(instance, at_work=False)["failed_checks"] == []


def test_a_killed_run_is_neither_current_nor_well(instance):
    killed(instance)
    assert last_invocation(instance, at_work=True)["status"] == "STARTED"
    assert last_invocation(instance, at_work=False)["status"] == "CUT_OFF"


def test_a_run_killed_between_two_waves_was_cut_off(instance):
    wave(instance)
    assert last_invocation(instance, at_work=False)["status"] == "CUT_OFF"


def test_the_next_run_closes_what_a_kill_left_and_leaves_the_runs_of_the_ui_alone(instance):
    killed(instance)
    killed(instance, tags={})
    close_cut_off(instance)
    by_owner = {INVOCATION in r.tags: r.status.value for r in instance.get_runs()}
    assert by_owner == {True: "CANCELED", False: "STARTED"}
    assert others_at_work(instance)


def test_what_a_kill_left_is_not_somebody_at_work(instance):
    killed(instance)
    close_cut_off(instance)
    assert not others_at_work(instance)


def test_a_run_that_finds_nothing_left_to_do_settles_the_one_before(instance):
    killed(instance)
    close_cut_off(instance)
    assert last_invocation(instance, at_work=False)["status"] == "CANCELED"
    mark_finished(instance)
    assert last_invocation(instance, at_work=False)["status"] == "SUCCESS"


@pytest.mark.parametrize(
    ("tags", "status", "state"),
    [
        (OURS, "STARTED", "cut_off"),
        (OURS, "CANCELED", "incomplete"),
        ({}, "CANCELED", "incomplete"),
        ({}, "STARTED", "incomplete"),
    ],
)
def test_status_after_a_run_that_did_not_end_well(settings, monkeypatch, tags, status, state):
    monkeypatch.setenv("MODELLENS_HOME", str(settings.home))
    prepare(settings)
    with dg.DagsterInstance.get() as instance:
        instance.create_run_for_job(job(), tags=tags, status=dg.DagsterRunStatus[status])
    assert collect_status(settings)["state"] == state


def test_status_says_that_a_run_is_at_work(settings):
    make_state(settings)
    with only_one(settings):
        assert collect_status(settings)["state"] == "at_work"
