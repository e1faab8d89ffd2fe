"""Builds the feature tables and vectors from the corpus: the last step before any model sees the data.

Three steps, each callable by itself: entities (indices, texts, name tokens), vectors of their texts, and
interactions (who did how well where). How a text is composed belongs in `text.py`, which rows compare in
`sql/features/interactions.sql`, and reading it all back in `featureset.py`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from modellens_core.errors import ModelLensError
from modellens_core.features.domain import sample_described, similarity_floor
from modellens_core.features.encoders.base import TextEncoder
from modellens_core.features.featureset import INTERACTIONS, text_array
from modellens_core.features.names import N_NAME_TOKENS, name_token_ids
from modellens_core.features.text import (
    compose_dataset_text,
    compose_model_text,
    compose_query_text,
)
from modellens_core.features.vectors import embed_texts, write_vectors
from modellens_core.progress import Progress, silent
from modellens_core.store import sql
from modellens_core.store.lake import Lake, TableInfo, write_json

UNKNOWN_FAMILY = "unknown"

FEATURE_MODELS = pa.schema(
    [
        pa.field("model_index", pa.int32(), nullable=False),
        pa.field("model_id", pa.string(), nullable=False),
        pa.field("params_b", pa.float64()),
        pa.field("size_bucket", pa.int32(), nullable=False),
        pa.field("family", pa.string(), nullable=False),
        pa.field("family_index", pa.int32(), nullable=False),
        pa.field("name_tokens", pa.list_(pa.int32()), nullable=False),
        pa.field("clone_cluster", pa.int32(), nullable=False),
        pa.field("released_at", pa.date32()),
        pa.field("downloads", pa.int64()),
        pa.field("license", pa.string()),
        pa.field("org", pa.string()),
        pa.field("url", pa.string()),
        pa.field("pipeline_tag", pa.string()),
        pa.field("text", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class VectorsInfo:
    """What `embed_entities` wrote: enough for asset metadata."""

    encoder_id: str
    weights_hash: str
    dim: int
    models: int
    datasets: int
    model_texts: int  # distinct
    dataset_texts: int  # distinct
    similarity_floor: float  # see features/domain.py


def build_entity_tables(lake: Lake) -> dict[str, TableInfo]:
    """Write `features/{models,datasets,tasks,metrics,families}`; indices follow the sorted ids."""
    models = _sorted_rows(lake, "corpus/models", "model_id")
    families = [UNKNOWN_FAMILY, *sorted({_family(m) for m in models} - {UNKNOWN_FAMILY})]
    tables = {
        "families": _indexed("family", [{"family": name} for name in families]),
        "models": _models(models, families),
        "datasets": _datasets(lake),
        "tasks": _entities(lake, "tasks", "task", ("modality",)),
        "metrics": _entities(lake, "metrics", "metric", ("lower_is_better", "unit", "kind")),
    }
    return {name: lake.write(f"features/{name}", table) for name, table in tables.items()}


def build_interactions(lake: Lake) -> TableInfo:
    """Write `features/interactions`; needs the entity tables.

    Raises:
        ModelLensError: a record refers to a model, dataset, task or metric without features.
    """
    for table in ("corpus/records", "features/models", "features/datasets"):
        lake.require(table)
    found = lake.query(sql.load("features/interactions"))
    for column in ("model_index", "dataset_index", "task_index", "metric_index"):
        if found[column].null_count:
            kind = column.removesuffix("_index")
            raise ModelLensError(
                f"{found[column].null_count} scores refer to a {kind} without features; "
                "build corpus and features again from the same records"
            )
    return lake.write("features/interactions", found.cast(INTERACTIONS))


def embed_entities(
    lake: Lake, encoder: TextEncoder, cache_dir: Path, progress: Progress = silent
) -> VectorsInfo:
    """Write the vectors of all model and dataset texts, and `features/encoder.json` last.

    Raises:
        EncoderError: no vectors can be had; the previous ones stay.
    """
    datasets = lake.read("features/datasets", ["dataset_family", "query_text", "text"])
    texts = {
        "datasets": datasets["text"].to_pylist(),
        "models": lake.read("features/models", ["text"])["text"].to_pylist(),
    }
    vectors = {kind: embed_texts(t, encoder, cache_dir, progress) for kind, t in texts.items()}
    asked = sample_described(datasets["query_text"].to_pylist())
    questions = [datasets["query_text"][row].as_py() for row in asked]
    info = VectorsInfo(
        encoder_id=encoder.encoder_id,
        weights_hash=encoder.weights_hash,
        dim=encoder.dim,
        models=len(texts["models"]),
        datasets=len(texts["datasets"]),
        model_texts=len(set(texts["models"])),
        dataset_texts=len(set(texts["datasets"])),
        similarity_floor=similarity_floor(
            embed_texts(questions, encoder, cache_dir, progress),
            asked,
            vectors["datasets"],
            text_array(datasets["dataset_family"]),
        ),
    )
    folder = lake.root / "features"
    write_vectors(folder / "model_vectors.npy", vectors["models"])
    write_vectors(folder / "dataset_vectors.npy", vectors["datasets"])
    described = {
        "encoder_id": info.encoder_id,
        "weights_hash": info.weights_hash,
        "dim": info.dim,
        "n_name_tokens": N_NAME_TOKENS,
        "similarity_floor": info.similarity_floor,
    }
    write_json(folder / "encoder.json", described)
    return info


def _models(models: list[dict[str, Any]], families: list[str]) -> pa.Table:
    family_index = {name: at for at, name in enumerate(families)}
    tokens = name_token_ids(m["model_id"] for m in models)
    clusters: dict[Any, int] = {}
    rows = [
        {
            **{name: model.get(name) for name in FEATURE_MODELS.names},
            "model_index": at,
            "size_bucket": model["size_bucket"] or 0,
            "family": _family(model),
            "family_index": family_index[_family(model)],
            "name_tokens": tokens[at],
            "clone_cluster": clusters.setdefault(_cluster(model), len(clusters)),
            "text": _model_text(model),
        }
        for at, model in enumerate(models)
    ]
    return pa.Table.from_pylist(rows, schema=FEATURE_MODELS)


def _cluster(model: Mapping[str, Any]) -> Any:
    """A model without a cluster is alone in its own."""
    cluster = model["clone_cluster"]
    return ("alone", model["model_id"]) if cluster is None else cluster


def _model_text(model: Mapping[str, Any]) -> str:
    return compose_model_text(
        model["model_id"],
        task=model.get("pipeline_tag"),
        family=_family(model),
        languages=model.get("languages") or (),
        trained_on=model.get("trained_on") or (),
        base_model=model.get("base_model"),
        description=model.get("description"),
    )


def _datasets(lake: Lake) -> pa.Table:
    lake.require("corpus/records")
    main_task = {
        row["dataset_id"]: row["task_id"]
        for row in lake.query(sql.load("features/dataset_tasks")).to_pylist()
    }
    rows = [
        {
            **{k: d.get(k) for k in ("dataset_id", "dataset_family", "modality", "url")},
            "task_id": main_task.get(d["dataset_id"]),
            "query_text": compose_query_text(d.get("description") or "", None) or None,
            "text": compose_dataset_text(
                d["dataset_id"],
                d["dataset_family"],
                main_task.get(d["dataset_id"]),
                d.get("modality"),
                d.get("languages") or (),
                d.get("description"),
            ),
        }
        for d in _sorted_rows(lake, "corpus/datasets", "dataset_id")
    ]
    columns = ("dataset_id", "dataset_family", "modality", "url", "task_id", "query_text", "text")
    return _indexed("dataset", rows, {name: pa.string() for name in columns})


def _entities(lake: Lake, name: str, kind: str, columns: Iterable[str]) -> pa.Table:
    keep = [f"{kind}_id", *columns]
    table = lake.read(f"corpus/{name}", keep).sort_by(f"{kind}_id")
    types = {field.name: field.type for field in table.schema}
    return _indexed(kind, table.to_pylist(), types)


def _indexed(
    kind: str, rows: list[dict[str, Any]], types: Mapping[str, pa.DataType] | None = None
) -> pa.Table:
    """Rows with their position as `<kind>_index`."""
    columns = types or {name: pa.string() for name in rows[0]}
    index = pa.field(f"{kind}_index", pa.int32(), nullable=False)
    schema = pa.schema([index, *(pa.field(name, kept) for name, kept in columns.items())])
    numbered = [{f"{kind}_index": at, **row} for at, row in enumerate(rows)]
    return pa.Table.from_pylist(numbered, schema=schema)


def _sorted_rows(lake: Lake, table: str, key: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = lake.read(table).sort_by(key).to_pylist()
    return rows


def _family(model: Mapping[str, Any]) -> str:
    return model["family"] or UNKNOWN_FAMILY
