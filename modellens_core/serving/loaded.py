"""A bundle in memory: its tables as arrays, its ranker and its encoder, each read when first needed.

Only access belongs here; questions are settled in `context.py`, and put together in `recommend.py`.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from modellens_core.config import load_settings
from modellens_core.features.encoders.base import TextEncoder
from modellens_core.features.encoders.select import encoder_for
from modellens_core.features.featureset import FloatArray, TextArray, text_array
from modellens_core.serving.answer import Evidence, NearDataset
from modellens_core.serving.bundle import Bundle
from modellens_core.serving.candidates import Catalogue
from modellens_core.serving.context import Contexts, Neighbours, Question

if TYPE_CHECKING:
    from modellens_core.ranking.entities import CandidateMatrix
    from modellens_core.ranking.network import Ranker

MAX_EVIDENCE = 3  # rows per model, each of another dataset


class LoadedBundle:
    """Everything a bundle holds, as the recommender uses it."""

    def __init__(self, bundle: Bundle, encoder: TextEncoder | None = None) -> None:
        self.bundle = bundle
        self._encoder = encoder

    @cached_property
    def encoder(self) -> TextEncoder:
        """The encoder that made the bundle's vectors."""
        return self._encoder or encoder_for(self.bundle.manifest.encoder, load_settings())

    @cached_property
    def ranker(self) -> "Ranker":
        """The trained network."""
        from modellens_core.ranking.artifact import load_ranker

        return load_ranker(self.bundle.path)[0]

    @cached_property
    def models(self) -> pa.Table:
        """N models, in the order of the candidate matrix."""
        return self.bundle.table("models")

    @cached_property
    def catalogue(self) -> Catalogue:
        """The models as they are filtered."""
        return Catalogue.of(
            self.models, self.bundle.table("tasks"), self.bundle.table("model_tasks")
        )

    @cached_property
    def contexts(self) -> Contexts:
        """In which datasets, tasks and metrics models were compared."""
        return Contexts.of(self.bundle.table("contexts"))

    @cached_property
    def datasets(self) -> pa.Table:
        """D datasets, in the order of their vectors."""
        return self.bundle.table("datasets")

    @cached_property
    def dataset_families(self) -> TextArray:
        """[D]."""
        return text_array(self.datasets["dataset_family"])

    @cached_property
    def dataset_vectors(self) -> FloatArray:
        """[D, dim]."""
        return self.bundle.array("dataset_vectors")

    @cached_property
    def _without_text(self) -> npt.NDArray[np.bool_]:
        return np.asarray(~np.any(self.dataset_vectors != 0, axis=1), dtype=np.bool_)

    def similarities(self, query: FloatArray) -> FloatArray:
        """Cosines [D] of a query [dim] to all datasets; NaN for those without a text."""
        cosines: FloatArray = np.asarray(self.dataset_vectors @ query, dtype=np.float32)
        cosines[self._without_text] = np.nan
        return cosines

    @cached_property
    def task_ids(self) -> TextArray:
        """[T]."""
        return text_array(self.bundle.table("tasks")["task_id"])

    @cached_property
    def metric_ids(self) -> TextArray:
        """[U]."""
        return text_array(self.bundle.table("metrics")["metric_id"])

    @cached_property
    def families(self) -> TextArray:
        """[F]; the first is "unknown"."""
        return text_array(self.bundle.table("families")["family"])

    @cached_property
    def _candidates(self) -> tuple[FloatArray, FloatArray]:
        return self.bundle.array("candidates"), self.bundle.array("priors")

    @cached_property
    def _rows(self) -> Mapping[str, int]:
        ids = self.models["model_id"].to_pylist()
        any_case = {name.casefold(): at for at, name in enumerate(ids)}
        return any_case | {name: at for at, name in enumerate(ids)}

    def row_of(self, name: str) -> int | None:
        """Row of a known model, by its id in any case; None if it is not known."""
        name = name.strip()
        return self._rows.get(name, self._rows.get(name.casefold()))

    def candidates(self, index: npt.NDArray[np.int64] | None) -> "CandidateMatrix":
        """Rows of the candidate matrix; None: all of it, without a copy."""
        import torch

        from modellens_core.ranking.entities import CandidateMatrix

        hidden, prior = self._candidates
        if index is not None:
            hidden, prior = hidden[index], prior[index]
        return CandidateMatrix(torch.from_numpy(hidden), torch.from_numpy(prior))

    def near_datasets(self, near: Neighbours) -> tuple[NearDataset, ...]:
        """Near datasets, for people."""
        rows = self.datasets.take(pa.array(near.index)).to_pylist()
        return tuple(
            NearDataset(row["dataset_id"], round(float(similarity), 4), row["url"])
            for row, similarity in zip(rows, near.similarity, strict=True)
        )

    def evidence(
        self, models: Sequence[int], question: Question
    ) -> dict[int, tuple[Evidence, ...]]:
        """Known scores of models on the datasets related to a question.

        Args:
            models: rows of the models.
            question: what is asked; where a dataset has several scores of a model, those of the task
                and metric asked for come first.

        Returns:
            Model row to at most `MAX_EVIDENCE` scores, nearest dataset first, one per dataset.
        """
        wanted = (str(self.task_ids[question.task]), str(self.metric_ids[question.metric]))
        distance = {int(dataset): rank for rank, dataset in enumerate(question.related)}
        found = pq.read_table(
            self.bundle.path / "evidence.parquet",
            filters=[("dataset_index", "in", list(distance)), ("model_index", "in", list(models))],
        ).to_pylist()
        found.sort(key=lambda row: (distance[row["dataset_index"]], *_fitness(row, wanted)))
        names = self.datasets["dataset_id"]
        kept: dict[int, dict[int, Evidence]] = {model: {} for model in models}
        for row in found:
            dataset, of_model = row.pop("dataset_index"), kept[row.pop("model_index")]
            if dataset not in of_model and len(of_model) < MAX_EVIDENCE:
                cosine = round(float(question.similarity[dataset]), 4)
                of_model[dataset] = Evidence(names[dataset].as_py(), cosine, **row)
        return {model: tuple(rows.values()) for model, rows in kept.items()}


def _fitness(row: Mapping[str, Any], wanted: tuple[str, str]) -> tuple[bool, bool, bool, str]:
    """Sorts a dataset's scores: as asked first, then those with a place."""
    return (
        row["task_id"] != wanted[0],
        row["metric_id"] != wanted[1],
        row["place"] is None,
        f"{row['metric_id']}\x1f{row['setting']}",
    )
