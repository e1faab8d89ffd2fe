"""Finds and reads the project's SQL files, from the source tree or from an installed wheel.

Every file is one SELECT. Its leading `--` comment says what one row is; the loader hands that sentence
on as the table's description. No SQL is composed here.
"""

import re
from functools import cache
from pathlib import Path

_KEY = re.compile(r"(?P<key>asset|severity|params):\s*(?P<value>.*)$")
_TABLE = re.compile(r"\b(?:raw|staging|corpus|features|splits)\.[a-z_][a-z_0-9]*\b")


def sql_root() -> Path:
    """Folder that holds `staging/`, `corpus/`, `features/`, `checks/` and `examples/`."""
    package = Path(__file__).resolve().parents[1]
    packaged = package / "_sql"
    return packaged if packaged.is_dir() else package.parent / "sql"


@cache
def load(name: str) -> str:
    """Text of `sql/<name>.sql`, for example `load("corpus/records")`."""
    return (sql_root() / f"{name}.sql").read_text(encoding="utf-8")


def names(folder: str) -> list[str]:
    """Names of all queries in one folder, sorted: `["checks/orphans", ...]`."""
    return sorted(f"{folder}/{p.stem}" for p in (sql_root() / folder).glob("*.sql"))


def _comment(name: str) -> list[str]:
    lines: list[str] = []
    for line in load(name).splitlines():
        if not line.startswith("--"):
            break
        lines.append(line.removeprefix("--").strip())
    return lines


def describe(name: str) -> str:
    """The leading comment of a query as one paragraph, without its `key: value` lines."""
    return " ".join(line for line in _comment(name) if not _KEY.match(line)).strip()


def header(name: str, key: str) -> str:
    """Value of a `-- key: value` line in a query's leading comment, or "" if it has none."""
    found = (_KEY.match(line) for line in _comment(name))
    return next((m["value"] for m in found if m and m["key"] == key), "")


def inputs(name: str) -> list[str]:
    """Lake tables a query reads, as `"layer.name"`, sorted; found by their schema-qualified names."""
    body = "\n".join(line.split("--", 1)[0] for line in load(name).splitlines())
    return sorted(set(_TABLE.findall(body)))
