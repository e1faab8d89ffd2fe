"""The Hub's raw tables: their columns, and how the parsers walk over them.

One row of `models` is one repository as the listing gave it; one row of `readmes` is what became of
reading its README at one commit; one row of `llm_answers` is what a language model said about one table
of them. What the JSON and the text mean belongs in the parsers.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from modellens_core.config import PUBLIC_HUB
from modellens_core.sources.base import RawTables

SOURCE = "hub"
_TIME = pa.timestamp("us", tz="UTC")
_AT_ONCE = 500

MODELS = pa.schema(
    [
        pa.field("repo_id", pa.string(), nullable=False),
        pa.field("sha", pa.string()),
        pa.field("last_modified", _TIME),
        pa.field("created_at", _TIME),
        pa.field("listing_json", pa.string(), nullable=False),  # the listing's object, untouched
        pa.field("retrieved_at", _TIME, nullable=False),  # when it was first read in this form
        pa.field(
            "closed_at", _TIME
        ),  # when a full listing first lacked it; its results count no more
        pa.field("source_url", pa.string(), nullable=False),
    ]
)

READMES = pa.schema(
    [
        pa.field("repo_id", pa.string(), nullable=False),
        pa.field("sha", pa.string(), nullable=False),
        pa.field("outcome", pa.string(), nullable=False),  # "read", or why there is no text
        pa.field("text", pa.string()),
        pa.field("etag", pa.string()),
        pa.field("retrieved_at", _TIME, nullable=False),
    ]
)

LLM_ANSWERS = pa.schema(
    [
        pa.field("table_hash", pa.string(), nullable=False),  # of the question about the table
        pa.field("repo_ids", pa.list_(pa.string()), nullable=False),  # whose READMEs hold it
        pa.field("prompt_version", pa.string(), nullable=False),
        pa.field("model", pa.string(), nullable=False),
        pa.field("outcome", pa.string(), nullable=False),  # "answered", or why there is no answer
        pa.field("answer", pa.string()),  # JSON, as the schema asked for
        pa.field("prompt_tokens", pa.int64()),
        pa.field("completion_tokens", pa.int64()),
        pa.field("dollars", pa.float64(), nullable=False),
        pa.field("retrieved_at", _TIME, nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class Listed:
    """One repository of the listing, with its README where that was read."""

    repo_id: str
    sha: str | None
    listing: Mapping[str, Any]
    retrieved_at: datetime
    readme: str | None

    @property
    def url(self) -> str:
        """The repository's public address, whichever mirror it was read from."""
        return repo_url(self.repo_id)

    @property
    def card_data(self) -> Mapping[str, Any] | None:
        """Front matter as the Hub understood it; None if there is none or its YAML is broken."""
        card = self.listing.get("cardData")
        return card if isinstance(card, dict) else None


def repo_url(repo_id: str) -> str:
    """Public address of a model repository: the same on every mirror, so records keep their identity."""
    return f"{PUBLIC_HUB}/{repo_id}"


def rows_of(raw: RawTables, table: str) -> Iterator[dict[str, Any]]:
    """The rows of a raw table, a few in memory at a time; none if the table is missing."""
    if table in raw:
        for batch in raw[table].to_batches():
            for start in range(0, batch.num_rows, _AT_ONCE):
                yield from batch.slice(start, _AT_ONCE).to_pylist()


def iter_models(raw: RawTables, *, with_readmes: bool) -> Iterator[Listed]:
    """Walk over all repositories that are still listed.

    Args:
        raw: the source's raw tables, both sorted by repository; a missing table counts as empty.
        with_readmes: attach README texts.
    """
    readmes = rows_of(raw, "readmes") if with_readmes else iter(())
    readme = next(readmes, None)
    for row in rows_of(raw, "models"):
        if row["closed_at"] is not None:
            continue
        while readme is not None and readme["repo_id"] < row["repo_id"]:
            readme = next(readmes, None)
        own = readme is not None and readme["repo_id"] == row["repo_id"]
        yield Listed(
            repo_id=row["repo_id"],
            sha=row["sha"],
            listing=json.loads(row["listing_json"]),
            retrieved_at=row["retrieved_at"],
            readme=readme["text"] if readme is not None and own else None,
        )


def revisions(raw: RawTables, urls: Collection[str]) -> dict[str, str | None]:
    """The commit that stands at each address now; None if its repository is gone.

    Args:
        raw: the source's raw tables.
        urls: addresses of reports: a repository's, or one below it.

    Returns:
        An entry for every address whose repository was listed; others were not looked at.
    """
    wanted: dict[str, list[str]] = {}
    for url in urls:
        parts = url.removeprefix(f"{PUBLIC_HUB}/").split("/")
        for repo_id in {"/".join(parts[:2]), parts[0]}:
            wanted.setdefault(repo_id, []).append(url)
    return {
        url: None if row["closed_at"] is not None else row["sha"]
        for row in rows_of(raw, "models")
        for url in wanted.get(row["repo_id"], ())
    }
