"""Serving layer: one self-contained bundle per release, and the pointer to the newest.

What is in a bundle and how it is read belongs in `modellens_core.serving`.
"""

import dagster as dg

from assets.metadata import materialized
from assets.resources import Workspace
from assets.training import seeds_of, training_dir
from assets.versions import code_version, data_version
from modellens_core.store import sql


def serving_assets() -> list[dg.AssetsDefinition]:
    """All assets of the layer."""

    @dg.asset(
        group_name="serving",
        deps=["ranker_production", "evaluation_report", "corpus_database", "corpus_records"],
        description="The production ranker with everything it needs to rank: weights, candidate matrix, "
        "catalogue, known scores. Written whole, then pointed to by `LATEST`.",
        kinds={"safetensors", "parquet"},
        code_version=code_version("serving", "ranking", queries=tuple(sql.names("serving"))),
    )
    def serving_bundle(workspace: Workspace) -> dg.MaterializeResult:
        from modellens_core.serving.bundle import publish_bundle

        config = workspace.settings
        seed = seeds_of("production", config)[0]
        ranker = training_dir(config, "production") / f"seed-{seed}"
        bundle = publish_bundle(workspace.lake, ranker, config.bundle_dir)
        return materialized(
            workspace.lake.info("features/models"),
            extra={"bundle": dg.MetadataValue.path(str(bundle))},
            version=data_version(bundle / "manifest.json"),
        )

    return [serving_bundle]
