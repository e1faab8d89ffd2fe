"""Reads one published score: the number and the unit that somebody wrote, or the reason why not.

Shared by every source that meets hand-written values ("92.1%", "**83.2** (±0.3)", "1,234"). A value is
read only where one reading is possible; everything else is refused with a reason that the source counts.
What a number means (its metric, its direction, whether 0.9 is 90%) is not decided here.
"""

import math
import re
from dataclasses import dataclass
from typing import Final, SupportsFloat

from modellens_core.schema import Unit

MAX_LENGTH: Final = 200  # a longer cell is prose


@dataclass(frozen=True, slots=True)
class ParsedValue:
    """A number somebody wrote.

    Attributes:
        value: finite, in the scale it was written in ("92.1%" is 92.1).
        unit: only if the text states one.
        text: as written, for `Report.raw_value`.
    """

    value: float
    unit: Unit | None
    text: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something is not one number; `reason` is a slug for `Reject.reason`."""

    reason: str


EMPTY = Refusal("empty")
NOT_A_NUMBER = Refusal("not_a_number")
NOT_FINITE = Refusal("not_finite")
NOT_A_SCALAR = Refusal("not_a_scalar")
SEVERAL_VALUES = Refusal("several_values")
INEXACT = Refusal("inexact")  # "~45", "<0.01"
DIFFERENCE = Refusal("difference")  # "+1.2": a gain over something
AMBIGUOUS_COMMA = Refusal("ambiguous_comma")  # "45,678%"
WITHDRAWN = Refusal("withdrawn")  # "~~45.2~~"

_BLANKS = re.compile(
    r"[-/\\.?x]*|n/?\.?a\.?|none|null|nil|tb[ad]|todo|wip|pending|unknown|oom|fail(ed)?",
    re.IGNORECASE,
)
_NOT_FINITE = re.compile(r"[-+]?(nan|inf|infinity|\.nan|\.inf|∞)", re.IGNORECASE)

_CHARACTERS = str.maketrans(
    {
        "\u2212": "-", "\u2013": "-", "\u2014": "-", "\u2011": "-", "\uff05": "%", "\u00a0": " ",
        "\u2009": " ", "\u202f": " ", "\u200b": None, "\ufe0f": None, "\ufeff": None,
    }
)  # fmt: skip
_SUPERSCRIPT = re.compile(r"<sup>.*?</sup>|\^\{[^}]*\}|[⁰¹²³⁴-⁹ᵃ-ᶻ]+", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z][^>]{0,80}>", re.IGNORECASE)
_STRUCK_OUT = re.compile(r"~~|<(s|del|strike)>", re.IGNORECASE)
_LATEX = re.compile(r"\\(?:textbf|mathbf|underline|text|mathrm|bf)\b\s*")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_EMPHASIS = re.compile(r"(?<![\w*])(\*{1,3}|_{1,3}|`+)(?=\S)(.+?)(?<=\S)\1(?![\w*])")
_MARKS = "*_`†‡§¶♣♠♦♥↑↓▲▼★☆✅🥇🥈🥉🏆🔥\"' \t\n"

_NUMBER = r"[0-9][0-9.,]*(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?"
_SPREAD = rf"(?:±|\+/-|\+-|(?i:sd|std)\.?\s*=)\s*(?:{_NUMBER})\s*%?"
_INTERVAL = rf"(?:{_NUMBER})\s*%?\s*[-,;]\s*(?:{_NUMBER})\s*%?"
_VALUE = re.compile(
    rf"(?P<sign>[-+]?)\s?(?P<number>{_NUMBER})\s*(?P<percent>%?)\s*"
    rf"(?:(?P<spread>{_SPREAD})|\(\s*(?P<bracketed>{_SPREAD})\s*\)|\[\s*(?:{_INTERVAL})\s*\]"
    rf"|\(\s*[-+]\s?(?:{_NUMBER})\s*%?\s*\))?"  # a gain beside the value
)

_PLAIN = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+(?P<fraction>\.[0-9]+)?")
_DECIMAL_COMMA = re.compile(r"(?:[1-9][0-9]{0,2}(?:\.[0-9]{3})+|[0-9]+),[0-9]+")


def parse_value(raw: object) -> ParsedValue | Refusal:
    """Read one score as a source holds it.

    Args:
        raw: a number, or text such as `"92.1%"`, `"83.2 (±0.3)"`, `"1,234"`, `"**45.2**"`. A list with one
            element is that element.

    Returns:
        The number with the unit the text states, or a `Refusal`: several values, a bound or an
        approximation, a difference, a comma that may be a decimal or a thousands separator, not finite,
        or no number at all.
    """
    if isinstance(raw, list | tuple):
        if not raw:
            return EMPTY
        return parse_value(raw[0]) if len(raw) == 1 else SEVERAL_VALUES
    if raw is None:
        return EMPTY
    if isinstance(raw, str):
        return _parse_text(raw)
    if isinstance(raw, bool) or not isinstance(raw, SupportsFloat):
        return NOT_A_SCALAR
    return _finite(raw, None)


def _finite(
    number: SupportsFloat | str, unit: Unit | None, text: str | None = None
) -> ParsedValue | Refusal:
    try:
        value = float(number)
    except OverflowError:
        return NOT_FINITE
    if not math.isfinite(value):
        return NOT_FINITE
    return ParsedValue(value, unit, str(number) if text is None else text)


def _parse_text(text: str) -> ParsedValue | Refusal:
    written = text.strip()
    bare = _undecorated(written[: MAX_LENGTH + 1])
    match = _VALUE.fullmatch(bare) if len(written) <= MAX_LENGTH else None
    if match is None or match["sign"] == "+" or _STRUCK_OUT.search(written):
        return _why_not(written, bare)
    spread = match["spread"] or match["bracketed"] or ""
    percent = bool(match["percent"]) or spread.endswith("%")
    digits = _digits(match["number"], percent=percent)
    if isinstance(digits, Refusal):
        return digits
    return _finite(match["sign"] + digits, Unit.PERCENT if percent else None, written)


def _why_not(written: str, bare: str) -> Refusal:
    """The reason why `bare` is not one value, most specific first."""
    count = len(re.findall(_NUMBER, bare))
    checks = (
        (bool(_STRUCK_OUT.search(written)), WITHDRAWN),
        (bool(_BLANKS.fullmatch(bare)), EMPTY),
        (bool(_NOT_FINITE.fullmatch(bare)), NOT_FINITE),
        (bare[:1] in "~≈<>≤≥" and count == 1, INEXACT),
        (bare[:1] == "+" and count == 1, DIFFERENCE),
        (len(written) <= MAX_LENGTH and count > 1, SEVERAL_VALUES),
    )
    return next((refusal for holds, refusal in checks if holds), NOT_A_NUMBER)


def _undecorated(text: str) -> str:
    """Take emphasis, footnote marks, links and LaTeX off."""
    bare = _LINK.sub(r"\1", text)
    bare = _TAG.sub("", _SUPERSCRIPT.sub("", bare)).translate(_CHARACTERS)
    bare = bare.replace("\\%", "%").replace("\\pm", "±").replace("&plusmn;", "±")
    bare = bare.replace("&nbsp;", " ")
    if "\\" in bare or bare.count("$") == 2:
        bare = _LATEX.sub("", bare).strip("$ ").replace("_{", "").replace("{", "").replace("}", "")
    return _EMPHASIS.sub(r"\2", bare).strip(_MARKS)


def _digits(number: str, *, percent: bool) -> str | Refusal:
    """The text of a number as `float` reads it, its separators decided."""
    if _PLAIN.fullmatch(number):
        return number
    if thousands := _THOUSANDS.fullmatch(number):
        # "1,234" is how English writes it; "45,678%" is more likely a decimal comma: nobody can tell.
        if percent and thousands["fraction"] is None:
            return AMBIGUOUS_COMMA
        return number.replace(",", "")
    if _DECIMAL_COMMA.fullmatch(number):
        return number.replace(".", "").replace(",", ".")
    return SEVERAL_VALUES if "," in number.strip(",") else NOT_A_NUMBER
