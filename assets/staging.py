"""Staging layer: every source's rows in the one common shape, and what was refused, with reasons.

One asset per parser. The parsers are pure functions in `modellens_core.sources`; what a row means is
defined in `modellens_core.schema`.
"""

from collections import Counter

import dagster as dg

from assets.metadata import markdown_table, materialized
from assets.resources import Workspace
from assets.versions import code_version
from modellens_core.config import Settings
from modellens_core.schema import STAGING_SCHEMAS, staging_tables
from modellens_core.sources.registry import Source, StagingPart, enrichments_of, sources_of


def staging_asset(source: Source, part: StagingPart, settings: Settings) -> dg.AssetsDefinition:
    """The asset of one parser."""
    further = [e for _, e in enrichments_of(settings) if e.part == part.name]
    sources = [f"raw_{source.key}", *(f"raw_{e.key}" for e in further)]
    inputs = [*source.tables, *(t for e in further for t in e.tables)]

    @dg.asset(
        name=f"stg_{part.name}",
        group_name="staging",
        deps=sources,
        description=part.about,
        kinds={"python", "parquet"},
        code_version=code_version(*part.code, settings=[e.key for e in further] or None),
    )
    def parse(workspace: Workspace) -> dg.MaterializeResult:
        lake = workspace.lake
        raw = {t: lake.read(f"raw/{source.key}/{t}") for t in inputs}
        tables = staging_tables(part.parse(raw))
        infos = [lake.write(f"staging/{part.name}/{t}", tables[t]) for t in STAGING_SCHEMAS]
        reasons = Counter(tables["rejects"]["reason"].to_pylist())
        refused = markdown_table(["reason", "count"], [list(r) for r in reasons.most_common()])
        readers = Counter(tables["reports"]["extractor"].to_pylist())
        read_by = markdown_table(["reader", "reports"], [list(r) for r in readers.most_common()])
        return materialized(
            *infos,
            extra={
                "refused": dg.MetadataValue.md(refused),
                "read_by": dg.MetadataValue.md(read_by),
            },
        )

    return parse


def staging_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """The staging assets of the profile's sources."""
    return [
        staging_asset(s, part, settings) for s in sources_of(settings.profile) for part in s.parts
    ]


def staging_keys(settings: Settings) -> list[str]:
    """Names of the staging assets, for the corpus layer's dependencies."""
    return [f"stg_{part.name}" for s in sources_of(settings.profile) for part in s.parts]
