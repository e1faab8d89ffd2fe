"""The scores of one table: what a score is, and how equal ones are told apart.

What a value means is decided in `table_reader.py`; what becomes of scores that two tables give, in
`readme_tables.py`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from modellens_core.schema import Unit, canonical_setting
from modellens_core.sources.hub.label_parts import setting_key
from modellens_core.sources.hub.table_models import Row
from modellens_core.sources.values import ParsedValue

MAX_NOTE: Final = 80  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One value with its meaning; `model` None is this card's own, `extractor` None the rules."""

    model: str | None
    dataset: str
    metric: str
    value: ParsedValue
    task: str | None = None
    unit: Unit | None = None
    lower: bool | None = None
    setting: Mapping[str, str] = field(default_factory=dict)
    convention: bool = False
    extractor: str | None = None

    @property
    def identity(self) -> tuple[str | None, str, str, str | None, str]:
        """What two values of one README must not share."""
        return self.model, self.dataset, self.metric, self.task, canonical_setting(self.setting)


@dataclass(frozen=True, slots=True)
class Refused:
    """A value, a row, a column or a whole table that was not taken."""

    reason: str
    raw: str = ""


def distinct(found: Sequence[tuple[Score, Row]]) -> Iterator[Score | Refused]:
    """Tell equal identities apart by the row's other texts; refuse what stays equal but differs."""
    counts = Counter(s.identity for s, _ in found)
    told = [s if counts[s.identity] == 1 else _told_apart(s, r) for s, r in found]
    values: dict[object, set[float]] = {}
    for score in told:
        values.setdefault(score.identity, set()).add(score.value.value)
    seen: set[object] = set()
    for score in told:
        if len(values[score.identity]) > 1:
            yield Refused("duplicate_identity", score.value.text)
        elif score.identity not in seen:
            seen.add(score.identity)
            yield score


def _told_apart(score: Score, row: Row) -> Score:
    # Beside a model's name they describe its run, beside anything else the evaluation.
    prefix = "model." if row.part.model is not None else ""
    extra = {
        prefix + key: text[:MAX_NOTE]
        for title, text in row.attributes.items()
        if (key := setting_key(title))
    }
    return replace(score, setting={**score.setting, **extra})
