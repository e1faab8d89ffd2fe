"""The shape of the network: its configuration, and the sizes that follow from the data.

What training does with a network of this shape (rates, losses, epochs) is `training/config.py`.
"""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from modellens_core.features.featureset import FeatureSet

# Bounds that a configuration is checked against where it is read (training/config.py).
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0.0, lt=1.0)]
NonNegative = Annotated[float, Field(ge=0.0)]
Positive = Annotated[float, Field(gt=0.0)]


@dataclass(frozen=True, slots=True)
class RankerConfig:
    """Shape and regularisation of the network. The width of the frozen views comes from the encoder.

    Attributes:
        model_id, name, size, family, dataset_id, task, metric: widths of the learned embeddings.
        hidden: width of both backbone layers; prior_hidden: width of the prior's hidden layer.
        dropout: after each backbone layer.
        model_id_dropout, dataset_id_dropout: how often an ID is replaced by [UNK] in training; a model
            per row, a dataset per context (one list or pair is one query: its rows must agree).
        context_dropout: the same for task and metric, each on its own.
        temperature: start value of the learned temperature; temperature_floor: its lower bound.
        embedding_std: standard deviation of the start values of all learned embeddings.
        standardise_vectors: centre and scale frozen vectors by their training statistics.
    """

    model_id: Count
    name: Count
    size: Count
    family: Count
    dataset_id: Count
    task: Count
    metric: Count
    hidden: Count
    prior_hidden: Count
    dropout: Share
    model_id_dropout: Share
    dataset_id_dropout: Share
    context_dropout: Share
    temperature: Positive
    temperature_floor: Positive
    embedding_std: NonNegative
    standardise_vectors: bool


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many entities of each kind the embedding tables hold, and how wide the frozen vectors are."""

    models: int
    datasets: int
    tasks: int
    metrics: int
    families: int
    name_tokens: int
    model_dim: int
    dataset_dim: int

    @staticmethod
    def of(features: FeatureSet) -> "Sizes":
        """Sizes that fit a feature set."""
        return Sizes(
            models=features.n_models,
            datasets=features.n_datasets,
            tasks=len(features.task_ids),
            metrics=len(features.metric_ids),
            families=len(features.families),
            name_tokens=features.n_name_tokens,
            model_dim=features.model_vectors.shape[1],
            dataset_dim=features.dataset_vectors.shape[1],
        )
