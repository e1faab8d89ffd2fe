"""Gathers what a serving bundle holds from a lake and a trained ranker.

The ranker's model side is computed here, once for all models, so that serving pays only the hidden layers
and needs neither model texts nor model vectors. Files, hashes and names belong in `bundle.py`.
"""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from modellens_core.features.featureset import FeatureSet
from modellens_core.normalize.tasks import resolve_task
from modellens_core.serving.bundle import Contents
from modellens_core.store import sql
from modellens_core.store.lake import Lake

MODEL_COLUMNS = [
    "model_id", "params_b", "size_bucket", "family", "clone_cluster", "license", "url", "pipeline_tag",
]  # fmt: skip


def gather(lake: Lake, ranker_dir: Path) -> Contents:
    """Collect tables, matrices and provenance.

    Args:
        lake: holds corpus and features; evaluation if the ranker was judged.
        ranker_dir: folder of the trained ranker.

    Raises:
        ModelLensError: something is missing, or the ranker was trained on other features.
    """
    from modellens_core.ranking.artifact import load_ranker

    features = FeatureSet.load(lake)
    described = json.loads((lake.root / "features/encoder.json").read_text(encoding="utf-8"))
    ranker, meta = load_ranker(ranker_dir)
    meta.check(features)
    candidates = ranker.candidates(features)
    tables = {
        "models": _models(lake),
        "datasets": lake.read("features/datasets", ["dataset_id", "dataset_family", "url"]),
        "tasks": lake.read("features/tasks", ["task_id", "modality"]),
        "metrics": lake.read("features/metrics"),
        "families": lake.read("features/families", ["family"]),
    }
    for name in ("contexts", "model_tasks", "evidence"):
        tables[name] = lake.query(sql.load(f"serving/{name}"))
    return Contents(
        tables=tables,
        arrays={
            "candidates": candidates.hidden.numpy(),
            "priors": candidates.prior.numpy(),
            "dataset_vectors": features.dataset_vectors,
        },
        ranker_dir=ranker_dir,
        corpus_sha256=lake.info("corpus/records").sha256,
        encoder=features.encoder,
        n_name_tokens=features.n_name_tokens,
        similarity_floor=float(described["similarity_floor"]),
        ranker={
            "protocol": meta.protocol, "seed": meta.seed, "recipe": meta.recipe.get("name"),
            "result": meta.result, "data": meta.data, "versions": meta.versions,
        },
        evaluation=_evaluation(lake),
    )  # fmt: skip


def _models(lake: Lake) -> pa.Table:
    """Models with the task and the input modality that their pipeline tags state."""
    models = lake.read("features/models", MODEL_COLUMNS)
    stated = [resolve_task(tag) for tag in models["pipeline_tag"].to_pylist()]
    models = models.drop_columns(["pipeline_tag"])
    models = models.append_column("stated_task", pa.array([t.task_id for t in stated], pa.string()))
    return models.append_column(
        "stated_modality", pa.array([t.modality for t in stated], pa.string())
    )


def _evaluation(lake: Lake) -> list[dict[str, Any]]:
    """The headline numbers of the report, if there is one."""
    from modellens_core.evaluation.metrics import HEADLINE
    from modellens_core.evaluation.summary import MIN_MODELS_SHOWN

    if not lake.exists("evaluation/summary"):
        return []
    shown = (pc.field("metric") == HEADLINE) & (pc.field("min_models") == MIN_MODELS_SHOWN[0])
    columns = ["protocol", "method", "metric", "mean", "low", "high", "n_groups", "n_families"]
    rows: list[dict[str, Any]] = (
        lake.read("evaluation/summary").filter(shown).select(columns).to_pylist()
    )
    return rows
