"""Which model a name means, and one spelling for all names that mean the same.

Cautious on purpose: names merge when they differ in case, blanks, "_" and "-" only (never between two
digits), so "v1" and "v2", "7b" and "13b", "cased" and "uncased" stay apart. In this version
quantisation and reasoning effort stay part of the id (`variant` says what was seen): a quantised copy
scores differently, and whether it is "the same model" is for a later decision with lineage at hand.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from modellens_core.normalize.text import clean_text, load_registry, strip_markup

_LINK = re.compile(r"^\[([^\]]*)\]\((\S+?)\)$")
_URL = re.compile(r"^(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/", re.IGNORECASE)
_NOT_MODELS = frozenset({"datasets", "spaces", "papers", "docs", "blog", "collections"})
_PREFIX = re.compile(r"^(?:hf|huggingface|hf_hub|models):(?=\S)", re.IGNORECASE)
_REPOSITORY = re.compile(r"[\w][\w.-]*/[\w][\w.-]*")
_FOLDED = re.compile(r"(?:models--)?([^\s/_-](?:[^\s/]*?[^\s/_-])?)(?:__|--)([^\s/]+)")
_OURS = re.compile(r"\s*[(\[](?:ours|our|this model|proposed)[)\]]\s*$", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\s_\-()\[\],/]+")
_WORDS = re.compile(r"[^\s_\-()\[\]{},/:;*]+")
_NUMBER_OR_SIZE = re.compile(r"~?\d+(?:\.\d+)?(?:x\d+(?:\.\d+)?)?[bmkt]?")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)-(?=\d)")

_VARIANTS: Mapping[str, re.Pattern[str]] = {
    "quantization": re.compile(
        r"(?<![^\W_])(gptq|awq|gguf|ggml|exl2|bnb|int4|int8|fp8|fp4|nf4|[248]-?bits?|q[2-8](?:_[k01](?:_[sml])?)?|w[48]a(?:8|16))(?![^\W_])"
    ),
    "effort": re.compile(
        r"(?<![^\W_])(?:(minimal|low|medium|high|xhigh|max)(?= (?:reasoning|effort|thinking))"
        r"|(?:reasoning|effort)[ =_-](minimal|low|medium|high|xhigh|max)|(no-?think(?:ing)?|think(?:ing)?))(?![^\W_])"
    ),
}


@dataclass(frozen=True, slots=True)
class ModelName:
    """A model's id and its parts.

    Attributes:
        model_id: "org/name", or the display name where no repository is known.
        org: organisation, None for display names.
        name: the rest.
        variant: what the name says about `quantization` and reasoning `effort`; part of the id as well.
    """

    model_id: str
    org: str | None
    name: str
    variant: Mapping[str, str]


class _Registry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    renamed: dict[str, str]
    publishers: frozenset[str]
    nothing: frozenset[str]
    own: frozenset[str]
    generic: frozenset[str]


def resolve_model(raw_model: str, repository_ids: Mapping[str, str]) -> ModelName | None:
    """Decide which model a name means.

    Args:
        raw_model: as the source wrote it: "org/name", "org__name", a Hub URL, a display name. Names of
            a whole corpus go through `canonical_spellings` first.
        repository_ids: casefolded repository id -> its spelling on the Hub.

    Returns:
        The model; None if the name names none ("nan", "-", "ours"). Total, and
        `resolve_model(m.model_id, ids).model_id == m.model_id`.
    """
    text = _readable(raw_model)
    if text is None:
        return None
    known = repository_ids.get(text.casefold())
    if known is None and (match := _FOLDED.fullmatch(text)):
        known = repository_ids.get(f"{match[1]}/{match[2]}".casefold())
    model_id = known or text
    renamed = load_registry("models", _Registry).renamed.get(model_id.casefold())
    if renamed is not None:
        model_id = repository_ids.get(renamed.casefold(), renamed)
    org, slash, name = model_id.partition("/")
    if not slash or not _is_repository(model_id):
        org, name = "", model_id
    folded = model_id.casefold()
    variant = {
        kind: next(filter(None, match.groups()))
        for kind, pattern in _VARIANTS.items()
        if (match := pattern.search(folded))
    }
    return ModelName(model_id, org or None, name, variant)


def _readable(raw_model: str) -> str | None:
    """The name without markup, links and "(ours)"; None if nothing is left that names a model."""
    text = clean_text(strip_markup(raw_model))
    if match := _LINK.match(text):
        text = match[2] if _URL.match(match[2]) else match[1]
    if _URL.match(text):
        parts = re.split(r"[?#]", _URL.sub("", text))[0].strip("/").split("/")
        if parts[0].casefold() not in _NOT_MODELS:
            text = "/".join(parts[:2])
    text = _PREFIX.sub("", text)
    while (once := _OURS.sub("", text).strip()) != text:
        text = once
    return None if _names_nothing(text) else text


def _names_nothing(text: str) -> bool:
    """Whether a text in a model's place tells no model from others: "ours", "13B", "base (L)"."""
    registry = load_registry("models", _Registry)
    folded = text.casefold()
    if not any(char.isalnum() for char in text) or folded in registry.nothing:
        return True
    if _is_repository(text):
        return False
    words = _WORDS.findall(folded)
    if words and words[0].split("+")[0] in registry.own:
        return True  # "Ours-Ens": what it stands for is known inside its paper only
    said = [w for w in words if w not in registry.generic and not _NUMBER_OR_SIZE.fullmatch(w)]
    general = any(w in registry.generic for w in words)
    return not said or (general and all(len(w) == 1 and w.isascii() for w in said))


