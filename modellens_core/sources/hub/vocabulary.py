"""The names in `vocabulary.yaml`, ready for look-up: metrics, benchmarks, roles, families, bookkeeping.

Knows words and phrases only. What a whole label or sentence says is worked out in `labels.py`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

Tokens = tuple[str, ...]

_TOKEN = re.compile(r"[^\W\d_]+|\d+(?:\.\d+)?|[@%#↑↓+²]")
_SEPARATOR = re.compile(r"[\s\-_/()]+")
_PARAMETERS = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:x\d+)?[bBmM]\b")
_WITH: Final = (("with",), ("without",), ("w",), ("no",), ("+",))
_FAMILY_ENDINGS: Final = ("bert", "gpt", "llama", "former")
_PRIORITY: Final = ("metric", "benchmark", "aggregate", "split", "not_result", "language")


class Word(NamedTuple):
    """A word, number or sign of a text, in lower case, and where it stands."""

    text: str
    start: int
    end: int


class Entry(NamedTuple):
    """What a phrase means; a weak one counts only where it is all of a label, one in capitals only so."""

    kind: str  # one of "metric", "benchmark", "aggregate", "split", "not_result", "language"
    name: str
    weak: bool
    capitals: bool = False


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A known benchmark; `metric` only if everybody reports the same one."""

    name: str
    metric: str | None
    multilingual: bool  # without a language its name does not say which evaluation it was
    suite: (
        bool  # it stands for an average over other benchmarks; `metric` is then that of its tasks
    )
    pair: tuple[str, ...] = ()  # the metrics of "88.9/84.1"
    greater: str | None = (
        None  # the one of `pair` that is never smaller; None: they stand in its order
    )


@dataclass(frozen=True, slots=True)
class Panel:
    """Benchmarks that are reported together with fixed metrics."""

    members: frozenset[str]
    metrics: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All known names; phrases are tuples of lower-case tokens."""

    phrases: Mapping[Tokens, Entry]
    strong: Mapping[Tokens, Entry]  # without the weak ones
    benchmarks: Mapping[str, Benchmark]
    roles: Mapping[Tokens, str]
    sets: Mapping[str, frozenset[Tokens]]  # "own", "tasks", "conditions", "not_models", ...
    not_model_words: frozenset[str]
    bounded: frozenset[str]  # metrics that cannot exceed 100
    filler: frozenset[str]
    codes: frozenset[str]
    families: frozenset[str]
    training_data: frozenset[
        str
    ]  # comparable names of data that models are trained on, not judged by
    no_names: frozenset[str]  # words that are no part of a dataset's name in a sentence
    tagging: frozenset[str]  # words of tasks that are not scored by accuracy
    panels: tuple[Panel, ...]
    longest: int


def words(text: str) -> list[Word]:
    """Split a text into words, numbers and the signs that matter, with their positions."""
    return [Word(m[0].lower(), m.start(), m.end()) for m in _TOKEN.finditer(text)]


def tokens(text: str) -> Tokens:
    """Split a name into lower-case words and numbers: "ROUGE-1" and "rouge1" are the same."""
    return tuple(w.text for w in words(text))


@cache
def vocabulary() -> Vocabulary:
    """Read the vocabulary, once per process."""
    path = Path(__file__).with_suffix(".yaml")
    data: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    phrases = _phrases(data)
    rank = {kind: place for place, kind in enumerate(_PRIORITY)}
    best = {k: min(v, key=lambda e: rank[e.kind]) for k, v in phrases.items()}
    strong = {k: [e for e in v if not e.weak] for k, v in phrases.items()}
    return Vocabulary(
        phrases=best,
        strong={k: min(v, key=lambda e: rank[e.kind]) for k, v in strong.items() if v},
        benchmarks={
            str(name): Benchmark(
                name=str(name),
                metric=entry.get("metric"),
                multilingual=bool(entry.get("multilingual")),
                suite=bool(entry.get("suite")),
                pair=tuple(entry.get("pair", ())),
                greater=entry.get("greater"),
            )
            for name, entry in data["benchmarks"].items()
        },
        roles={tokens(str(n)): role for role, names in data["roles"].items() for n in names},
        sets={
            key: frozenset(tokens(str(n)) for n in data[key])
            for key in ("own", "tasks", "conditions", "not_models", "not_datasets")
        },
        not_model_words=frozenset(str(w) for w in data["not_model_words"]),
        bounded=frozenset(str(m) for m in data["bounded"]),
        filler=frozenset(str(f) for f in data["filler"]),
        codes=frozenset(str(c) for c in data["language_codes"]),
        families=frozenset(str(f) for f in data["families"]),
        training_data=frozenset(_joined(str(n)) for n in data["training_data"]),
        no_names=frozenset(str(w) for w in data["no_names"]),
        tagging=frozenset(str(w) for w in data["tagging"]),
        panels=tuple(Panel(frozenset(p["members"]), p["metrics"]) for p in data["panels"]),
        longest=max(len(k) for k in phrases),
    )


def _joined(name: str) -> str:
    return "".join(tokens(name))


def _phrases(data: Mapping[str, Any]) -> dict[Tokens, list[Entry]]:
    phrases: dict[Tokens, list[Entry]] = {}

    def add(kind: str, name: str, names: Iterable[object], how: str = "names") -> None:
        for phrase in names:
            if key := tokens(str(phrase)):
                entry = Entry(kind, name, weak=how != "names", capitals=how == "capitals")
                phrases.setdefault(key, []).append(entry)

    for kind, section in (("metric", "metrics"), ("benchmark", "benchmarks")):
        for name, entry in data[section].items():
            for how in ("names", "weak", "capitals"):
                add(kind, str(name), entry.get(how, ()), how)
    for kind, section in (("split", "splits"), ("not_result", "not_results")):
        for name, names in data[section].items():
            add(kind, str(name), names)
    add("aggregate", "aggregate", data["aggregates"])
    add("language", "language", data["languages"])
    return phrases


def benchmark(name: str) -> Benchmark:
    """The known benchmark of a `Mention.name`."""
    return vocabulary().benchmarks[name]


def is_bounded(metric: str) -> bool:
    """Whether a metric, by its `Mention.name`, cannot exceed 100."""
    return metric.partition("@")[0] in vocabulary().bounded or metric in vocabulary().bounded


def is_own_phrase(text: str) -> bool:
    """Whether a text is a way to say "this model"."""
    return tokens(text) in vocabulary().sets["own"]


def is_never_model(text: str) -> bool:
    """Whether a text in a model's place is a known non-model: "Human", "Random", "base", "13B"."""
    parts = tokens(text)
    known = vocabulary()
    return (
        is_size(text)
        or parts in known.sets["not_models"]
        or known.not_model_words.issuperset(parts)
    )


