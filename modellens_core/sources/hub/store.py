"""What has been read from a Hub so far, on disk: a killed collection goes on where it was stopped.

One SQLite file per profile. A listing is gathered page by page beside the repositories already known and
takes effect as a whole when it is complete; READMEs are kept as they come. Whatever is stored is never
asked for again. Asking belongs in `listing.py` and `readmes.py`; what the rows mean, in the parsers.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from modellens_core.errors import ModelLensError
from modellens_core.sources.base import RawTables
from modellens_core.sources.hub.raw_tables import MODELS, READMES, rows_of
from modellens_core.sources.hub.stored import (
    Listed,
    Readme,
    Unfinished,
    iso,
    listed_row,
    model_row,
    packed,
    readme_row,
    seeded_readme,
    seeded_row,
    time_of,
)

_BATCH = 1000  # rows of one Parquet row group: what a reader holds at a time
_VERSION = 2
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
    retrieved_at TEXT NOT NULL, again INTEGER NOT NULL DEFAULT 0
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
WHERE r.closed_at IS NULL AND r.has_readme AND r.sha IS NOT NULL AND (m.sha IS NOT r.sha OR m.again)
"""
_ADD_README = """
INSERT INTO readmes VALUES (?, ?, ?, ?, ?, ?, 0)
ON CONFLICT (repo_id) DO UPDATE SET
    retrieved_at = iif(
        (sha, outcome, text, etag) IS (excluded.sha, excluded.outcome, excluded.text, excluded.etag),
        retrieved_at, excluded.retrieved_at),
    sha = excluded.sha, outcome = excluded.outcome, text = excluded.text, etag = excluded.etag, again = 0
"""
_ANY_SIZE = "any size"  # state of a file that somebody deleted


class _DamagedError(ModelLensError):
    """The file holds something else than a store."""


