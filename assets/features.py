"""Features layer: texts, vectors, name tokens, families and the rows a ranker learns from.

Thin: what a feature is belongs in `modellens_core.features`.
"""

import dagster as dg

from assets.metadata import materialized, table_schema
from assets.resources import Workspace, log_progress
from assets.versions import code_version, data_version
from modellens_core.config import Settings

ENTITY_TABLES = ("models", "datasets", "tasks", "metrics", "families")


def features_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """All assets of the layer."""

    @dg.asset(
        group_name="features",
        deps=[
            "corpus_models",
            "corpus_datasets",
            "corpus_tasks",
            "corpus_metrics",
            "corpus_records",
        ],
        description="One row per model, dataset, task, metric and family, with its index, composed text "
        "(numbers and tables stripped: they would leak the answer), name tokens and size bucket.",
        kinds={"python", "parquet"},
        code_version=code_version(
            "features/build.py",
            "features/glued.py",
            "features/leaks.py",
            "features/names.py",
            "features/text.py",
            "normalize/datasets.py",
            "normalize/data/datasets.yaml",
            queries=("features/dataset_tasks",),
        ),
    )
    def features_entities(workspace: Workspace) -> dg.MaterializeResult:
        from modellens_core.features.build import build_entity_tables

        build_entity_tables(workspace.lake)
        return materialized(*(workspace.lake.info(f"features/{t}") for t in ENTITY_TABLES))

    @dg.asset(
        group_name="features",
        deps=["features_entities", "corpus_records", "corpus_groups"],
        description="One row per (group, model): the oriented score a ranker learns from.",
        kinds={"python", "parquet"},
        code_version=code_version("features/build.py", queries=("features/interactions",)),
    )
    def features_interactions(workspace: Workspace) -> dg.MaterializeResult:
        from modellens_core.features.build import build_interactions

        build_interactions(workspace.lake)
        return materialized(workspace.lake.info("features/interactions"))

    has_key = bool(settings.openai_api_key)  # an empty key is no key

    @dg.asset(
        group_name="features",
        deps=["features_entities"],
        description="Text vectors of models and datasets, embedded once per distinct text by one encoder.",
        kinds={"python", "numpy"},
        code_version=code_version(
            "features/build.py",
            "features/domain.py",
            "features/encoders",
            "features/vectors.py",
            settings=(settings.encoder, has_key, settings.openai_base_url),
        ),
    )
    def features_vectors(
        context: dg.AssetExecutionContext, workspace: Workspace
    ) -> dg.MaterializeResult:
        import numpy as np

        from modellens_core.features.build import embed_entities
        from modellens_core.features.encoders.select import choose_encoder

        config, lake = workspace.settings, workspace.lake
        choice = choose_encoder(config)
        encoder = choice.encoder
        context.log.info(choice.note)
        embed_entities(lake, encoder, config.cache_dir, log_progress(context))
        files = [lake.root / f"features/{n}_vectors.npy" for n in ("model", "dataset")]
        rows = [int(np.load(f, mmap_mode="r").shape[0]) for f in files]
        entities = lake.info("features/models")
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": sum(rows),
                "dagster/column_schema": table_schema(entities.schema),
                "preview": f"{rows[0]:,} model vectors and {rows[1]:,} dataset vectors of {encoder.dim}",
                "encoder": encoder.encoder_id,
                "why": choice.note,
                "weights_hash": encoder.weights_hash,
            },
            data_version=data_version(*files, lake.root / "features/encoder.json"),
        )

    return [features_entities, features_interactions, features_vectors]
