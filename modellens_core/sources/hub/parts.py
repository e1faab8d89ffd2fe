"""The pieces of meaning that labels give: a dataset, a metric, a split, ...

Parts of a row, a column and a group are joined; a contradiction makes the joined part refuse. What a label
gives is read in `label_parts.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from modellens_core.sources.hub.card_names import Named
from modellens_core.sources.hub.labels import Mention
from modellens_core.sources.hub.vocabulary import Benchmark

CLASS_KEY: Final = "class"  # of a setting: a score of one class of the data, never of all of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Pieces of meaning; None or empty where nothing is said.

    Attributes:
        known: the benchmark behind `dataset`, if it is known; exact: its name stands alone; common: it is
            also a common word.
        config: a subset of `dataset`.
        unclear: words of a heading that nothing explains yet (a model? a dataset? a class?).
        mean: the metric of a heading such as "Mean AUC", which is an average of runs or of datasets.
        refuse: why no value here may be taken.
    """

    model: Named | None = None
    dataset: str | None = None
    known: Benchmark | None = None
    exact: bool = False
    common: bool = False
    config: str | None = None
    task: str | None = None
    metrics: tuple[Mention, ...] = ()
    split: str | None = None
    shots: str | None = None
    language: str | None = None
    lower: bool | None = None
    percent: bool = False
    setting: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    unclear: str = ""
    mean: Mention | None = None
    refuse: str | None = None

    def joined(self, other: "Part") -> "Part":
        """Both parts together; refuses if they contradict each other."""
        first = self if self.dataset else other
        return Part(
            model=self.model or other.model,
            dataset=first.dataset,
            known=first.known,
            exact=first.exact,
            common=first.common,
            config=self.config or other.config,
            task=self.task or other.task,
            metrics=self.metrics or other.metrics,
            split=self.split or other.split,
            shots=self.shots or other.shots,
            language=self.language or other.language,
            lower=other.lower if self.lower is None else self.lower,
            percent=self.percent or other.percent,
            setting={**other.setting, **self.setting},
            notes=tuple(dict.fromkeys([*self.notes, *other.notes])),
            unclear=self.unclear or other.unclear,
            mean=self.mean or other.mean,
            refuse=self.refuse or other.refuse or self._contradicts(other),
        )

    def _contradicts(self, other: "Part") -> str | None:
        pairs: tuple[tuple[str, object, object], ...] = (
            ("two_datasets", self.dataset, other.dataset),
            ("two_metrics", {m.name for m in self.metrics}, {m.name for m in other.metrics}),
            ("two_models", _owner(self.model), _owner(other.model)),
            ("two_settings", self.split, other.split),
            ("two_settings", self.shots, other.shots),
        )
        return next((why for why, a, b in pairs if a and b and a != b), None)


def _owner(model: Named | None) -> str | None:
    return None if model is None else model.name or "this card's"
