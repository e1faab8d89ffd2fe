"""What is known about metrics: the type, and `data/metrics.yaml` turned for look-up.

How a name is matched against it belongs in `metrics.py`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from pydantic import BaseModel, ConfigDict

from modellens_core.normalize.metric_names import spell
from modellens_core.normalize.text import claim, load_registry


@dataclass(frozen=True, slots=True)
class Metric:
    """What a metric's name says about it.

    Attributes:
        metric_id: base, cut-off, qualifier: "accuracy", "recall@10", "miou/validation".
        lower_is_better: None where the name does not tell.
        kind: "proportion", "count", "error", "score", "time", "rank" or "unknown".
        unit: canonical unit, "proportion" (1.0 is 100%) or "raw" (the metric's own scale).
        minimum: least possible value in the canonical unit, None if unbounded or unknown.
        maximum: largest possible value in the canonical unit, None if unbounded or unknown.
        is_quality: False for parameters, FLOPs, time, memory, spreads: never a record.
    """

    metric_id: str
    lower_is_better: bool | None
    kind: str
    unit: str
    minimum: float | None
    maximum: float | None
    is_quality: bool


class Profile(BaseModel):
    """What metrics of one sort have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lower_is_better: bool | None
    kind: str
    unit: str
    minimum: float | None
    maximum: float | None
    is_quality: bool = True

    def metric(self, metric_id: str) -> Metric:
        """A metric of this sort."""
        return Metric(metric_id, **self.model_dump())


class TaskRule(BaseModel):
    """A name whose meaning depends on the task."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    task_words: tuple[str, ...]
    metric: str


class _Registry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    profiles: dict[str, Profile]
    metrics: dict[str, dict[str, tuple[str, ...]]]
    short: dict[str, dict[str, tuple[str, ...]]]
    with_cutoff: dict[str, tuple[str, ...]]
    by_task: tuple[TaskRule, ...]


@dataclass(frozen=True, slots=True)
class MetricIndex:
    """The registry, turned for look-up."""

    names: Mapping[str, Metric]  # compact spelling -> metric, also inside longer names
    short: Mapping[str, Metric]  # only as the whole name
    cutoff: Mapping[str, Metric]  # only before "@k"
    by_id: Mapping[str, Metric]
    by_task: tuple[TaskRule, ...]
    share: Profile
    error_share: Profile


@cache
def metric_index() -> MetricIndex:
    """The registry of this process, read once."""
    registry = load_registry("metrics", _Registry)
    by_id: dict[str, Metric] = {}
    for part in (registry.metrics, registry.short):
        for profile, group in part.items():
            for metric_id in group:
                claim(by_id, metric_id, registry.profiles[profile].metric(metric_id), "metrics")
    short = _spellings(registry.short, by_id)
    names = {compact(i.split("-")): m for i, m in by_id.items()}
    names = {name: metric for name, metric in names.items() if name not in short}
    names |= _spellings(registry.metrics, by_id)
    return MetricIndex(
        names=names,
        short=short,
        cutoff={compact([s]): by_id[i] for i, group in registry.with_cutoff.items() for s in group},
        by_id=by_id,
        by_task=registry.by_task,
        share=registry.profiles["share"],
        error_share=registry.profiles["error_share"],
    )


def _spellings(
    part: Mapping[str, Mapping[str, tuple[str, ...]]], by_id: Mapping[str, Metric]
) -> dict[str, Metric]:
    table: dict[str, Metric] = {}
    for group in part.values():
        for metric_id, spellings in group.items():
            for spelling in spellings:
                claim(
                    table,
                    compact(spell(spelling).words or (spelling,)),
                    by_id[metric_id],
                    "metrics",
                )
    return table


def compact(words: Iterable[str]) -> str:
    """Words in one: equal for "top-1 acc" and "Top1 Acc"."""
    return "".join(words)
