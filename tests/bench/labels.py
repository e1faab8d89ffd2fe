"""Labels of README tables, and when a reader's report says what a label says.

A label file is a YAML list of tables of model cards, labelled by eye:

    - repo: org/name          # the card
      sha256: ...             # of the README's bytes: a label holds for this text only
      line: 57                # where the table starts: its header row, or the line with <table>
      tags: [html, bold_best]
      own: org/name           # whom "this model" and unnamed rows stand for
      cells: |                # value | model | dataset | metric [| key=value ... convention]
        0.912 | org/name | SST-2 | accuracy
        88.3 | bert-base-uncased | SST-2 ; glue/sst2 | accuracy | split=test

`;` separates alternatives, `~` before a value makes a cell optional, `?` stands for what the card does
not say. Parsing and matching live here, both pure; counting and printing are in `golden_tables.py`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from modellens_core.normalize.datasets import resolve_dataset
from modellens_core.normalize.metrics import resolve_metric
from modellens_core.schema import Report
from tests.bench.spellings import adds_nothing, compact, core, number, words

UNKNOWN = "?"
# What is compared at each level; the value always is.
LEVELS: Mapping[str, tuple[str, ...]] = {
    "value_model": ("model",),
    "value_model_dataset": ("model", "dataset"),
    "value_model_metric": ("model", "metric"),
    "all": ("model", "dataset", "metric"),
}

_EXTRA = re.compile(r"(\w+)=(.*?)(?=\s+\w+=|\s+convention\b|$)")
_REPO = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True, slots=True)
class Cell:
    """One labelled result; alternatives in order of preference."""

    value: str
    model: tuple[str, ...]
    dataset: tuple[str, ...]
    metric: tuple[str, ...]
    extras: Mapping[str, str]
    optional: bool = False  # neither demanded nor punished
    convention: bool = False  # the metric is only the benchmark's usual one

    def knows(self, level: str) -> bool:
        """Whether the card says everything that the level compares."""
        return not any(UNKNOWN in getattr(self, field) for field in LEVELS[level])

    @property
    def answerable(self) -> bool:
        """Whether the card says all of model, dataset and metric: otherwise a reader should refuse."""
        return self.knows("all")

    def __str__(self) -> str:
        fields = (self.value, *(names[0] for names in (self.model, self.dataset, self.metric)))
        return ("~ " if self.optional else "") + " | ".join(fields)


@dataclass(frozen=True, slots=True)
class LabelledTable:
    """One labelled table; no cells means that it holds no result."""

    repo: str
    sha256: str
    line: int
    tags: tuple[str, ...]
    own: str
    cells: tuple[Cell, ...]
    note: str = ""

    @property
    def demanded(self) -> list[Cell]:
        """Cells that a reader must find: not optional, and answerable."""
        return [cell for cell in self.cells if not cell.optional and cell.answerable]


def parse_cell(line: str) -> Cell:
    """Read one cell line.

    Raises:
        ValueError: if a field is missing or empty, or the value is no number.
    """
    text = line.strip()
    optional = text.startswith("~")
    fields = [field.strip() for field in text.removeprefix("~").split("|")]
    if len(fields) < 4 or not all(fields[:4]):
        raise ValueError(f"a cell is value | model | dataset | metric: {line!r}")
    value, model, dataset, metric = fields[:4]
    number(value)
    extra = " ".join(fields[4:])
    plain = re.sub(r"\s*\(?\bconvention\)?$", "", metric)  # tolerated inside the metric's field
    return Cell(
        value, _alternatives(model), _alternatives(dataset), _alternatives(plain or metric),
        {k: v.strip() for k, v in _EXTRA.findall(extra)}, optional,
        (plain != metric and bool(plain)) or re.search(r"\bconvention\b", extra) is not None,
    )  # fmt: skip


def parse_labels(text: str) -> list[LabelledTable]:
    """Read a label file.

    Raises:
        ValueError: if a table is labelled twice, or a cell cannot be read.
    """
    tables = [_table(entry) for entry in yaml.safe_load(text) or []]
    if len({(t.repo, t.line) for t in tables}) != len(tables):
        raise ValueError("a table is labelled twice")
    return tables


def _table(entry: Mapping[str, Any]) -> LabelledTable:
    lines = [line for line in (entry.get("cells") or "").splitlines() if line.strip()]
    try:
        cells = tuple(parse_cell(line) for line in lines)
    except ValueError as error:
        raise ValueError(f"{entry['repo']} line {entry['line']}: {error}") from error
    return LabelledTable(
        entry["repo"], entry["sha256"], int(entry["line"]), tuple(entry.get("tags") or ()),
        entry.get("own") or entry["repo"], cells, entry.get("note") or "",
    )  # fmt: skip


def _alternatives(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())


def table_span(lines: Sequence[str], line: int) -> range:
    """Indices of a table's source lines, from the 1-based line where it starts.

    To the matching `</table>`, else as long as lines hold a pipe.

    Raises:
        ValueError: if no table starts there.
    """
    start = line - 1
    if not 0 <= start < len(lines):
        raise ValueError(f"the text has no line {line}")
    if "<table" in lines[start].lower():
        open_tables = 0
        for index in range(start, len(lines)):
            low = lines[index].lower()
            open_tables += low.count("<table") - low.count("</table")
            if open_tables <= 0:
                return range(start, index + 1)
        return range(start, len(lines))
    if "|" not in lines[start]:
        raise ValueError(f"no table starts at line {line}")
    end = start
    while end < len(lines) and "|" in lines[end]:
        end += 1
    return range(start, end)


def says(report: Report, cell: Cell, level: str) -> bool:
    """Whether a report says what a cell says, as far as the level compares. An unknown matches nothing."""
    return (
        _close(report.value, number(cell.value))
        and cell.knows(level)
        and all(_SAME[field](report, cell) for field in LEVELS[level])
    )


def touches(report: Report, cell: Cell, level: str) -> bool:
    """Like `says`, but what the card does not say matches anything."""
    return _close(report.value, number(cell.value)) and all(
        UNKNOWN in getattr(cell, field) or _SAME[field](report, cell) for field in LEVELS[level]
    )


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-9 * max(1.0, abs(one), abs(other))


def same_model(report: Report, cell: Cell) -> bool:
    """Equal letters and digits; an organisation counts only where both names have one."""
    return any(_same_name(report.raw_model, name) for name in cell.model)


def _same_name(one: str, other: str) -> bool:
    one, other = one.strip(), other.strip()
    if not (_REPO.fullmatch(one) and _REPO.fullmatch(other)):
        one, other = (n.partition("/")[2] if _REPO.fullmatch(n) else n for n in (one, other))
    return bool(compact(one)) and compact(one) == compact(other)


def same_dataset(report: Report, cell: Cell) -> bool:
    """Same id for the project, same letters, or same words beside language and split.

    Words of the label may stand in the report's setting ("tr" as its language); words that the report
    adds must be a language, a split, a word like "dataset", or the protocol ("5-shot", "CoT"). Strict:
    "SQuAD 2.0" is not "SQuAD".
    """
    return any(_same_dataset(report, name) for name in cell.dataset)


def _same_dataset(report: Report, name: str) -> bool:
    raw = report.raw_dataset
    if compact(raw) == compact(name) or _dataset_id(raw) == _dataset_id(name):
        return True
    if core(raw) == core(name):
        return True
    wanted, said = words(name), words(raw)
    around = said | {w for value in report.setting.values() for w in words(str(value))}
    added = said - wanted
    return wanted <= around and bool(wanted & said) and all(adds_nothing(word) for word in added)


def same_metric(report: Report, cell: Cell) -> bool:
    """Same id for the project, or same letters; the label's split may be part of the metric's name."""
    raw, task = report.raw_metric, report.raw_task
    split = cell.extras.get("split")
    names = [*cell.metric, *(f"{split} {name}" for name in cell.metric if split)]
    said = _metric_id(raw, task)
    return any(
        compact(raw) == compact(n) or said in {_metric_id(n, task), _metric_id(n)} for n in names
    )


_SAME: Mapping[str, Callable[[Report, Cell], bool]] = {
    "model": same_model, "dataset": same_dataset, "metric": same_metric,
}  # fmt: skip


@cache
def _dataset_id(name: str) -> str:
    return resolve_dataset(name).dataset_id


@cache
def _metric_id(name: str, task: str | None = None) -> str:
    return resolve_metric(name, task).metric_id


def assign(cells: Sequence[Cell], reports: Sequence[Report], level: str) -> dict[int, int]:
    """Match reports to cells one to one, as many as possible: index of a report for index of a cell."""
    choices = [[r for r, report in enumerate(reports) if says(report, c, level)] for c in cells]
    taken: dict[int, int] = {}  # report -> cell

    def place(cell: int, seen: set[int]) -> bool:
        for r in choices[cell]:
            if r not in seen:
                seen.add(r)
                if r not in taken or place(taken[r], seen):
                    taken[r] = cell
                    return True
        return False

    for index in range(len(cells)):
        place(index, set())
    return {cell: report for report, cell in taken.items()}
