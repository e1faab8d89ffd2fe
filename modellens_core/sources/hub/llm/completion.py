"""What a service's answer amounts to: the results of a table, or the way in which it is none.

Pure, and total: any JSON a service can send becomes one `Answer`. How it got here (a single request, a
line of a batch) does not matter.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from pydantic import ValidationError

from modellens_core.sources.hub.llm.budget import Usage
from modellens_core.sources.hub.llm.schema import TableAnswer


class Outcome(StrEnum):
    """How asking about one table ended."""

    ANSWERED = "answered"
    REFUSED = "refused"  # the model declined
    CONTENT_FILTER = "content_filter"
    LENGTH = "length"  # the answer did not fit
    NO_CHOICES = "no_choices"  # a completion without an answer
    NOT_JSON = "not_json"
    WRONG_SHAPE = "wrong_shape"  # JSON, but not of the schema
    REJECTED = "rejected"  # the service did not take the request
    FAILED = "failed"  # no answer came through


# What asking again would not change. Everything else is asked again by the next run.
FINAL: Final = frozenset(
    {Outcome.ANSWERED, Outcome.REFUSED, Outcome.CONTENT_FILTER, Outcome.LENGTH}
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One outcome; `content` is the JSON of a `TableAnswer` where there is one."""

    outcome: Outcome
    content: str | None = None
    usage: Usage | None = None


@dataclass(slots=True)
class Round:
    """How asking about many tables went: outcomes, and why it ended before all were answered."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    requests: int = 0
    pending: int = 0  # tables in batches that are not done
    problem: str = ""
    down: bool = False  # the service ended it, not the budget


def read_completion(body: Any) -> Answer:
    """Read the body of a chat completion, whatever it is."""
    usage = _usage(_get(body, "usage"))
    choices = _get(body, "choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = _get(choice, "message")
    if not isinstance(message, dict):
        return Answer(Outcome.NO_CHOICES, usage=usage)
    if _get(choice, "finish_reason") == "content_filter":
        return Answer(Outcome.CONTENT_FILTER, usage=usage)
    if message.get("refusal"):
        return Answer(Outcome.REFUSED, usage=usage)
    if _get(choice, "finish_reason") == "length":
        return Answer(Outcome.LENGTH, usage=usage)
    outcome, content = _results(message.get("content"))
    return Answer(outcome, content, usage)


def _results(content: Any) -> tuple[Outcome, str | None]:
    if not isinstance(content, str):
        return Outcome.WRONG_SHAPE, None
    try:
        found = TableAnswer.model_validate_json(content.encode("utf-8", "replace"), strict=True)
    except ValidationError as error:
        broken = error.errors(include_input=False)[0]["type"] == "json_invalid"
        return Outcome.NOT_JSON if broken else Outcome.WRONG_SHAPE, None
    return Outcome.ANSWERED, found.model_dump_json()


def _usage(given: Any) -> Usage | None:
    prompt, completion = _get(given, "prompt_tokens"), _get(given, "completion_tokens")
    if not _is_count(prompt) or not _is_count(completion):
        return None
    return Usage(prompt, completion)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9


def _get(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None
