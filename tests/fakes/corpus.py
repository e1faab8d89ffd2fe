"""Small corpus tables by hand, in the columns of `sql/corpus`, for tests of the layers that read them."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from modellens_core.features.build import (
    build_entity_tables,
    build_interactions,
    embed_entities,
)
from modellens_core.features.encoders.base import TextEncoder
from modellens_core.schema import stable_id
from modellens_core.store.lake import Lake
from tests.fakes.world import FAMILIES, World

TEXTS = pa.list_(pa.string())
MODELS = pa.schema(
    [
        *((n, pa.string()) for n in ("model_id", "org", "name", "family")),
        ("params_b", pa.float64()),
        ("params_origin", pa.string()),
        ("size_bucket", pa.int32()),
        *((n, pa.string()) for n in ("license", "base_model")),
        ("released_at", pa.date32()),
        ("downloads", pa.int64()),
        ("likes", pa.int64()),
        ("languages", TEXTS),
        ("tags", TEXTS),
        ("trained_on", TEXTS),
        *((n, pa.string()) for n in ("pipeline_tag", "description", "url", "clone_cluster")),
        ("n_records", pa.int64()),
    ]
)
DATASETS = pa.schema(
    [
        *((n, pa.string()) for n in ("dataset_id", "dataset_family", "description")),
        ("languages", TEXTS),
        *((n, pa.string()) for n in ("modality", "url")),
        ("n_records", pa.int64()),
    ]
)
METRICS = pa.schema(
    [
        ("metric_id", pa.string()), ("lower_is_better", pa.bool_()), ("unit", pa.string()),
        ("kind", pa.string()), ("min", pa.float64()), ("max", pa.float64()),
    ]
)  # fmt: skip


def record(
    model: str, dataset: str, score: float | None, *, task: str = "text-classification",
    metric: str = "accuracy", lower: bool | None = False, variant: str = "", **extra: Any,
) -> dict[str, Any]:  # fmt: skip
    """One row of `corpus/records`, as far as later layers read it."""
    return {
        "record_id": stable_id(model, dataset, task, metric, variant),
        "model_id": model,
        "dataset_id": dataset,
        "dataset_family": dataset.split("/", maxsplit=1)[0],
        "task_id": task,
        "metric_id": metric,
        "setting": "{}",
        "group_id": stable_id(dataset, task, metric),
        "value": score,
        "score": score,
        "lower_is_better": lower,
        "tier": "silver",
        "source": "hub",
        "source_url": f"https://example.org/{model}/{dataset}",
        "reported_by": "author",
        "verified": False,
        **extra,
    }


def write_corpus(
    lake: Lake,
    records: list[dict[str, Any]],
    models: Mapping[str, dict[str, Any]] | None = None,
    datasets: Mapping[str, dict[str, Any]] | None = None,
    modalities: Mapping[str, str] | None = None,
) -> None:
    """Write records and the entity tables that go with them.

    Args:
        lake: receives `corpus/*`.
        records: rows made by `record`.
        models: model id to the columns that differ from "nothing known".
        datasets: the same for datasets.
        modalities: task id to modality; "text" where not given.
    """
    models, datasets = models or {}, datasets or {}
    model_rows = [
        {
            "model_id": m,
            "name": m.split("/")[-1],
            "family": "unknown",
            "size_bucket": 0,
            **models.get(m, {}),
        }
        for m in sorted({r["model_id"] for r in records} | set(models))
    ]
    for row in model_rows:
        org = row["model_id"].split("/")[0] if "/" in row["model_id"] else None
        row["org"] = org
    family = {r["dataset_id"]: r["dataset_family"] for r in records}
    dataset_rows = [
        {
            "dataset_id": d,
            "dataset_family": family.get(d, d),
            "modality": "text",
            **datasets.get(d, {}),
        }
        for d in sorted(set(family) | set(datasets))
    ]
    tasks = sorted({r["task_id"] for r in records})
    task_rows = [{"task_id": t, "modality": (modalities or {}).get(t, "text")} for t in tasks]
    directions = {r["metric_id"]: r["lower_is_better"] for r in records}
    metric_rows = [
        {"metric_id": m, "lower_is_better": lower, "unit": "proportion"}
        for m, lower in sorted(directions.items())
    ]
    members: dict[str, set[str]] = defaultdict(set)
    keys: dict[str, dict[str, Any]] = {}
    for r in records:
        members[r["group_id"]].add(r["model_id"])
        names = (
            "group_id",
            "dataset_id",
            "dataset_family",
            "task_id",
            "metric_id",
            "lower_is_better",
        )
        keys[r["group_id"]] = {name: r[name] for name in names}
    groups = [{**keys[g], "n_models": len(members[g])} for g in sorted(keys)]
    lake.write("corpus/models", pa.Table.from_pylist(model_rows, schema=MODELS))
    lake.write("corpus/datasets", pa.Table.from_pylist(dataset_rows, schema=DATASETS))
    lake.write("corpus/tasks", pa.Table.from_pylist(task_rows))
    lake.write("corpus/metrics", pa.Table.from_pylist(metric_rows, schema=METRICS))
    lake.write("corpus/groups", pa.Table.from_pylist(groups))
    scores = pa.Table.from_pylist(records)
    at = scores.schema.get_field_index("score")
    scores = scores.set_column(at, "score", scores["score"].cast(pa.float64()))
    at = scores.schema.get_field_index("lower_is_better")
    scores = scores.set_column(at, "lower_is_better", scores["lower_is_better"].cast(pa.bool_()))
    lake.write("corpus/records", scores)


def corpus_of_world(lake: Lake, world: World) -> None:
    """The planted world as a finished corpus."""
    records = [
        record(
            world.model_ids[i], d["id"], world.score(i, j) / 100,
            task=d["task"], metric=d["metric"], lower=d["lower_is_better"], dataset_family=d["family"],
        )
        for j, d in enumerate(world.datasets)
        for i in np.flatnonzero(world.observed[:, j])
    ]  # fmt: skip
    models = {
        name: {
            "family": FAMILIES[world.family[i]],
            "params_b": float(world.params_b[i]),
            "size_bucket": int(np.clip(round(4 * np.log10(world.params_b[i]) + 8), 1, 20)),
            "license": ("apache-2.0", "mit", "llama3", None)[i % 4],
            "released_at": date(2023, 1 + i % 12, 1),
            "downloads": 1000 * (i + 1),
            "pipeline_tag": "text-classification",
            "languages": ["en"],
            "url": f"https://example.org/{name}",
        }
        for i, name in enumerate(world.model_ids)
    }
    datasets = {
        d["id"]: {"description": d["description"], "languages": ["en"]} for d in world.datasets
    }
    speech = {"automatic-speech-recognition": "audio"}
    write_corpus(lake, records, models=models, datasets=datasets, modalities=speech)


def features_of(lake: Lake, encoder: TextEncoder, cache: Path) -> None:
    """All features of the corpus in a lake: what the three assets of that layer do, one after the other."""
    build_entity_tables(lake)
    build_interactions(lake)
    embed_entities(lake, encoder, cache)
