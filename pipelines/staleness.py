"""Which assets have work to do: missing, older than their code, settings or inputs, or refused by a check.

Dagster knows this (it is what the UI's "unsynced" means and what `RunRequest(stale_assets_only=True)`
uses), but exposes it to schedules and sensors only; this module asks the same resolver directly. It is
the one place that touches a private name of Dagster (docs/adr/0004), and a test holds it to its meaning.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

import dagster as dg
from dagster._core.asset_graph_view.asset_graph_view import AssetGraphView
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.definitions.temporal_context import TemporalContext
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus


def stale_assets(defs: dg.Definitions, instance: dg.DagsterInstance) -> list[dg.AssetKey]:
    """Assets whose materialisation would not be a repetition, in a stable order.

    Only what is known to be stale now: an asset below a stale one becomes stale if and when that one
    brings new data. So a caller runs these, asks again, and stops when nothing is left.

    Args:
        defs: the definitions whose code and settings count as current.
        instance: where past materialisations and checks are recorded.
    """
    graph = defs.resolve_asset_graph()
    view = AssetGraphView(
        temporal_context=TemporalContext(effective_dt=datetime.now(UTC), last_event_id=None),
        instance=instance,
        asset_graph=graph,
    )
    resolver = CachingStaleStatusResolver(
        instance=instance, asset_graph=graph, loading_context=view
    )
    keys = graph.materializable_asset_keys
    stale = {k for k in keys if resolver.get_status(k) in {StaleStatus.STALE, StaleStatus.MISSING}}
    return sorted(stale | refused(defs, instance), key=lambda k: k.to_user_string())


def refused(defs: dg.Definitions, instance: dg.DagsterInstance) -> set[dg.AssetKey]:
    """Assets whose newest blocking check failed. They count as stale: what lies below them must not be
    built on them just because they themselves have been written.
    """
    graph = defs.resolve_asset_graph()
    blocking = [k for k in graph.asset_check_keys if graph.get(k).blocking]
    latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(blocking)
    failed = AssetCheckExecutionRecordStatus.FAILED
    return {key.asset_key for key, record in latest.items() if record.status == failed}


def unfinished_attempts(
    instance: dg.DagsterInstance, keys: Iterable[dg.AssetKey]
) -> set[dg.AssetKey]:
    """Which of these assets were to be built last by a run that did not build them: it failed, or was stopped.

    Dagster does not count them as stale, as what was built before is still there; but who asked a source
    again, and got no answer, has not been served.
    """
    entries = [record.asset_entry for record in instance.get_asset_records(list(keys))]
    return {
        entry.asset_key
        for entry in entries
        if (built := entry.last_materialization_record) is not None
        and entry.last_run_id != built.run_id
    }
