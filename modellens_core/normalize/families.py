"""Which architecture family a model belongs to: from its lineage, its configuration or its name.

The families lie in `data/families.yaml`. Nothing is guessed: a model that none of the three tells is
"unknown". How large a model is belongs in `sizes.py`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from pydantic import BaseModel, ConfigDict

from modellens_core.normalize.text import EMPTY, claim, fold, load_registry

_WORD = re.compile(r"[^\W\d_]+|\d+")
_CLASS_TAIL = re.compile(
    r"(?:For[A-Z]|LMHead|WithLMHead|DoubleHeads|PreTrained|Encoder$|Decoder$|Model).*|\s+.*$"
)
_NOT_ALNUM = re.compile(r"[^a-z0-9]")
_LONGEST_SPELLING = 6  # words and numbers
_MAX_WORDS = 40


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: str
    families: dict[str, tuple[str, ...]]


class _Registry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    groups: tuple[_Group, ...]
    organisations: dict[str, str]
    architectures: dict[str, tuple[str, ...]]
    shared_architectures: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Spelling:
    family: str
    group: int
    length: int  # letters and digits
    mark: str  # "^": only at the start, "=": only the whole name


@dataclass(frozen=True, slots=True)
class _Index:
    spellings: Mapping[tuple[str, ...], _Spelling]
    first_words: frozenset[str]
    architectures: Mapping[str, str]
    shared: Mapping[str, str]
    organisations: Mapping[str, str]


@cache
def _index() -> _Index:
    registry = load_registry("families", _Registry)
    spellings: dict[tuple[str, ...], _Spelling] = {}
    for number, group in enumerate(registry.groups):
        for family, names in group.families.items():
            for name in names:
                words = tuple(_WORD.findall(name))
                mark = name[0] if name[0] in "^=" else ""
                new = _Spelling(family, number, sum(map(len, words)), mark)
                claim(spellings, words, new, "families")
    return _Index(
        spellings=spellings,
        first_words=frozenset(words[0] for words in spellings),
        architectures=_by_class(registry.architectures),
        shared=_by_class(registry.shared_architectures),
        organisations=registry.organisations,
    )


def _by_class(part: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    table: dict[str, str] = {}
    for family, names in part.items():
        for name in names:
            claim(table, name, family, "families")
    return table


def families() -> tuple[str, ...]:
    """All family names, sorted, without "unknown"."""
    index = _index()
    found = {s.family for s in index.spellings.values()}
    return tuple(sorted(found | set(index.architectures.values()) | set(index.shared.values())))


def family_of(model_id: str, architecture: str | None = None, base_model: str | None = None) -> str:
    """Decide a model's family.

    The first that tells: the name of the base model; a configuration class of one family only; the
    model's own name; a class that families share (`LlamaForCausalLM`); the organisation.

    Args:
        model_id: "org/name" or a display name.
        architecture: `config.architectures[0]`, a `model_type`, or the source's family name.
        base_model: id of the model it was trained from.

    Returns:
        A family of `families()`, or "unknown". Total.
    """
    index = _index()
    key = _class_key(architecture)
    return (
        (_by_name(base_model) if base_model and base_model != model_id else None)
        or index.architectures.get(key)
        or _by_name(model_id)
        or index.shared.get(key)
        or (_by_name(architecture) if architecture else None)
        or index.organisations.get(fold(model_id).partition("/")[0])
        or EMPTY
    )


def _class_key(architecture: str | None) -> str:
    """Turn "TFXLMRobertaForMaskedLM" and "xlm-roberta" into "xlmroberta"."""
    if not architecture:
        return ""
    name = _CLASS_TAIL.sub("", architecture.rpartition(".")[2])
    name = re.sub(r"^(?:TF|Flax)(?=[A-Z])", "", name)
    return _NOT_ALNUM.sub("", name.lower())


def _by_name(name: str) -> str | None:
    index = _index()
    text = fold(name[:400])
    bare = text.partition("/")[2]
    if any(char.isalpha() for char in bare):  # "org/name", but not "ViT-B/16"
        text = bare
    words = tuple(_WORD.findall(text))[:_MAX_WORDS]
    best: tuple[int, int, int] | None = None
    family: str | None = None
    for start, word in enumerate(words):
        if word not in index.first_words:
            continue
        for end in range(start + 1, min(len(words), start + _LONGEST_SPELLING) + 1):
            found = index.spellings.get(words[start:end])
            if found is None or not _fits(found.mark, start, end, len(words)):
                continue
            rank = (found.group, -found.length, start)
            if best is None or rank < best:
                best, family = rank, found.family
    return family or _by_ending(words)


def _fits(mark: str, start: int, end: int, length: int) -> bool:
    return not mark or (start == 0 and (mark == "^" or end == length))


def _by_ending(words: tuple[str, ...]) -> str | None:
    """Names that coin a word on a parent's: "VoiceBERT", "NorLlama"."""
    for ending, family in _ENDINGS.items():
        if any(len(word) > len(ending) and word.endswith(ending) for word in words):
            return family
    return None


_ENDINGS = {
    "roberta": "roberta", "bert": "bert", "llama": "llama", "mistral": "mistral", "qwen": "qwen",
    "gemma": "gemma", "electra": "electra", "gan": "gan",
}  # fmt: skip
