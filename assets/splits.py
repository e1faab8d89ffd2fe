"""Splits layer: frozen assignments of rows to train, validation and test, and the leak audit's inputs.

How a split is made belongs in `modellens_core.splits`; whether it leaks is asked by `assets/checks.py`.
"""

import dagster as dg

from assets.metadata import materialized
from assets.resources import Workspace
from assets.versions import code_version
from modellens_core.splits.freeze import PROTOCOLS

ABOUT = {
    "completion": "Hides (model, dataset) pairs with all their metrics and settings: can the ranker fill "
    "the holes of the table?",
    "new_datasets": "Hides whole dataset families: can it rank models for a dataset that has no scores?",
    "production": "Everything for training but the validation families: the ranker that is served.",
}
SPLIT_SEED = 20260101


def split_asset(protocol: str) -> dg.AssetsDefinition:
    """The asset of one protocol's split."""

    @dg.asset(
        name=f"split_{protocol}",
        group_name="splits",
        deps=["features_interactions", "features_entities", "features_vectors"],
        description=ABOUT[protocol],
        kinds={"python", "parquet"},
        code_version=code_version("splits", settings=SPLIT_SEED),
    )
    def split(workspace: Workspace) -> dg.MaterializeResult:
        from modellens_core.splits.freeze import freeze_split

        lake = workspace.lake
        manifest = freeze_split(lake, protocol, SPLIT_SEED)
        return materialized(
            lake.info(f"splits/{protocol}"), extra={"manifest": dg.MetadataValue.json(manifest)}
        )

    return split


def splits_assets() -> list[dg.AssetsDefinition]:
    """All assets of the layer."""
    return [split_asset(p) for p in PROTOCOLS]
