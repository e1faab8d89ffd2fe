"""Collects what a language model says about the tables of READMEs, as a raw table of answers.

What was answered before is not asked again; the rest is asked several at a time, most used repositories
first, until everything is answered, the budget is used up, or the service gives up. However it ends,
every answer that came is kept. What the answers are worth is decided in `check.py`.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Final

import pyarrow as pa

from modellens_core.config import Settings
from modellens_core.progress import Progress
from modellens_core.sources.base import Collected, RawTables, SourceState, SourceStatus
from modellens_core.sources.hub.llm.ask import Asked, Asker, OutOfBudgetError, Patience
from modellens_core.sources.hub.llm.batch import BatchPatience, collect_batches
from modellens_core.sources.hub.llm.budget import Budget, Reservation, language_model
from modellens_core.sources.hub.llm.completion import FINAL, Outcome, Round
from modellens_core.sources.hub.llm.prompt import PROMPT_VERSION, Question
from modellens_core.sources.hub.llm.service import Service, StopAskingError
from modellens_core.sources.hub.llm.store import AnswerStore, Kept
from modellens_core.sources.hub.llm.wanted import Wanted, wanted_of
from modellens_core.sources.hub.raw_tables import LLM_ANSWERS, SOURCE

PART: Final = "llm_answers"
WORKERS: Final = 8
_HOPELESS: Final = (
    12  # questions in a row without any answer, after which the service is left alone
)


def collect_answers(
    settings: Settings,
    raw: RawTables,
    progress: Progress,
    *,
    patience: Patience | None = None,
    batch_patience: BatchPatience | None = None,
) -> Collected:
    """Ask about every plausible table of the READMEs within the budget.

    Args:
        settings: model, service, budget, cache.
        raw: the Hub's raw tables.
        progress: told about every answer.
        patience: how long one question is tried.
        batch_patience: how long a batch is waited for.

    Returns:
        Table `llm_answers` with everything that is known by now, and one status.

    Raises:
        ConfigError: no service is named, or the model's price is not known.
    """
    started = time.perf_counter()
    service = Service.of(settings)
    model = language_model(settings.llm_model, settings.llm_models_file)
    batch = settings.llm_batch
    budget = Budget(settings.llm_max_tokens, settings.llm_max_dollars, model, batch=batch)
    store = AnswerStore.of(settings.cache_dir, service.host, settings.llm_model)
    wanted = wanted_of(raw, progress)
    before = store.read(wanted.questions.keys())
    missing = [q for h, q in wanted.questions.items() if h not in before]
    if batch:
        went = collect_batches(
            service, settings.llm_model, budget, store, missing, batch_patience or BatchPatience()
        )
    else:
        went = ask_all(
            Asker(service, settings.llm_model, budget, threading.Event(), patience or Patience()),
            store,
            missing,
            progress,
        )
    known = store.read(wanted.questions.keys())
    status = SourceStatus(
        source=SOURCE,
        part=PART,
        state=_state(wanted, known, went),
        detail=_describe(wanted, before, known, went, budget),
        rows=len(known),
        requests=went.requests,
        seconds=time.perf_counter() - started,
    )
    return Collected({"llm_answers": _table(wanted, known, settings.llm_model)}, (status,))


def ask_all(
    asker: Asker, store: AnswerStore, questions: Sequence[Question], progress: Progress
) -> Round:
    """Ask several at a time. An answer is kept by the thread that got it, so an interrupt loses none."""
    went = Round()
    silence = 0
    if not questions:
        return went

    def ask(question: Question, reserved: Reservation) -> Asked:
        asked = asker.ask(question, reserved)
        store.add(question.table_hash, asked.answer, asked.dollars)
        return asked

    asker.open()
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="llm") as pool:
        try:
            for done, future in enumerate(_in_flight(asker, pool, ask, questions, went), start=1):
                try:
                    outcome = future.result().answer.outcome
                except StopAskingError as error:
                    went.problem, went.down = str(error), True
                    asker.stop.set()
                    continue
                except OutOfBudgetError:
                    went.problem = asker.budget.used_up()
                    continue
                went.outcomes[outcome] += 1
                silent = outcome in {Outcome.FAILED, Outcome.REJECTED}
                silence = silence + 1 if silent else 0
                if silence >= _HOPELESS and not went.down:
                    went.down = True
                    went.problem = _silence(asker)
                    asker.stop.set()
                progress("ask about tables", done, len(questions))
        except BaseException:  # Ctrl-C: what is under way is paid for, so it is waited for and kept
            asker.stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
        finally:
            went.requests = asker.requests
            asker.close()
    if silence and not went.problem:
        went.problem = _silence(asker)
    return went


def _silence(asker: Asker) -> str:
    return (
        f"{asker.service.host} leaves questions without an answer; check OPENAI_BASE_URL, and that it takes "
        f"strict JSON schemas and temperature 0 for {asker.model}, and run again"
    )


def _in_flight(
    asker: Asker,
    pool: ThreadPoolExecutor,
    ask: Callable[[Question, Reservation], Asked],
    questions: Sequence[Question],
    went: Round,
) -> Iterator[Future[Asked]]:
    """Yield finished questions while there are new ones that fit the budget.

    A question that does not fit beside those under way waits for them: most take far less than was set
    aside for them.
    """
    running: set[Future[Asked]] = set()
    left = list(reversed(questions))
    while left and not asker.stop.is_set():
        if len(running) < WORKERS:
            reserved = asker.budget.reserve(left[-1].prompt_bound, left[-1].answer_tokens)
            if reserved is not None:
                running.add(pool.submit(ask, left.pop(), reserved))
                continue
            if not running:
                went.problem = asker.budget.used_up()
                return
        done, running = wait(running, return_when=FIRST_COMPLETED)
        yield from done
    while running:
        done, running = wait(running, return_when=FIRST_COMPLETED)
        yield from done


def _state(wanted: Wanted, known: Mapping[str, Kept], went: Round) -> SourceState:
    if len(known) == len(wanted.questions):
        return SourceState.OK
    failed = went.down or went.outcomes[Outcome.FAILED] > 0
    silent = failed and not FINAL & went.outcomes.keys()
    return SourceState.UNREACHABLE if silent else SourceState.PARTIAL


def _describe(
    wanted: Wanted,
    before: Mapping[str, Kept],
    known: Mapping[str, Kept],
    went: Round,
    budget: Budget,
) -> str:
    """One line: how many tables are read, by whom, what that cost, and what is left and why."""
    total, now = len(wanted.questions), len(known) - len(before)
    text = f"{len(known):,} of {total:,} tables asked about ({now:,} now)"
    outcomes = Counter(k.outcome for k in known.values())
    passing = {k: n for k, n in went.outcomes.items() if k not in outcomes}
    counts = {k: n for k, n in {**outcomes, **passing}.items() if k is not Outcome.ANSWERED}
    text += "".join(f", {n:,} {outcome}" for outcome, n in sorted(counts.items()))
    text += f"; {wanted.by_rules:,} left to the rules"
    if went.requests:
        text += f"; at most {budget.tokens:,} tokens, ${budget.dollars:.4f}"
    left = total - len(known)
    if left:
        batches = f", {went.pending:,} of them in batches under way" if went.pending else ""
        text += f"; {left:,} not answered{batches}: {went.problem or 'run again'}"
    return text


def _table(wanted: Wanted, known: Mapping[str, Kept], model: str) -> pa.Table:
    rows = [
        {
            **known[table_hash].model_dump(),
            "outcome": known[table_hash].outcome.value,
            "repo_ids": sorted(wanted.repo_ids[table_hash]),
            "prompt_version": PROMPT_VERSION,
            "model": model,
        }
        for table_hash in sorted(known)
    ]
    return pa.Table.from_pylist(rows, schema=LLM_ANSWERS)
