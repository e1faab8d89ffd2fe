"""What the network is asked about, as tensors: entity tables, rows, queries, and what comes back.

`EntityTables` is a `FeatureSet` as tensors; `Rows` names the (model, context) pairs of one forward pass.
Frozen text vectors live here and are passed in: they are data, not parameters, and never part of a
checkpoint. The network itself is `network.py`; how rows are drawn for training is `training/data.py`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from modellens_core.errors import ModelLensError
from modellens_core.features.featureset import FeatureSet, Interactions


@dataclass(frozen=True, slots=True)
class EntityTables:
    """Everything fixed about N models and D datasets, as one network sees it (`Ranker.tables`).

    Attributes:
        size: [N] int64 size bucket; family: [N] int64; name_tokens: [N, L] int64, 0 is padding.
        model_vectors: [N, dim] float32, dataset_vectors: [D + 1, dim], scaled as the network was trained;
            the last row is zero: no text.
    """

    size: Tensor
    family: Tensor
    name_tokens: Tensor
    model_vectors: Tensor
    dataset_vectors: Tensor


@dataclass(frozen=True, slots=True)
class Rows:
    """R (model, context) pairs over C contexts; a context is one (dataset, task, metric).

    Attributes:
        model: [R] int64; context: [R] int64 index into the contexts.
        dataset, task, metric: [C] int64.
    """

    model: Tensor
    context: Tensor
    dataset: Tensor
    task: Tensor
    metric: Tensor

    @staticmethod
    def of(interactions: Interactions) -> "Rows":
        """Rows of a set of interactions, one context per group, in their order."""
        _, first, inverse = np.unique(interactions.group, return_index=True, return_inverse=True)
        columns = {
            name: torch.from_numpy(getattr(interactions, name)[first].astype(np.int64))
            for name in ("dataset", "task", "metric")
        }
        return Rows(
            model=torch.from_numpy(interactions.model.astype(np.int64)),
            context=torch.from_numpy(inverse.astype(np.int64)),
            **columns,
        )


@dataclass(frozen=True, slots=True)
class Ids:
    """Which learned embedding each entity of some `Rows` uses: its own, or [UNK].

    Attributes:
        model: [R] int64; dataset, task, metric: [C] int64.
    """

    model: Tensor
    dataset: Tensor
    task: Tensor
    metric: Tensor


@dataclass(frozen=True, slots=True)
class Scores:
    """What the network says about R rows, each [R] float32.

    Attributes:
        score: (residual + prior) / max(temperature, floor): what models are ranked by.
        residual, prior: its two parts, already divided by the temperature; they add up to `score`.
        z: predicted standardised performance within the group.
    """

    score: Tensor
    residual: Tensor
    prior: Tensor
    z: Tensor


@dataclass(frozen=True, slots=True)
class Query:
    """One dataset under one task and metric, for which models are to be ranked.

    Attributes:
        dataset_vector: [dim] float32, as the encoder gave it; zeros if there is no text.
        dataset_index, task_index, metric_index: rows of the feature tables; the table's length (or any
            index without a training row) means unknown.
    """

    dataset_vector: npt.NDArray[np.float32]
    dataset_index: int
    task_index: int
    metric_index: int


@dataclass(frozen=True, slots=True)
class CandidateMatrix:
    """The model side of the first layer, computed once for N candidates.

    Attributes:
        hidden: [N, hidden] float32; prior: [N] float32, not yet divided by the temperature.
    """

    hidden: Tensor
    prior: Tensor

    def __len__(self) -> int:
        return len(self.prior)


@dataclass(frozen=True, slots=True)
class RankScores:
    """Scores of N candidates for one query, each [N] float32; `score = prior + residual`."""

    score: npt.NDArray[np.float32]
    prior: npt.NDArray[np.float32]
    residual: npt.NDArray[np.float32]


def require_finite(features: FeatureSet) -> None:
    """Raise ModelLensError, naming the first culprit, if a frozen vector is not finite."""
    for kind, names, vectors in (
        ("model", features.model_ids, features.model_vectors),
        ("dataset", features.dataset_ids, features.dataset_vectors),
    ):
        bad = ~np.isfinite(vectors).all(axis=1)
        if bad.any():
            raise ModelLensError(
                f"{int(bad.sum())} {kind} vectors are not finite, the first of {str(names[bad.argmax()])!r}; "
                "rebuild the features"
            )


def standardise(vectors: npt.NDArray[np.float32], mean: Tensor, scale: Tensor) -> Tensor:
    """Centre and scale [K, dim] frozen vectors; rows without text (all zero) become the mean: zero."""
    raw = torch.from_numpy(np.array(vectors, dtype=np.float32))
    return (raw - mean) * scale * raw.any(dim=1, keepdim=True)
