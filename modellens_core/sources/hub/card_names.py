"""Whose card it is, and which model a name in one of its tables means.

Decides whether a name is this repository's, another Hub model's (by its link) or another model's as
written. Also what the card's front matter and its own name say about datasets and language. Pure.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from modellens_core.sources.hub.cells import Cell, linked_model
from modellens_core.sources.hub.front_matter import read_front_matter
from modellens_core.sources.hub.labels import Mention, read_label
from modellens_core.sources.hub.vocabulary import (
    has_family,
    is_family,
    is_language,
    is_never_model,
    is_own_phrase,
    is_training_data,
    tokens,
)
from modellens_core.sources.values import ParsedValue, parse_value

_KEYS = re.compile(
    r"^(?:datasets|language|languages):.*(?:\n(?:[ \t]+\S.*|-[ \t].*|[ \t]*$))*", re.MULTILINE
)
_INDEXED = re.compile(
    r"^[ \t-]{1,20}dataset:[ \t]*\n[ \t]{1,20}name:[ \t]*(\S[^\n]{0,100})$", re.MULTILINE
)
_PARENTHESES = re.compile(r"[(\[]([^()\[\]]{0,80})[)\]]")
_ELSEWHERE = re.compile(r"\b(?:official|reported|paper)\b", re.IGNORECASE)
_DECORATION: Final = " *:·-\u2013\u2014✔✅🔥⭐→>†‡§^"
_COPY = re.compile(
    r"(?:^|[-_.])(?:gguf|ggml|gptq|awq|exl2|\d(?:\.\d+)?bpw|onnx|openvino|int[48]|[48]-?bit|fp8|fp16"
    r"|bnb|mlx|quantized|h\d-exl2|ct2|imat)(?:$|[-_.])",
    re.IGNORECASE,
)
_GENERIC: Final = frozenset(
    {"model", "models", "base", "large", "small", "tiny", "mini", "medium", "cased", "uncased"}
    | {"the", "for", "and", "finetuned", "fine", "tuned", "card"}
)
_SIZED = re.compile(r"[A-Za-z]\w*[-_ ](?:base|large|small|tiny|mini|xl|xxl)\b", re.IGNORECASE)
_ENDINGS: Final = frozenset({"base", "cased", "uncased", "model", "hf"})
_SHORTEST: Final = 5  # letters of a short name that can only be this model's
_SHORT_WORD: Final = 3  # letters of a name that may be any word
_MAX_DATASETS: Final = 50
_MAX_NAME: Final = 100
_MAX_WORDS: Final = 12
_MAX_FRONT: Final = 200_000


@dataclass(frozen=True, slots=True)
class Card:
    """What is known about the card before its tables are read.

    Attributes:
        repo_id: "org/name". key: the comparable form of the name part; short: the same without endings
            such as "-base-uncased", if what is left is more than a family's name.
        datasets: of the front matter, as written; without pretraining corpora. language: if the front
            matter, or else the repository's name, names exactly one.
        named: the known benchmark in the repository's own name, or None.
        indexed: the datasets of the front matter's own results. described: the one dataset that the
            README's sections about data name, or None.
        copied: why the card describes another model ("quantised_copy", "title_of_other_model"), or None.
    """

    repo_id: str
    key: str
    short: frozenset[str] = frozenset()
    datasets: tuple[str, ...] = ()
    language: str | None = None
    named: Mention | None = None
    indexed: tuple[str, ...] = ()
    described: str | None = None
    copied: str | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A model as a table names it; `name` None means this card's own.

    `claimed` marks an own that rests on a word such as "ours", not on the name; `linked` a name taken
    from an address.
    """

    name: str | None
    notes: str | None = None
    claimed: bool = False
    linked: bool = False


def comparable(name: str) -> str:
    """Letters and digits of a name, case folded: how two spellings of one name are compared."""
    return "".join(c for c in name.casefold() if c.isalnum())


def read_card(repo_id: str, front: str, title: str | None) -> Card:
    """Collect what the front matter, the repository's name and the first title say.

    Args:
        repo_id: "org/name" (or "name" for the oldest models).
        front: YAML front matter, possibly empty or broken.
        title: the README's first section title, if it has one.
    """
    name = repo_id.rpartition("/")[2]
    # Only the few lines that matter here: a front matter may hold megabytes of results.
    lines = "\n".join(m[0] for m in _KEYS.finditer(front[:_MAX_FRONT]))
    data = read_front_matter(f"---\n{lines}\n---\n").data if lines else {}
    languages = _strings(data.get("language")) or _strings(data.get("languages"))
    languages = languages or tuple(t for t in tokens(name) if len(t) > 3 and is_language(t))
    benchmarks = read_label(name.replace("-", " ").replace("_", " ")).benchmarks
    return Card(
        repo_id=repo_id,
        key=comparable(name),
        short=_short_keys(name),
        datasets=tuple(
            d
            for d in _strings(data.get("datasets"))
            # a dataset that is only named like the model is the author's own data
            if not is_training_data(d) and comparable(d) != comparable(name)
        ),
        language=languages[0] if len(languages) == 1 else None,
        named=benchmarks[0] if len(benchmarks) == 1 else None,
        indexed=tuple(
            dict.fromkeys(m[1].strip(" '\"") for m in _INDEXED.finditer(front[:_MAX_FRONT]))
        ),
        copied=_copied(name, title),
    )


