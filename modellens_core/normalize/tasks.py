"""Which task a name means, and the modality of its input.

One taxonomy lies in `data/tasks.yaml`. Names outside of it keep a slug of their own; only their modality
is read from the words they use. No dataset or metric knowledge belongs here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from pydantic import BaseModel, ConfigDict

from modellens_core.normalize.text import EMPTY, claim, load_registry, slug

MODALITIES = (
    "text", "image", "audio", "video", "multimodal", "tabular", "graph", "time-series",
    "reinforcement-learning", "unknown",
)  # fmt: skip

_LONGEST_SPELLING = 7  # words
_MAX_WORDS = 24
_LANGUAGE_PAIR = re.compile(r"^(translation)[ _-]+[a-z]{2,3}[-_ ][a-z]{2,3}$", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Task:
    """A task of the taxonomy, or a slug of an unlisted name.

    Attributes:
        task_id: "unknown" when nothing was said.
        modality: one of `MODALITIES`.
    """

    task_id: str
    modality: str


class _Registry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    nothing: tuple[str, ...]  # names that say nothing
    tasks: dict[str, dict[str, tuple[str, ...]]]
    keywords: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class _Index:
    tasks: Mapping[str, Task]  # compact spelling -> task
    keywords: tuple[tuple[str, frozenset[str]], ...]


@cache
def _index() -> _Index:
    registry = load_registry("tasks", _Registry)
    tasks = {_compact(slug(name)): Task(EMPTY, EMPTY) for name in registry.nothing}
    for modality, group in registry.tasks.items():
        for task_id, spellings in group.items():
            for spelling in (task_id, *spellings):
                claim(tasks, _compact(slug(spelling)), Task(task_id, modality), "tasks")
    return _Index(
        tasks, tuple((modality, frozenset(words)) for modality, words in registry.keywords)
    )


def _compact(slugged: str) -> str:
    return slugged.replace("-", "").replace("/", "").replace(".", "")


def resolve_task(raw_task: str | None) -> Task:
    """Decide which task a name means.

    Args:
        raw_task: as the source wrote it ("Object Detection", "PairClassification", "ASR"), or an id.

    Returns:
        A task of the taxonomy; else a slug of the name, with the modality its words suggest. Total, and
        `resolve_task(t.task_id) == t`.
    """
    if raw_task is None or not raw_task.strip():
        return Task(EMPTY, EMPTY)
    text = _LANGUAGE_PAIR.sub(r"\1", raw_task.strip())
    if text.isascii() and text.isalpha():
        text = _CAMEL.sub(" ", text)  # "PairClassification" is written in one word
    task_id = slug(text)
    known = _index().tasks.get(_compact(task_id))
    return known if known is not None else Task(task_id, _modality(task_id))


def _modality(task_id: str) -> str:
    """Modality of an unlisted task: of the longest listed task inside its name, else by keyword."""
    index = _index()
    words = task_id.replace("/", "-").split("-")[:_MAX_WORDS]
    for length in range(min(_LONGEST_SPELLING, len(words)), 1, -1):
        for start in range(len(words) - length + 1):
            inner = index.tasks.get("".join(words[start : start + length]))
            if inner is not None:
                return inner.modality
    said = set(words) | {f"{a}-{b}" for a, b in pairwise(words)}
    for modality, keywords in index.keywords:
        if said & keywords:
            return modality
    return EMPTY
