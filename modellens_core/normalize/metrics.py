"""Which metric a name means, which way it points, and in which unit it is kept.

Knowledge lies in `data/metrics.yaml`; the spelling is taken apart in `metric_names.py`. A known metric
inside a longer name gives its direction and unit, and the other words stay in the id as a qualifier
("Validation mIoU" -> "miou/validation"), so nothing is merged that may differ. Names that say nothing
about which end is good ("score") get no direction: a wrong one turns a leaderboard upside down.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from modellens_core.normalize.metric_names import SpelledName, spell, take_splits
from modellens_core.normalize.metric_registry import Metric, compact, metric_index
from modellens_core.normalize.text import MAX_SLUG, slug

_LONGEST_SPELLING = 7  # words
_MOST_PASSES = 4
_NUMBER = re.compile(r"[\d@]")
_TOP = re.compile(r"(?:accuracy|acc)?@?top@?(\d+)(?:classification)?(?:accuracy|acc)?")
_ACC = re.compile(r"(?:accuracy|acc)@?(\d+)")
_TOP_ERROR = re.compile(r"top@?(\d+)(?:errorrate|error|err)")
_RANK = re.compile(r"rank@?(\d+)(?:recognitionrate|accuracy|acc)?")
_CUTOFF = re.compile(r"([^\W\d_][^@]*)@(k|l\d|\d+(?:\.\d+)?(?:pct)?(?::[\d.]+)*)")
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
_DOMINANT = frozenset(
    {"nauc", "naucs"}
)  # "nauc_map_at_3_std" is an AUC, not a MAP and no deviation


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
    metric = _resolve(name, raw_task or "", raw_metric)
    for _ in range(_MOST_PASSES):  # an id may read shorter than the name it was made from
        if metric.metric_id in metric_index().by_id:
            break
        again = _resolve(spell(metric.metric_id), "", metric.metric_id)
        if again.metric_id == metric.metric_id:
            break
        metric = again
    if metric.lower_is_better is None and metric.is_quality:
        metric = replace(metric, lower_is_better=name.lower_is_better)
    return metric


def _resolve(name: SpelledName, raw_task: str, raw: str) -> Metric:
    metric = _known(name, raw_task)
    if metric is None:
        words = ("1", *name.words) if name.one_minus else name.words
        metric_id = slug("-".join((*words, *name.aside)) or raw)
        return Metric(metric_id, None, "unknown", "raw", None, None, is_quality=True)
    if len(metric.metric_id) > MAX_SLUG:
        metric = replace(metric, metric_id=slug(metric.metric_id))
    return metric


def _known(name: SpelledName, raw_task: str) -> Metric | None:
    words, splits = take_splits(name.words)
    aside, aside_splits = take_splits(name.aside, may_be_all=True)
    splits += aside_splits
    if splits == ("test",):
        splits = ()  # results are on the test split unless they say otherwise
    minus = name.one_minus
    if aside:
        metric = _whole((*words, *aside), raw_task)  # "F1 (micro)", "bits/dimension"
        if metric is not None:
            return _qualified(metric, splits, one_minus=minus)
    for proper, beside in ((name.words, aside_splits), (words, splits)):
        metric = _whole(proper, raw_task)
        if metric is not None:
            again = _whole(aside, raw_task) == metric  # "Word Error Rate (WER)"
            return _qualified(metric, beside if again else (*aside, *beside), one_minus=minus)
    words = ("1", *words) if minus else words  # "1-of-100 accuracy" is no difference
    for proper, beside in ((words, aside), (aside, words)):
        found = _head(proper, raw_task)
        if found is not None:
            metric, start, end = found
            rest = (*proper[:start], *proper[end:], *beside, *splits)
            return _qualified(metric, rest, one_minus=False)
    return None


def _whole(words: Sequence[str], raw_task: str) -> Metric | None:
    """The metric that a whole name spells."""
    index = metric_index()
    key = compact(words)
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
    end = len(words)
    while end > 1 and words[end - 1] in _FILLER:
        end -= 1
    return index.names.get(compact(words[:end])) or _with_number(compact(words[:end]), raw_task)


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
    names = metric_index().names
    start = 0
    while start < len(words):
        for end in range(min(len(words), start + _LONGEST_SPELLING), start, -1):
            key = compact(words[start:end])
            metric = names.get(key) or _with_number(key, raw_task)
            if metric is not None:
                yield metric, start, end
                start = end - 1
                break
        start += 1


def _with_number(key: str, raw_task: str) -> Metric | None:
    """A metric with a number in its name: "top1acc", "recall@10", "ap50", "rank1"."""
    if _NUMBER.search(key) is None:
        return None
    index = metric_index()
    for pattern, template, profile in (
        (_TOP, "top-{}-accuracy", index.share),
        (_ACC, "top-{}-accuracy", index.share),
        (_TOP_ERROR, "top-{}-error", index.error_share),
        (_RANK, "rank-{}", index.share),
    ):
        if match := pattern.fullmatch(key):
            return profile.metric(template.format(int(match[1])))
    if match := _POOL.fullmatch(key):
        return index.share.metric(f"recall@{match[2]}/of-{match[1]}")
    return _with_overlap(key, raw_task) or _with_cutoff(key)


def _with_overlap(key: str, raw_task: str) -> Metric | None:
    """AP and AR at an overlap: "ap50", "map@0.5:0.95"."""
    match = _GLUED_IOU.fullmatch(key)
    if match is None or match[1] not in _IOU_METRICS or not _is_overlap(key, raw_task):
        return None
    digits = match[2].rstrip("0") or "0"
    return _numbered(_IOU_METRICS[match[1]], f"@0.{digits}" + (":0.95" if match[3] else ""))


def _with_cutoff(key: str) -> Metric | None:
    index = metric_index()
    match = _CUTOFF.fullmatch(key)
    base = match and (index.cutoff.get(match[1]) or index.names.get(match[1]))
    if not match or base is None or base.metric_id not in index.by_id:
        return None
    return _numbered(base.metric_id, f"@{match[2]}")


_IOU_METRICS = {
    "ap": "ap", "map": "map", "boxap": "box-ap", "bboxap": "box-ap", "boxmap": "box-ap", "bboxmap": "box-ap",
    "maskap": "mask-ap", "segmap": "mask-ap", "maskmap": "mask-ap", "segmmap": "mask-ap",
    "keypointap": "keypoint-ap",
    "mapbox": "box-ap", "mapmask": "mask-ap", "mappose": "keypoint-ap",
    "ar": "average-recall",
}  # fmt: skip


def _is_overlap(key: str, raw_task: str) -> bool:
    """Whether a number is an overlap ("AP50", "mAP@0.5") and not a rank ("map@50")."""
    if "@" not in key or "@0." in key or ":" in key:
        return True
    task = raw_task.casefold()
    return "detect" in task or "segment" in task


def _numbered(metric_id: str, suffix: str) -> Metric:
    metric = metric_index().by_id[metric_id]
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
