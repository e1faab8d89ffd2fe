"""Asking through OpenAI's Batch API: half the price, answers within a day, collected by a later run.

A batch is remembered on disk before it exists: first an intent with the digest of its requests, then the
id the service gave. A run that was killed in between finds its batch again among the service's own by
that digest, so nothing is paid twice. Results are matched by custom id, which is the table's hash.
"""

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from modellens_core.sources.hub.llm.budget import Budget
from modellens_core.sources.hub.llm.completion import Answer, Outcome, Round, read_completion
from modellens_core.sources.hub.llm.prompt import Question, request_body
from modellens_core.sources.hub.llm.service import Service
from modellens_core.sources.hub.llm.store import AnswerStore
from modellens_core.store.lake import write_json

if TYPE_CHECKING:
    import openai
    from openai.types import Batch

MAX_REQUESTS: Final = 50_000  # of one batch, by the service's rules
MAX_BYTES: Final = 200_000_000
_LISTED: Final = 1_000  # newest batches among which a lost one is looked for
_ENDPOINT: Final = "/v1/chat/completions"
_DIGEST: Final = "modellens_digest"  # key of the batch's metadata
_ENDED: Final = frozenset({"completed", "failed", "expired", "cancelled"})


@dataclass(frozen=True, slots=True)
class BatchPatience:
    """How long a run waits for batches, how often it looks (seconds), and how large a batch may be."""

    wait: float = 600.0
    pause: float = 20.0
    max_requests: int = MAX_REQUESTS
    max_bytes: int = MAX_BYTES
    max_retries: int = 5


class Sent(BaseModel):
    """A batch as remembered: what it asks, and its id once the service gave one."""

    model_config = ConfigDict(frozen=True)

    digest: str
    batch_id: str | None
    table_hashes: tuple[str, ...]


def collect_batches(
    service: Service,
    model: str,
    budget: Budget,
    store: AnswerStore,
    questions: Sequence[Question],
    patience: BatchPatience,
) -> Round:
    """Take what earlier batches brought, send what is in none, and wait a while.

    The bound of a request counts against this run's budget; what it really cost shows with its answer.
    """
    import openai

    work = _Work(service.client(patience.max_retries), model, budget, store, patience, Round())
    try:
        work.take()
        work.send(questions)
        work.wait()
    except openai.APIError as error:
        work.went.problem, work.went.down = service.explain(error), True
    except (ValueError, RecursionError, TypeError, AttributeError):  # the client passes on any JSON
        work.went.problem = f"{service.host} sent something that is not an answer; run again"
        work.went.down = True
    work.went.pending = len(work.under_way() & {q.table_hash for q in questions})
    return work.went


