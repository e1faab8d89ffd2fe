"""Which metric a name means, which way it points, and in which unit it is kept.

Knowledge lies in `data/metrics.yaml`; the spelling is taken apart in `metric_names.py`. A known metric
inside a longer name gives its direction and unit, and the other words stay in the id as a qualifier
("Validation mIoU" -> "miou/validation"), so nothing is merged that may differ. Names that say nothing
about which end is good ("score") get no direction: a wrong one turns a leaderboard upside down.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from pydantic import BaseModel, ConfigDict

from modellens_core.normalize.metric_names import SpelledName, spell, take_splits
from modellens_core.normalize.text import load_registry, slug
from modellens_core.schema import Unit

PROPORTION = "proportion"
_LONGEST_SPELLING = 7  # words
_TOP = re.compile(r"(?:accuracy|acc)?@?top@?(\d+)(?:classification)?(?:accuracy|acc)?")
_ACC = re.compile(r"(?:accuracy|acc)@?(\d+)")
_TOP_ERROR = re.compile(r"top@?(\d+)(?:errorrate|error|err)")
_RANK = re.compile(r"rank@?(\d+)(?:recognitionrate|accuracy|acc)?")
_CUTOFF = re.compile(r"([^\W\d_][^@]*)@(k|\d+(?:\.\d+)?(?:pct)?(?::[\d.]+)*)")
_GLUED_IOU = re.compile(r"([^\W\d_]+?)@?(?:0\.)?([5-9][05]?)(?:@?(?::0\.05)?:?(?:0\.)?(95))?")
_POOL = re.compile(r"r(\d+)@(\d+)")
_SHORT_PRECISION = re.compile(r"p(5|10|20|30|50|100|200|500|1000)")
_SHORT_RECALL = re.compile(r"ar(1|10|100|300|1000)")

_WORSENING = frozenset({"drop", "gap", "decay", "degradation", "forgetting"})
_IMPROVING = frozenset({"improvement", "gain"})
_UNCLEAR = frozenset({"delta", "diff", "difference", "change", "reduction"})
_SPREAD = frozenset({"std", "stdev", "stderr", "stddev", "variance"})
_WEAK = frozenset({"error", "loss"})
_FILLER = frozenset({"score", "scores", "value", "metric", "none"})
_DOMINANT = frozenset({"nauc", "naucs"})  # "nauc_map_at_3_std" is an AUC, not a MAP and no deviation


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


class _Profile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    lower_is_better: bool | None
    kind: str
    unit: str
    minimum: float | None
    maximum: float | None
    is_quality: bool = True

    def metric(self, metric_id: str) -> Metric:
        return Metric(metric_id, **self.model_dump())


class _TaskRule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    task_words: tuple[str, ...]
    metric: str


class _Registry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    profiles: dict[str, _Profile]
    metrics: dict[str, dict[str, tuple[str, ...]]]
    short: dict[str, dict[str, tuple[str, ...]]]
    with_cutoff: dict[str, tuple[str, ...]]
    by_task: tuple[_TaskRule, ...]


@dataclass(frozen=True, slots=True)
class _Index:
    names: Mapping[str, Metric]  # compact spelling -> metric, also inside longer names
    short: Mapping[str, Metric]  # only as the whole name
    cutoff: Mapping[str, Metric]  # only before "@k"
    by_id: Mapping[str, Metric]
    by_task: tuple[_TaskRule, ...]
    share: _Profile
    error_share: _Profile


@cache
def _index() -> _Index:
    registry = load_registry("metrics", _Registry)
    by_id: dict[str, Metric] = {}
    for part in (registry.metrics, registry.short):
        for profile, group in part.items():
            for metric_id in group:
                by_id.setdefault(metric_id, registry.profiles[profile].metric(metric_id))
    short = _spellings(registry.short, by_id)
    names = {_compact(i.split("-")): m for i, m in by_id.items()}
    names = {name: metric for name, metric in names.items() if name not in short}
    names |= _spellings(registry.metrics, by_id)
    return _Index(
        names=names,
        short=short,
        cutoff={_compact([s]): by_id[i] for i, group in registry.with_cutoff.items() for s in group},
        by_id=by_id,
        by_task=registry.by_task,
        share=registry.profiles["share"],
        error_share=registry.profiles["error_share"],
    )


def _spellings(
    part: Mapping[str, Mapping[str, tuple[str, ...]]], by_id: Mapping[str, Metric]
) -> dict[str, Metric]:
    return {
        _compact(spell(spelling).words or (spelling,)): by_id[metric_id]
        for group in part.values()
        for metric_id, spellings in group.items()
        for spelling in spellings
    }


def _compact(words: Iterable[str]) -> str:
    return "".join(words)


def resolve_metric(raw_metric: str, raw_task: str | None = None) -> Metric:
    """Decide which metric a name means.

    Args:
        raw_metric: as the source wrote it ("Top 1 Accuracy (%)", "nDCG@10", "box AP"), or an id.
        raw_task: as the source wrote it; only decides names that depend on it ("MR").

    Returns:
        A known metric, a known metric with a qualifier, or a slug without direction. Total, and
        `resolve_metric(m.metric_id).metric_id == m.metric_id`.
    """
    name = spell(raw_metric)
    metric = _resolve(name, raw_task or "")
    if metric is None:
        metric_id = slug("-".join((*name.words, *name.aside)) or raw_metric)
        metric = Metric(metric_id, None, "unknown", "raw", None, None, is_quality=True)
    if metric.lower_is_better is None and metric.is_quality:
        metric = replace(metric, lower_is_better=name.lower_is_better)
    return metric if len(metric.metric_id) <= 200 else replace(metric, metric_id=slug(metric.metric_id))


def stated_unit(raw_metric: str) -> str | None:
    """The unit a metric's name states: "percent" for "acc (%)", "proportion" for "acc (0-1)"."""
    return spell(raw_metric).unit


