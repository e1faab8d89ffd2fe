"""Counts how far a reader's reports agree with the labels of README tables. Pure.

Whether a report says what a cell says is decided in `labels.py`; files and printing are in
`golden_tables.py`.

What is counted, at each level of `labels.LEVELS` ("all" is the figure to look at):

- Demanded is every cell that is not optional and whose card says model, dataset and metric. A demanded
  cell is found if a report of its README says the same; one report finds one cell.
- A false report says something else and comes from a labelled table. A report does not name its table.
  It is charged to a labelled table if it disappears when the labelled tables are blanked out of the
  README, and its number stands in that table's lines. What the reader says about other tables, and what
  it says of them and of the labelled table alike, is not charged.
- Nothing is charged where a report says what an optional cell says ("?" in it matches anything). Where
  the card does not say a field that the level compares, a report of that cell is false: it should have
  been refused. At levels that do not compare the unsaid field, such a report does not count at all.
- Micro figures count cells; macro figures are means over tables: of recall over tables with demanded
  cells, of precision over tables with at least one report that counts.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from modellens_core.schema import Reject, Report
from tests.bench import labels
from tests.bench.labels import LEVELS, LabelledTable
from tests.bench.spellings import numbers_in

Reader = Callable[[str, str], Iterable[Report | Reject]]  # README text, repository id


@dataclass(slots=True)
class Count:
    """What one table, or a sum of tables, came to at one level."""

    found: int = 0
    false: int = 0
    demanded: int = 0

    def add(self, other: "Count") -> None:
        self.found += other.found
        self.false += other.false
        self.demanded += other.demanded

    @property
    def precision(self) -> float | None:
        """Share of the reports that count which are right; None without any."""
        said = self.found + self.false
        return self.found / said if said else None

    @property
    def recall(self) -> float | None:
        """Share of the demanded cells that were found; None without any."""
        return self.found / self.demanded if self.demanded else None


@dataclass(slots=True)
class Scored:
    """One labelled table with its counts, and for looking: what was missed and what is false."""

    table: LabelledTable
    counts: dict[str, Count] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)


def score_card(text: str, tables: Sequence[LabelledTable], reader: Reader) -> list[Scored]:
    """Score the labelled tables of one README."""
    repo = tables[0].repo
    lines = text.split("\n")
    spans = [labels.table_span(lines, table.line) for table in tables]
    blanked = {index for span in spans for index in span}
    without = "\n".join("" if i in blanked else line for i, line in enumerate(lines))
    reports = _reports(reader(text, repo))
    elsewhere = {report.report_id for report in _reports(reader(without, repo))}
    numbers = [set(numbers_in("\n".join(lines[i] for i in span))) for span in spans]
    # the tables whose lines hold a report's number, for reports that vanish with the tables
    homes = [
        [t for t, known in enumerate(numbers) if known.intersection(numbers_in(r.raw_value)[:1])]
        if r.report_id not in elsewhere
        else []
        for r in reports
    ]
    scored = [Scored(table) for table in tables]
    for level in LEVELS:
        _score_level(level, reports, homes, scored)
    return scored


def _score_level(
    level: str, reports: Sequence[Report], homes: Sequence[Sequence[int]], scored: Sequence[Scored]
) -> None:
    """Add one level's counts to the tables of one README."""
    wanted = [(t, cell) for t, s in enumerate(scored) for cell in s.table.demanded]
    found = labels.assign([cell for _, cell in wanted], reports, level)
    for s in scored:
        s.counts[level] = Count(demanded=len(s.table.demanded))
    for index, (t, cell) in enumerate(wanted):
        if index in found:
            scored[t].counts[level].found += 1
        elif level == "all":
            scored[t].missed.append(str(cell))
    used = set(found.values())
    for index, report in enumerate(reports):
        if index in used or not homes[index] or _excused(report, level, scored):
            continue
        home = scored[homes[index][0]]
        home.counts[level].false += 1
        if level == "all":
            said = (report.raw_value, report.raw_model, report.raw_dataset, report.raw_metric)
            home.false.append(" | ".join(said))


def _excused(report: Report, level: str, scored: Sequence[Scored]) -> bool:
    """Whether a report says what an optional cell says, or one that this level cannot judge."""
    for s in scored:
        for cell in s.table.cells:
            judged = not cell.optional and (cell.answerable or not cell.knows(level))
            if not judged and labels.touches(report, cell, level):
                return True
    return False


def _reports(items: Iterable[Report | Reject]) -> list[Report]:
    """The reports, each once."""
    return list({item.report_id: item for item in items if isinstance(item, Report)}.values())


def total(scored: Iterable[Scored], level: str) -> Count:
    """Sum of the counts over tables."""
    result = Count()
    for s in scored:
        result.add(s.counts[level])
    return result


def figures(scored: Sequence[Scored]) -> dict[str, Any]:
    """Everything that is printed and written: per level, by tag, and about tables without results."""
    tags = sorted({tag for s in scored for tag in s.table.tags})
    empty = [s for s in scored if not s.table.cells]
    cells = [cell for s in scored for cell in s.table.cells]
    return {
        "tables": len(scored),
        "cards": len({s.table.repo for s in scored}),
        "cells": {
            "demanded": total(scored, "all").demanded,
            "optional": sum(cell.optional for cell in cells),
            "not_said": sum(not cell.optional and not cell.answerable for cell in cells),
        },
        "levels": {level: _level_figures(scored, level) for level in LEVELS},
        "tables_without_results": {
            "tables": len(empty),
            "with_a_report": sum(s.counts["all"].false > 0 for s in empty),
        },
        "by_tag": {
            tag: _level_figures([s for s in scored if tag in s.table.tags], "all") for tag in tags
        },
    }


def _level_figures(scored: Sequence[Scored], level: str) -> dict[str, Any]:
    count = total(scored, level)
    each = [s.counts[level] for s in scored]
    return {
        "tables": len(scored), "demanded": count.demanded, "found": count.found, "false": count.false,
        "precision": _rounded(count.precision), "recall": _rounded(count.recall),
        "macro_precision": _mean(c.precision for c in each),
        "macro_recall": _mean(c.recall for c in each),
    }  # fmt: skip


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return _rounded(sum(known) / len(known)) if known else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
