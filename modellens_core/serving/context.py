"""What is asked: finds the nearest known datasets, and the task and metric to rank for.

Names are taken as canonical ids or through the normaliser's spellings; a name that leads nowhere is an
error with near ones, never a guess. What is left out is inferred from the nearest datasets. Which models
are ranked belongs in `candidates.py`.
"""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modellens_core.errors import ModelLensError, UnknownNameError
from modellens_core.features.featureset import FloatArray, IntArray, TextArray
from modellens_core.normalize.metrics import resolve_metric
from modellens_core.normalize.tasks import resolve_task

NEIGHBOURS = 20
# The vote of a dataset, by its cosine to the description. On 942 descriptions of datasets, judged by those
# of other families, this power and one vote per family found a task of the dataset for 39%, a square and
# one vote per dataset for 31% (of 379 tasks), and the modality for 84% and 81%.
NEARNESS_POWER = 16


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest datasets, nearest first: index [K] and cosine [K]."""

    index: npt.NDArray[np.int64]
    similarity: FloatArray

    def first(self, k: int) -> "Neighbours":
        """The nearest k."""
        return Neighbours(self.index[:k], self.similarity[:k])

    def one_per_family(self, families: TextArray) -> "Neighbours":
        """The nearest of each family; `families` is [D]. Siblings would outvote everybody else."""
        _, first = np.unique(families[self.index], return_index=True)
        kept = np.sort(first)
        return Neighbours(self.index[kept], self.similarity[kept])


@dataclass(frozen=True, slots=True)
class Question:
    """A description with its task and metric, in terms of one bundle.

    Attributes:
        vector: [dim] of the description with its task, in the form known datasets have.
        similarity: [D] cosines of the bare description to all datasets, NaN for those without text.
        related: [K] the datasets nearest to `vector`, whose scores count as evidence.
        task, metric: indices; task_inferred, metric_inferred: not given.
    """

    vector: FloatArray
    similarity: FloatArray
    related: npt.NDArray[np.int64]
    task: int
    metric: int
    task_inferred: bool
    metric_inferred: bool

    @property
    def nearest_similarity(self) -> float:
        """Cosine of the bare description to the nearest dataset; 0 if none has a text."""
        return float(np.nanmax(self.similarity)) if not np.isnan(self.similarity).all() else 0.0


@dataclass(frozen=True, slots=True)
class Contexts:
    """In which (dataset, task, metric) models were compared, and how many: aligned arrays [C]."""

    dataset: IntArray
    task: IntArray
    metric: IntArray
    n_models: IntArray

    @staticmethod
    def of(table: pa.Table) -> "Contexts":
        """From the bundle's table."""
        names = ("dataset_index", "task_index", "metric_index", "n_models")
        return Contexts(*(table[name].to_numpy().astype(np.int32) for name in names))

    def likely_task(self, near: Neighbours, unnamed: int | None = None) -> int:
        """The task that most of the nearest datasets are about.

        Args:
            near: datasets that vote.
            unnamed: the task "unknown", which wins only if nothing else is near.

        Raises:
            ModelLensError: no models were compared on any of them.
        """
        for allowed in (self.task != unnamed, np.ones(len(self.task), dtype=np.bool_)):
            votes = self._vote(near, self.task, np.asarray(allowed))
            if votes:
                return _most(votes)
        raise ModelLensError("the task cannot be inferred from the description; give a task")

    def likely_metric(self, near: Neighbours, task: int) -> int:
        """The metric that the nearest datasets of a task use, else the one used most in the task or at all.

        Raises:
            ModelLensError: no models were ever compared.
        """
        of_task = self.task == task
        for allowed in (of_task, np.ones_like(of_task)):
            votes = self._vote(near, self.metric, allowed)
            if not votes:
                for metric, n_models in zip(
                    self.metric[allowed], self.n_models[allowed], strict=True
                ):
                    votes[int(metric)] = votes.get(int(metric), 0.0) + float(n_models)
            if votes:
                return _most(votes)
        raise ModelLensError("the metric cannot be inferred from the description; give a metric")

    def _vote(
        self, near: Neighbours, choice: IntArray, allowed: npt.NDArray[np.bool_]
    ) -> dict[int, float]:
        """Each near dataset shares one vote, as heavy as it is near, over its contexts by models."""
        votes: dict[int, float] = {}
        for dataset, similarity in zip(near.index, near.similarity, strict=True):
            rows = np.flatnonzero((self.dataset == dataset) & allowed)
            share = self.n_models[rows] / max(self.n_models[rows].sum(), 1)
            for row, part in zip(rows, share, strict=True):
                weight = max(float(similarity), 0.0) ** NEARNESS_POWER * float(part)
                votes[int(choice[row])] = votes.get(int(choice[row]), 0.0) + weight
        return votes


def _most(votes: dict[int, float]) -> int:
    return max(votes, key=lambda key: (votes[key], -key))


def nearest_datasets(similarity: FloatArray) -> Neighbours:
    """All datasets with a text, nearest first.

    Args:
        similarity: [D] cosines; those without text have none (NaN) and are never near.
    """
    told = np.flatnonzero(~np.isnan(similarity))
    order = told[np.argsort(-similarity[told], kind="stable")].astype(np.int64)
    return Neighbours(order, similarity[order])


def find_task(name: str, ids: Sequence[str]) -> int:
    """Index of a task by id or by a known spelling.

    Raises:
        UnknownNameError: no such task; the message lists near ones.
    """
    return _find("task", name, ids, lambda raw: resolve_task(raw).task_id)


def find_metric(name: str, ids: Sequence[str]) -> int:
    """Index of a metric by id or by a known spelling.

    Raises:
        UnknownNameError: no such metric; the message lists near ones.
    """
    return _find("metric", name, ids, lambda raw: resolve_metric(raw).metric_id)


def _find(kind: str, name: str, ids: Sequence[str], resolve: Callable[[str], str]) -> int:
    known = {known: index for index, known in enumerate(ids)}
    spelled = name.strip().lower()
    for wanted in (name, spelled, resolve(name)):
        if wanted in known:
            return known[wanted]
    near = difflib.get_close_matches(spelled, ids, n=3, cutoff=0.5)
    near += [i for i in ids if len(spelled) >= 3 and spelled in i and i not in near][:2]
    hint = f"did you mean {', '.join(near)}?" if near else f"leave --{kind} out to have it inferred"
    raise UnknownNameError(f"no {kind} {name!r} in this bundle; {hint}")
