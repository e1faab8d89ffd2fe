"""Text cleaning that every normaliser shares: readable text, ids made of it, and YAML registries.

What a string means belongs in the sibling modules; nothing here knows a metric or a model.
"""

import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from modellens_core.errors import ConfigError
from modellens_core.schema import stable_id

EMPTY = "unknown"
MAX_SLUG = 200
_HASHED_SLUG = MAX_SLUG - 17

_SPACES = re.compile(r"\s+")
_TAGS = re.compile(r"<[^<>]{1,60}>")
_LOOSE_COLON = re.compile(r"(?<!\d):|:(?!\d)")
_EDGES = ".:@'"
_IN_SLUG = frozenset("./+#@:")
_DELETED = frozenset("'`\u2018\u2019\u02bc")
_Entry = TypeVar("_Entry", bound=BaseModel)
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class _Readable(dict[int, str | None]):
    """For `str.translate`: white space becomes a blank, other invisible characters go."""

    def __missing__(self, code: int) -> str | None:
        char = chr(code)
        category = unicodedata.category(char)
        if char.isspace() or category in {"Zs", "Zl", "Zp"}:
            value: str | None = " "
        elif category in {"Cc", "Cf", "Cs", "Co"} or 0xFE00 <= code <= 0xFE0F:
            value = None  # control, zero-width, bidi marks, lone surrogates, variation selectors
        else:
            value = char
        self[code] = value
        return value


class _Slugged(dict[int, str | None]):
    """For `str.translate`: letters, marks and digits stay, a few signs stay, the rest separates."""

    def __missing__(self, code: int) -> str | None:
        char = chr(code)
        if char in _DELETED:
            value: str | None = None
        elif unicodedata.category(char)[0] in "LMN" or char in _IN_SLUG:
            value = char
        else:
            value = "-"
        self[code] = value
        return value


_READABLE = _Readable()
_SLUGGED = _Slugged()


def clean_text(text: str) -> str:
    """Make text comparable without changing what it says.

    NFKC; control, zero-width and bidi characters removed; white space collapsed. Case is kept.
    `clean_text(clean_text(x)) == clean_text(x)`.
    """
    if text.isascii() and text.isprintable():
        return _SPACES.sub(" ", text).strip()
    while True:  # removing a zero-width character can bring a letter and its accent together
        once = unicodedata.normalize("NFKC", text.translate(_READABLE))
        once = _SPACES.sub(" ", once).strip()
        if once == text:
            return once
        text = once


def fold(text: str) -> str:
    """`clean_text` in the one case that compares equal for all spellings."""
    text = clean_text(text)
    if text.isascii():
        return text.lower()
    while (once := clean_text(text.casefold())) != text:
        text = once
    return text


def strip_markup(text: str) -> str:
    """Remove what table cells carry beside their words: HTML tags and Markdown emphasis."""
    return _TAGS.sub(" ", text).replace("**", "").replace("`", "")


def _tidy(part: str) -> str:
    words = (word.strip(_EDGES).lstrip("+#") for word in part.split("-"))
    return "-".join(word for word in words if word)


def slug(text: str) -> str:
    """Turn a name into a stable id.

    Args:
        text: any text.

    Returns:
        Folded letters and digits of any script joined by `-`; `/` keeps its place (subset), and so do
        `.`, `@`, `+`, `#` and `:` inside a word ("c++", "ap@0.5:0.95"). Never empty ("unknown"), at
        most 200 characters (longer ones end in a hash), and `slug(slug(x)) == slug(x)`.
    """
    folded = fold(text)
    body = folded
    while True:  # stripping one sign can bare another
        once = _LOOSE_COLON.sub("-", body.translate(_SLUGGED))
        once = "/".join(part for part in map(_tidy, once.split("/")) if part)
        if once == body:
            break
        body = once
    if not body:
        return f"x{stable_id(folded)}" if folded else EMPTY  # names of signs only stay distinct
    if len(body) > MAX_SLUG:
        body = f"{_tidy(body[:_HASHED_SLUG].rstrip('/'))}-{stable_id(body)}"
    return body


def claim(table: dict[_Key, _Value], key: _Key, value: _Value, registry: str) -> None:
    """Enter a spelling into a look-up table of a registry; no spelling may mean two things.

    Raises:
        ConfigError: the spelling already means something else.
    """
    if table.setdefault(key, value) != value:
        raise ConfigError(
            f"registry {registry}.yaml: {key!r} is claimed by {table[key]} and by {value}"
        )


def load_registry(name: str, entry: type[_Entry]) -> _Entry:
    """Read and validate `data/<name>.yaml` once per process.

    Raises:
        ConfigError: the file does not fit its model; the message names the file and the place.
    """
    found = _read_registry(name, entry)
    assert isinstance(found, entry)
    return found


@cache
def _read_registry(name: str, entry: type[BaseModel]) -> BaseModel:
    path = Path(__file__).with_name("data") / f"{name}.yaml"
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    raw = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - both are safe loaders
    try:
        return entry.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            f"registry {path.name} is not usable at {place}: {first['msg']}"
        ) from None
