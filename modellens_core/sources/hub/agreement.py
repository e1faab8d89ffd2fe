"""What several tables of one README say together: equal scores once, unequal ones told apart or refused."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from modellens_core.sources.hub.scores import MAX_NOTE, Refused, Score
from modellens_core.sources.hub.vocabulary import has_family, tokens

SECTION_KEY: Final = "section"  # of a setting: the title that tells two tables apart
# Words of titles that may tell models apart, and not evaluations.
_MODELS: Final = frozenset(
    {"base", "large", "small", "tiny", "mini", "medium", "big", "xl", "xxl", "model", "models"}
    | {"baseline", "baselines", "original", "teacher", "student", "before", "after", "old", "new"}
    | {"previous", "pretrained", "quantized", "finetuned", "v", "version"}
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one table came to: its number, the title above it, its scores and refusals."""

    index: int
    title: str
    items: Sequence[Score | Refused]


def agreed(found: Sequence[Reading]) -> list[Reading]:
    """Keep what the tables of a README agree on.

    Values that agree up to rounding are one score, the one with more digits. Where values differ, the
    titles above the tables tell them apart if every table has its own and no title is about a model;
    otherwise something unseen does, and they are refused.
    """
    found = _told_apart(found)
    values = _by_identity(found)
    kept: dict[object, Score | None] = {}
    for identity, scores in values.items():
        best = max(scores, key=lambda s: (_digits(s), s.value.text))
        same = all(_rounds_to(best.value.value, s) for s in scores)
        kept[identity] = best if same else None
    return [replace(r, items=_chosen(r.items, kept)) for r in found]


def _chosen(
    items: Sequence[Score | Refused], kept: Mapping[object, Score | None]
) -> list[Score | Refused]:
    chosen: list[Score | Refused] = []
    for item in items:
        if isinstance(item, Refused):
            chosen.append(item)
        elif kept[item.identity] is None:
            chosen.append(Refused("tables_disagree", item.value.text))
        elif kept[item.identity] is item:
            chosen.append(item)
    return chosen


def _by_identity(found: Sequence[Reading]) -> dict[object, list[Score]]:
    values: dict[object, list[Score]] = {}
    for reading in found:
        for item in reading.items:
            if isinstance(item, Score):
                values.setdefault(item.identity, []).append(item)
    return values


def _told_apart(found: Sequence[Reading]) -> list[Reading]:
    """Add the title to the setting of every score of tables that disagree, where titles differ."""
    titles: dict[object, dict[str, set[float]]] = {}
    for reading in found:
        for item in reading.items:
            if isinstance(item, Score):
                values = titles.setdefault(item.identity, {})
                values.setdefault(reading.title, set()).add(item.value.value)
    shared = {identity for identity, values in titles.items() if len(values) > 1}
    disputed = {
        identity
        for identity in shared
        if len(set.union(*(values := titles[identity]).values())) > 1
        and all(len(v) == 1 for v in values.values())
        and all(map(_tells, values))
    }
    # A table is told apart as a whole, or the same evaluation would have two names; and only if it
    # disagrees in most of what it shares: a single other number is a slip, not another evaluation.
    tables = set()
    for reading in found:
        identities = {i.identity for i in reading.items if isinstance(i, Score)} & shared
        if len(identities & disputed) * 2 > len(identities):
            tables.add(reading.index)
    return [
        replace(r, items=[_titled(i, r.title) for i in r.items]) if r.index in tables else r
        for r in found
    ]


def _tells(title: str) -> bool:
    """Whether a title may say how was evaluated, and not which model was."""
    return bool(title) and not has_family(title) and not _MODELS.intersection(tokens(title))


def _titled(item: Score | Refused, title: str) -> Score | Refused:
    if isinstance(item, Refused):
        return item
    return replace(item, setting={**item.setting, SECTION_KEY: title[:MAX_NOTE]})


def _digits(score: Score) -> int:
    """Decimal places of a value as written."""
    return len(re.split(r"[^0-9]", score.value.text.replace(",", ".").partition(".")[2])[0])


def _rounds_to(value: float, score: Score) -> bool:
    return abs(value - score.value.value) <= 0.5001 * 10.0 ** -_digits(score)
