"""The ranker: score(m, d, t, mu) = (residual(m, d, t, mu) + prior(size, family)) / max(temperature, floor).

The first layer is linear in the concatenation of all views, so it is computed as a sum of projections:
each distinct model and each distinct context of a batch is projected once, rows gather and add, and only
then the hidden layers are paid. The same factoring makes ranking N models for a query one cached [N, hidden]
matrix plus one vector. Source of the form: arXiv 2605.07075, section 3 and A.4. Losses, data and files
are elsewhere.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from modellens_core.errors import ModelLensError
from modellens_core.features.featureset import FeatureSet, Interactions
from modellens_core.normalize.sizes import SIZE_BUCKETS
from modellens_core.ranking.config import RankerConfig, Sizes
from modellens_core.ranking.entities import (
    CandidateMatrix,
    EntityTables,
    Ids,
    Query,
    RankScores,
    Rows,
    Scores,
    require_finite,
    standardise,
)

SCORING_CHUNK = 65_536  # rows per hidden-layer pass when scoring: bounds memory, not results


class Ranker(nn.Module):
    """The network. `fit_inputs` must run once before training; `load_state_dict` restores what it set."""

    seen_models: Tensor
    seen_datasets: Tensor
    seen_tasks: Tensor
    seen_metrics: Tensor
    seen_families: Tensor
    model_mean: Tensor
    model_scale: Tensor
    dataset_mean: Tensor
    dataset_scale: Tensor

    def __init__(self, config: RankerConfig, sizes: Sizes) -> None:
        super().__init__()
        self.config = config
        self.sizes = sizes
        self.model_id = nn.Embedding(sizes.models + 1, config.model_id)
        self.name = nn.EmbeddingBag(sizes.name_tokens, config.name, mode="mean", padding_idx=0)
        self.size = nn.Embedding(len(SIZE_BUCKETS), config.size)
        self.family = nn.Embedding(sizes.families, config.family)
        self.dataset_id = nn.Embedding(sizes.datasets + 1, config.dataset_id)
        self.task = nn.Embedding(sizes.tasks + 1, config.task)
        self.metric = nn.Embedding(sizes.metrics + 1, config.metric)
        self.input = nn.Linear(sum(self.view_widths.values()), config.hidden)
        self.hidden = nn.Linear(config.hidden, config.hidden)
        self.pair_head = nn.Linear(config.hidden, 1, bias=False)
        self.point_head = nn.Linear(config.hidden, 1)
        self.prior = nn.Sequential(
            nn.Linear(config.size + config.family, config.prior_hidden),
            nn.ReLU(),
            nn.Linear(config.prior_hidden, 1),
        )
        self.temperature = nn.Parameter(torch.tensor(float(config.temperature)))
        self.dropout = nn.Dropout(config.dropout)
        for table in self.embeddings():
            nn.init.normal_(table.weight, std=config.embedding_std)
        with torch.no_grad():
            self.name.weight[0] = 0.0
            # Without dropout nothing trains "unknown task" and "unknown metric": zero is the neutral view.
            self.task.weight[-1] = 0.0
            self.metric.weight[-1] = 0.0
        for kind, n in (
            ("models", sizes.models),
            ("datasets", sizes.datasets),
            ("tasks", sizes.tasks),
            ("metrics", sizes.metrics),
            ("families", sizes.families),
        ):
            seen = torch.ones(n + 1, dtype=torch.bool)
            seen[n] = False  # the index that means "unknown"
            self.register_buffer(f"seen_{kind}", seen)
        for kind, dim in (("model", sizes.model_dim), ("dataset", sizes.dataset_dim)):
            self.register_buffer(f"{kind}_mean", torch.zeros(dim))
            self.register_buffer(f"{kind}_scale", torch.ones(()))

    @property
    def view_widths(self) -> Mapping[str, int]:
        """Width of every view in the input concatenation, in the paper's order."""
        c = self.config
        return {
            "model_vector": self.sizes.model_dim,
            "model_id": c.model_id,
            "dataset_vector": self.sizes.dataset_dim,
            "name": c.name,
            "size": c.size,
            "family": c.family,
            "dataset_id": c.dataset_id,
            "task": c.task,
            "metric": c.metric,
        }

    def embeddings(self) -> tuple[nn.Embedding | nn.EmbeddingBag, ...]:
        """All learned lookup tables."""
        return (
            self.model_id, self.name, self.size, self.family, self.dataset_id, self.task, self.metric,
        )  # fmt: skip

    def fit_inputs(self, features: FeatureSet, train: Interactions) -> None:
        """Note which entities have training rows, and how their frozen vectors are distributed.

        Args:
            features: the entities.
            train: the training rows only.

        Raises:
            ModelLensError: a vector holds a value that is not finite.
        """
        require_finite(features)
        for kind, index in (
            ("models", train.model),
            ("datasets", train.dataset),
            ("tasks", train.task),
            ("metrics", train.metric),
            ("families", features.family[train.model]),
        ):
            seen = getattr(self, f"seen_{kind}")
            seen.fill_(False)
            seen[torch.from_numpy(np.unique(index).astype(np.int64))] = True
        if not self.config.standardise_vectors:
            return
        for kind, vectors, used in (
            ("model", features.model_vectors, np.unique(train.model)),
            ("dataset", features.dataset_vectors, np.unique(train.dataset)),
        ):
            rows = np.asarray(vectors[used], dtype=np.float64)
            rows = rows[rows.any(axis=1)]
            if len(rows) == 0:
                continue
            mean = rows.mean(axis=0)
            spread = float(np.sqrt(np.mean((rows - mean) ** 2)))
            getattr(self, f"{kind}_mean").copy_(torch.from_numpy(mean))
            getattr(self, f"{kind}_scale").fill_(1.0 / spread if spread > 1e-6 else 1.0)

    def tables(self, features: FeatureSet) -> EntityTables:
        """Copy a feature set into tensors, its frozen vectors scaled as in training.

        Raises:
            ModelLensError: the features are not as wide as those the ranker was trained on, or hold
                values that are not finite.
        """
        sizes = self.sizes
        expected = (sizes.model_dim, sizes.dataset_dim, sizes.name_tokens)
        given = (
            features.model_vectors.shape[1],
            features.dataset_vectors.shape[1],
            features.n_name_tokens,
        )
        if given != expected:
            raise ModelLensError(
                f"the ranker reads (model, dataset, name) features of sizes {expected}, these have {given}; "
                "encode them as the training features were, or train again"
            )
        require_finite(features)
        return EntityTables(
            size=torch.from_numpy(features.size_bucket.astype(np.int64)),
            family=torch.from_numpy(features.family.astype(np.int64)),
            name_tokens=torch.from_numpy(features.name_tokens.astype(np.int64)),
            model_vectors=standardise(features.model_vectors, self.model_mean, self.model_scale),
            dataset_vectors=functional.pad(
                standardise(features.dataset_vectors, self.dataset_mean, self.dataset_scale),
                (0, 0, 0, 1),
            ),
        )

    def lookup(self, rows: Rows) -> Ids:
        """Map entities to the embeddings they use: [UNK] if never seen or, in training, if dropped."""
        c = self.config
        return Ids(
            model=self._known(rows.model, self.seen_models, c.model_id_dropout),
            dataset=self._known(rows.dataset, self.seen_datasets, c.dataset_id_dropout),
            task=self._known(rows.task, self.seen_tasks, c.context_dropout),
            metric=self._known(rows.metric, self.seen_metrics, c.context_dropout),
        )

    def forward(self, tables: EntityTables, rows: Rows, ids: Ids | None = None) -> Scores:
        """Score R rows.

        Args:
            tables: the entities the rows point into.
            rows: R (model, context) pairs.
            ids: which embeddings to use; `lookup(rows)` if None.
        """
        ids = self.lookup(rows) if ids is None else ids
        # A model with its ID dropped is simply one more distinct model of the batch.
        unknown = self.sizes.models + 1
        keys, position = torch.unique(rows.model * unknown + ids.model, return_inverse=True)
        hidden, prior = self._model_side(tables, keys // unknown, keys % unknown)
        context = self._context_side(tables.dataset_vectors, rows.dataset, ids)
        first = functional.embedding(position, hidden) + functional.embedding(rows.context, context)
        return self._finish(first, prior[position])

    def candidates(
        self, features: FeatureSet, known: npt.NDArray[np.bool_] | None = None
    ) -> CandidateMatrix:
        """Project all models of a feature set, once for many queries.

        Args:
            features: the candidates: the training models, or any others of the same encoder.
            known: [N]; True where row i is model i of the training feature set. None: all are. Models
                that are not known, or have no training row, are judged by name, text, size and family.

        Raises:
            ModelLensError: the features are not of the encoder or token space the ranker was trained on.
        """
        every = np.arange(features.n_models)
        index = every if known is None else np.where(known, every, self.sizes.models)
        with self._inference():
            ids = self._known(torch.from_numpy(index), self.seen_models, 0.0)
            tables = self.tables(features)
            return CandidateMatrix(*self._model_side(tables, torch.from_numpy(every), ids))

    def score_candidates(self, candidates: CandidateMatrix, query: Query) -> RankScores:
        """Score all candidates for one query; the numbers `forward` would give.

        Raises:
            ModelLensError: the query's vector is not of the encoder the ranker was trained on.
        """
        if query.dataset_vector.shape != (self.sizes.dataset_dim,):
            raise ModelLensError(
                f"the ranker was trained on {self.sizes.dataset_dim}-d dataset vectors, the query has shape "
                f"{query.dataset_vector.shape}; encode it with the encoder of the training features"
            )
        nothing = torch.empty(0, dtype=torch.int64)
        at = (query.dataset_index, query.task_index, query.metric_index)
        rows = Rows(nothing, nothing, *(torch.tensor([index]) for index in at))
        vector = standardise(query.dataset_vector[None], self.dataset_mean, self.dataset_scale)
        with self._inference():
            context = self._context_side(vector, nothing.new_zeros(1), self.lookup(rows))
            parts = [
                self._finish(hidden + context, prior)
                for hidden, prior in zip(
                    torch.split(candidates.hidden, SCORING_CHUNK),
                    torch.split(candidates.prior, SCORING_CHUNK),
                    strict=True,
                )
            ]
        score, prior, residual = (
            torch.cat([getattr(part, name) for part in parts]).numpy()
            for name in ("score", "prior", "residual")
        )
        return RankScores(score, prior, residual)

    def score_rows(
        self, features: FeatureSet | EntityTables, interactions: Interactions
    ) -> npt.NDArray[np.float64]:
        """Score every row of `interactions` against the training entities.

        Returns:
            [R] float64, higher is better.
        """
        tables = features if isinstance(features, EntityTables) else self.tables(features)
        rows = Rows.of(interactions)
        out = np.empty(len(interactions), dtype=np.float64)
        with self._inference():
            distinct, position = torch.unique(rows.model, return_inverse=True)
            known = self._known(distinct, self.seen_models, 0.0)
            hidden, prior = self._model_side(tables, distinct, known)
            context = self._context_side(tables.dataset_vectors, rows.dataset, self.lookup(rows))
            for start in range(0, len(out), SCORING_CHUNK):
                cut = slice(start, start + SCORING_CHUNK)
                first = hidden[position[cut]] + context[rows.context[cut]]
                out[cut] = self._finish(first, prior[position[cut]]).score.numpy()
        return out

    @contextmanager
    def _inference(self) -> Iterator[None]:
        """No dropout and no gradients, whatever mode the network is in."""
        training = self.training
        self.eval()
        try:
            with torch.no_grad():
                yield
        finally:
            self.train(training)

    def _known(self, index: Tensor, seen: Tensor, dropout: float) -> Tensor:
        """Replace indices that are unseen, out of the table or (in training) dropped by [UNK]."""
        unknown = len(seen) - 1
        index = index.clamp(max=unknown)
        hide = ~seen[index]
        if self.training and dropout > 0.0:
            hide |= torch.rand(len(index)) < dropout
        return index.masked_fill(hide, unknown)

    def _view_weights(self) -> dict[str, Tensor]:
        """The first layer's weight, cut into one [hidden, width] block per view."""
        blocks = torch.split(self.input.weight, list(self.view_widths.values()), dim=1)
        return dict(zip(self.view_widths, blocks, strict=True))

    def _model_side(
        self, tables: EntityTables, model: Tensor, model_id: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Project K models: [K, hidden] share of the first layer, and [K] prior."""
        w = self._view_weights()
        family = tables.family[model].clamp(max=self.sizes.families)
        family = self.family(family.masked_fill(~self.seen_families[family], 0))
        size = self.size(tables.size[model])
        hidden = (
            functional.linear(tables.model_vectors[model], w["model_vector"])
            + functional.linear(self.model_id(model_id), w["model_id"])
            + functional.linear(self.name(tables.name_tokens[model]), w["name"])
            + functional.linear(size, w["size"])
            + functional.linear(family, w["family"])
        )
        prior: Tensor = self.prior(torch.cat([size, family], dim=1)).squeeze(1)
        return hidden, prior

    def _context_side(self, vectors: Tensor, dataset: Tensor, ids: Ids) -> Tensor:
        """Project C contexts, each distinct entity once: [C, hidden], with the layer's bias.

        Args:
            vectors: [*, dim] frozen dataset vectors, scaled.
            dataset: [C] rows of `vectors`.
            ids: which learned embeddings to use.
        """
        w = self._view_weights()
        unknown = self.sizes.datasets + 1
        keys, position = torch.unique(dataset * unknown + ids.dataset, return_inverse=True)
        text = vectors[keys // unknown]
        datasets = functional.linear(text, w["dataset_vector"], self.input.bias)
        datasets = datasets + functional.linear(self.dataset_id(keys % unknown), w["dataset_id"])
        total = functional.embedding(position, datasets)
        for index, table, view in (
            (ids.task, self.task, "task"),
            (ids.metric, self.metric, "metric"),
        ):
            distinct, position = torch.unique(index, return_inverse=True)
            total = total + functional.embedding(
                position, functional.linear(table(distinct), w[view])
            )
        return total

    def _finish(self, first: Tensor, prior: Tensor) -> Scores:
        """From the first layer's [R, hidden] sums and the [R] prior to scores."""
        hidden = self.dropout(first.relu())
        hidden = self.dropout(self.hidden(hidden).relu())
        temperature = self.temperature.clamp(min=self.config.temperature_floor)
        residual = self.pair_head(hidden).squeeze(1) / temperature
        prior = prior / temperature
        return Scores(residual + prior, residual, prior, self.point_head(hidden).squeeze(1))
