"""Reads the READMEs whose commit is new, many at a time, and stores each answer before it asks for much more.

What a text means belongs in the parsers; how one file is asked for, in `client.py`.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

from modellens_core.errors import SourceUnreachableError
from modellens_core.progress import Progress
from modellens_core.sources.hub.client import HubClient, TextFile
from modellens_core.sources.hub.listing import README
from modellens_core.sources.hub.store import HubStore, Readme
from modellens_core.sources.hub.throttle import MOST_AT_ONCE

_BATCH = 512  # READMEs between two looks at how it goes
_KEEP_EVERY = 1.0  # seconds between two commits: what a kill can cost
_HOPELESS = 25  # failed READMEs in one batch after which the Hub is left alone

Answer = TextFile | SourceUnreachableError


@dataclass(slots=True)
class Reading:
    """How reading went."""

    wanted: int
    read: int = 0
    seconds: float = 0.0
    problem: str = ""
    without_text: dict[str, int] = field(default_factory=dict)

    def count(self, answer: TextFile) -> None:
        """Count one answer."""
        self.read += 1
        if answer.text is None:
            self.without_text[answer.outcome] = self.without_text.get(answer.outcome, 0) + 1

    def describe(self) -> str:
        """One line for the status."""
        rate = f", {self.read / self.seconds:.0f}/s" if self.read and self.seconds else ""
        text = f"{self.read:,} read{rate}"
        text += "".join(f", {n:,} {outcome}" for outcome, n in sorted(self.without_text.items()))
        if self.problem:
            left = self.wanted - self.read
            text += f"; {left:,} not read: {self.problem}; run again to read the rest"
        return text


def read_readmes(client: HubClient, store: HubStore, progress: Progress) -> Reading:
    """Read every README that is not stored at its repository's present commit.

    Never raises for a Hub that fails: what could not be read is counted, and asked for by the next call.
    """
    reading = Reading(store.wanted_count())
    started = time.perf_counter()
    progress("Hub READMEs", 0, reading.wanted)
    with ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="hub") as pool, _Keeper(store) as kept:
        try:
            for jobs in _batches(store):
                failed = 0
                for job, answer in zip(
                    jobs, pool.map(lambda j: _ask(client, *j), jobs), strict=True
                ):
                    if isinstance(answer, SourceUnreachableError):
                        failed += 1
                        reading.problem = str(answer)
                    else:
                        kept.add(Readme(*job, answer.outcome, answer.text, answer.etag))
                        reading.count(answer)
                    progress("Hub READMEs", reading.read, reading.wanted)
                    if failed >= _HOPELESS:
                        break
                kept.flush()
                if failed >= _HOPELESS:
                    pool.shutdown(wait=False, cancel_futures=True)
                    break
        except BaseException:  # Ctrl-C: waiting threads must not hold the process up
            client.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    reading.seconds = time.perf_counter() - started
    return reading


class _Keeper:
    """Stores answers about once a second, and what is left when the block ends, however it ends."""

    def __init__(self, store: HubStore) -> None:
        self._store = store
        self._waiting: list[Readme] = []
        self._kept_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()

    def add(self, readme: Readme) -> None:
        """Take one answer."""
        self._waiting.append(readme)
        if time.monotonic() - self._kept_at >= _KEEP_EVERY:
            self.flush()

    def flush(self) -> None:
        """Store what was taken."""
        if self._waiting:
            self._store.add_readmes(self._waiting, datetime.now(UTC))
            self._waiting = []
        self._kept_at = time.monotonic()


def _batches(store: HubStore) -> Iterator[list[tuple[str, str]]]:
    after = ""
    while jobs := store.wanted(after, _BATCH):
        after = jobs[-1][0]
        yield jobs


def _ask(client: HubClient, repo_id: str, sha: str) -> Answer:
    try:
        return client.read_text(repo_id, sha, README)
    except SourceUnreachableError as error:
        return error
