"""Answers kept on disk: one folder per service, model and prompt version, lines that are only appended.

Every run appends to a file of its own, one line per answer, as soon as it has it; so a killed run keeps
what it paid for, and two runs do not write into each other. A line that was cut off is not an answer.
"""

import hashlib
import json
import re
import threading
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from modellens_core.sources.hub.llm.completion import FINAL, Answer, Outcome
from modellens_core.sources.hub.llm.prompt import PROMPT_VERSION

_NOT_IN_FILE_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


class Kept(BaseModel):
    """One line: what a model said about one table."""

    model_config = ConfigDict(frozen=True)

    table_hash: str
    outcome: Outcome
    answer: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    dollars: float
    retrieved_at: datetime


@dataclass(slots=True)
class AnswerStore:
    """The answers of one model to one prompt version."""

    folder: Path
    _name: str = field(default_factory=lambda: uuid.uuid4().hex)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @staticmethod
    def of(cache_dir: Path, host: str, model: str) -> "AnswerStore":
        """The folder that holds these answers and no others."""
        identity = f"{host}\x1f{model}\x1f{PROMPT_VERSION}"
        digest = hashlib.sha256(identity.encode()).hexdigest()[:8]
        name = f"{_NOT_IN_FILE_NAMES.sub('_', model)[:60]}-{PROMPT_VERSION}-{digest}"
        return AnswerStore(cache_dir / "llm" / name)

    def read(self, wanted: Collection[str]) -> dict[str, Kept]:
        """The kept answers to these tables; the oldest, where two runs asked the same."""
        found: dict[str, Kept] = {}
        for file in sorted(self.folder.glob("*.jsonl")):
            for line in file.read_bytes().splitlines():
                kept = _kept(line)
                if kept is None or kept.table_hash not in wanted:
                    continue
                other = found.get(kept.table_hash)
                if other is None or kept.retrieved_at < other.retrieved_at:
                    found[kept.table_hash] = kept
        return found

    def add(self, table_hash: str, answer: Answer, dollars: float) -> Kept | None:
        """Keep an answer, unless asking again might bring a better one."""
        if answer.outcome not in FINAL:
            return None
        kept = Kept(
            table_hash=table_hash,
            outcome=answer.outcome,
            answer=answer.content,
            prompt_tokens=answer.usage.prompt if answer.usage else None,
            completion_tokens=answer.usage.completion if answer.usage else None,
            dollars=dollars,
            retrieved_at=datetime.now(UTC),
        )
        row: dict[str, Any] = kept.model_dump(mode="json")
        with self._lock:
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / f"{self._name}.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        return kept


def _kept(line: bytes) -> Kept | None:
    try:
        return Kept.model_validate_json(line)
    except ValidationError:
        return None
