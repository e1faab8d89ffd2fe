"""Staging layer: every source's rows in the one common shape, and what was refused, with reasons.

One asset per parser. The parsers are pure functions in `modellens_core.sources`; what a row means is
defined in `modellens_core.schema`.
"""

from collections import Counter
from datetime import UTC, datetime
from functools import partial

import dagster as dg

from assets.metadata import markdown_table, materialized
from assets.resources import Workspace
from assets.versions import code_version
from modellens_core.config import Settings
from modellens_core.schema import STAGING_FILES, STAGING_SCHEMAS, staging_tables
from modellens_core.sources.closed import closed_reports
from modellens_core.sources.registry import Source, StagingPart, enrichments_of, sources_of

NO_DROP = "no_sudden_drop"
DROP = 0.2  # share of the reports of the last reading that may be missing in this one


def no_drop(key: str, now: int, before: int | None) -> dg.AssetCheckResult:
    """Warns when a reading gives far fewer reports than the one before: a source that changed its form."""
    lost = 0.0 if not before else 1 - now / before
    return dg.AssetCheckResult(
        check_name=NO_DROP,
        asset_key=dg.AssetKey(key),
        passed=lost <= DROP,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{now:,} reports, {before:,} in the reading before: see what the source says now"
        if lost > DROP
        else None,
        metadata={"reports": now, "reports_before": -1 if before is None else before},
    )


def staging_asset(source: Source, part: StagingPart, settings: Settings) -> dg.AssetsDefinition:
    """The asset of one parser."""
    key = f"stg_{part.name}"
    further = [e for _, e in enrichments_of(settings) if e.part == part.name]
    sources = [f"raw_{source.key}", *(f"raw_{e.key}" for e in further)]
    inputs = [*source.tables, *(t for e in further for t in e.tables)]

    @dg.asset(
        name=key,
        group_name="staging",
        deps=sources,
        description=part.about,
        kinds={"python", "parquet"},
        code_version=code_version(*part.code, settings=[e.key for e in further] or None),
        check_specs=[
            dg.AssetCheckSpec(
                NO_DROP,
                asset=key,
                description="There are not suddenly far fewer reports than before.",
            )
        ],
    )
    def parse(workspace: Workspace) -> dg.MaterializeResult:
        lake = workspace.lake
        read = lake.scan if source.streamed else lake.read
        raw = {t: read(f"raw/{source.key}/{t}") for t in inputs}
        tables = staging_tables(part.parse(raw))
        names = {t: f"staging/{part.name}/{t}" for t in STAGING_FILES}
        old = {
            t: lake.read(names[t]) if lake.exists(names[t]) else None for t in ("reports", "closed")
        }
        closed = closed_reports(
            tables["reports"],
            old["reports"],
            old["closed"],
            datetime.now(UTC),
            None if source.revisions is None else partial(source.revisions, raw),
        )
        # First what was closed: stopped between the two, the next run finds the same reports gone again.
        lake.write(names["closed"], closed)
        infos = [lake.write(names[t], tables[t]) for t in STAGING_SCHEMAS]
        reasons = Counter(tables["rejects"]["reason"].to_pylist())
        refused = markdown_table(["reason", "count"], [list(r) for r in reasons.most_common()])
        readers = Counter(tables["reports"]["extractor"].to_pylist())
        read_by = markdown_table(["reader", "reports"], [list(r) for r in readers.most_common()])
        extra = {
            "refused": dg.MetadataValue.md(refused),
            "read_by": dg.MetadataValue.md(read_by),
            "closed": closed.num_rows,
        }
        before = None if old["reports"] is None else old["reports"].num_rows
        return materialized(*infos, extra=extra, checks=[no_drop(key, infos[0].rows, before)])

    return parse


def staging_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """The staging assets of the profile's sources."""
    return [
        staging_asset(s, part, settings) for s in sources_of(settings.profile) for part in s.parts
    ]


def staging_keys(settings: Settings) -> list[str]:
    """Names of the staging assets, for the corpus layer's dependencies."""
    return [f"stg_{part.name}" for s in sources_of(settings.profile) for part in s.parts]
