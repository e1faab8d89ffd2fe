"""Datasets that a sentence near a table names, though no list knows them: "results on the Glow test set".

Reads a name only where the words around it say that it is data that something was evaluated on. Known
benchmarks are found in `labels.py`; which sentence counts for which table is decided in `surroundings.py`.
"""

import re
from functools import lru_cache
from typing import Final

from modellens_core.sources.hub.cells import linked_datasets, visible
from modellens_core.sources.hub.labels import read_label, read_prose
from modellens_core.sources.hub.vocabulary import (
    benchmark,
    has_family,
    is_language,
    is_never_dataset,
    is_never_model,
    is_no_name,
    is_task,
    is_training_data,
    tokens,
)

_WORD: Final = (
    r"(?:v\d[\w.]*|[A-Z0-9][\w+.]*(?:[-/:][\w+.]+)*|[a-z]+[A-Z][\w+-]*|[a-z]+(?:[-_][^\W_]+)+)"
)
_NAME: Final = rf"(?P<name>{_WORD}(?:\s{_WORD}){{0,4}})"
_SPLIT: Final = (
    r"(?:(?:official|public|private|test|dev|development|validation|eval|evaluation)\s){0,2}"
)
_DATA: Final = (
    r"(?:data\s?sets?|corpus|corpora|benchmarks?|test\s?sets?|dev\s?sets?|validation\s?sets?|test\s(?:data|split)"
    r"|validation\s(?:data|split)|dev\s(?:data|split)|shared\stask|challenge)\b"
)
_BEFORE: Final = (
    r"\b(?:on|using|use|used|over|from|for|of)\s(?:the\s|our\s)?(?:official\s|public\s|full\s)?"
)
_NAMED: Final = (
    re.compile(rf"\b(?i:test|evaluation|validation)\s(?i:data|data\s?set|set|corpus)\s?:\s{_NAME}"),
    re.compile(rf"{_BEFORE}{_NAME}['\"]?\s{_SPLIT}{_DATA}"),
    re.compile(
        r"\b(?i:results?|evaluat\w+|performances?|scores?|tested|benchmark(?:ed)?|accuracy|wer)\b[^.\n]{0,60}?"
        rf"\s(?i:on)\s(?:the\s|our\s)?{_NAME}(?![\w-])(?!\s(?:tasks?|languages?|models?|sentences|examples|GPUs?)\b)"
    ),
)
_HEADING = re.compile(r"^#{1,6}[ \t]{0,9}(\S[^\n]{0,80})$", re.MULTILINE)
_ABOUT_DATA: Final = frozenset(
    {("dataset",), ("datasets",), ("data",), ("corpus",), ("training", "data"), ("train", "data")}
    | {
        ("training", "dataset"),
        ("training", "datasets"),
        ("evaluation", "data"),
        ("evaluation", "dataset"),
    }
    | {("training", "and", "evaluation", "data"), ("data", "set"), ("fine", "tuning", "data")}
)
_DESCRIBED = re.compile(
    rf"(?:^|\b(?:fine-?)?(?<!pre)(?<!pre-)(?:train|tun|evaluat)\w+\s(?:on|using|with)\s(?:the\s)?){_NAME}['\"]?"
    r"\s(?:data\s?sets?|corpus|corpora|benchmark)\b"
)
_TUNED_ON = re.compile(
    r"\bfine-?\s?tun(?:ed|ing)\b.{0,200}?\son\s(?P<rest>(?:the\s)?[^\n]{3,200})", re.IGNORECASE
)
_FIRST = re.compile(rf"^{_NAME}['\"]?\s(?:data\s?set|corpus)\b")
_GOES_ON = re.compile(r"[^.;]{0,60}?(?:,|/|\+|\b(?:and|then|plus)\b)")  # and on other data
_EAST_ASIAN = re.compile(r"(?P<name>[A-Za-z][\w.-]{1,40}?(?:コーパス|データセット|数据集))")
_LEARNT = re.compile(r"学習|訓練|训练")
_TRAINED = re.compile(r"\b(?:pre-?)?train(?:ed|ing)\b|\bfine-?tun", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|[\n。]")
_ENDS: Final = frozenset(
    {"test", "dev", "validation", "val", "train", "set", "dataset", "data", "task", "tasks"}
)
_COUNT = re.compile(r"\d[\d.,]*[kKmM]?")  # "5 Gaelic tasks", "14k sentences"
_MAX_TEXT: Final = 2_000
_MAX_HEADINGS: Final = 200


@lru_cache(maxsize=2_000)
def named_datasets(text: str) -> tuple[str, ...]:
    """The names that a text uses for data that something was evaluated on, each once.

    Args:
        text: a title or sentences, as seen.
    """
    found: dict[str, str] = {}
    for sentence in _SENTENCE.split(text[-_MAX_TEXT:]):
        if _TRAINED.search(sentence) or _LEARNT.search(sentence):
            continue
        for pattern in (*_NAMED, _EAST_ASIAN):
            for match in pattern.finditer(sentence):
                if name := _name(match["name"]):
                    found.setdefault("".join(tokens(name)), name)
    return tuple(found.values())


def _tuned_on(body: str) -> list[str]:
    """The data that the first lines say the model was fine-tuned on."""
    names: list[str] = []
    for sentence in _SENTENCE.split(visible(body[:_MAX_TEXT])):
        match = _TUNED_ON.search(sentence)
        if match is None:
            continue
        rest = match["rest"].removeprefix("the ").removeprefix("The ")
        known = [b.written for b in read_prose(rest).benchmarks if not benchmark(b.name).suite]
        named = [name for m in _FIRST.finditer(rest) if (name := _name(m["name"]))]
        names += [
            name
            for name in known[:1] or named
            if rest.startswith(name) and not _GOES_ON.match(rest, len(name))
        ]
    return names


def described_dataset(body: str) -> str | None:
    """The one dataset that the sections about data name, or the first lines; None if not just one.

    Args:
        body: a README without front matter.
    """
    found: dict[str, str] = {}
    for index, heading in enumerate(_HEADING.finditer(body)):
        if index >= _MAX_HEADINGS:
            break
        if tokens(heading[1]) not in _ABOUT_DATA:
            continue
        text = body[heading.end() : heading.end() + _MAX_TEXT].split("\n#", maxsplit=1)[0]
        seen = visible(text)
        names = [name for m in _DESCRIBED.finditer(seen) if (name := _name(m["name"]))]
        names += [d.rpartition("/")[2] for d in linked_datasets(text)]
        others = {b.name for b in read_prose(seen).benchmarks}
        others -= {b.name for name in names for b in read_label(name).benchmarks}
        if others:
            return None
        for name in names:
            if not is_training_data(name):
                found.setdefault("".join(tokens(name)), name)
    if not found:
        found = {"".join(tokens(name)): name for name in _tuned_on(body)}
    return next(iter(found.values())) if len(found) == 1 else None


def _name(written: str) -> str:
    """The name without what only says that it is data; empty if it can be none."""
    parts = written.strip(" .-:/").split()
    while parts and parts[-1].casefold() in _ENDS:
        parts.pop()
    if not parts or any(is_no_name(p) for p in parts):
        return ""
    name = " ".join(parts)
    if _COUNT.fullmatch(parts[0]):
        return ""
    label = read_label(name)
    suite = any(benchmark(b.name).suite for b in label.benchmarks)
    said = (
        suite
        or label.metrics
        or label.aggregate
        or label.language
        or label.excluded
        or label.splits
    )
    if said or not any(c.isalpha() for c in name) or len(name) < 3:
        return ""
    if is_task(name) or is_never_dataset(name) or is_never_model(name) or is_training_data(name):
        return ""
    if has_family(name) or all(is_language(t) for t in tokens(name)):
        return ""
    return name
