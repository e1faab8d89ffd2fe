"""What every source looks like to the rest of the house.

A source has two halves. `collect` does the I/O and returns raw tables exactly as read, with where and
when; `parse` is a pure function from raw tables to typed items. One module (or package) per origin; the
list of all of them is `registry.py`. No DuckDB and no Dagster here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import pyarrow as pa

from modellens_core.config import Settings
from modellens_core.progress import Progress
from modellens_core.schema import Item

# By name. A streamed source's parsers get datasets instead: they may only use `to_batches()`.
RawTables = Mapping[str, pa.Table]


class SourceState(StrEnum):
    """How a collection ended; anything but `ok` fails a (non-blocking) check and shows in the summary."""

    OK = "ok"
    PARTIAL = "partial"  # answered, but some parts failed; what was read is kept
    UNREACHABLE = "unreachable"  # did not answer; the tables are those of the last good collection
    CORRUPT = "corrupt"  # answered with something else than promised; last good tables kept


STATUS = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("part", pa.string(), nullable=False),  # a wheel, an endpoint, a file
        pa.field("state", pa.string(), nullable=False),
        pa.field("detail", pa.string(), nullable=False),  # one line that says what to do
        pa.field("rows", pa.int64(), nullable=False),
        pa.field("requests", pa.int64(), nullable=False),
        pa.field("seconds", pa.float64(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """How one part of a source fared."""

    source: str
    part: str
    state: SourceState
    detail: str = ""
    rows: int = 0
    requests: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collection brought home: raw tables by name (or streams of them), and how each part fared."""

    tables: Mapping[str, pa.Table | pa.RecordBatchReader]
    statuses: tuple[SourceStatus, ...] = field(default=())


class Collect(Protocol):
    """Reads a source. Must not raise for a source that is down: report it and keep `previous`."""

    def __call__(self, settings: Settings, previous: RawTables, progress: Progress, /) -> Collected:
        """Collect; `previous` holds the raw tables of the last collection (empty the first time)."""


class Enrich(Protocol):
    """Asks somebody else about raw tables. Must not raise when they are down: keep what is known."""

    def __call__(self, settings: Settings, raw: RawTables, progress: Progress) -> Collected:
        """Collect; `raw` holds the raw tables of the source."""


class Parse(Protocol):
    """Turns raw tables into items. Pure: same tables, same items, whatever the machine."""

    def __call__(self, raw: RawTables) -> Iterator[Item]:
        """Yield reports, facts and rejects."""
