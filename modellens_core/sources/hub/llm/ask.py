"""One question to a language model, through the genuine client, asked again where that can help.

The client's own retries are switched off and tenacity owns every retry: each attempt can cost money, so
each must fit the budget, and waiting must end when the run is interrupted. Three kinds of failure:
not served (429, 5xx: costs nothing, tried again after `Retry-After`), perhaps served (timeouts, broken
connections, unreadable answers: counted as if they had cost their bound, tried once more), and hopeless
(a refused key, an unknown model, a used-up quota: nothing further is asked).
"""

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tenacity import (
    RetryCallState,
    RetryError,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_any,
    stop_when_event_set,
    wait_random_exponential,
)
from tenacity.nap import sleep_using_event

from modellens_core.sources.hub.llm.budget import Budget, Reservation
from modellens_core.sources.hub.llm.completion import FINAL, Answer, Outcome, read_completion
from modellens_core.sources.hub.llm.prompt import Question, request_body
from modellens_core.sources.hub.llm.service import Service, StopAskingError, is_out_of_quota

if TYPE_CHECKING:
    import openai

PAID_ATTEMPTS: Final = 2
_LONGEST_RETRY_AFTER: Final = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a question is tried: attempts in all, and the first and longest wait in seconds."""

    attempts: int = 6
    first_wait: float = 0.5
    longest_wait: float = 20.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a question and what its last attempt cost, in dollars."""

    answer: Answer
    dollars: float = 0.0


class _NotServedError(Exception):
    """The service turned the request away for now; `wait` is what it asked for, in seconds."""

    def __init__(self, wait: float | None) -> None:
        super().__init__()
        self.wait = wait


class _LostError(Exception):
    """The request may have been served, and nothing usable came back."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


class OutOfBudgetError(Exception):
    """Another attempt would not fit the budget."""


@dataclass(slots=True)
class Asker:
    """Asks one model of one service within one budget. Used by several threads at once."""

    service: Service
    model: str
    budget: Budget
    stop: threading.Event
    patience: Patience = Patience()
    requests: int = 0
    _client: "openai.OpenAI | None" = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self) -> None:
        """Make the connection pool that all threads share."""
        self._client = self.service.client(max_retries=0)

    def close(self) -> None:
        """Break off whatever is under way."""
        if self._client is not None:
            self._client.close()

    def ask(self, question: Question, reserved: Reservation) -> Asked:
        """Ask one question.

        Args:
            question: what is asked.
            reserved: its bound, set aside before; settled or released here.

        Raises:
            StopAskingError: asking anything else is pointless, too.
            OutOfBudgetError: the first attempt was lost, and a second one may not be paid.
        """
        attempt = _Attempts(self, question, reserved)
        retrying = Retrying(
            stop=stop_any(
                stop_after_attempt(self.patience.attempts), stop_when_event_set(self.stop)
            ),
            wait=self._wait,
            retry=retry_if_exception_type((_NotServedError, _LostError)),
            sleep=sleep_using_event(self.stop),
        )
        try:
            return retrying(attempt)
        except RetryError as error:
            lost = error.last_attempt.exception()
            return Asked(lost.answer if isinstance(lost, _LostError) else Answer(Outcome.FAILED))
        finally:
            attempt.release()

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome is not None else None
        if isinstance(error, _NotServedError) and error.wait is not None:
            return error.wait
        wait = wait_random_exponential(self.patience.first_wait, self.patience.longest_wait)
        return wait(state)

    def once(self, question: Question) -> Answer:
        """One request.

        Raises:
            StopAskingError, _NotServedError, _LostError: see the module's docstring.
        """
        import openai

        if self._client is None:
            raise RuntimeError("Asker.open() comes first")
        with self._lock:
            self.requests += 1
        body = request_body(question, self.model, self.budget.model.options)
        try:
            # The raw answer: the client's own decoding fails in several untyped ways on a broken body.
            raw = self._client.chat.completions.with_raw_response.create(**body)
            return read_completion(raw.http_response.json())
        except openai.APIStatusError as error:
            return self._turned_away(error)
        except openai.APIError:
            raise _LostError(Answer(Outcome.FAILED)) from None
        except (ValueError, RecursionError):
            raise _LostError(Answer(Outcome.NOT_JSON)) from None

    def _turned_away(self, error: "openai.APIStatusError") -> Answer:
        code = error.status_code
        if code in {401, 403, 404} or is_out_of_quota(error):
            raise StopAskingError(self.service.explain(error)) from None
        if code in {408, 409, 429} or code >= 500:
            raise _NotServedError(_retry_after(error)) from None
        return Answer(Outcome.REJECTED)


@dataclass(slots=True)
class _Attempts:
    """The attempts at one question; what is set aside for it goes along from one to the next."""

    asker: Asker
    question: Question
    reserved: Reservation | None
    lost: int = 0

    def __call__(self) -> Asked:
        budget = self.asker.budget
        if self.reserved is None:
            question = self.question
            self.reserved = budget.reserve(question.prompt_bound, question.answer_tokens)
        if self.reserved is None:
            raise OutOfBudgetError
        try:
            answer = self.asker.once(self.question)
        except _LostError as error:
            answer = error.answer
        if answer.outcome is Outcome.REJECTED:
            return Asked(answer)
        dollars = budget.settle(self.reserved, answer.usage)
        self.reserved = None
        if answer.outcome not in FINAL:
            self.lost += 1
            if self.lost < PAID_ATTEMPTS:
                raise _LostError(answer)
        return Asked(answer, dollars)

    def release(self) -> None:
        if self.reserved is not None:
            self.asker.budget.release(self.reserved)


def _retry_after(error: "openai.APIStatusError") -> float | None:
    """Seconds the service asked us to wait, within reason."""
    text: Any = error.response.headers.get("retry-after")
    try:
        seconds = float(text)
    except (TypeError, ValueError):
        return None
    return min(seconds, _LONGEST_RETRY_AFTER) if seconds >= 0 else None