@dataclass(slots=True)
class _Work:
    client: "openai.OpenAI"
    model: str
    budget: Budget
    store: AnswerStore
    patience: BatchPatience
    went: Round

    @property
    def folder(self) -> Path:
        return self.store.folder / "batches"

    def remembered(self) -> list[Sent]:
        found = []
        for file in sorted(self.folder.glob("*.json")):
            try:
                found.append(Sent.model_validate_json(file.read_bytes()))
            except ValidationError:
                file.unlink()
        return found

    def under_way(self) -> set[str]:
        """Tables that some batch is asked about."""
        return {h for sent in self.remembered() for h in sent.table_hashes}

    def remember(self, sent: Sent) -> None:
        write_json(self.folder / f"{sent.digest}.json", sent.model_dump(mode="json"))

    def forget(self, sent: Sent) -> None:
        (self.folder / f"{sent.digest}.json").unlink(missing_ok=True)

    def take(self) -> None:
        """Keep the answers of every batch that ended; adopt batches whose id was never written down."""
        import openai

        for sent in self.remembered():
            known = sent if sent.batch_id else self._adopted(sent)
            if known is None or known.batch_id is None:
                self.forget(sent)  # it never came to be: its tables are asked again
                continue
            self.went.requests += 1
            try:
                batch = self.client.batches.retrieve(known.batch_id)
            except openai.NotFoundError:  # of another account, or deleted
                self.forget(known)
                continue
            if batch.status in _ENDED:
                self._keep(batch, set(known.table_hashes))
                self.forget(known)

    def _adopted(self, sent: Sent) -> Sent | None:
        self.went.requests += 1
        for batch in islice(self.client.batches.list(limit=100), _LISTED):
            if (batch.metadata or {}).get(_DIGEST) == sent.digest:
                found = sent.model_copy(update={"batch_id": batch.id})
                self.remember(found)
                return found
        return None

    def _keep(self, batch: "Batch", asked: set[str]) -> None:
        for file_id in (batch.output_file_id, batch.error_file_id):
            if file_id is None:
                continue
            self.went.requests += 1
            for line in self.client.files.content(file_id).text.split("\n"):
                table_hash, answer = _read_line(line)
                if table_hash not in asked or answer is None:
                    continue
                asked.discard(table_hash)
                self.went.outcomes[answer.outcome] += 1
                usage = answer.usage
                nano = (
                    self.budget.model.nano(usage.prompt, usage.completion, batch=True)
                    if usage
                    else 0
                )
                self.store.add(table_hash, answer, nano / 1e9)
        if asked:
            self.went.outcomes[Outcome.FAILED] += len(asked)
            self.went.problem = (
                f"a batch ended as {batch.status} without them; run again to ask again"
            )

    def send(self, questions: Sequence[Question]) -> None:
        """Send what no batch is asked about and no answer is kept for, as far as the budget goes."""
        done = self.under_way() | self.store.read({q.table_hash for q in questions}).keys()
        fresh: list[Question] = []
        for question in questions:
            if question.table_hash in done:
                continue
            reserved = self.budget.reserve(question.prompt_bound, question.answer_tokens)
            if reserved is None:
                self.went.problem = self.budget.used_up()
                break
            self.budget.settle(reserved, None)
            fresh.append(question)
        for hashes, lines in _parts(fresh, self.model, self.budget.model.options, self.patience):
            self._send_one(hashes, lines)

    def _send_one(self, hashes: tuple[str, ...], lines: bytes) -> None:
        digest = hashlib.sha256(lines).hexdigest()[:32]
        self.went.requests += 2
        file = self.client.files.create(file=("tables.jsonl", lines), purpose="batch")
        sent = Sent(digest=digest, batch_id=None, table_hashes=hashes)
        self.remember(sent)
        # Not retried: a second creation would be a second batch. A lost answer is found by the digest.
        batch = self.client.with_options(max_retries=0).batches.create(
            input_file_id=file.id,
            endpoint=_ENDPOINT,
            completion_window="24h",
            metadata={_DIGEST: digest},
        )
        self.remember(sent.model_copy(update={"batch_id": batch.id}))

    def wait(self) -> None:
        """Look again and again until all batches ended or patience did."""
        end = time.monotonic() + self.patience.wait
        while self.under_way() and time.monotonic() < end:
            time.sleep(self.patience.pause)
            self.take()
        if self.under_way() and not self.went.problem:
            self.went.problem = "a batch takes up to a day; run again to collect it"


def _parts(
    questions: Sequence[Question], model: str, options: dict[str, Any], patience: BatchPatience
) -> Iterator[tuple[tuple[str, ...], bytes]]:
    """Requests as JSON lines, cut into files that the service accepts."""
    hashes: list[str] = []
    lines: list[bytes] = []
    size = 0
    for question in questions:
        request = {
            "custom_id": question.table_hash,
            "method": "POST",
            "url": _ENDPOINT,
            "body": request_body(question, model, options),
        }
        line = json.dumps(request, ensure_ascii=False).encode() + b"\n"
        if lines and (len(lines) == patience.max_requests or size + len(line) > patience.max_bytes):
            yield tuple(hashes), b"".join(lines)
            hashes, lines, size = [], [], 0
        hashes.append(question.table_hash)
        lines.append(line)
        size += len(line)
    if lines:
        yield tuple(hashes), b"".join(lines)


def _read_line(line: str) -> tuple[str, Answer | None]:
    """Table and answer of one line of a batch's results; nobody's answer if it cannot be read."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return "", None
    if not isinstance(row, dict) or not isinstance(row.get("custom_id"), str):
        return "", None
    response = row.get("response")
    if not isinstance(response, dict) or response.get("status_code") != 200:
        return row["custom_id"], Answer(Outcome.FAILED)
    return row["custom_id"], read_completion(response.get("body"))
