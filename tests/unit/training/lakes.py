"""A lake with features and one split of the planted world: what `train_protocol` reads."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from modellens_core.features.featureset import INTERACTIONS, FeatureSet, Interactions
from modellens_core.splits.freeze import rows_hash
from modellens_core.store.lake import Lake, write_json


def parts_by_family(rows: Interactions, val: int = 1, test: int = 1) -> np.ndarray:
    """New-datasets split: the last families are test, those before them validation."""
    families = np.unique(rows.group_family)
    number = np.searchsorted(families, rows.group_family)[rows.group]
    part = np.full(len(rows), "train", dtype="<U6")
    part[number >= len(families) - test - val] = "val"
    part[number >= len(families) - test] = "test"
    return part


def write_lake(root: Path, features: FeatureSet, rows: Interactions, part: np.ndarray) -> Lake:
    """Write the feature tables, interactions and the split "planted"."""
    lake = Lake(root)
    text = lambda values: pa.array([str(v) for v in values])  # noqa: E731
    models = {
        "model_id": text(features.model_ids),
        "size_bucket": features.size_bucket,
        "params_b": 10.0 ** (features.log10_params.astype(np.float64) - 9.0),
        "family_index": features.family,
        "name_tokens": pa.array([r[r > 0].tolist() for r in features.name_tokens]),
        "clone_cluster": features.clone_cluster,
        "released_at": pa.array(features.released),
        "downloads": features.popularity.astype(np.int64),
    }
    datasets = {
        "dataset_id": text(features.dataset_ids),
        "dataset_family": text(features.dataset_family),
    }
    lake.write("features/models", pa.table(models))
    lake.write("features/datasets", pa.table(datasets))
    lake.write("features/tasks", pa.table({"task_id": text(features.task_ids)}))
    lake.write("features/metrics", pa.table({"metric_id": text(features.metric_ids)}))
    lake.write("features/families", pa.table({"family": text(features.families)}))
    np.save(root / "features/model_vectors.npy", features.model_vectors)
    np.save(root / "features/dataset_vectors.npy", features.dataset_vectors)
    encoder = {
        "encoder_id": features.encoder.encoder_id, "weights_hash": features.encoder.weights_hash,
        "dim": features.encoder.dim, "n_name_tokens": features.n_name_tokens,
    }  # fmt: skip
    write_json(root / "features/encoder.json", encoder)
    keys = {
        "group_id": text(rows.group_ids[rows.group]),
        "model_id": text(features.model_ids[rows.model]),
    }
    table = pa.table(
        keys
        | {
            "dataset_id": text(features.dataset_ids[rows.dataset]),
            "dataset_family": text(rows.group_family[rows.group]),
            "task_id": text(features.task_ids[rows.task]),
            "metric_id": text(features.metric_ids[rows.metric]),
            "group_index": rows.group,
            "model_index": rows.model,
            "dataset_index": rows.dataset,
            "task_index": rows.task,
            "metric_index": rows.metric,
            "y": rows.y,
            "z": rows.z,
        },
        schema=INTERACTIONS,
    )
    lake.write("features/interactions", table)
    freeze(lake, pa.table(keys | {"part": text(part)}))
    return lake


def freeze(lake: Lake, split: pa.Table) -> None:
    """Write the split "planted" with its manifest."""
    lake.write("splits/planted", split)
    write_json(lake.root / "splits/planted.json", {"hash": rows_hash(split)})
