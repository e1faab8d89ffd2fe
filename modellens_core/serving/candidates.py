"""Which models are worth ranking: those that can do the task, within a person's limits.

A ranker scores any model for anything; asked for speech recognition it would happily rank image nets. By
default only models that are known to do the task, or tasks that go with it, are ranked. What they score
belongs in `recommend.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modellens_core.errors import ModelLensError
from modellens_core.features.featureset import IntArray, TextArray, text_array

Mask = npt.NDArray[np.bool_]
Choice = Literal["task", "all"]

UNKNOWN = "unknown"
# A task goes with the one asked for if a fifth of the models measured there were measured on it too
# (detection and instance segmentation do, detection and image classification do not).
SHARED_MODELS = 0.2
ENOUGH_MODELS = 3  # fewer than that: every model of the task's modality is let in


@dataclass(frozen=True, slots=True)
class Filters:
    """A person's limits; None means no limit.

    Attributes:
        min_params_b, max_params_b: size in billions of parameters; models of unknown size pass only
            without limits, or with `include_unknown_sizes`.
        license: part of a licence's name ("apache"), or a list of them, any of which will do.
        families: architecture families.
    """

    min_params_b: float | None = None
    max_params_b: float | None = None
    include_unknown_sizes: bool = False
    license: str | Sequence[str] | None = None
    families: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Passing:
    """Which models pass a person's limits.

    Attributes:
        mask: [N] those that pass; unsized_mask: [N] those that fail only because their size is unknown.
    """

    mask: Mask
    unsized_mask: Mask

    @property
    def unsized(self) -> int:
        """How many models fail only because their size is unknown."""
        return int(self.unsized_mask.sum())

    def among(self, mask: Mask) -> "Passing":
        """The same, for some of the models only."""
        return Passing(self.mask & mask, self.unsized_mask & mask)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """N models as they are filtered, and which of T tasks they have scores on."""

    params_b: npt.NDArray[np.float64]  # [N], NaN: unknown
    license: TextArray  # [N] lower case, "" unknown
    family: TextArray  # [N]
    stated_task: TextArray  # [N] what the pipeline tag says
    stated_modality: TextArray  # [N]
    clone_cluster: IntArray  # [N]
    task_ids: TextArray  # [T]
    modality: TextArray  # [T]
    scored_model: IntArray  # [S] a model and ...
    scored_task: IntArray  # [S] ... a task it has scores on

    @staticmethod
    def of(models: pa.Table, tasks: pa.Table, model_tasks: pa.Table) -> "Catalogue":
        """From the bundle's tables."""
        text = {
            name: np.asarray([v or "" for v in models[name].to_pylist()], dtype=np.str_)
            for name in ("license", "family", "stated_task", "stated_modality")
        }
        return Catalogue(
            params_b=models["params_b"].to_numpy(zero_copy_only=False).astype(np.float64),
            license=np.char.lower(text["license"]),
            family=text["family"],
            stated_task=text["stated_task"],
            stated_modality=text["stated_modality"],
            clone_cluster=models["clone_cluster"].to_numpy().astype(np.int32),
            task_ids=text_array(tasks["task_id"]),
            modality=np.asarray(
                [m or UNKNOWN for m in tasks["modality"].to_pylist()], dtype=np.str_
            ),
            scored_model=model_tasks["model_index"].to_numpy().astype(np.int32),
            scored_task=model_tasks["task_index"].to_numpy().astype(np.int32),
        )

    def able(self, task: int) -> tuple[Mask, str]:
        """Models that can be expected to do a task, and a note if the net had to be cast wider."""
        task_id, modality = str(self.task_ids[task]), str(self.modality[task])
        mask = self._scored_on(self._going_with(task)) | (self.stated_task == task_id)
        if mask.sum() >= min(ENOUGH_MODELS, len(mask)):
            return mask, ""
        if modality == UNKNOWN:
            wide = np.ones(len(mask), dtype=np.bool_)
            return wide, f"few models are known to do {task_id}: all models are ranked"
        wide = mask | (self.stated_modality == modality)
        wide |= self._scored_on(np.flatnonzero(self.modality == modality))
        return wide, f"few models are known to do {task_id}: all {modality} models are ranked"

    def _going_with(self, task: int) -> npt.NDArray[np.intp]:
        """The task and those of its modality that many of its models were measured on as well."""
        of_task = np.zeros(len(self.params_b), dtype=np.bool_)
        of_task[self.scored_model[self.scored_task == task]] = True
        shared = np.bincount(
            self.scored_task[of_task[self.scored_model]], minlength=len(self.task_ids)
        )
        together = shared >= SHARED_MODELS * max(int(of_task.sum()), 1)
        together &= (self.modality == self.modality[task]) & (self.task_ids != UNKNOWN)
        together[task] = True
        return np.flatnonzero(together)

    def _scored_on(self, tasks: npt.NDArray[np.intp]) -> Mask:
        mask = np.zeros(len(self.params_b), dtype=np.bool_)
        mask[self.scored_model[np.isin(self.scored_task, tasks)]] = True
        return mask

    def within(self, filters: Filters) -> Passing:
        """Models that pass a person's limits.

        Raises:
            ModelLensError: the limits exclude each other.
        """
        low = -np.inf if filters.min_params_b is None else filters.min_params_b
        high = np.inf if filters.max_params_b is None else filters.max_params_b
        if low > high:
            raise ModelLensError(f"min_params_b {low:g} is above max_params_b {high:g}; swap them")
        mask = np.ones(len(self.params_b), dtype=np.bool_)
        if filters.license is not None:
            wanted = [filters.license] if isinstance(filters.license, str) else filters.license
            mask = np.zeros_like(mask)
            for part in wanted:
                mask |= np.char.find(self.license, part.lower()) >= 0
        if filters.families is not None:
            mask &= np.isin(self.family, [family.lower() for family in filters.families])
        unknown = np.isnan(self.params_b)
        limited = np.isfinite(low) or np.isfinite(high)
        refused = unknown & limited & (not filters.include_unknown_sizes)
        in_range = unknown | ((self.params_b >= low) & (self.params_b <= high))
        return Passing(mask & in_range & ~refused, mask & refused)

    def best_of_clones(
        self, index: npt.NDArray[np.intp], score: npt.NDArray[np.floating]
    ) -> npt.NDArray[np.intp]:
        """Positions of models best first, without copies of one that already stands in the list.

        Args:
            index: [K] models.
            score: [K] higher is better.

        Returns:
            Positions in `index`.
        """
        order = np.argsort(-score, kind="stable")
        _, first = np.unique(self.clone_cluster[index[order]], return_index=True)
        best: npt.NDArray[np.intp] = order[np.sort(first)]
        return best
