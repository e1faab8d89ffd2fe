"""What exists: every asset and check of the graph, listed once.

One module per layer. Assets are thin: they name their inputs, call one function of `modellens_core`,
write through the lake and describe what they wrote. How and when they run belongs in `pipelines/`.
"""

import dagster as dg

from assets.checks import build_checks
from assets.corpus import corpus_assets
from assets.evaluation import evaluation_assets
from assets.features import features_assets
from assets.raw import raw_assets
from assets.serving import serving_assets
from assets.splits import splits_assets
from assets.staging import staging_assets
from assets.training import training_assets
from modellens_core.config import Settings


def all_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """The graph of one profile, in the order of the layers."""
    return [
        *raw_assets(settings),
        *staging_assets(settings),
        *corpus_assets(settings),
        *features_assets(settings),
        *splits_assets(),
        *training_assets(settings),
        *evaluation_assets(settings),
        *serving_assets(),
    ]


def all_checks(settings: Settings) -> list[dg.AssetChecksDefinition]:
    """Every check of the graph."""
    return build_checks(settings)
