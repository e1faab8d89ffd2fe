"""Takes out of a text whatever could state a result: the scores it would leak are the answer.

Numbers, percents, tables, code, formulas and links go; digits that belong to a name stay ("resnet50",
"qwen2.5", "wav2vec2", "squad v2", "7b"). In doubt a number goes: a lost version number costs a little
meaning, a kept score makes every evaluation of text features worthless. Scores inside names ("GLUE-92")
are found in `glued.py`; composing texts belongs in `text.py`; numbers spelled out in words are not recognised.
"""

import html
import re
import unicodedata

from modellens_core.features.glued import is_result_word, without_glued_scores

_FRONT_MATTER = re.compile(r"\A\s*---\s*\n.*?\n---\s*(?:\n|\Z)", re.DOTALL)
_CODE_BLOCK = re.compile(r"(```|~~~).*?(?:\1|\Z)|\$\$.*?(?:\$\$|\Z)|\\\[.*?(?:\\\]|\Z)", re.DOTALL)
_HTML_BLOCK = re.compile(
    r"<!--.*?(?:-->|\Z)|<(table|pre|code|script|style|svg)\b.*?(?:</\1\s*>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_IMAGE = re.compile(r"!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])?")
_LINK = re.compile(r"\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])")
_LINK_TARGET = re.compile(r"^\s*\[[^\]]+\]:\s.*$", re.MULTILINE)
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.*?)[\s#]*$", re.MULTILINE)
_PARAGRAPH = re.compile(r"\n\s*\n\s*")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_URL = re.compile(
    r"\b(?:[a-z][a-z0-9+]*+://|www\.|doi:)\S+|(?<![\w.+-])[\w.+-]++@[\w-]+\.\w+", re.IGNORECASE
)
_INLINE_CODE = re.compile(r"`+([^`]*)`+")
_PLAIN_NAME = re.compile(r"[\w./-]+")
_TABLE_LINE = re.compile(r"^\s*\|.*$|^.*\|.*\|.*$|^.*[│┃║].*$|^[\s:+=-]*-{3,}[\s:|+=-]*$")
_RULER = re.compile(r"^\s*:?-{3,}:?\s*\|\s*:?-{3,}:?\s*$")

# A chunk is a word with everything that holds a name together: "org/wav2vec2-large-960h", "92,1".
_CHUNK = re.compile(r"[^\W_]+(?:[-_./@+]+[^\W_]+|(?<=\d),(?=\d)[^\W_]+)*")
# Inside a chunk, parts are separated by these; a dot between digits is a decimal point and no border.
_BORDER = re.compile(r"([-_/@+]+|(?<!\d)\.+|\.+(?!\d))")
_PERCENT = re.compile(r"\s*(?:[%‰]|per\s?cent\b|pct\b|points?\b)", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_SIZE = re.compile(r"(?:\d{1,3}x)?(?:\d{1,4}|\d{1,3}\.\d{1,2})[bkmt]", re.IGNORECASE)
_SCIENTIFIC = re.compile(
    r"\d+(?:[.,]\d+)*e[-+]\d+|(?<![^\W_])(?<!\d[.,])\d+(?:[.,]\d+)*e\d+(?![^\W_])", re.IGNORECASE
)
_VERSION = re.compile(r"[1-9]\.\d|\d{1,2}(?:\.\d{1,2}){2,}")
# "f1" is the one result word that ends in a digit; a score glued to it is no name.
_NUMBERED_RESULT = re.compile(r"(?:\d+(?:[.,]\d+)*)?f1\d*(?:[.,]\d+)?", re.IGNORECASE)
_PATCHED = re.compile(r"(?:ti|s|b|l|h|g|bigg)/(?:8|14|16|32)", re.IGNORECASE)  # "ViT-B/16"
_LAST_WORD = re.compile(r"[a-z]+\Z")
_FIRST_WORD = re.compile(r"\A[a-z]+")
_MARKUP = re.compile(r"[#*~`|<>\\^$={}%‰±≈∼∆Δ↑↓→←⇒×•■□▪✅❌✓✗]+")  # noqa: RUF001 - literal signs
_STRAY = re.compile(r"[\x00-\x1f\x7f-\x9f]+|(?<![^\W_])_+|_+(?![^\W_])")
_HOLLOW = re.compile(r"\(\s*[\W_]*\s*\)|\[\s*[\W_]*\s*\]")
_LOOSE = re.compile(r"(?<!\w)[^\w\s()\[\]\"']+(?!\w)")
_SPACE_BEFORE_STOP = re.compile(r"\s+([.,;:!?])")
_REPEATED_STOP = re.compile(r"[.,;:!?\s]*([.!?])(?:\s*[.,;:!?])*")


def strip_scores(text: str) -> str:
    """Plain one-line prose of a card (headings and paragraphs end in a stop), without anything that could be a result.

    Args:
        text: Markdown, HTML or plain text.

    Returns:
        Text in which every remaining digit is part of a name (next to a Latin letter, or inside a
        hyphenated name, or a size such as "7b"); empty if nothing is left.
    """
    text = unicodedata.normalize("NFKC", html.unescape(text))
    text = _FRONT_MATTER.sub(" ", text)
    for block in (_HTML_BLOCK, _CODE_BLOCK, _LINK_TARGET, _IMAGE):
        text = block.sub(" ", text)
    text = _LINK.sub(r"\1 ", _HEADING.sub(r"\1. ", text))
    text = _INLINE_CODE.sub(_keep_name, text)
    text = _URL.sub(" ", _TAG.sub(" ", text))
    text = _PARAGRAPH.sub(". ", "\n".join(_without_tables(text.splitlines())))
    text = _CHUNK.sub(_clean_chunk, _SCIENTIFIC.sub(" 0 ", text))
    return _tidy(text)


def _keep_name(match: re.Match[str]) -> str:
    inner = match.group(1).strip()
    return f" {inner} " if _PLAIN_NAME.fullmatch(inner) else " "


def _without_tables(lines: list[str]) -> list[str]:
    """Drop table rows: lines with cell borders, and single-border rows above and below a ruler."""
    drop = [bool(_TABLE_LINE.match(line)) for line in lines]
    for at, line in enumerate(lines):
        if not _RULER.match(line):
            continue
        drop[max(at - 1, 0)] = drop[at] = True
        below = at + 1
        while below < len(lines) and "|" in lines[below]:
            drop[below] = True
            below += 1
    return [line for line, gone in zip(lines, drop, strict=True) if not gone]


def _is_number_sign(char: str) -> bool:
    return char.isnumeric() and not char.isalpha()


def _clean_chunk(match: re.Match[str]) -> str:
    chunk = match.group()
    if not any(map(_is_number_sign, chunk)):
        return chunk
    chunk = without_glued_scores(chunk)
    if not any(c.isascii() and c.isalpha() for c in chunk):
        return _without_numbers(chunk)
    parts = _BORDER.split(chunk)
    percent = bool(_PERCENT.match(match.string, match.end()))
    kept: list[str] = []
    result_before = result_seen = False
    for at in range(0, len(parts), 2):
        part, border = parts[at], parts[at - 1] if at else ""
        result_seen |= result_before
        last = at + 2 >= len(parts)
        follower = "" if last else parts[at + 2]
        suspect = result_before or (last and percent) or _is_result(_FIRST_WORD, follower)
        clean = part
        if any(map(_is_number_sign, part)):
            ahead = (
                follower[:1].isascii() and follower[:1].isalpha() and parts[at + 1] in {"-", "_"}
            )
            patched = bool(kept) and _PATCHED.fullmatch(f"{kept[-1]}{border}{part}") is not None
            named = ahead or patched or (bool(kept) and border in {"-", "_"})
            clean = _clean_part(part, named=named and not result_seen, suspect=suspect)
            result_before = (
                (result_before and not any(map(str.isalpha, part)))
                or _is_result(_LAST_WORD, part.rstrip("0123456789.,"))
                or bool(_NUMBERED_RESULT.fullmatch(part))
            )
        else:
            result_before = _is_result(_LAST_WORD, part)
        if clean:
            kept += [border, clean] if kept else [clean]
    return "".join(kept) or " "


def _clean_part(part: str, *, named: bool, suspect: bool) -> str:
    """One part of a chunk that holds digits: all of it, its letters alone, or nothing."""
    if suspect or not part.isascii():
        return _without_numbers(part)
    if _NUMBERED_RESULT.fullmatch(part):
        return "F1"
    if _NUMBER.fullmatch(part):
        is_name = (part.isdigit() and len(part) <= 4) or _VERSION.fullmatch(part)
        return part if named and is_name else ""
    if _SIZE.fullmatch(part):
        return part
    return _NUMBER.sub(lambda m: _clean_run(m, part), part)


def _clean_run(match: re.Match[str], part: str) -> str:
    """A run of digits with letters beside it: "resnet50" and "qwen2.5" stay, "acc92.1" does not."""
    run, before, after = match.group(), part[: match.start()].lower(), part[match.end() :].lower()
    if _is_result(_LAST_WORD, before) or (not before and _is_result(_FIRST_WORD, after)):
        return " "
    if run.isdigit():
        return run
    return run if before and _VERSION.fullmatch(run) else " "


def _is_result(end: re.Pattern[str], part: str) -> bool:
    word = end.search(part.lower())
    return bool(word and is_result_word(word.group()))


def _without_numbers(part: str) -> str:
    part = _NUMBER.sub(" ", part)
    return "".join(" " if _is_number_sign(c) else c for c in part).strip(" -_./@+,")


def _tidy(text: str) -> str:
    """One line without markup, hollow brackets and punctuation that lost its number."""
    text = _STRAY.sub(" ", _MARKUP.sub(" ", text))
    text = _HOLLOW.sub(" ", text)
    text = _LOOSE.sub(_keep_stop, text)
    text = _SPACE_BEFORE_STOP.sub(r"\1", " ".join(text.split()))
    return _REPEATED_STOP.sub(r"\1", text).strip(" ,;:-_/+").removeprefix(". ")


def _keep_stop(match: re.Match[str]) -> str:
    return ". " if "." in match.group() else " "