def canonical_score(value: float, unit: str | None, metric: Metric) -> float | None:
    """Convert a value into its metric's canonical unit.

    Args:
        value: as written, not rescaled.
        unit: "percent", "proportion", "raw" or None, where the source states it.
        metric: decides the canonical unit.

    Returns:
        The value in `metric.unit`. None where that cannot be told from one value: a proportion-like
        metric whose source states no unit, or a value that is not finite.
    """
    if not math.isfinite(value):
        return None
    if metric.unit != PROPORTION:
        return value
    if unit == Unit.PERCENT:
        return value / 100.0
    return value if unit == Unit.PROPORTION else None


def _resolve(name: SpelledName, raw_task: str) -> Metric | None:
    words, splits = take_splits(name.words)
    aside, aside_splits = take_splits(name.aside)
    splits += aside_splits
    if aside == ("test",):
        aside = ()
    if splits == ("test",):
        splits = ()  # results are on the test split unless they say otherwise
    for proper, beside in ((name.words, ()), (words, splits)):
        metric = _whole(proper, raw_task)
        if metric is not None:
            again = _whole(aside, raw_task) == metric  # "Word Error Rate (WER)"
            rest = beside if again else (*aside, *aside_splits, *beside)
            return _qualified(metric, rest, one_minus=name.one_minus)
    everything = (*words, *aside)
    metric = _whole(everything, raw_task) if aside else None  # "bits/dimension"
    if metric is not None:
        return _qualified(metric, splits, one_minus=False)
    for proper, beside in ((words, aside), (aside, words)):
        found = _head(proper, raw_task)
        if found is not None:
            metric, start, end = found
            rest = (*proper[:start], *proper[end:], *splits)
            return _qualified(metric, (*rest, *beside), one_minus=False)
    return None


def _whole(words: Sequence[str], raw_task: str) -> Metric | None:
    """The metric that a whole name spells."""
    index = _index()
    end = len(words)
    while end > 1 and words[end - 1] in _FILLER:
        end -= 1
    for stop in dict.fromkeys((len(words), end)):
        key = _compact(words[:stop])
        for rule in index.by_task if raw_task else ():
            if key == rule.name and any(word in raw_task.casefold() for word in rule.task_words):
                return index.by_id[rule.metric]
        metric = index.names.get(key) or index.short.get(key) or _with_number(key, raw_task)
        if metric is not None:
            return metric
        if match := _SHORT_PRECISION.fullmatch(key):
            return _numbered("precision", f"@{match[1]}")
        if match := _SHORT_RECALL.fullmatch(key):
            return _numbered("average-recall", f"@{match[1]}")
    return None


def _head(words: Sequence[str], raw_task: str) -> tuple[Metric, int, int] | None:
    """The metric inside a longer name: the one that ends it, else the one that starts it."""
    found = list(_windows(words, raw_task))
    if not found:
        return None
    if found[0][1] == 0 and words[0] in _DOMINANT:
        return found[0]
    last = [window for window in found if window[2] == len(words)]
    first = [window for window in found if window[1] == 0]
    return (last or first or found[-1:])[0]


