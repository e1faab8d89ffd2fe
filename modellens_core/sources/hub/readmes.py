"""Reads the READMEs whose commit is new, many at a time, and stores the answers as they come.

What a text means belongs in the parsers; how one file is asked for, in `client.py`.
"""

import math
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import Self

from modellens_core.errors import SourceUnreachableError
from modellens_core.progress import Progress
from modellens_core.sources.hub.client import HubClient, TextFile
from modellens_core.sources.hub.failures import RefusedError
from modellens_core.sources.hub.store import HubStore
from modellens_core.sources.hub.stored import README, Readme
from modellens_core.sources.hub.throttle import MOST_AT_ONCE

_BATCH = 512  # READMEs that are looked up in the store at once
_AHEAD = 4 * MOST_AT_ONCE  # READMEs that wait for a thread or are asked for
_KEEP_EVERY = 1.0  # seconds between two commits: what a kill can cost
_WINDOW = 512  # answers among which failures are counted
_HOPELESS = 25  # failures among them after which the Hub is left alone
_REFUSED_IN_A_ROW = 2000  # refusals without any other answer between them that mean the same

REFUSED = TextFile("refused")
Job = tuple[str, str]  # repository and commit
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
    troubles = _Troubles()
    with ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="hub") as pool, _Keeper(store) as kept:
        try:
            for answered in _answers(pool, client, _wanted(store)):
                if answered is None:
                    kept.flush()
                    continue
                job, answer, asked_at = answered
                troubles.count(job, answer)
                if isinstance(answer, TextFile):
                    kept.add(Readme(*job, answer.outcome, answer.text, answer.etag))
                    reading.count(answer)
                    _remember(troubles.confirmed(asked_at), kept, reading)
                elif not isinstance(answer, RefusedError):
                    reading.problem = str(answer)
                progress("Hub READMEs", reading.read, reading.wanted)
                if troubles.hopeless:
                    break
            if not troubles.hopeless and len(troubles.refused) < _HOPELESS and reading.read:
                _remember(troubles.confirmed(math.inf), kept, reading)
            if troubles.refused and not reading.problem:
                reading.problem = troubles.refusal
            pool.shutdown(wait=False, cancel_futures=True)
        except BaseException:  # Ctrl-C: waiting threads must not hold the process up
            client.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    reading.seconds = time.perf_counter() - started
    return reading


@dataclass(slots=True)
class _Troubles:
    """Tells a Hub that is ill from single files that are refused.

    A proxy that refuses everything says nothing about the files: a refusal is believed once another file
    that was asked for after it could be read. The last few need no such witness if anything could be read.
    """

    refused: list[tuple[Job, float]] = field(default_factory=list)  # and when the answer came
    refusal: str = ""
    _answers: int = 0
    _failed: int = 0

    def count(self, job: Job, answer: Answer) -> None:
        """Count one answer."""
        if self._answers % _WINDOW == 0:
            self._failed = 0
        self._answers += 1
        if isinstance(answer, RefusedError):
            self.refused.append((job, time.monotonic()))
            self.refusal = str(answer)
        elif isinstance(answer, SourceUnreachableError):
            self._failed += 1

    def confirmed(self, until: float) -> list[Job]:
        """The refusals that came before a time, which are counted no more."""
        found = [job for job, at in self.refused if at < until]
        if found:
            self.refused = [(job, at) for job, at in self.refused if at >= until]
        return found

    @property
    def hopeless(self) -> bool:
        """Whether to leave the Hub alone."""
        return self._failed >= _HOPELESS or len(self.refused) >= _REFUSED_IN_A_ROW


def _remember(refused: list[Job], kept: "_Keeper", reading: Reading) -> None:
    """Store files as refused at their commits."""
    for job in refused:
        kept.add(Readme(*job, REFUSED.outcome, None, None))
        reading.count(REFUSED)


class _Keeper:
    """Stores answers about once a second, and what is left when the block ends, however it ends.

    Not what threads are still reading then: that is asked for again.
    """

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


def _answers(
    pool: ThreadPoolExecutor, client: HubClient, jobs: Iterator[Job]
) -> Iterator[tuple[Job, Answer, float] | None]:
    """Answers as they come, and when they were asked for; None if none came for a while.

    A slow answer holds none of the others up.
    """
    done = SimpleQueue[Future[tuple[Job, Answer, float]]]()
    under_way = 0
    while True:
        while under_way < _AHEAD and (job := next(jobs, None)) is not None:
            pool.submit(_ask, client, job).add_done_callback(done.put)
            under_way += 1
        if not under_way:
            return
        try:
            future = done.get(timeout=_KEEP_EVERY)
        except Empty:
            yield None
        else:
            under_way -= 1
            yield future.result()


def _wanted(store: HubStore) -> Iterator[Job]:
    after = ""
    while jobs := store.wanted(after, _BATCH):
        after = jobs[-1][0]
        yield from jobs


def _ask(client: HubClient, job: Job) -> tuple[Job, Answer, float]:
    asked_at = time.monotonic()
    try:
        return job, client.read_text(*job, README), asked_at
    except SourceUnreachableError as error:
        return job, error, asked_at