def is_size(text: str) -> bool:
    """Whether a text is a count of parameters and nothing else: "13B"."""
    return not any(map(str.isalnum, _PARAMETERS.sub("", text)))


def is_never_dataset(text: str) -> bool:
    """Whether a text in a dataset's place names none: "custom", "in-domain", "all"."""
    return tokens(text) in vocabulary().sets["not_datasets"]


def is_family(word: str) -> bool:
    """Whether a lower-case word is by itself the name of a model family: "bert", "roberta"."""
    return word in vocabulary().families


def is_language(word: str) -> bool:
    """Whether a lower-case word is a language's name in English, or its code."""
    entry = vocabulary().phrases.get((word,))
    return word in vocabulary().codes or (entry is not None and entry.kind == "language")


def is_no_name(word: str) -> bool:
    """Whether a word of a sentence is no part of a dataset's name, though it may be written like one."""
    return word.casefold() in vocabulary().no_names


def is_training_data(name: str) -> bool:
    """Whether a dataset is one that models are trained on and never judged by: "wikipedia", "C4"."""
    return _joined(name.rpartition("/")[2]) in vocabulary().training_data


def is_task(text: str) -> bool:
    """Whether a text names a kind of task, not a dataset: "NER", "Sentiment Analysis"."""
    return tokens(text) in vocabulary().sets["tasks"]


def is_condition(text: str) -> bool:
    """Whether a text says under which condition was evaluated: "with LM", "greedy", "cased"."""
    parts = tokens(text.partition("(")[0]) or tokens(text)
    decoded = parts[:1] in _WITH and (parts[-1:] == ("lm",) or parts[-2:] == ("language", "model"))
    return decoded or parts in vocabulary().sets["conditions"]


def has_family(text: str) -> bool:
    """Whether a text holds a known model family's name or a parameter count such as "7B"."""
    parts = tokens(text)
    names = {*parts, *_SEPARATOR.split(text.lower())}
    names |= {a + b for a, b in pairwise(parts) if b.isdigit()}  # "T5" is two tokens
    known = vocabulary().families
    return (
        bool(names & known)
        or any(p.endswith(_FAMILY_ENDINGS) for p in parts)
        or _PARAMETERS.search(text) is not None
    )
