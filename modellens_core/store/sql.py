"""Finds and reads the project's SQL files, from the source tree or from an installed wheel.

Every file is one SELECT. Its leading `--` comment says what one row is; the loader hands that sentence
on as the table's description. No SQL is composed here.
"""

from functools import cache
from pathlib import Path


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


def describe(name: str) -> str:
    """The leading comment of a query, as one paragraph."""
    lines: list[str] = []
    for line in load(name).splitlines():
        if not line.startswith("--"):
            break
        lines.append(line.removeprefix("--").strip())
    return " ".join(lines).strip()
