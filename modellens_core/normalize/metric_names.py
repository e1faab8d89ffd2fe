"""Takes the spelling of a metric apart: words, split words, arrows.

Only spelling is decided here. Which metric the words mean, and which way it points, is in `metrics.py`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from modellens_core.normalize.text import fold, strip_markup

MAX_WORDS = 24

_LOWER = re.compile(r"[↓⬇↘▼⇓]|\blower(?:[ -]is)?[ -]better\b|\\downarrow")
_HIGHER = re.compile(r"[↑⬆↗▲⇑]|\bhigher(?:[ -]is)?[ -]better\b|\\uparrow")
_SCALE_100 = re.compile(r"[(\[]\s*(?:0\s*[-\u2013]\s*100|[x\u00d7*]\s*100)\s*[)\]]")
_SCALE_1 = re.compile(r"[(\[]\s*0\s*[-\u2013]\s*1\s*[)\]]")
_DIGIT_PERCENT = re.compile(r"(?<=\d)\s?%")
_BOXED_CUTOFF = re.compile(r"@\s*\[\s*(?:iou\s*=\s*)?([\d.:]+)\s*\]")
_NAMED_CUTOFF = re.compile(r"@\s*(?:iou|oks)\s*=\s*")
_AT = re.compile(r"(?:[\s_-]+at[\s_-]*|\s*@\s*)(?=\.?\d|k\b)(?:k[\s_]+(?=\d))?")
_BARE_POINT = re.compile(r"(?<=[@:])\.(?=\d)")
_GLUED_SPLIT = re.compile(r"\b(m?ap)(val|test)\b")  # "Box APval"
_LATEX = re.compile(r"[${}\\^]+")
_BRACKET = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_WORD = re.compile(r"[^\W_]+(?:(?:(?<=\d)[.:](?=\d)|@)[^\W_]+)*(?:\+\+)?")
_ONE_MINUS = re.compile(r"^1\s*[-\u2013\u2212]\s*(?=[a-z])")

SPLIT_WORDS = {"test", "val", "valid", "validation", "dev", "eval", "train", "training"}
_SYNONYMS = {"val": "validation", "valid": "validation", "training": "train"}


@dataclass(frozen=True, slots=True)
class SpelledName:
    """A metric's name taken apart.

    Attributes:
        words: words of the name proper, folded; cut-offs stay joined ("recall@10").
        aside: words in brackets, and what follows the first "/" of an id.
        lower_is_better: what an arrow in the name says.
        one_minus: the name was "1 - ...".
    """

    words: tuple[str, ...]
    aside: tuple[str, ...]
    lower_is_better: bool | None
    one_minus: bool


def spell(raw: str) -> SpelledName:
    """Take a metric name apart. Total."""
    text = fold(strip_markup(raw))
    lower = True if _LOWER.search(text) else False if _HIGHER.search(text) else None
    text = _HIGHER.sub(" ", _LOWER.sub(" ", text))
    text = _DIGIT_PERCENT.sub("pct", text)
    text = _SCALE_1.sub(" ", _SCALE_100.sub(" ", text)).replace("%", " ")
    text = _BOXED_CUTOFF.sub(r"@\1", text)
    text = _NAMED_CUTOFF.sub("@", text)
    text = _BARE_POINT.sub("0.", _AT.sub("@", text))
    text = _LATEX.sub(" ", text).replace("'", "").replace("\u2019", "")
    text = _GLUED_SPLIT.sub(r"\1 \2", text)
    one_minus = bool(_ONE_MINUS.match(text))
    text = _ONE_MINUS.sub("", text)
    proper, _, rest = text.partition("/") if " " not in text else (text, "", "")
    aside = [word for part in _BRACKET.findall(proper) for word in _WORD.findall(part)]
    words = _WORD.findall(_BRACKET.sub(" ", proper))
    words, aside = (words, aside) if words else (aside, [])
    aside += _WORD.findall(rest)
    if words[:2] == ["one", "minus"]:
        words, one_minus = words[2:], True
    return SpelledName(tuple(words[:MAX_WORDS]), tuple(aside), lower, one_minus)


def take_splits(
    words: Sequence[str], *, may_be_all: bool = False
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Take split words ("validation", "test") off both ends of a name.

    Returns:
        The other words, and the split words. A name made only of split words keeps them, unless
        `may_be_all`.
    """
    start, end = 0, len(words)
    while start < end and words[start] in SPLIT_WORDS:
        start += 1
    while end > start and words[end - 1] in SPLIT_WORDS:
        end -= 1
    if start == end and not may_be_all:
        return tuple(words), ()
    splits = (*words[:start], *words[end:])
    return tuple(words[start:end]), tuple(_SYNONYMS.get(word, word) for word in splits)
