"""What has been read from a Hub so far, on disk: a killed collection goes on where it was stopped.

One SQLite file per profile. A listing is gathered page by page beside the repositories already known and
takes effect as a whole when it is complete; READMEs are kept as they come. Whatever is stored is never
asked for again. Asking belongs in `listing.py` and `readmes.py`; what the rows mean, in the parsers.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from modellens_core.errors import ModelLensError
from modellens_core.sources.hub.raw_tables import MODELS, READMES, repo_url

_BATCH = 1000  # rows of one Parquet row group: what a reader holds at a time
_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS repositories (
    repo_id TEXT PRIMARY KEY, sha TEXT, last_modified TEXT, created_at TEXT, has_readme INTEGER NOT NULL,
    listing BLOB NOT NULL, retrieved_at TEXT NOT NULL, closed_at TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pending (
    repo_id TEXT PRIMARY KEY, sha TEXT, last_modified TEXT, created_at TEXT, has_readme INTEGER NOT NULL,
    listing BLOB NOT NULL, retrieved_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS readmes (
    repo_id TEXT PRIMARY KEY, sha TEXT NOT NULL, outcome TEXT NOT NULL, text BLOB, etag TEXT,
    retrieved_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
# What is listed as before keeps the time it was first read: an unchanged Hub gives identical tables.
_MERGE = """
INSERT INTO repositories
SELECT repo_id, sha, last_modified, created_at, has_readme, listing, retrieved_at, NULL FROM pending WHERE true
ON CONFLICT (repo_id) DO UPDATE SET
    retrieved_at = iif(listing = excluded.listing, retrieved_at, excluded.retrieved_at),
    sha = excluded.sha, last_modified = excluded.last_modified, created_at = excluded.created_at,
    has_readme = excluded.has_readme, listing = excluded.listing, closed_at = NULL
"""
_WANTED = """
FROM repositories AS r LEFT JOIN readmes AS m USING (repo_id)
WHERE r.closed_at IS NULL AND r.has_readme AND r.sha IS NOT NULL AND m.sha IS NOT r.sha
"""


class _DamagedError(ModelLensError):
    """The file holds something else than a store."""


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
    """

    identity: str
    since: str | None
    started_at: str
    following: str | None = None
    listed: int = 0
    complete: bool = False