def _short_keys(name: str) -> frozenset[str]:
    parts = list(tokens(name))
    keys: set[str] = set()
    while len(parts) > 1 and (parts[-1] in _ENDINGS or is_language(parts[-1])):
        parts.pop()
        key = comparable("".join(parts))
        if len(key) >= _SHORTEST and not is_family(key) and not all(map(is_family, parts)):
            keys.add(key)
    return frozenset(keys)


def _strings(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(v.strip() for v in values if isinstance(v, str) and v.strip())


def _copied(name: str, title: str | None) -> str | None:
    if _COPY.search(name):
        return "quantised_copy"
    if title and has_family(title):
        mine = {t for t in tokens(name) if len(t) > 2} - _GENERIC
        theirs = {t for t in tokens(title) if len(t) > 2} - _GENERIC
        if theirs and not any(own in word for own in mine for word in theirs):
            return "title_of_other_model"
    return None


def card_dataset(text: str, card: Card) -> str | None:
    """The one dataset of the card's front matter that a text names; None if it names none or several."""
    parts = tokens(text)
    found: dict[str, str] = {}
    for dataset in (*card.datasets[:_MAX_DATASETS], *card.indexed[:_MAX_DATASETS]):
        words = tokens(dataset.rpartition("/")[2])
        size = len(words)
        named = any(parts[i : i + size] == words for i in range(len(parts) - size + 1))
        if named and len(comparable(dataset)) > _SHORT_WORD:
            found.setdefault("".join(words), dataset)
    return next(iter(found.values())) if len(found) == 1 else None


def lists_dataset(text: str, card: Card) -> bool:
    """Whether a text is the name of a dataset of the card's front matter, and nothing else."""
    dataset = card_dataset(text, card)
    return dataset is not None and comparable(dataset.rpartition("/")[2]) == comparable(text)


def is_short_own(text: str, card: Card) -> bool:
    """Whether a name is this card's without its endings: "GlowBERT" of "glowbert-base-uncased"."""
    return comparable(_PARENTHESES.sub(" ", text)) in card.short


def is_own(text: str, card: Card) -> bool:
    """Whether a text is this card's name, alone or with its organisation."""
    key = comparable(text)
    return bool(key) and key in {card.key, comparable(card.repo_id)}


def name_model(cell: Cell, card: Card, row: Sequence[Cell] = ()) -> Named | None:
    """Say which model a cell names.

    Args:
        cell: the cell in a model's place.
        card: whose README it is.
        row: the other cells of its row; a link there may tell which repository it is.

    Returns:
        The model, or None if the text does not name one ("Human", "base", a number, a sentence).
    """
    text = cell.text.strip(_DECORATION)
    base = _PARENTHESES.sub(" ", text).strip()
    extras = [m[1].strip() for m in _PARENTHESES.finditer(text)]
    claimed = any(is_own_phrase(t) for t in (text, *extras))
    notes = "; ".join(e for e in extras if e and not is_own_phrase(e)) or None
    if is_own(text, card):
        return Named(None)
    if is_own(base, card) and not _ELSEWHERE.search(notes or ""):
        return Named(None, notes=notes)
    repo = _linked(base or text, cell.link, card, claimed=claimed) or _beside(base, row)
    if repo is not None:
        own = repo.casefold() == card.repo_id.casefold()
        return Named(None if own else repo, notes=notes, linked=True)
    if claimed:
        return Named(None, claimed=True)
    return Named(text) if _could_be_name(base or text) and len(text) <= _MAX_NAME else None


def _linked(text: str, link: str | None, card: Card, *, claimed: bool) -> str | None:
    """The repository a name links to, if name and address agree."""
    repo = linked_model(link)
    if repo is None:
        return None
    written, target = comparable(text), comparable(repo.rpartition("/")[2])
    agree = bool(written) and (
        written in target or target in written or written == comparable(repo)
    )
    return repo if agree or claimed or repo.casefold() == card.repo_id.casefold() else None


def _beside(text: str, row: Iterable[Cell]) -> str | None:
    """The repository that another cell of the row links to, if its name begins with this one."""
    key = comparable(text)
    # a number that is a link leads to what was made of the model, not to the model
    texts = (other for other in row if not isinstance(parse_value(other.raw), ParsedValue))
    repos = [r for r in (linked_model(other.link) for other in texts) if r]
    same = [r for r in repos if key == comparable(r.rpartition("/")[2])]
    longer = [r for r in repos if comparable(r.rpartition("/")[2]).startswith(key)]
    return next(iter(same or (longer if len(key) >= _SHORTEST else ())), None)


def _could_be_name(text: str) -> bool:
    if is_never_model(text) or len(comparable(text)) < 2 or len(text.split()) > _MAX_WORDS:
        return False
    label = read_label(text)
    return any(c.isalpha() for c in text) and not (label.aggregate and not label.rest)


def looks_like_model(cell: Cell, card: Card) -> bool:
    """Whether a cell would be taken for a model's name even where no heading says so."""
    return (
        is_own(cell.text, card)
        or linked_model(cell.link) is not None
        or has_family(cell.text)
        or _SIZED.match(cell.text) is not None
    )


def resembles(text: str, card: Card) -> bool:
    """Whether at least half of a name's distinctive words are in this card's name."""
    mine = {t for t in tokens(card.repo_id.rpartition("/")[2]) if len(t) > 2 or t.isdigit()}
    theirs = {t for t in tokens(text) if len(t) > 2 or t.isdigit()}
    return bool(mine & theirs) and len(mine & theirs) * 2 >= len(theirs)
