"""Tells which words of a dataset's name are a language: "xnli-de", "xnli-german", "eng-deu".

The words lie in `data/languages.yaml`. Which language it is does not matter here.
"""

import re
from dataclasses import dataclass
from functools import cache

from pydantic import BaseModel, ConfigDict

from modellens_core.normalize.text import load_registry

_PARTS = re.compile(r"[._]")


class _Registry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    two_letter: frozenset[str]
    three_letter: frozenset[str]
    names: frozenset[str]
    scripts: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Words:
    two_letter: frozenset[str]
    all: frozenset[str]


@cache
def _words() -> _Words:
    registry = load_registry("languages", _Registry)
    codes = registry.two_letter | registry.three_letter
    return _Words(registry.two_letter, codes | registry.names | registry.scripts)


def names_language(word: str) -> bool:
    """Whether a folded word is a language, its code, its script, or a pair of codes ("ende", "eng.deu")."""
    words = _words()
    if word in words.all:
        return True
    parts = [part for part in _PARTS.split(word) if part]
    if len(parts) > 1:
        return all(part in words.all for part in parts)
    source, target = word[:2], word[2:]  # of two languages: "coco" is none
    return source != target and source in words.two_letter and target in words.two_letter
