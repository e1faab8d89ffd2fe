"""Builds small lakes for the SQL tests: staged items in, a whole corpus out."""

import graphlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from modellens_core.normalize.tables import name_tables
from modellens_core.schema import CLOSED, Item, Report, Tier, staging_tables
from modellens_core.sources.base import STATUS
from modellens_core.store import sql
from modellens_core.store.lake import Lake

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def corpus_queries() -> list[str]:
    """Names of the corpus tables, each after those it reads."""
    names = [name.split("/")[1] for name in sql.names("corpus")]
    needs = {
        name: {t.removeprefix("corpus.") for t in sql.inputs(f"corpus/{name}")} & set(names)
        for name in names
    }
    return list(graphlib.TopologicalSorter(needs).static_order())


def stage(lake: Lake, parts: Mapping[str, Iterable[Item]]) -> None:
    """Write the staging tables of several parts, and a status that says all is well."""
    for part, items in parts.items():
        tables = staging_tables(items)
        for name, table in tables.items():
            lake.write(f"staging/{part}/{name}", table)
        lake.write(f"staging/{part}/closed", CLOSED.empty_table())
        write_status(lake, part, "ok", rows=tables["reports"].num_rows)


def write_status(lake: Lake, source: str, state: str, *, rows: int = 0, detail: str = "") -> None:
    row = {
        "source": source, "part": "all", "state": state, "detail": detail, "rows": rows, "requests": 0,
        "seconds": 0.0,
    }  # fmt: skip
    lake.write(f"raw/{source}/status", pa.Table.from_pylist([row], schema=STATUS))


def rebuild(lake: Lake) -> Lake:
    """Build the corpus from the staging tables as they are."""
    for name, table in name_tables(lake).items():
        lake.write(f"corpus/{name}", table)
    for name in corpus_queries():
        lake.write_query(f"corpus/{name}", sql.load(f"corpus/{name}"))
    return lake


def corpus_of(root: Path, *items: Item, **parts: Iterable[Item]) -> Lake:
    """A corpus of loose items (as part "hub") and of named parts."""
    lake = Lake(root)
    stage(lake, {"hub": items, **parts})
    return rebuild(lake)


def report(**said: Any) -> Report:
    """A silver accuracy of 91.2% by "org/bert" on "squad", except for what is said."""
    value = said.get("value", 91.2)
    usual: dict[str, Any] = {
        "source": "hub", "tier": Tier.SILVER, "raw_model": "org/bert", "raw_dataset": "squad",
        "raw_task": "question-answering", "raw_metric": "accuracy", "raw_value": str(value),
        "value": value, "retrieved_at": NOW, "extractor": "test/1",
    }  # fmt: skip
    return Report(**(usual | said))


def rows(lake: Lake, table: str, *columns: str) -> list[dict[str, Any]]:
    """Rows of a corpus table, only some columns if named."""
    found: list[dict[str, Any]] = lake.read(f"corpus/{table}", list(columns) or None).to_pylist()
    return found
