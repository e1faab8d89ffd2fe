"""Which tables a language model is to be asked about, most used repositories first. Pure.

A table that stands in many cards is one question. What is already known is left out elsewhere.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from modellens_core.progress import Progress
from modellens_core.sources.base import RawTables
from modellens_core.sources.hub.llm.prompt import Question, question_of
from modellens_core.sources.hub.markdown_tables import Table
from modellens_core.sources.hub.raw_tables import rows_of
from modellens_core.sources.hub.readme_tables import open_readme


@dataclass(slots=True)
class Wanted:
    """Questions by table hash in the order they are asked, and the repositories that hold each table.

    `by_rules` counts the tables that nobody is asked about: logs, lists of parameters, too large ones.
    """

    questions: dict[str, Question] = field(default_factory=dict)
    repo_ids: dict[str, list[str]] = field(default_factory=dict)
    by_rules: int = 0


def wanted_of(raw: RawTables, progress: Progress) -> Wanted:
    """Look through all READMEs that were read.

    Args:
        raw: the Hub's raw tables.
        progress: told about every README.
    """
    used = _downloads(raw)
    found = Wanted()
    total = len(used)
    for done, row in enumerate(rows_of(raw, "readmes"), start=1):
        if row["text"] is None:
            continue
        repo_id = row["repo_id"]
        card, tables = open_readme(row["text"], repo_id)
        for table in tables:
            question = question_of(table, card) if isinstance(table, Table) else None
            if question is None:
                found.by_rules += 1
                continue
            found.questions.setdefault(question.table_hash, question)
            holders = found.repo_ids.setdefault(question.table_hash, [])
            if repo_id not in holders:
                holders.append(repo_id)
        progress("look for tables", done, max(done, total))

    def rank(table_hash: str) -> tuple[int, str]:
        return min((-used.get(r, 0), r) for r in found.repo_ids[table_hash])

    order = sorted(found.questions, key=rank)
    return Wanted(
        {h: found.questions[h] for h in order},
        {h: found.repo_ids[h] for h in order},
        found.by_rules,
    )


def _downloads(raw: RawTables) -> Mapping[str, int]:
    """Downloads of every listed repository, 0 where the Hub does not say."""
    counts = {
        row["repo_id"]: json.loads(row["listing_json"]).get("downloads")
        for row in rows_of(raw, "models")
    }
    return {r: n if isinstance(n, int) else 0 for r, n in counts.items()}