def _windows(words: Sequence[str], raw_task: str) -> Iterator[tuple[Metric, int, int]]:
    """Metrics spelled by neighbouring words, longest first at each place, without overlap."""
    names = _index().names
    start = 0
    while start < len(words):
        for end in range(min(len(words), start + _LONGEST_SPELLING), start, -1):
            key = _compact(words[start:end])
            metric = names.get(key) or _with_number(key, raw_task)
            if metric is not None:
                yield metric, start, end
                start = end - 1
                break
        start += 1


def _with_number(key: str, raw_task: str) -> Metric | None:
    """A metric with a number in its name: "top1acc", "recall@10", "ap50", "rank1"."""
    if not any(char.isdigit() or char == "@" for char in key):
        return None
    index = _index()
    if match := _TOP.fullmatch(key) or _ACC.fullmatch(key):
        return index.share.metric(f"top-{int(match[1])}-accuracy")
    if match := _TOP_ERROR.fullmatch(key):
        return index.error_share.metric(f"top-{int(match[1])}-error")
    if match := _RANK.fullmatch(key):
        return index.share.metric(f"rank-{int(match[1])}")
    if match := _POOL.fullmatch(key):
        return index.share.metric(f"recall@{match[2]}/of-{match[1]}")
    match = _GLUED_IOU.fullmatch(key)
    if match and match[1] in _IOU_METRICS and _is_overlap(key, raw_task):
        digits = match[2].rstrip("0") or "0"
        return _numbered(_IOU_METRICS[match[1]], f"@0.{digits}" + (":0.95" if match[3] else ""))
    if match := _CUTOFF.fullmatch(key):
        base = index.cutoff.get(match[1]) or index.names.get(match[1])
        if base is not None and base.metric_id in index.by_id:
            return _numbered(base.metric_id, f"@{match[2]}")
    return None


_IOU_METRICS = {
    "ap": "ap", "map": "map", "boxap": "box-ap", "bboxap": "box-ap", "boxmap": "box-ap", "bboxmap": "box-ap",
    "maskap": "mask-ap", "segmap": "mask-ap", "maskmap": "mask-ap", "segmmap": "mask-ap",
    "keypointap": "keypoint-ap", "mapval": "ap-val", "apval": "ap-val",
    "mapbox": "box-ap", "mapmask": "mask-ap", "mappose": "keypoint-ap", "maptest": "ap-test", "aptest": "ap-test",
    "ar": "average-recall",
}  # fmt: skip


def _is_overlap(key: str, raw_task: str) -> bool:
    """Whether a number is an overlap ("AP50", "mAP@0.5") and not a rank ("map@50")."""
    if "@" not in key or "@0." in key or ":" in key:
        return True
    task = raw_task.casefold()
    return "detect" in task or "segment" in task


def _numbered(metric_id: str, suffix: str) -> Metric:
    metric = _index().by_id[metric_id]
    return replace(metric, metric_id=metric_id + suffix)


def _qualified(metric: Metric, words: Sequence[str], *, one_minus: bool) -> Metric:
    """Add the words that are left over to the id, and heed those that change the direction."""
    if one_minus:
        flipped = None if metric.lower_is_better is None else not metric.lower_is_better
        metric = replace(
            metric, metric_id=f"one-minus-{metric.metric_id}", lower_is_better=flipped,
            minimum=None, maximum=None,
        )  # fmt: skip
    text = " ".join(words).replace("cos sim", "cosine")
    said = set(text.split())
    if not said:
        return metric
    base, *more = metric.metric_id.split("/")
    metric = replace(metric, metric_id="/".join([base, "-".join([*more, *text.split()])]))
    if said & _SPREAD and not base.startswith("nauc"):
        return replace(metric, lower_is_better=None, is_quality=False)
    if said & _WORSENING:
        return replace(metric, lower_is_better=True, minimum=None, maximum=None)
    if said & _IMPROVING:
        return replace(metric, lower_is_better=False, minimum=None, maximum=None)
    if said & _UNCLEAR or (base in _WEAK and _has_gain(text.split())):
        return replace(metric, lower_is_better=None, minimum=None, maximum=None)
    return metric


def _has_gain(words: Sequence[str]) -> bool:
    """Whether words name a metric of which more is better: "AP at 15' azimuth error" is unclear."""
    return any(metric.lower_is_better is False for metric, _, _ in _windows(words, ""))