def _is_repository(text: str) -> bool:
    """Whether a text looks like "org/name"; "ViT-B/16" and "Prompt A / B" do not."""
    return _REPOSITORY.fullmatch(text) is not None and any(
        char.isalpha() for char in text.partition("/")[2]
    )


def display_key(text: str) -> str:
    """What is equal for two spellings of one display name: "ResNet-50" and "resnet50".

    Separators between two digits count: "llama-2-7b" is not "llama-27b".
    """
    joined = _SEPARATORS.sub("-", text.casefold()).strip("-")
    kept = _BETWEEN_DIGITS.sub("\x1f", joined)
    return kept.replace("-", "").replace("\x1f", "-")


def canonical_spellings(raw_models: Iterable[str]) -> dict[str, str]:
    """Choose one spelling for all names of a corpus that mean the same model.

    Repository names are equal if they differ in case only; display names if their `display_key` is
    equal. A display name joins a repository only if exactly one known publisher has that name.

    Args:
        raw_models: all names, repeated as often as they occur; the order does not matter.

    Returns:
        Raw name -> spelling: one with an organisation if there is one, then the most frequent, then the
        first in the alphabet. Names that name no model map to themselves.
    """
    counts = Counter(raw_models)
    texts = {raw: text for raw in counts if (text := _readable(raw)) is not None}
    keys = {raw: f"/{display_key(t)}" for raw, t in texts.items() if not _is_repository(t)}
    repositories = {raw: t.casefold() for raw, t in texts.items() if raw not in keys}
    published: dict[str, set[str]] = defaultdict(set)
    for repository in repositories.values():
        org, _, name = repository.partition("/")
        if org in load_registry("models", _Registry).publishers:
            published[f"/{display_key(name)}"].add(repository)
    known = frozenset(repositories.values())
    for raw, key in keys.items():
        folded = _FOLDED.fullmatch(texts[raw])
        unfolded = f"{folded[1]}/{folded[2]}".casefold() if folded else ""
        if unfolded in known:
            keys[raw] = unfolded
        elif len(published.get(key, ())) == 1:
            (keys[raw],) = published[key]
    keys |= repositories
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for raw, key in keys.items():
        votes[key][texts[raw]] += counts[raw]
    chosen = {
        key: min(spellings, key=lambda s: (not _is_repository(s), -spellings[s], s))
        for key, spellings in votes.items()
    }
    return {raw: chosen[keys[raw]] if raw in keys else raw for raw in counts}