class HubStore:
    """The file behind one profile's Hub collection. One writer at a time; not for several threads."""

    def __init__(self, path: Path) -> None:
        """Open or make the file.

        A file that is damaged or of another version is emptied: everything in it can be read again.

        Raises:
            ModelLensError: the file can be neither opened nor made.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        try:
            self._prepare()
        except _DamagedError:
            for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
                path.with_name(name).unlink(missing_ok=True)
            self._prepare()

    def _prepare(self) -> None:
        with self._connect() as con:
            if con.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
                for table in ("repositories", "pending", "readmes", "state"):
                    con.execute(f"DROP TABLE IF EXISTS {table}")
                con.execute(f"PRAGMA user_version = {_VERSION}")
            con.executescript(_SCHEMA)

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.path, timeout=30.0)) as con:
                # A killed process loses nothing that was committed; a power cut may lose the last moments.
                con.execute("PRAGMA journal_mode = WAL")
                con.execute("PRAGMA synchronous = NORMAL")
                with con:
                    yield con
        except sqlite3.OperationalError as error:
            raise ModelLensError(
                f"cannot use {self.path} ({error}): see that the disk has room, that the folder is writable "
                "and that no other run is at work; then run again"
            ) from None
        except sqlite3.DatabaseError as error:
            raise _DamagedError(
                f"{self.path} is damaged ({error}); delete it and run again: what it held is read anew"
            ) from None

    def unfinished(self) -> Unfinished | None:
        """The listing that was begun and not finished."""
        value = self._state("unfinished")
        return Unfinished(**json.loads(value)) if value else None

    def finished(self, kind: str) -> tuple[str, datetime] | None:
        """Identity and time of start of the last finished listing of a kind ("full" or "any")."""
        value = self._state(f"finished {kind}")
        if value is None:
            return None
        identity, started_at = json.loads(value)
        return identity, datetime.fromisoformat(started_at)

    def begin(self, listing: Unfinished) -> None:
        """Start a listing; one that was begun before is forgotten."""
        with self._connect() as con:
            con.execute("DELETE FROM pending")
            _put(con, "unfinished", json.dumps(asdict(listing)))

    def add_page(self, listing: Unfinished, rows: Iterable[Listed], now: datetime) -> None:
        """Keep one page; `listing` says where to go on after it."""
        with self._connect() as con:
            con.executemany(
                "INSERT OR REPLACE INTO pending VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    (
                        r.repo_id, r.sha, _iso(r.last_modified), _iso(r.created_at), r.has_readme,
                        _packed(r.listing_json), _iso(now),
                    )
                    for r in rows
                ),
            )  # fmt: skip
            _put(con, "unfinished", json.dumps(asdict(listing)))

    def finish(self, listing: Unfinished, now: datetime, *, forget: bool) -> None:
        """Let a complete listing take effect.

        Args:
            listing: the one that was begun; if it lists everything, what it lacks is closed.
            now: when repositories that are listed no more are closed.
            forget: it lists only the first so many, so what it lacks is dropped and not closed.
        """
        full = listing.since is None
        with self._connect() as con:
            con.execute(_MERGE)
            lacking = "repo_id NOT IN (SELECT repo_id FROM pending)"
            if forget:
                con.execute(f"DELETE FROM repositories WHERE {lacking}")  # noqa: S608 - fixed text
                con.execute(
                    "DELETE FROM readmes WHERE repo_id NOT IN (SELECT repo_id FROM repositories)"
                )
            elif full:
                con.execute(
                    f"UPDATE repositories SET closed_at = ? WHERE closed_at IS NULL AND {lacking}",  # noqa: S608 - fixed text
                    (_iso(now),),
                )
            for kind in ("full", "any") if full else ("any",):
                _put(con, f"finished {kind}", json.dumps([listing.identity, listing.started_at]))
            con.execute("DELETE FROM pending")
            con.execute("DELETE FROM state WHERE key = 'unfinished'")

    def newest(self) -> datetime | None:
        """When the most recently changed repository changed, by the Hub's clock."""
        with self._connect() as con:
            [value] = con.execute("SELECT max(last_modified) FROM repositories").fetchone()
        return _time(value)

    def wanted_count(self) -> int:
        """How many READMEs have not been read at their repository's present commit."""
        with self._connect() as con:
            return int(con.execute(f"SELECT count(*) {_WANTED}").fetchone()[0])

    def wanted(self, after: str, limit: int) -> list[tuple[str, str]]:
        """The next (repository, commit) pairs to read, by name."""
        query = f"SELECT r.repo_id, r.sha {_WANTED} AND r.repo_id > ? ORDER BY r.repo_id LIMIT ?"
        with self._connect() as con:
            return con.execute(query, (after, limit)).fetchall()

    def add_readmes(self, readmes: Sequence[Readme], now: datetime) -> None:
        """Keep what was read."""
        with self._connect() as con:
            con.executemany(
                "INSERT OR REPLACE INTO readmes VALUES (?, ?, ?, ?, ?, ?)",
                (
                    (
                        r.repo_id, r.sha, r.outcome, None if r.text is None else _packed(r.text),
                        r.etag, _iso(now),
                    )
                    for r in readmes
                ),
            )  # fmt: skip

    def counts(self) -> tuple[int, int, int]:
        """Open repositories, closed ones, and READMEs of open ones."""
        with self._connect() as con:
            closed = con.execute("SELECT count(closed_at), count(*) FROM repositories").fetchone()
            [readmes] = con.execute(f"SELECT count(*) {_READMES_FROM}").fetchone()
        return closed[1] - closed[0], closed[0], readmes

    def models(self) -> pa.RecordBatchReader:
        """All repositories, closed ones too, by name, a few at a time."""
        columns = "repo_id, sha, last_modified, created_at, listing, retrieved_at, closed_at"
        query = f"SELECT {columns} FROM repositories ORDER BY repo_id"  # noqa: S608 - fixed text
        return self._stream(query, MODELS, _model_row)

    def readmes(self) -> pa.RecordBatchReader:
        """READMEs of all open repositories, by name, a few at a time."""
        columns = "m.repo_id, m.sha, m.outcome, m.text, m.etag, m.retrieved_at"
        query = f"SELECT {columns} {_READMES_FROM} ORDER BY m.repo_id"
        return self._stream(query, READMES, _readme_row)

    def _stream(self, query: str, schema: pa.Schema, row_of: Any) -> pa.RecordBatchReader:
        def batches() -> Iterator[pa.RecordBatch]:
            with self._connect() as con:
                cursor = con.execute(query)
                while rows := cursor.fetchmany(_BATCH):
                    yield pa.RecordBatch.from_pylist([row_of(r) for r in rows], schema=schema)

        return pa.RecordBatchReader.from_batches(schema, batches())

    def _state(self, key: str) -> str | None:
        with self._connect() as con:
            found = con.execute("SELECT value FROM state WHERE key = ?", (key,)).fetchone()
        return found[0] if found else None


_READMES_FROM = """
FROM readmes AS m JOIN repositories AS r USING (repo_id) WHERE r.closed_at IS NULL AND r.has_readme
"""


def _put(con: sqlite3.Connection, key: str, value: str) -> None:
    con.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (key, value))


def _model_row(row: tuple[Any, ...]) -> dict[str, Any]:
    repo_id, sha, last_modified, created_at, listing, retrieved_at, closed_at = row
    return {
        "repo_id": repo_id, "sha": sha, "last_modified": _time(last_modified),
        "created_at": _time(created_at), "listing_json": _unpacked(listing),
        "retrieved_at": _time(retrieved_at), "closed_at": _time(closed_at), "source_url": repo_url(repo_id),
    }  # fmt: skip


def _readme_row(row: tuple[Any, ...]) -> dict[str, Any]:
    repo_id, sha, outcome, text, etag, retrieved_at = row
    return {
        "repo_id": repo_id, "sha": sha, "outcome": outcome,
        "text": None if text is None else _unpacked(text), "etag": etag,
        "retrieved_at": _time(retrieved_at),
    }  # fmt: skip


def _packed(text: str) -> bytes:
    return zlib.compress(text.encode("utf-8", "replace"), 1)


def _unpacked(data: bytes) -> str:
    return zlib.decompress(data).decode("utf-8")


def _iso(time: datetime | None) -> str | None:
    """UTC with microseconds: times compare as texts."""
    return None if time is None else time.astimezone(UTC).isoformat(timespec="microseconds")


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
