"""The staleness question means what `make run` promises: no work twice, all work that follows a change."""

import dagster as dg

from pipelines.staleness import stale_assets, unfinished_attempts


def world(code="1", source="a"):
    @dg.asset(code_version="1")
    def raw():
        return dg.MaterializeResult(data_version=dg.DataVersion(source))

    @dg.asset(deps=[raw], code_version=code)
    def corpus():
        return dg.MaterializeResult(data_version=dg.DataVersion(f"corpus of {source} by {code}"))

    @dg.asset(deps=[corpus], code_version="1")
    def ranker():
        return dg.MaterializeResult(data_version=dg.DataVersion("ranker"))

    return dg.Definitions(assets=[raw, corpus, ranker])


def names(defs, instance):
    return [k.to_user_string() for k in stale_assets(defs, instance)]


def run(defs, instance, *keys):
    job = defs.resolve_implicit_global_asset_job_def()
    chosen = [dg.AssetKey(k) for k in keys] or None
    assert job.execute_in_process(instance=instance, asset_selection=chosen).success


def test_everything_is_missing_then_nothing_is_stale():
    with dg.DagsterInstance.ephemeral() as instance:
        assert names(world(), instance) == ["corpus", "ranker", "raw"]
        run(world(), instance)
        assert names(world(), instance) == []


def test_changed_code_is_rebuilt_and_what_follows_only_if_the_data_changed():
    with dg.DagsterInstance.ephemeral() as instance:
        run(world(), instance)
        assert names(world(code="2"), instance) == ["corpus"]
        run(world(code="2"), instance, "corpus")
        assert names(world(code="2"), instance) == ["ranker"]


def test_a_refresh_that_says_nothing_new_leaves_the_rest_fresh():
    with dg.DagsterInstance.ephemeral() as instance:
        run(world(), instance)
        run(world(), instance, "raw")
        assert names(world(), instance) == []
        run(world(source="b"), instance, "raw")
        assert names(world(source="b"), instance) == ["corpus"]


def test_a_run_that_stopped_half_way_goes_on_where_it_stopped():
    with dg.DagsterInstance.ephemeral() as instance:
        run(world(), instance, "raw")
        assert names(world(), instance) == ["corpus", "ranker"]


def test_an_attempt_that_failed_is_remembered_until_one_succeeds():
    answers = iter(["yes", "no", "not yet", "yes"])

    @dg.asset
    def raw():
        if (answer := next(answers)) != "yes":
            raise RuntimeError(answer)

    @dg.asset
    def other():
        return None

    job = dg.Definitions(assets=[raw, other]).resolve_implicit_global_asset_job_def()
    keys = [dg.AssetKey("raw"), dg.AssetKey("other")]
    remembered = []
    with dg.DagsterInstance.ephemeral() as instance:
        assert unfinished_attempts(instance, keys) == set()
        for _ in range(4):
            job.execute_in_process(instance=instance, raise_on_error=False)
            # A run of something else in between changes nothing.
            other_alone = [dg.AssetKey("other")]
            job.execute_in_process(instance=instance, asset_selection=other_alone)
            remembered.append(unfinished_attempts(instance, keys))
    assert remembered == [set(), {dg.AssetKey("raw")}, {dg.AssetKey("raw")}, set()]


def checked(passes):
    @dg.asset(code_version="1")
    def corpus():
        return dg.MaterializeResult(data_version=dg.DataVersion("corpus"))

    @dg.asset(deps=[corpus], code_version="1")
    def ranker():
        return dg.MaterializeResult(data_version=dg.DataVersion("ranker"))

    @dg.asset_check(asset=corpus, blocking=True)
    def sound():
        return dg.AssetCheckResult(passed=passes)

    return dg.Definitions(assets=[corpus, ranker], asset_checks=[sound])


def test_a_refused_asset_stays_stale_so_that_nothing_is_built_on_it():
    with dg.DagsterInstance.ephemeral() as instance:
        job = checked(passes=False).resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(instance=instance, raise_on_error=False)
        assert not result.success
        assert not result.asset_materializations_for_node("ranker")
        assert names(checked(passes=False), instance) == ["corpus", "ranker"]
        run(checked(passes=True), instance)
        assert names(checked(passes=True), instance) == []
