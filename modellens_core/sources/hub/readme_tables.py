"""Bronze tier: reads the result tables of a README without asking anybody.

The way from text to reports: `markdown_tables.py` finds tables, `table_layout.py` names their columns,
`table_reader.py` decides what each value means. Here their findings become `Report`s and `Reject`s. The
text is data: nothing in it is executed, fetched or followed. Same text, same items.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from modellens_core.schema import Reject, Report, ReportedBy, Tier
from modellens_core.sources.hub.card_names import read_card
from modellens_core.sources.hub.markdown_tables import (
    Table,
    Unread,
    front_matter,
    may_hold_table,
    read_tables,
)
from modellens_core.sources.hub.mentioned import described_dataset
from modellens_core.sources.hub.scores import Refused, Score
from modellens_core.sources.hub.table_reader import read_table

SOURCE: Final = "hub"
EXTRACTOR: Final = "readme_tables/2"
CONVENTION: Final = "+convention"  # the metric is the benchmark's usual one; the table names none


def read_readme(
    text: str,
    repo_id: str,
    *,
    source_url: str | None,
    source_revision: str | None,
    retrieved_at: datetime,
) -> Iterator[Report | Reject]:
    """Yield the scores that a README's tables report, and what was refused.

    Pure, and bounded in time and memory whatever the text.

    Args:
        text: the README, front matter included.
        repo_id: the repository it describes; its own scores get this as `raw_model`.
        source_url: where the text was read.
        source_revision: commit it was read at.
        retrieved_at: when, in UTC.

    Yields:
        `Report`s of the bronze tier, by the author for the card's own model and by a third party for
        other models in the same tables; one `Reject` per table and reason, with the number of
        refusals in its detail.
    """
    if not may_hold_table(text):
        return
    front, body = front_matter(text)
    tables = list(read_tables(body))
    title = next((t.headings[0] for t in tables if isinstance(t, Table) and t.headings), None)
    card = replace(read_card(repo_id, front, title), described=described_dataset(body))
    found: Found = [
        (t.index, [Refused(t.reason)] if isinstance(t, Unread) else list(read_table(t, card)))
        for t in tables
    ]
    for index, items in _agreed(found):
        refused: dict[str, list[str]] = {}
        for item in items:
            if isinstance(item, Refused):
                refused.setdefault(item.reason, []).append(item.raw)
            else:
                yield _report(item, repo_id, source_url, source_revision, retrieved_at)
        for reason in sorted(refused):
            yield Reject(
                source=SOURCE,
                tier=Tier.BRONZE,
                where=f"{repo_id}/README.md table {index}",
                reason=reason,
                detail=f"{len(refused[reason])} refused",
                raw=min(refused[reason])[:300],
            )


Found = list[tuple[int, list[Score | Refused]]]


def _agreed(found: Found) -> Found:
    """Refuse scores that two tables of one README give differently: something unseen tells them apart.

    Values that agree up to rounding are one report, the one with more digits.
    """
    values: dict[object, list[Score]] = {}
    for _, items in found:
        for item in items:
            if isinstance(item, Score):
                values.setdefault(item.identity, []).append(item)
    kept: dict[object, Score | None] = {}
    for identity, scores in values.items():
        best = max(scores, key=lambda s: (_digits(s), s.value.text))
        same = all(_rounds_to(best.value.value, s) for s in scores)
        kept[identity] = best if same else None
    result: Found = []
    for index, items in found:
        chosen: list[Score | Refused] = []
        for item in items:
            if isinstance(item, Refused):
                chosen.append(item)
            elif kept[item.identity] is None:
                chosen.append(Refused("tables_disagree", item.value.text))
            elif kept[item.identity] is item:
                chosen.append(item)
        result.append((index, chosen))
    return result


def _digits(score: Score) -> int:
    """Decimal places of a value as written."""
    return len(re.split(r"[^0-9]", score.value.text.replace(",", ".").partition(".")[2])[0])


def _rounds_to(value: float, score: Score) -> bool:
    return abs(value - score.value.value) <= 0.5001 * 10.0 ** -_digits(score)


def _report(
    score: Score, repo_id: str, source_url: str | None, revision: str | None, at: datetime
) -> Report:
    own = score.model is None
    return Report(
        source=SOURCE,
        tier=Tier.BRONZE,
        raw_model=repo_id if score.model is None else score.model,
        raw_dataset=score.dataset,
        raw_metric=score.metric,
        raw_value=score.value.text,
        value=score.value.value,
        raw_task=score.task,
        unit=score.unit,
        lower_is_better=score.lower,
        setting=score.setting,
        source_url=source_url,
        source_revision=revision,
        retrieved_at=at,
        reported_by=ReportedBy.AUTHOR if own else ReportedBy.THIRD_PARTY,
        extractor=EXTRACTOR + CONVENTION * score.convention,
    )
