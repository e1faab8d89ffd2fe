"""What training, evaluation and serving read: entities as indices, and the scores between them.

`FeatureSet` holds everything known about models, datasets, tasks and metrics as aligned arrays;
`Interactions` holds one row per (group, model). Both are plain arrays loaded from the lake: no
DataFrame, no torch and no Dagster. How the tables are built belongs in `features/build.py` and
`sql/features/`.

Conventions: an entity's index is its row in the table; the index equal to the table's length means
"unknown" ([UNK]). Size bucket 0 means "unknown size" (see `normalize/sizes.py`); family 0 is "unknown".
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modellens_core.errors import ModelLensError
from modellens_core.store.lake import Lake

IntArray = npt.NDArray[np.int32]
FloatArray = npt.NDArray[np.float32]
TextArray = npt.NDArray[np.str_]

INTERACTIONS = pa.schema(
    [
        pa.field("group_id", pa.string(), nullable=False),
        pa.field("model_id", pa.string(), nullable=False),
        pa.field("dataset_id", pa.string(), nullable=False),
        pa.field("dataset_family", pa.string(), nullable=False),
        pa.field("task_id", pa.string(), nullable=False),
        pa.field("metric_id", pa.string(), nullable=False),
        pa.field("group_index", pa.int32(), nullable=False),
        pa.field("model_index", pa.int32(), nullable=False),
        pa.field("dataset_index", pa.int32(), nullable=False),
        pa.field("task_index", pa.int32(), nullable=False),
        pa.field("metric_index", pa.int32(), nullable=False),
        pa.field("y", pa.float64(), nullable=False),  # oriented score: higher is better
        pa.field("z", pa.float64(), nullable=False),  # y standardised within its group
    ]
)


@dataclass(frozen=True, slots=True)
class EncoderInfo:
    """Which encoder made the vectors; vectors of two encoders are never mixed."""

    encoder_id: str
    weights_hash: str
    dim: int


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """Aligned features of N models, D datasets, T tasks, U metrics and F families.

    Attributes:
        model_ids: [N] canonical ids, sorted.
        size_bucket: [N] int32 in 0..20.
        log10_params: [N] float32, log10 of the parameter count, NaN where unknown.
        family: [N] int32 index into `families`.
        families: [F] names; `families[0]` is "unknown".
        name_tokens: [N, L] int32 hashed name-token ids, padded with 0 (0 is padding only).
        n_name_tokens: size of the token hash space (ids are 1..n_name_tokens-1).
        model_vectors: [N, dim] float32, rows of norm 1 or 0 (no text).
        clone_cluster: [N] int32; models with the same number are copies of one another.
        released: [N] datetime64[D], NaT where unknown.
        popularity: [N] float32 downloads, NaN where unknown.
        dataset_ids: [D]; dataset_family: [D] family names; dataset_vectors: [D, dim].
        task_ids: [T]; metric_ids: [U].
        encoder: who made the vectors.
    """

    model_ids: TextArray
    size_bucket: IntArray
    log10_params: FloatArray
    family: IntArray
    families: TextArray
    name_tokens: IntArray
    n_name_tokens: int
    model_vectors: FloatArray
    clone_cluster: IntArray
    released: npt.NDArray[np.datetime64]
    popularity: FloatArray
    dataset_ids: TextArray
    dataset_family: TextArray
    dataset_vectors: FloatArray
    task_ids: TextArray
    metric_ids: TextArray
    encoder: EncoderInfo

    @property
    def n_models(self) -> int:
        """Number of known models; also the index that means "unknown model"."""
        return len(self.model_ids)

    @property
    def n_datasets(self) -> int:
        """Number of known datasets; also the index that means "unknown dataset"."""
        return len(self.dataset_ids)

    @staticmethod
    def load(lake: Lake) -> "FeatureSet":
        """Read the feature tables and vectors of a lake."""
        models = lake.read("features/models")
        datasets = lake.read("features/datasets")
        info: dict[str, Any] = json.loads((lake.root / "features/encoder.json").read_text("utf-8"))
        tokens = models["name_tokens"].to_pylist()
        width = max((len(t) for t in tokens), default=0) or 1
        padded = np.zeros((len(tokens), width), dtype=np.int32)
        for row, ids in enumerate(tokens):
            padded[row, : len(ids)] = ids
        encoder = EncoderInfo(info["encoder_id"], info["weights_hash"], int(info["dim"]))
        return FeatureSet(
            model_ids=text_array(models["model_id"]),
            size_bucket=models["size_bucket"].to_numpy().astype(np.int32),
            log10_params=np.log10(_floats(models["params_b"])) + np.float32(9.0),
            family=models["family_index"].to_numpy().astype(np.int32),
            families=text_array(lake.read("features/families")["family"]),
            name_tokens=padded,
            n_name_tokens=int(info["n_name_tokens"]),
            model_vectors=_entity_vectors(lake, "model", len(models), encoder),
            clone_cluster=models["clone_cluster"].to_numpy().astype(np.int32),
            released=models["released_at"].to_numpy(zero_copy_only=False).astype("datetime64[D]"),
            popularity=_floats(models["downloads"]),
            dataset_ids=text_array(datasets["dataset_id"]),
            dataset_family=text_array(datasets["dataset_family"]),
            dataset_vectors=_entity_vectors(lake, "dataset", len(datasets), encoder),
            task_ids=text_array(lake.read("features/tasks")["task_id"]),
            metric_ids=text_array(lake.read("features/metrics")["metric_id"]),
            encoder=encoder,
        )


@dataclass(frozen=True, slots=True)
class Interactions:
    """One row per (group, model), sorted by group, best first within a group.

    Attributes:
        group: [R] int32 group index, non-decreasing.
        model, dataset, task, metric: [R] int32 entity indices (constant within a group, but `model`).
        y: [R] float64 oriented score; z: [R] float64, standardised within the group.
        group_ids: [G] names; group_family: [G] dataset family of each group.
    """

    group: IntArray
    model: IntArray
    dataset: IntArray
    task: IntArray
    metric: IntArray
    y: npt.NDArray[np.float64]
    z: npt.NDArray[np.float64]
    group_ids: TextArray
    group_family: TextArray

    def __len__(self) -> int:
        return len(self.group)

    @property
    def n_groups(self) -> int:
        """Number of groups, including those a selection left empty."""
        return len(self.group_ids)

    def select(self, mask: npt.NDArray[np.bool_]) -> "Interactions":
        """Rows where `mask` holds; group indices and names are unchanged."""
        cut = {
            n: getattr(self, n)[mask]
            for n in ("group", "model", "dataset", "task", "metric", "y", "z")
        }
        return replace(self, **cut)

    @staticmethod
    def load(lake: Lake) -> "Interactions":
        """Read `features/interactions`."""
        return Interactions.from_table(lake.read("features/interactions"))

    @staticmethod
    def from_table(table: pa.Table) -> "Interactions":
        """Build from an Arrow table of schema `INTERACTIONS`, in its row order."""
        group = table["group_index"].to_numpy().astype(np.int32)
        first = (
            np.flatnonzero(np.r_[True, np.diff(group) != 0]) if len(group) else np.array([], int)
        )
        names = text_array(table["group_id"].take(pa.array(first)))
        families = text_array(table["dataset_family"].take(pa.array(first)))
        return Interactions(
            group=group,
            model=table["model_index"].to_numpy().astype(np.int32),
            dataset=table["dataset_index"].to_numpy().astype(np.int32),
            task=table["task_index"].to_numpy().astype(np.int32),
            metric=table["metric_index"].to_numpy().astype(np.int32),
            y=table["y"].to_numpy(),
            z=table["z"].to_numpy(),
            group_ids=names,
            group_family=families,
        )


def text_array(column: pa.ChunkedArray) -> TextArray:
    """An Arrow text column as a NumPy unicode array."""
    return np.asarray(column.to_pylist(), dtype=np.str_)


def load_vectors(path: Path) -> FloatArray:
    """Memory-map a `[n, dim]` float32 matrix."""
    vectors: FloatArray = np.load(path, mmap_mode="r", allow_pickle=False)
    return vectors


def _entity_vectors(lake: Lake, kind: str, rows: int, encoder: EncoderInfo) -> FloatArray:
    vectors = load_vectors(lake.root / f"features/{kind}_vectors.npy")
    if vectors.shape != (rows, encoder.dim):
        raise ModelLensError(
            f"features/{kind}_vectors.npy is {vectors.shape}, features/{kind}s and encoder.json say "
            f"({rows}, {encoder.dim}): build the vectors again with `modellens run`"
        )
    return vectors


def _floats(column: pa.ChunkedArray) -> FloatArray:
    values = column.to_numpy(zero_copy_only=False).astype(np.float64)
    values[~(values > 0)] = np.nan
    floats: FloatArray = values.astype(np.float32)
    return floats