class HubStore:
    """The file behind one profile's Hub collection. Not for several threads; of several writers one goes on."""

    def __init__(self, path: Path) -> None:
        """Open or make the file.

        A file that is damaged or of an older version is emptied: the last raw tables fill it again (`seed`),
        and what they lack is asked for again.

        Raises:
            ModelLensError: the file can be neither opened nor made, or is of a newer version.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        new = not path.exists()
        try:
            self._prepare()
        except _DamagedError:
            for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
                path.with_name(name).unlink(missing_ok=True)
            self._prepare()
        if new:
            with self._connect() as con:
                _put(con, _ANY_SIZE, "true")

    def _prepare(self) -> None:
        with self._connect() as con:
            version = con.execute("PRAGMA user_version").fetchone()[0]
            if version > _VERSION:
                raise ModelLensError(
                    f"{self.path} was written by a newer version of ModelLens; use that version, or delete "
                    "the file: what it held is read anew"
                )
            if version != _VERSION:
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

    @contextmanager
    def _writing(self, listing: Unfinished | None = None) -> Iterator[sqlite3.Connection]:
        """One transaction in which nobody else writes; with `listing`, only for its own collector."""
        with self._connect() as con:
            con.execute("BEGIN IMMEDIATE")
            if listing is not None:
                found = con.execute("SELECT value FROM state WHERE key = 'unfinished'").fetchone()
                if found is None or json.loads(found[0])["token"] != listing.token:
                    raise ModelLensError(
                        f"another collection is at work on {self.path}; let it finish, then run again"
                    )
            yield con

    @property
    def blank(self) -> bool:
        """Whether nothing was ever listed into it or taken over."""
        with self._connect() as con:
            query = "SELECT EXISTS (SELECT 1 FROM repositories) OR EXISTS (SELECT 1 FROM state WHERE key = ?)"
            return not con.execute(query, ("finished any",)).fetchone()[0]

    def seed(self, previous: RawTables) -> None:
        """Take over the raw tables of the last collection if the file is blank: whole or not at all."""
        if not self.blank:
            return
        with self._connect() as con:
            con.executemany(
                "INSERT OR REPLACE INTO repositories VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (seeded_row(r) for r in rows_of(previous, "models")),
            )
            con.executemany(_ADD_README, (seeded_readme(r) for r in rows_of(previous, "readmes")))

    @property
    def accepts_any_size(self) -> bool:
        """Whether the file was deleted, and no listing was finished since: then any listing is meant."""
        return self._state(_ANY_SIZE) is not None

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
        """Start a listing; one that was begun before is forgotten, and its collector stops."""
        with self._writing() as con:
            con.execute("DELETE FROM pending")
            _put(con, "unfinished", json.dumps(asdict(listing)))

    def resume(self, listing: Unfinished) -> None:
        """Go on with the unfinished listing under a token of one's own; its former collector stops."""
        with self._writing() as con:
            _put(con, "unfinished", json.dumps(asdict(listing)))

    def abandon(self, listing: Unfinished) -> None:
        """Forget a listing that is not believed."""
        with self._writing(listing) as con:
            con.execute("DELETE FROM pending")
            con.execute("DELETE FROM state WHERE key = 'unfinished'")

    def add_page(self, listing: Unfinished, rows: Iterable[Listed], now: datetime) -> None:
        """Keep one page; `listing` says where to go on after it.

        Raises:
            ModelLensError: the unfinished listing in the file is another collector's.
        """
        with self._writing(listing) as con:
            con.executemany(
                "INSERT OR REPLACE INTO pending VALUES (?, ?, ?, ?, ?, ?, ?)",
                (listed_row(r, now) for r in rows),
            )
            _put(con, "unfinished", json.dumps(asdict(listing)))

    def pending_count(self) -> int:
        """Repositories that the unfinished listing holds."""
        with self._connect() as con:
            return int(con.execute("SELECT count(*) FROM pending").fetchone()[0])

    def finish(self, listing: Unfinished, now: datetime, *, forget: bool) -> None:
        """Let a complete listing take effect.

        Args:
            listing: the one that was begun; if it lists everything, what it lacks is closed.
            now: when repositories that are listed no more are closed.
            forget: it lists only the first so many, so what it lacks is dropped and not closed; its README
                is kept for a listing that has it again.

        Raises:
            ModelLensError: the unfinished listing in the file is another collector's.
        """
        full = listing.since is None
        with self._writing(listing) as con:
            con.execute(_MERGE)
            lacking = "repo_id NOT IN (SELECT repo_id FROM pending)"
            if forget:
                con.execute(f"DELETE FROM repositories WHERE {lacking}")  # noqa: S608 - fixed text
            elif full:
                con.execute(
                    f"UPDATE repositories SET closed_at = ? WHERE closed_at IS NULL AND {lacking}",  # noqa: S608 - fixed text
                    (iso(now),),
                )
            for kind in ("full", "any") if full else ("any",):
                _put(con, f"finished {kind}", json.dumps([listing.identity, listing.started_at]))
            if full:  # a gate may have opened, and what was missing may have been pushed since
                con.execute(
                    "UPDATE readmes SET again = 1 WHERE outcome IN ('forbidden', 'missing')"
                )
            con.execute("DELETE FROM pending")
            con.execute("DELETE FROM state WHERE key IN ('unfinished', ?)", (_ANY_SIZE,))

    def newest(self) -> datetime | None:
        """When the most recently changed repository changed, by the Hub's clock."""
        with self._connect() as con:
            [value] = con.execute("SELECT max(last_modified) FROM repositories").fetchone()
        return time_of(value)

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
        """Keep what was read; what is as before keeps the time it was first read."""
        with self._connect() as con:
            con.executemany(
                _ADD_README,
                (
                    (
                        r.repo_id, r.sha, r.outcome, None if r.text is None else packed(r.text), r.etag,
                        iso(now),
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
        return self._stream(query, MODELS, model_row)

    def readmes(self) -> pa.RecordBatchReader:
        """READMEs of all open repositories, by name, a few at a time."""
        columns = "m.repo_id, m.sha, m.outcome, m.text, m.etag, m.retrieved_at"
        query = f"SELECT {columns} {_READMES_FROM} ORDER BY m.repo_id"
        return self._stream(query, READMES, readme_row)

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
