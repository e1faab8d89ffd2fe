"""Which files each asset writes: what has to be there for the asset to count as built.

A list of places and nothing else; what is in them is decided by the asset's layer. The database and the
bundle are not listed: whether those are whole takes more than a look for a file (`pipelines/damage.py`).
"""

from collections.abc import Mapping
from pathlib import Path

from assets.corpus import QUERIES
from assets.features import ENTITY_TABLES
from assets.training import seeds_of, training_dir
from modellens_core.config import Settings
from modellens_core.normalize.tables import NAME_TABLES
from modellens_core.schema import STAGING_FILES
from modellens_core.sources.registry import enrichments_of, sources_of
from modellens_core.splits.freeze import PROTOCOLS
from modellens_core.store.lake import Lake

RANKER_FILES = ("ranker.safetensors", "ranker.json", "metrics.jsonl")
EVALUATION_TABLES = ("groups", "summary", "differences")


def outputs(settings: Settings) -> Mapping[str, tuple[Path, ...]]:
    """Asset name to the files it writes, for the assets that write to the lake or the report."""
    lake, root = Lake(settings.lake_dir), settings.lake_dir

    def tables(folder: str, *names: str) -> tuple[Path, ...]:
        return tuple(lake.path(f"{folder}/{name}") for name in names)

    found: dict[str, tuple[Path, ...]] = {}
    for source in sources_of(settings.profile):
        found[f"raw_{source.key}"] = tables(f"raw/{source.key}", *source.tables, "status")
        for part in source.parts:
            found[f"stg_{part.name}"] = tables(f"staging/{part.name}", *STAGING_FILES)
    for source, enrichment in enrichments_of(settings):
        found[f"raw_{enrichment.key}"] = (
            *tables(f"raw/{source.key}", *enrichment.tables),
            *tables(f"raw/{enrichment.key}", "status"),
        )
    found["corpus_names"] = tables("corpus", *NAME_TABLES)
    for query in QUERIES:
        name = query.split("/")[1]
        found[f"corpus_{name}"] = tables("corpus", name)
    found["features_entities"] = tables("features", *ENTITY_TABLES)
    found["features_interactions"] = tables("features", "interactions")
    found["features_vectors"] = tuple(
        root / "features" / name
        for name in ("model_vectors.npy", "dataset_vectors.npy", "encoder.json")
    )
    for protocol in PROTOCOLS:
        found[f"split_{protocol}"] = (
            *tables("splits", protocol),
            root / "splits" / f"{protocol}.json",
        )
        folders = [
            training_dir(settings, protocol) / f"seed-{n}" for n in seeds_of(protocol, settings)
        ]
        found[f"ranker_{protocol}"] = tuple(f / name for f in folders for name in RANKER_FILES)
    found["evaluation_report"] = (
        *tables("evaluation", *EVALUATION_TABLES),
        settings.report_dir / "report.md",
    )
    return found
