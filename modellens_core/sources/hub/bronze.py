"""Bronze tier: hands every README that was read to the table reader.

How tables are found and read belongs in `readme_tables.py`; what a language model said about them, where
one was asked, in `llm/check.py`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from modellens_core.schema import Item, Reject, Tier
from modellens_core.sources.base import RawTables
from modellens_core.sources.hub.card_names import Card
from modellens_core.sources.hub.llm.check import read_answer
from modellens_core.sources.hub.llm.prompt import question_of
from modellens_core.sources.hub.llm.schema import TableAnswer
from modellens_core.sources.hub.markdown_tables import Table
from modellens_core.sources.hub.raw_tables import SOURCE, repo_url, rows_of
from modellens_core.sources.hub.readme_tables import TableReader, read_readme
from modellens_core.sources.hub.scores import Refused, Score
from modellens_core.sources.hub.table_reader import read_table

_REFUSED = {
    "too_large": "longer than any text that is read",
    "binary": "not a text",
    "forbidden": "gated: its readers must be let in first",
}


def parse_hub_bronze(raw: RawTables) -> Iterator[Item]:
    """Yield the reports and rejects of all README tables, and the READMEs that hold no usable text.

    A table that `llm_answers` holds an answer to is read from it, every other one by the rules.
    """
    answers = list(rows_of(raw, "llm_answers"))
    read = answered_reader({a["table_hash"]: a for a in answers if a["answer"] is not None})
    for row in rows_of(raw, "readmes"):
        if row["text"] is not None:
            yield from read_readme(
                row["text"],
                row["repo_id"],
                source_url=repo_url(row["repo_id"]),
                source_revision=row["sha"],
                retrieved_at=row["retrieved_at"],
                read=read if answers else read_table,
            )
        elif row["outcome"] in _REFUSED:
            yield Reject(
                source=SOURCE,
                tier=Tier.BRONZE,
                where=f"{row['repo_id']}/README.md",
                reason=f"readme_{row['outcome']}",
                detail=_REFUSED[row["outcome"]],
            )


def answered_reader(answers: Mapping[str, Mapping[str, Any]]) -> TableReader:
    """A reader that takes a table's answer where there is one.

    Args:
        answers: rows of `llm_answers` that hold an answer, by table hash.
    """

    def read(table: Table, card: Card) -> Iterator[Score | Refused]:
        question = question_of(table, card)
        row = answers.get(question.table_hash) if question is not None else None
        if row is None:
            yield from read_table(table, card)
            return
        extractor = f"llm:{row['model']}/{row['prompt_version']}"
        for item in read_answer(table, card, TableAnswer.model_validate_json(row["answer"])):
            yield replace(item, extractor=extractor) if isinstance(item, Score) else item

    return read
