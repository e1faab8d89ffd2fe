"""READMEs, their tables and answers about them, for the tests of the language-model reader."""

from datetime import UTC, datetime

import pyarrow as pa

from modellens_core.sources.hub.llm.check import read_answer
from modellens_core.sources.hub.llm.schema import TableAnswer
from modellens_core.sources.hub.markdown_tables import Table
from modellens_core.sources.hub.raw_tables import MODELS, READMES
from modellens_core.sources.hub.readme_tables import open_readme
from modellens_core.sources.hub.scores import Refused, Score

NOW = datetime(2026, 1, 2, tzinfo=UTC)
REPO = "acme/glow-base"
README = """# glow-base

| Model | MRPC (F1) | SST-2 (accuracy) |
|---|---|---|
| glow-base | 90.1 | 94.5 |
| BERT-large | 89.3 | 94.9 |
"""


def table_of(text: str, repo_id: str = REPO):
    """The first table of a README, and its card."""
    card, tables = open_readme(text, repo_id)
    return next(t for t in tables if isinstance(t, Table)), card


def check(text: str, *rows, repo_id: str = REPO) -> tuple[list[Score], list[str]]:
    """Scores and reasons that an answer about the first table comes to."""
    table, card = table_of(text, repo_id)
    items = list(read_answer(table, card, TableAnswer.model_validate({"results": rows})))
    scores = [i for i in items if isinstance(i, Score)]
    return scores, [i.reason for i in items if isinstance(i, Refused)]


def said(score: Score) -> tuple[str | None, str, str, str]:
    return score.model, score.dataset, score.metric, score.value.text


def readme(number: int) -> str:
    """A README with one table of four values, unlike those of other numbers."""
    return README.replace("90.1", f"{50 + number / 100:.2f}")


def raw_readmes(texts: dict[str, str], downloads: dict[str, int] | None = None):
    """The Hub's raw tables with these READMEs."""
    used = downloads or {}
    models = [
        {
            "repo_id": r, "sha": "a" * 40, "listing_json": f'{{"downloads": {used.get(r, 0)}}}',
            "retrieved_at": NOW, "source_url": f"https://hub.test/{r}",
        }
        for r in texts
    ]  # fmt: skip
    readmes = [
        {
            "repo_id": r, "sha": "a" * 40, "outcome": "read", "text": text, "etag": None,
            "retrieved_at": NOW,
        }
        for r, text in texts.items()
    ]  # fmt: skip
    return {
        "models": pa.Table.from_pylist(models, schema=MODELS),
        "readmes": pa.Table.from_pylist(readmes, schema=READMES),
    }
