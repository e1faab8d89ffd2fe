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
from modellens_core.sources.registry import Source, StagingPart, sources_of


def staging_asset(source: Source, part: StagingPart) -> dg.AssetsDefinition:
    """The asset of one parser."""

    @dg.asset(
        name=f"stg_{part.name}",
        group_name="staging",
        deps=[f"raw_{source.key}"],
        description=part.about,
        kinds={"python", "parquet"},
        code_version=code_version(*part.code),
    )
    def parse(workspace: Workspace) -> dg.MaterializeResult:
        lake = workspace.lake
        read = lake.scan if source.streamed else lake.read
        raw = {t: read(f"raw/{source.key}/{t}") for t in source.tables}
        tables = staging_tables(part.parse(raw))
        infos = [lake.write(f"staging/{part.name}/{t}", tables[t]) for t in STAGING_SCHEMAS]
        reasons = Counter(tables["rejects"]["reason"].to_pylist())
        refused = markdown_table(["reason", "count"], [list(r) for r in reasons.most_common()])
        return materialized(*infos, extra={"refused": dg.MetadataValue.md(refused)})

    return parse


def staging_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """The staging assets of the profile's sources."""
    return [staging_asset(s, part) for s in sources_of(settings.profile) for part in s.parts]


def staging_keys(settings: Settings) -> list[str]:
    """Names of the staging assets, for the corpus layer's dependencies."""
    return [f"stg_{part.name}" for s in sources_of(settings.profile) for part in s.parts]
