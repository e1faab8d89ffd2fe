"""Turns what a reader found into reports, by the same rules for every kind of wheel.

Here a score gets its unit, or is refused: no dataset, not a number, known to be wrong, or several values
where the source does not say what sets them apart. Numbers about training cost are dropped: they are
not evaluation results. How a file is laid out is the readers' business.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from modellens_core.schema import ModelFact, Reject, Report, Tier, canonical_setting
from modellens_core.sources.package_index.catalogue import Wheel, Withheld
from modellens_core.sources.values import ParsedValue, Refusal, parse_value

TIER = Tier.LEADERBOARD

# What it cost to train or run a model, and bookkeeping: never how good the model is.
COSTS = frozenset(
    {
        "batch size", "disc_step", "dist_step", "epoch", "epochs", "flops", "flops(g)", "fps", "gpu info",
        "inference time (ms/im)", "iter", "iterations", "iters", "latency", "memory (gb)", "n_disc",
        "num scales", "parameters", "params", "params(m)", "scales", "speed", "total iters",
        "total iters*", "training memory (gb)", "training time",
        # statistics about the list of ranks, not about how good the ranks are
        "count", "median_absolute_deviation", "standard_deviation", "variance",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ResultFile:
    """One row of the raw table."""

    path: str
    text: str
    url: str
    retrieved_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One number a file gives for a model on a dataset, before anything is decided about it."""

    file: ResultFile
    model: str
    dataset: str
    metric: str
    raw: object
    task: str | None = None
    setting: Mapping[str, str] = field(default_factory=dict)


Found = Score | ModelFact | Reject

_Identity = tuple[str, str, str | None, str, str]


def reports(wheel: Wheel, scores: Iterable[Score]) -> Iterator[Report | Reject]:
    """Judge all scores of one wheel.

    Args:
        wheel: its catalogue entry: units, withheld scores, who reports.
        scores: everything a reader found in it, in any order.

    Yields:
        A report per usable score and a reject per refused one; nothing for training cost.
    """
    read: dict[_Identity, list[tuple[Score, ParsedValue]]] = defaultdict(list)
    for score in scores:
        if score.metric.lower().replace("\\", "").strip() in COSTS:
            continue
        judged = _judge(wheel, score)
        if isinstance(judged, Reject):
            yield judged
        else:
            read[_identity(score)].append((score, judged))
    for same in read.values():
        yield from _one_per_identity(wheel, same)


def _identity(score: Score) -> _Identity:
    setting = canonical_setting(score.setting)
    return (score.model, score.dataset, score.task, score.metric, setting)


def _judge(wheel: Wheel, score: Score) -> ParsedValue | Reject:
    if not score.dataset.strip("- ") or score.dataset.startswith("#"):
        return reject(wheel, score.file, "no_dataset", score.model, score.dataset)
    withheld = wheel.withheld_because(score.model, score.dataset, score.metric)
    if isinstance(withheld, Withheld):
        return reject(
            wheel, score.file, withheld.reason, withheld.why, f"{score.model}: {score.raw}"
        )
    parsed = parse_value(score.raw)
    if isinstance(parsed, Refusal):
        what = f"{score.model}, {score.dataset}, {score.metric}"
        return reject(wheel, score.file, parsed.reason, what, str(score.raw))
    return parsed


def _one_per_identity(
    wheel: Wheel, same: Sequence[tuple[Score, ParsedValue]]
) -> Iterator[Report | Reject]:
    values = sorted({parsed.value for _, parsed in same})
    if len(values) == 1:
        yield _report(wheel, *same[0])
        return
    # Picking one would attach a number to a run it may not belong to (another scale, another threshold).
    for score, parsed in same:
        what = f"{score.model}, {score.dataset}, {score.metric}: {len(values)} values, all one name"
        yield reject(wheel, score.file, "ambiguous", what, parsed.text)


def _report(wheel: Wheel, score: Score, parsed: ParsedValue) -> Report:
    return Report(
        source=wheel.source,
        tier=TIER,
        raw_model=score.model,
        raw_dataset=score.dataset,
        raw_task=score.task,
        raw_metric=score.metric,
        raw_value=parsed.text,
        value=parsed.value,
        unit=parsed.unit or wheel.unit_of(score.dataset, score.metric),
        setting=score.setting,
        source_url=score.file.url,
        source_revision=f"{wheel.package}=={wheel.version}",
        retrieved_at=score.file.retrieved_at,
        reported_by=wheel.reported_by,
        extractor=f"package_index.{wheel.reader}/1",
    )


def reject(wheel: Wheel, file: ResultFile, reason: str, detail: str, raw: object = "") -> Reject:
    """A refusal that names the wheel and the file."""
    return Reject(
        source=wheel.source,
        tier=TIER,
        where=f"{wheel.package}=={wheel.version}:{file.path}",
        reason=reason,
        detail=detail,
        raw=str(raw)[:300],
    )
