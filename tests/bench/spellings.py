"""How names and numbers are compared where labels meet reports: spelling only, no knowledge of benchmarks.

What is equal for the project is decided in `modellens_core/normalize`; here is what both sides may
write differently without meaning another thing.
"""

import re
import unicodedata

from modellens_core.normalize.languages import names_language

_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*|[.,]\d+")
_WORD = re.compile(r"[^\W_]+")
_SHOTS = re.compile(r"(?<![^\W_])\d+[- ]?shots?(?![^\W_])")
# Words that a reader may add to a dataset's name without changing what is meant.
_EMPTY = re.compile(
    r"test(?:set)?|dev(?:el|set)?|val(?:id|idation)?|train|eval(?:uation)?|(?:sub)?set|split|cot"
    r"|datasets?|benchmark|corpus|data"
)
# Spellings of one language, so that "Common Voice (tr)" is "Common Voice Turkish".
_LANGUAGES = {
    word: spellings[0]
    for spellings in (
        line.split()
        for line in """ar ara arabic;cs ces czech;da dan danish;de deu ger german;en eng english
        es spa spanish;et est estonian;fa fas persian;fi fin finnish;fr fra fre french;he heb hebrew
        hi hin hindi;hu hun hungarian;id ind indonesian;it ita italian;ja jpn japanese;ko kor korean
        lg lug luganda;am amh amharic;lt lit lithuanian;lv lav latvian;nl nld dutch;no nor norwegian
        pl pol polish;pt por portuguese;ro ron romanian;ru rus russian;rw kin kinyarwanda
        sk slk slovak;sv swe swedish;sw swa swahili;th tha thai;tr tur turkish;uk ukr ukrainian
        ur urd urdu;vi vie vietnamese;zh zho chi chinese""".replace("\n", ";").split(";")
    )
    for word in spellings
}


def number(text: str) -> float:
    """The number a label writes: a comma groups thousands ("1,234") or is a decimal comma ("34,8").

    Raises:
        ValueError: if it is none.
    """
    plain = text.replace(",", "") if _THOUSANDS.fullmatch(text) else text.replace(",", ".")
    return float(plain)


def numbers_in(text: str) -> list[str]:
    """Every unsigned number of a text, as written."""
    return _NUMBER.findall(text)


def compact(text: str) -> str:
    """Letters and digits of a text, folded."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(_WORD.findall(folded))


def _word_list(text: str) -> list[str]:
    return _WORD.findall(_SHOTS.sub(" ", unicodedata.normalize("NFKC", text).casefold()))


def words(text: str) -> set[str]:
    """Words of a name, one spelling for each language, without shots."""
    return {_LANGUAGES.get(word, word) for word in _word_list(text)}


def core(text: str) -> str:
    """Letters and digits without empty words: "GSM-8K (8-shot, CoT)" is "gsm8k"."""
    return "".join(word for word in _word_list(text) if not _EMPTY.fullmatch(word)) or compact(text)


def adds_nothing(word: str) -> bool:
    """Whether a word beside a dataset's name is a language, a split, protocol, or empty."""
    return _EMPTY.fullmatch(word) is not None or names_language(word)
