"""What one label or one sentence says: metrics, benchmarks, split, shots, language, bookkeeping.

A label is a heading or a cell, read as a whole; a sentence stands near a table, and only strong names
count in it. Names that the vocabulary does not know stay in `Label.rest`. No table is known here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from modellens_core.sources.hub.vocabulary import Word, tokens, vocabulary, words

_SHOTS = re.compile(
    r"\b(\d{1,3}|zero|one|two|three|five|few)[- _]?shots?\b|\((\d{1,3})-?s\)"
    r"|\bshots?\s*[=:]\s*(\d{1,3})\b",
    re.IGNORECASE,
)
_NUMBERS: Final = {"zero": "0", "one": "1", "two": "2", "three": "3", "five": "5"}
_LOWER = re.compile(
    r"↓|\blower (?:is |=|score )?\s*better\b|\bthe lower,? the better\b", re.IGNORECASE
)
_HIGHER = re.compile(
    r"↑|\bhigher (?:is |=|score )?\s*better\b|\bthe higher,? the better\b", re.IGNORECASE
)
_MAX_BRACKET: Final = 20
_GLUE: Final = frozenset("-_.+:'\u2019")


@dataclass(frozen=True, slots=True)
class Mention:
    """A known name found in a text: what it is, and how it is written there."""

    name: str
    written: str


@dataclass(frozen=True, slots=True)
class Label:
    """What one label says.

    Attributes:
        metrics: distinct metrics in order; benchmarks: likewise.
        common: whether the benchmark's name is also a common word ("Math", "DROP").
        exact: whether the benchmark's name stands alone ("MMLU"), not extended ("MMLU-ja").
        splits: of "test", "validation", "train"; shots: "0", "5", "few" or None.
        language: if all that is left of the label is a language.
        aggregate: it stands for an average. excluded: the sort of bookkeeping it is, or None.
        lower: True for ↓, False for ↑. percent: it holds a "%".
        roles: what a heading introduces ("model", "dataset", ...), if it is nothing else.
        rest: words that nothing explains.
    """

    text: str
    metrics: tuple[Mention, ...] = ()
    benchmarks: tuple[Mention, ...] = ()
    common: bool = False
    exact: bool = True
    splits: tuple[str, ...] = ()
    shots: str | None = None
    language: str | None = None
    aggregate: bool = False
    excluded: str | None = None
    lower: bool | None = None
    percent: bool = False
    roles: tuple[str, ...] = ()
    rest: str = ""


@dataclass(frozen=True, slots=True)
class _Found:
    """A known phrase in a list of words, from `first` to `last` inclusive."""

    kind: str
    name: str
    weak: bool
    first: int
    last: int

    @property
    def span(self) -> range:
        return range(self.first, self.last + 1)


@lru_cache(maxsize=20_000)
def read_label(text: str) -> Label:
    """Read a heading or a cell as a label. Deterministic, total; see `Label`."""
    return _read(text, prose=False)


@lru_cache(maxsize=5_000)
def read_prose(text: str) -> Label:
    """Read a sentence: only strong names count, and only where they stand as words of their own."""
    return _read(text, prose=True)


def all_shots(text: str) -> frozenset[str]:
    """Every number of shots that a text mentions."""
    return frozenset(_shot_word(m) for m in _SHOTS.finditer(text))


def _shot_word(match: re.Match[str]) -> str:
    word = (match[1] or match[2] or match[3]).lower()
    return _NUMBERS.get(word, word)


def _read(text: str, *, prose: bool) -> Label:
    shots = _SHOTS.search(text)
    plain = text if shots is None else _blanked(text, shots)
    parts = words(plain)
    found = [_extended(f, parts, plain) for f in _scan(parts, plain, prose=prose)]
    found, exact = _glued(found, parts, plain, prose=prose)
    if not prose:
        found = _without_weak(found, parts)
    rest = _unexplained(found, parts)
    language = None if prose else _language(found, rest, parts, plain)
    lower, higher = _LOWER.search(text) is not None, _HIGHER.search(text) is not None
    return Label(
        text=text,
        metrics=_mentions(found, "metric", parts, plain),
        benchmarks=_mentions(found, "benchmark", parts, plain),
        common=any(f.kind == "benchmark" and f.weak for f in found),
        exact=exact,
        splits=tuple(dict.fromkeys(f.name for f in found if f.kind == "split")),
        shots=_shot_word(shots) if shots else None,
        language=language,
        aggregate=any(f.kind == "aggregate" for f in found),
        excluded=next((f.name for f in found if f.kind == "not_result"), None),
        lower=None if lower == higher else lower,
        percent="%" in text,
        roles=() if prose else _roles(text),
        rest="" if language else _slices(rest, plain),
    )


def _blanked(text: str, match: re.Match[str]) -> str:
    return text[: match.start()] + " " * len(match[0]) + text[match.end() :]


def _roles(text: str) -> tuple[str, ...]:
    known = vocabulary().roles
    if role := known.get(tokens(text)):
        return (role,)
    parts = [p for p in re.split(r"[/\\|]|\bvs\b", text) if tokens(p)]
    roles = tuple(known.get(tokens(p), "") for p in parts)
    return roles if len(parts) > 1 and all(roles) else ()


def _scan(parts: Sequence[Word], text: str, *, prose: bool) -> list[_Found]:
    """Find known phrases from left to right, the longest first."""
    known = vocabulary().strong if prose else vocabulary().phrases
    texts = tuple(p.text for p in parts)
    found: list[_Found] = []
    here = 0
    while here < len(texts):
        for length in range(min(vocabulary().longest, len(texts) - here), 0, -1):
            entry = known.get(texts[here : here + length])
            end = here + length - 1
            if entry is None or (
                entry.capitals and not text[parts[here].start : parts[end].end].isupper()
            ):
                continue
            found.append(_Found(entry.kind, entry.name, entry.weak, here, end))
            here = end + 1
            break
        else:
            here += 1
    return found


def _extended(found: _Found, parts: Sequence[Word], text: str) -> _Found:
    """Take "@10" into a metric, and a version number ("8.0", "v2") into a benchmark."""
    last = found.last
    if found.kind == "metric":
        while last + 1 < len(parts) and (
            parts[last + 1].text == "@"
            or (parts[last].text == "@" and parts[last + 1].text.isalnum())
        ):
            last += 1
    elif found.kind == "benchmark":
        after = last + 1
        if after < len(parts) and parts[after].text in {"v", "version"}:
            after += 1
        if after < len(parts) and parts[after].text[0].isdigit():
            between = text[parts[last].end : parts[after].start]
            last = last if set(between) & set("(,/|[") else after
    return _Found(found.kind, found.name, found.weak, found.first, last)


def _glued(
    found: Sequence[_Found], parts: Sequence[Word], text: str, *, prose: bool
) -> tuple[list[_Found], bool]:
    """Extend benchmarks over words joined to them ("MMLU-ja", "agieval_aqua_rat"); in prose drop them."""
    others = {i for f in found if f.kind != "benchmark" for i in f.span}
    free = set(range(len(parts))) - others
    result: list[_Found] = []
    exact = True
    for item in found:
        first, last = item.first, item.last
        if item.kind == "benchmark":
            while first - 1 in free and _joined(parts, first - 1, text):
                first -= 1
            while last + 1 in free and _joined(parts, last, text):
                last += 1
            if any(r.kind == "benchmark" and (r.first, r.last) == (first, last) for r in result):
                continue
            if (first, last) != (item.first, item.last):
                exact = False
                if prose:
                    continue
        result.append(_Found(item.kind, item.name, item.weak, first, last))
    return result, exact


def _joined(parts: Sequence[Word], left: int, text: str) -> bool:
    return set(text[parts[left].end : parts[left + 1].start]) <= _GLUE


def _unexplained(found: Sequence[_Found], parts: Sequence[Word]) -> list[Word]:
    taken = {i for f in found for i in f.span}
    filler = vocabulary().filler
    return [
        p
        for i, p in enumerate(parts)
        if i not in taken and p.text not in filler and p.text[0].isalnum()
    ]


def _without_weak(found: list[_Found], parts: Sequence[Word]) -> list[_Found]:
    """Weak names count only where nothing is left unexplained."""
    return [f for f in found if not f.weak] if _unexplained(found, parts) else found


def _language(
    found: Sequence[_Found], rest: Sequence[Word], parts: Sequence[Word], text: str
) -> str | None:
    named = [f for f in found if f.kind == "language"]
    codes = vocabulary().codes
    if 0 < len(rest) <= 2:
        written = text[rest[0].start : rest[-1].end].lower()
        if written in codes or all(r.text in codes for r in rest):
            return written
    if named and not rest:
        return text[parts[named[0].first].start : parts[named[-1].last].end]
    return None


def _mentions(
    found: Sequence[_Found], kind: str, parts: Sequence[Word], text: str
) -> tuple[Mention, ...]:
    seen: dict[str, Mention] = {}
    for f in found:
        if f.kind != kind:
            continue
        written = _balanced(text, parts[f.first].start, parts[f.last].end)
        cut = written.rpartition("@")[2].strip() if "@" in written else ""
        name = f"{f.name}@{cut}" if cut else f.name
        seen.setdefault(name, Mention(name, written))
    return tuple(seen.values())


def _balanced(text: str, start: int, end: int) -> str:
    """A piece of text that does not end inside a bracket: "TydiQA (GoldP" goes on to the ")"."""
    written = text[start:end]
    opened = written.rfind("(")
    if opened < 0 or ")" in written[opened:]:
        return written
    close = text.find(")", end, end + _MAX_BRACKET)
    return text[start : close + 1] if close >= 0 else written[:opened].rstrip()


def _slices(rest: Sequence[Word], text: str) -> str:
    """The unexplained words as written, neighbours kept together."""
    pieces: list[str] = []
    end = 0
    for word in rest:
        if pieces and set(text[end : word.start]) <= _GLUE | {" "}:
            pieces[-1] += text[end : word.end]
        else:
            pieces.append(text[word.start : word.end])
        end = word.end
    return " ".join(pieces)
