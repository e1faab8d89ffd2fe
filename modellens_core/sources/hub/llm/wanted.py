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
    found = Wanted()
    if "readmes" not in raw:
        return found
    used = _downloads(raw)
    readmes = raw["readmes"].select(["repo_id", "text"])
    columns = (readmes[c].to_pylist() for c in ("repo_id", "text"))
    texts = {repo_id: text for repo_id, text in zip(*columns, strict=True) if text is not None}
    order = sorted(texts, key=lambda repo_id: (-used.get(repo_id, 0), repo_id))
    for done, repo_id in enumerate(order, start=1):
        card, tables = open_readme(texts[repo_id], repo_id)
        for table in tables:
            question = question_of(table, card) if isinstance(table, Table) else None
            if question is None:
                found.by_rules += 1
                continue
            found.questions.setdefault(question.table_hash, question)
            holders = found.repo_ids.setdefault(question.table_hash, [])
            if repo_id not in holders:
                holders.append(repo_id)
        progress("look for tables", done, len(order))
    return found


def _downloads(raw: RawTables) -> Mapping[str, int]:
    if "models" not in raw:
        return {}
    columns = (raw["models"][c].to_pylist() for c in ("repo_id", "listing_json"))
    counts = {r: json.loads(listing).get("downloads") for r, listing in zip(*columns, strict=True)}
    return {r: n for r, n in counts.items() if isinstance(n, int)}
