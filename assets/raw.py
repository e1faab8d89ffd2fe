"""Raw layer: one asset per source, holding what the source said, untouched.

Each asset calls the source's `collect` with the tables of the last collection, writes the new ones, and
records how each part of the source fared. A source that is down does not fail the run: it keeps its last
tables, and its (non-blocking) check says that it is down and what to do.
"""

from collections.abc import Mapping

import dagster as dg
import pyarrow as pa

from assets.metadata import markdown_table, materialized
from assets.resources import Workspace, log_progress
from assets.versions import code_version, data_version
from modellens_core.config import Settings
from modellens_core.sources.base import STATUS, Collected, SourceState, SourceStatus
from modellens_core.sources.registry import Enrichment, Source, enrichments_of, sources_of
from modellens_core.store.lake import LazyTables

CHECK = "answered"


def status_table(statuses: tuple[SourceStatus, ...]) -> pa.Table:
    """Statuses as an Arrow table."""
    rows = [
        {"source": s.source, "part": s.part, "state": s.state.value, "detail": s.detail,
         "rows": s.rows, "requests": s.requests, "seconds": s.seconds}
        for s in statuses
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=STATUS)


def answered(key: str, statuses: tuple[SourceStatus, ...]) -> dg.AssetCheckResult:
    """Fails (as a warning) when any part of the source is not ok."""
    bad = [s for s in statuses if s.state is not SourceState.OK]
    table = markdown_table(
        ["part", "state", "rows", "detail"],
        [[s.part, s.state.value, s.rows, s.detail] for s in statuses],
    )
    return dg.AssetCheckResult(
        check_name=CHECK,
        asset_key=dg.AssetKey(key),
        passed=not bad,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(f"{s.part} {s.state.value}: {s.detail}" for s in bad[:5]) or None,
        metadata={"parts": dg.MetadataValue.md(table)},
    )


def raw_asset(source: Source, settings: Settings) -> dg.AssetsDefinition:
    """The asset of one source."""
    key = f"raw_{source.key}"

    @dg.asset(
        name=key,
        group_name="raw",
        description=source.about,
        kinds={"python", "parquet"},
        code_version=code_version(*source.code, settings=source.settings(settings)),
        check_specs=[answered_spec(key)],
    )
    def collect(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult:
        lake = workspace.lake
        names = {t: f"raw/{source.key}/{t}" for t in source.tables}
        previous = LazyTables(lake, names)
        got = source.collect(workspace.settings, previous, log_progress(context))
        return written(context, workspace, source.key, names, got)

    return collect


def enrichment_asset(
    source: Source, enrichment: Enrichment, settings: Settings
) -> dg.AssetsDefinition:
    """The asset of one enrichment: reads the source's raw tables, asks, and writes beside them."""
    key = f"raw_{enrichment.key}"

    @dg.asset(
        name=key,
        group_name="raw",
        deps=[f"raw_{source.key}"],
        description=enrichment.about,
        kinds={"python", "parquet"},
        code_version=code_version(*enrichment.code, settings=enrichment.settings(settings)),
        check_specs=[answered_spec(key)],
    )
    def enrich(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult:
        lake = workspace.lake
        read = lake.scan if source.streamed else lake.read
        raw = {t: read(f"raw/{source.key}/{t}") for t in source.tables}
        names = {t: f"raw/{source.key}/{t}" for t in enrichment.tables}
        got = enrichment.enrich(workspace.settings, raw, log_progress(context))
        return written(context, workspace, enrichment.key, names, got)

    return enrich


def answered_spec(key: str) -> dg.AssetCheckSpec:
    """The check that `answered` fills in."""
    return dg.AssetCheckSpec(
        CHECK, asset=key, description="Every part of the source answered with what it promised."
    )


def written(
    context: dg.AssetExecutionContext,
    workspace: Workspace,
    key: str,
    names: Mapping[str, str],
    got: Collected,
) -> dg.MaterializeResult:
    """Write what a collection brought home, and how it fared, and describe both.

    Args:
        context: where a part that is not ok is logged.
        workspace: whose lake it is.
        key: of the collection; its status is `raw/<key>/status`.
        names: tables of the lake by name in `got`.
        got: what was collected.
    """
    lake = workspace.lake
    infos = [lake.write(name, got.tables[t]) for t, name in names.items()]
    lake.write(f"raw/{key}/status", status_table(got.statuses))
    check = answered(f"raw_{key}", got.statuses)
    if not check.passed:
        context.log.warning("%s: %s", key, check.description)
    # The status is not part of the data version: a failed retry changes nothing downstream.
    return materialized(
        *infos,
        extra={
            "requests": sum(s.requests for s in got.statuses),
            "states": dg.MetadataValue.json({s.part: s.state.value for s in got.statuses}),
        },
        version=data_version(*infos),
        checks=[check],
    )


def raw_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """The raw assets of the profile's sources, and of what is asked about them."""
    return [
        *(raw_asset(source, settings) for source in sources_of(settings.profile)),
        *(enrichment_asset(s, e, settings) for s, e in enrichments_of(settings)),
    ]
