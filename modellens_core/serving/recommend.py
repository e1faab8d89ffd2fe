"""Ranks models for a dataset that nobody has measured, from its description alone.

`Recommender.latest().recommend(description="...")` is the whole interface. It opens a bundle, embeds the
description with the bundle's own encoder, ranks the candidate matrix, and says what the list rests on.
Reading a bundle belongs in `bundle.py` and `loaded.py`, which models are ranked in `candidates.py`, and
which task and metric in `context.py`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from modellens_core.config import load_settings
from modellens_core.errors import ModelLensError
from modellens_core.features.encoders.base import TextEncoder
from modellens_core.features.featureset import FloatArray
from modellens_core.features.text import compose_query_text
from modellens_core.serving.answer import Answer, Recommendation
from modellens_core.serving.bundle import Bundle, latest_bundle, read_bundle
from modellens_core.serving.candidates import UNKNOWN, Choice, Filters
from modellens_core.serving.context import (
    NEIGHBOURS,
    Question,
    find_metric,
    find_task,
    nearest_datasets,
)
from modellens_core.serving.inputs import (
    require_description,
    require_length,
    require_limits,
    require_models,
    require_named,
)
from modellens_core.serving.loaded import LoadedBundle
from modellens_core.serving.newcomers import newcomer_features

if TYPE_CHECKING:
    from modellens_core.ranking.entities import CandidateMatrix, RankScores

SHOWN_NEIGHBOURS = 5


class Recommender:
    """Answers questions from one bundle. Opening is cheap; weights and encoder load when first needed."""

    def __init__(self, bundle: Bundle, encoder: TextEncoder | None = None) -> None:
        self.manifest = bundle.manifest
        self._loaded = LoadedBundle(bundle, encoder)

    @classmethod
    def load(cls, path: str | Path, encoder: TextEncoder | None = None) -> "Recommender":
        """Open one bundle.

        Args:
            path: folder of the bundle.
            encoder: the encoder that made its vectors; found through the settings if None.

        Raises:
            BundleError: the bundle is missing, damaged or of another format version.
        """
        return cls(read_bundle(Path(path)), encoder)

    @classmethod
    def latest(
        cls, bundle_dir: str | Path | None = None, encoder: TextEncoder | None = None
    ) -> "Recommender":
        """Open the newest bundle.

        Args:
            bundle_dir: root of the bundles; that of the settings if None.
            encoder: as for `load`.

        Raises:
            BundleError: there is none, or it cannot be used.
        """
        root = load_settings().bundle_dir if bundle_dir is None else Path(bundle_dir)
        return cls(latest_bundle(root), encoder)

    def score(
        self,
        description: str,
        models: Sequence[str],
        task: str | None = None,
        metric: str | None = None,
    ) -> list[float]:
        """Score given models for one dataset.

        Args:
            description: what the dataset is, in a sentence or two.
            models: ids or names; unknown ones are judged by what their name tells.
            task: id or common name; inferred from the nearest datasets if None.
            metric: likewise.

        Returns:
            One float per model, in their order; higher is better, comparable within one call.

        Raises:
            ModelLensError: the description holds no words, a model is named twice, or a task or metric is
                unknown (UnknownNameError).
        """
        require_models(models)
        question, loaded = self._ask(description, task, metric), self._loaded
        rows = [loaded.row_of(name) for name in models]
        scores = np.zeros(len(rows), dtype=np.float64)
        known = [at for at, row in enumerate(rows) if row is not None]
        new = [at for at, row in enumerate(rows) if row is None]
        if known:
            index = np.asarray([rows[at] for at in known], dtype=np.int64)
            scores[known] = self._rank(loaded.candidates(index), question).score
        if new:
            features = newcomer_features(
                [models[at] for at in new],
                loaded.families,
                self.manifest.n_name_tokens,
                loaded.encoder,
            )
            nobody = np.zeros(len(new), dtype=np.bool_)
            candidates = loaded.ranker.candidates(features, known=nobody)
            scores[new] = self._rank(candidates, question).score
        return [float(score) for score in scores]

    def recommend(  # noqa: PLR0913 - every limit a person may set, by name
        self,
        description: str,
        task: str | None = None,
        metric: str | None = None,
        top: int = 10,
        *,
        max_params_b: float | None = None,
        min_params_b: float | None = None,
        include_unknown_sizes: bool = False,
        license: str | Sequence[str] | None = None,  # noqa: A002 - the word a caller expects
        families: Sequence[str] | None = None,
        candidates: Choice = "task",
    ) -> Answer:
        """Rank models for one dataset.

        Args:
            description: what the dataset is, in a sentence or two.
            task: id or common name; inferred from the nearest datasets if None, and said so.
            metric: likewise.
            top: length of the list.
            max_params_b: largest size in billions of parameters.
            min_params_b: smallest size.
            include_unknown_sizes: with a size limit, also rank models whose size nobody states.
            license: part of a licence's name ("apache"), or several, any of which will do.
            families: architecture families ("bert", "qwen").
            candidates: "task" ranks models known to do the task or tasks that go with it, "all" ranks all.

        Returns:
            The list, best first, and what it rests on; empty, with a note, if no model passes the filters.
            Of models that are copies of one another only the best is listed.

        Raises:
            ModelLensError: the description holds no words, a limit is no limit or excludes another, or a
                name is unknown (UnknownNameError).
        """
        require_length(top)
        if candidates not in {"task", "all"}:
            raise ModelLensError(f"candidates is {candidates!r}; it may be 'task' or 'all'")
        filters = Filters(min_params_b, max_params_b, include_unknown_sizes, license, families)
        require_limits(filters)
        catalogue = self._loaded.catalogue
        passing = catalogue.within(filters)
        question = self._ask(description, task, metric)
        notes = self._doubts(question)
        if candidates == "task":
            able, note = catalogue.able(question.task)
            passing = passing.among(able)
            notes += [note] if note else []
        if passing.unsized:
            notes.append(
                f"{passing.unsized} models of unknown size were left out by the size limit"
            )
        index = np.flatnonzero(passing.mask)
        if len(index) == 0:
            notes.append("no model passes the filters; loosen them")
            return self._answer(question, (), 0, notes)
        whole = len(index) == len(passing.mask)
        scores = self._rank(self._loaded.candidates(None if whole else index), question)
        order = catalogue.best_of_clones(index, scores.score)[:top]
        return self._answer(
            question, self._recommendations(index, order, scores, question), len(index), notes
        )

    def _ask(self, description: str, task: str | None, metric: str | None) -> Question:
        """Embed the description and settle task and metric."""
        require_description(description)
        require_named("task", task)
        require_named("metric", metric)
        loaded = self._loaded
        task_index = None if task is None else find_task(task, loaded.task_ids.tolist())
        metric_index = None if metric is None else find_metric(metric, loaded.metric_ids.tolist())
        bare = loaded.similarities(self._embed(description, None))
        families = loaded.dataset_families
        if task_index is None:
            voters = nearest_datasets(bare).one_per_family(families).first(NEIGHBOURS)
            unnamed = np.flatnonzero(loaded.task_ids == UNKNOWN)
            task_index = loaded.contexts.likely_task(voters, *unnamed)
        # With the task in it, as in the texts of known datasets, whether it was given or inferred.
        vector = self._embed(description, str(loaded.task_ids[task_index]))
        near = nearest_datasets(loaded.similarities(vector))
        if metric_index is None:
            voters = near.one_per_family(families).first(NEIGHBOURS)
            metric_index = loaded.contexts.likely_metric(voters, task_index)
        return Question(
            vector=vector,
            similarity=bare,
            related=near.first(NEIGHBOURS).index,
            task=task_index,
            metric=metric_index,
            task_inferred=task is None,
            metric_inferred=metric is None,
        )

    def _embed(self, description: str, task: str | None) -> FloatArray:
        vector: FloatArray = self._loaded.encoder.encode([compose_query_text(description, task)])[0]
        return vector

    def _rank(self, candidates: "CandidateMatrix", question: Question) -> "RankScores":
        from modellens_core.ranking.entities import Query

        unknown_dataset = self._loaded.datasets.num_rows
        query = Query(question.vector, unknown_dataset, question.task, question.metric)
        return self._loaded.ranker.score_candidates(candidates, query)

    def _recommendations(
        self,
        index: np.ndarray,
        order: np.ndarray,
        scores: "RankScores",
        question: Question,
    ) -> tuple[Recommendation, ...]:
        """Turn the first positions of a ranking into what a person reads."""
        chosen = [int(model) for model in index[order]]
        rows = self._loaded.models.take(chosen).to_pylist()
        evidence = self._loaded.evidence(chosen, question)
        return tuple(
            Recommendation(
                model_id=row["model_id"],
                score=float(scores.score[at]),
                prior=float(scores.prior[at]),
                residual=float(scores.residual[at]),
                params_b=row["params_b"],
                family=row["family"],
                license=row["license"],
                url=row["url"],
                evidence=evidence[model],
            )
            for at, model, row in zip(order, chosen, rows, strict=True)
        )

    def _doubts(self, question: Question) -> list[str]:
        """What a reader should know about the question before trusting the answer."""
        loaded, notes = self._loaded, []
        for kind, inferred, name in (
            ("task", question.task_inferred, loaded.task_ids[question.task]),
            ("metric", question.metric_inferred, loaded.metric_ids[question.metric]),
        ):
            if inferred:
                notes.append(f"{kind} {name} was inferred from the nearest known datasets")
        if not (loaded.contexts.task == question.task).any():
            notes.append(
                "no comparison of models on this task is known: text, size and family decide"
            )
        if self._is_far(question) and question.task_inferred:
            notes.append(
                "no known dataset is like this one, so the inferred task is a guess: name the task with "
                "`task`, and expect nothing if it is not among the known ones"
            )
        if self._is_far(question):
            notes.append(
                f"the nearest known dataset is far away (similarity {question.nearest_similarity:.2f}, usual is "
                f"{self.manifest.similarity_floor:.2f} or more): take the order with care"
            )
        return notes

    def _is_far(self, question: Question) -> bool:
        return question.nearest_similarity < self.manifest.similarity_floor

    def _answer(
        self,
        question: Question,
        recommendations: tuple[Recommendation, ...],
        n_candidates: int,
        notes: list[str],
    ) -> Answer:
        loaded = self._loaded
        return Answer(
            recommendations=recommendations,
            task_id=str(loaded.task_ids[question.task]),
            metric_id=str(loaded.metric_ids[question.metric]),
            task_inferred=question.task_inferred,
            metric_inferred=question.metric_inferred,
            nearest=loaded.near_datasets(
                nearest_datasets(question.similarity).first(SHOWN_NEIGHBOURS)
            ),
            nearest_similarity=round(question.nearest_similarity, 4),
            similarity_floor=self.manifest.similarity_floor,
            out_of_domain=self._is_far(question),
            n_candidates=n_candidates,
            notes=tuple(notes),
            release=self.manifest.release,
            encoder_id=self.manifest.encoder.encoder_id,
        )
