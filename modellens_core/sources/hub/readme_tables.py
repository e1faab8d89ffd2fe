"""Bronze tier: turns the result tables of a README into reports, without asking anybody.

The way from text to reports: `markdown_tables.py` finds tables, `table_layout.py` names their columns,
`table_reader.py` decides what each value means (or `llm/check.py`, where a language model was asked
before), `agreement.py` what several tables say together. Here their findings become `Report`s and `Reject`s.
The text is data: nothing in it is executed, fetched or followed. Same text, same items.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from modellens_core.schema import Reject, Report, ReportedBy, Tier
from modellens_core.sources.hub.agreement import Reading, agreed
from modellens_core.sources.hub.card_names import Card, read_card
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
EXTRACTOR: Final = "readme_tables/3"
CONVENTION: Final = "+convention"  # the metric is the benchmark's usual one; the table names none

TableReader = Callable[[Table, Card], Iterator[Score | Refused]]


def read_readme(
    text: str,
    repo_id: str,
    *,
    source_url: str | None,
    source_revision: str | None,
    retrieved_at: datetime,
    read: TableReader = read_table,
) -> Iterator[Report | Reject]:
    """Yield the scores that a README's tables report, and what was refused.

    Pure, and bounded in time and memory whatever the text.

    Args:
        text: the README, front matter included.
        repo_id: the repository it describes; its own scores get this as `raw_model`.
        source_url: where the text was read.
        source_revision: commit it was read at.
        retrieved_at: when, in UTC.
        read: who says what a table's values mean.

    Yields:
        `Report`s of the bronze tier, by the author for the card's own model and by a third party for
        other models in the same tables; one `Reject` per table and reason, with the number of
        refusals in its detail.
    """
    card, tables = open_readme(text, repo_id)
    found = [
        Reading(t.index, "", [Refused(t.reason)])
        if isinstance(t, Unread)
        else Reading(t.index, t.headings[-1] if t.headings else "", list(read(t, card)))
        for t in tables
    ]
    for reading in agreed(found):
        refused: dict[str, list[str]] = {}
        for item in reading.items:
            if isinstance(item, Refused):
                refused.setdefault(item.reason, []).append(item.raw)
            else:
                yield _report(item, repo_id, source_url, source_revision, retrieved_at)
        for reason in sorted(refused):
            yield Reject(
                source=SOURCE,
                tier=Tier.BRONZE,
                where=f"{repo_id}/README.md table {reading.index}",
                reason=reason,
                detail=f"{len(refused[reason])} refused",
                raw=min(refused[reason])[:300],
            )


def open_readme(text: str, repo_id: str) -> tuple[Card, Sequence[Table | Unread]]:
    """What a README says of its card, and its tables in reading order."""
    text = text.replace("\r\n", "\n")
    if not may_hold_table(text):
        return read_card(repo_id, "", None), ()
    front, body = front_matter(text)
    tables = list(read_tables(body))
    title = next((t.headings[0] for t in tables if isinstance(t, Table) and t.headings), None)
    card = read_card(repo_id, front, title)
    return replace(card, described=described_dataset(body)), tables


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
        extractor=(score.extractor or EXTRACTOR) + CONVENTION * score.convention,
    )
