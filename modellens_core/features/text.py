"""Composes the short text that stands for a model or a dataset when it is embedded.

One line each: what it is, task, family, languages, training data, base model, and one sentence of prose,
all of it without results (`leaks.py`). Short on purpose: MiniLM reads 256 word pieces and needs ten times
as long for a long text. How texts become vectors belongs in `vectors.py` and `encoders/`.
"""

import re
from collections.abc import Iterable

from modellens_core.features.leaks import strip_scores

__all__ = ["compose_dataset_text", "compose_model_text", "strip_scores"]

READ_CHARS = 3000  # of a description; what a thing is stands at its beginning
MODEL_SENTENCE_WORDS = 12
DATASET_DESCRIPTION_WORDS = 28
CHARS_PER_WORD = 9  # bounds scripts that write without spaces
QUERY_WORDS = 150  # what a person typed is worth reading to the end of MiniLM's window
MAX_LANGUAGES = 3
MAX_TRAINING_SETS = 2

LANGUAGES = {
    "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech", "cy": "Welsh",
    "da": "Danish", "de": "German", "el": "Greek", "en": "English", "es": "Spanish", "et": "Estonian",
    "eu": "Basque", "fa": "Persian", "fi": "Finnish", "fr": "French", "gl": "Galician", "he": "Hebrew",
    "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian", "is": "Icelandic",
    "it": "Italian", "ja": "Japanese", "ka": "Georgian", "kk": "Kazakh", "ko": "Korean",
    "lt": "Lithuanian", "lv": "Latvian", "mn": "Mongolian", "mr": "Marathi", "ms": "Malay",
    "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian",
    "ru": "Russian", "sk": "Slovak", "sl": "Slovenian", "sr": "Serbian", "sv": "Swedish",
    "sw": "Swahili", "ta": "Tamil", "te": "Telugu", "th": "Thai", "tr": "Turkish", "tt": "Tatar",
    "uk": "Ukrainian", "ur": "Urdu", "uz": "Uzbek", "vi": "Vietnamese", "yo": "Yoruba", "zh": "Chinese",
}  # fmt: skip

_SENTENCE_END = re.compile(r"(?<=[.!?。])\s+")
_EMPTY_PROSE = re.compile(
    r"more information needed|proofread|generated automatically|automatically generated|"
    r"evaluation (?:set|results)|following results|achieves|outperform|state[- ]of[- ]the[- ]art|"
    r"click |license|licence|pip install|citation|please ",
    re.IGNORECASE,
)
_WORD_BORDER = re.compile(r"[\s_/]+")


def compose_model_text(
    model_id: str,
    *,
    task: str | None = None,
    family: str | None = None,
    languages: Iterable[str] = (),
    trained_on: Iterable[str] = (),
    base_model: str | None = None,
    description: str | None = None,
) -> str:
    """Say in one line what a model is; about 20 to 40 tokens.

    Args:
        model_id: "org/name"; only the name is used.
        task: pipeline tag or task id; "unknown" and None are left out.
        family: architecture family, likewise.
        languages: ISO codes or names.
        trained_on: names of training datasets.
        base_model: id of the model it was made from.
        description: prose of its card.

    Returns:
        Text without results. Never empty for a model whose name holds a letter.
    """
    name = _name(model_id)
    kind = f", {_said(family)} family" if _said(family) else ""
    facts = [f"{_said(task)} model {name}{kind}".strip(), _spoken(languages)]
    trained = [_name(d) for d in trained_on][:MAX_TRAINING_SETS]
    if trained:
        facts.append("trained on " + ", ".join(trained))
    if base_model and _name(base_model) != name:
        facts.append("based on " + _name(base_model))
    return _join(facts, _sentence(description or "", MODEL_SENTENCE_WORDS))


def compose_dataset_text(
    dataset_id: str,
    family: str | None,
    task: str | None,
    modality: str | None,
    languages: Iterable[str],
    description: str | None,
) -> str:
    """Say in one line what a dataset is; at most about 60 tokens.

    Args:
        dataset_id: canonical id, may carry a subset ("glue/sst2").
        family: dataset family; left out where the id says it already.
        task: task id ("text-classification").
        modality: "text", "image", ...
        languages: ISO codes or names.
        description: what its authors say about it.
    """
    name = _name(dataset_id, whole=True)
    known_as = _said(family)
    if known_as and known_as.lower() not in name.lower():
        name = f"{name} ({known_as})"
    facts = [f"{_said(task)} dataset {name}".strip(), _said(modality), _spoken(languages)]
    return _join(
        facts, _words(strip_scores((description or "")[:READ_CHARS]), DATASET_DESCRIPTION_WORDS)
    )


def compose_query_text(description: str, task: str | None) -> str:
    """Say what a person's dataset is, in the form that known datasets have (no name, no family).

    Args:
        description: the person's own words; may hold Markdown, counts and numbers.
        task: canonical task id, if known.

    Returns:
        Text to embed; empty if nothing but numbers and markup was given.
    """
    prose = _words(strip_scores(description[:READ_CHARS]), QUERY_WORDS)
    return f"{_said(task)} dataset. {prose}" if _said(task) and prose else prose


def _name(raw: str, *, whole: bool = False) -> str:
    """A name as words: last path part (or all of it), underscores as spaces, scores out."""
    last = raw.rstrip("/").rpartition("/")[2]
    part = last if not whole and any(map(str.isalpha, last)) else raw  # not the "16" of "ViT-B/16"
    return " ".join(_WORD_BORDER.sub(" ", strip_scores(part)).split()).strip(" .,;:()[]")


def _said(label: str | None) -> str:
    return "" if label in {None, "unknown"} else _name(label or "", whole=True)


def _spoken(languages: Iterable[str]) -> str:
    names = [LANGUAGES.get(code.lower(), code) for code in dict.fromkeys(languages) if code]
    if len(names) > MAX_LANGUAGES:
        return "multilingual"
    return strip_scores(", ".join(names))


def _sentence(description: str, limit: int) -> str:
    """The first sentence that says something, cut to `limit` words."""
    prose = strip_scores(description[:READ_CHARS])
    for sentence in _SENTENCE_END.split(prose):
        if len(sentence.split()) >= 4 and not _EMPTY_PROSE.search(sentence):
            return _words(sentence, limit)
    return ""


def _words(text: str, limit: int) -> str:
    words = text.split()
    return " ".join(words[:limit])[: limit * CHARS_PER_WORD].strip(" ,;:-(")


def _join(facts: list[str], prose: str) -> str:
    head = ", ".join(f for f in facts if f)
    return f"{head}. {prose}".strip() if prose else head
