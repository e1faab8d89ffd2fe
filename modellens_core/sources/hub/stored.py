"""What the Hub store keeps, row by row: how it looks in the file, and how it leaves as Arrow rows.

The file itself belongs in `store.py`.
"""

import json
import uuid
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from modellens_core.sources.hub.raw_tables import repo_url

README = "README.md"


@dataclass(frozen=True, slots=True)
class Listed:
    """One repository of a listing page."""

    repo_id: str
    sha: str | None
    last_modified: datetime | None
    created_at: datetime | None
    has_readme: bool
    listing_json: str


@dataclass(frozen=True, slots=True)
class Readme:
    """What became of reading one README at one commit."""

    repo_id: str
    sha: str
    outcome: str
    text: str | None
    etag: str | None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A listing that was begun: how it asks, when, and where it goes on.

    Attributes:
        identity: what is listed; another identity is another collection.
        since: ISO time; repositories that changed before it may be left out. None lists everything.
        started_at: ISO time of its first page.
        following: address of the next page below the endpoint; None before the first.
        listed: rows so far, as the Hub sent them.
        complete: whether all pages are stored, so that only `HubStore.finish` is left to do.
        skipped: rows among them that name no repository.
        token: whose listing it is; a collector whose token is not in the file any more has to stop.
    """

    identity: str
    since: str | None
    started_at: str
    following: str | None = None
    listed: int = 0
    complete: bool = False
    skipped: int = 0
    token: str = field(default_factory=lambda: uuid.uuid4().hex)


def listed_row(row: Listed, now: datetime) -> tuple[Any, ...]:
    """A repository as the file holds it."""
    return (
        row.repo_id, row.sha, iso(row.last_modified), iso(row.created_at), row.has_readme,
        packed(row.listing_json), iso(now),
    )  # fmt: skip


def seeded_row(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """A row of a raw table `models` as the file holds it; tables from before the store lack `closed_at`."""
    return (
        row["repo_id"], row["sha"], iso(row["last_modified"]), iso(row["created_at"]),
        has_readme(json.loads(row["listing_json"])), packed(row["listing_json"]), iso(row["retrieved_at"]),
        iso(row.get("closed_at")),
    )  # fmt: skip


def seeded_readme(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """A row of a raw table `readmes` as the file holds it."""
    text = row["text"]
    return (
        row["repo_id"], row["sha"], row["outcome"], None if text is None else packed(text), row["etag"],
        iso(row["retrieved_at"]),
    )  # fmt: skip


def model_row(row: tuple[Any, ...]) -> dict[str, Any]:
    """A row of the raw table `models`."""
    repo_id, sha, last_modified, created_at, listing, retrieved_at, closed_at = row
    return {
        "repo_id": repo_id, "sha": sha, "last_modified": time_of(last_modified),
        "created_at": time_of(created_at), "listing_json": unpacked(listing),
        "retrieved_at": time_of(retrieved_at), "closed_at": time_of(closed_at), "source_url": repo_url(repo_id),
    }  # fmt: skip


def readme_row(row: tuple[Any, ...]) -> dict[str, Any]:
    """A row of the raw table `readmes`."""
    repo_id, sha, outcome, text, etag, retrieved_at = row
    return {
        "repo_id": repo_id, "sha": sha, "outcome": outcome,
        "text": None if text is None else unpacked(text), "etag": etag,
        "retrieved_at": time_of(retrieved_at),
    }  # fmt: skip


def has_readme(listing: Mapping[str, Any]) -> bool:
    """Whether a repository, as it is listed, has a README that can be read."""
    siblings = listing.get("siblings")
    if listing.get("disabled") or not isinstance(siblings, list):
        return False
    return any(isinstance(s, dict) and s.get("rfilename") == README for s in siblings)


def packed(text: str) -> bytes:
    """A text, compressed."""
    return zlib.compress(text.encode("utf-8", "replace"), 1)


def unpacked(data: bytes) -> str:
    """The text that was compressed."""
    return zlib.decompress(data).decode("utf-8")


def iso(time: datetime | None) -> str | None:
    """UTC with microseconds: times compare as texts."""
    return None if time is None else time.astimezone(UTC).isoformat(timespec="microseconds")


def time_of(text: str | None) -> datetime | None:
    """The time that a text of `iso` says."""
    return None if text is None else datetime.fromisoformat(text)
