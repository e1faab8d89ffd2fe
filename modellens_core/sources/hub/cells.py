"""One cell of a table: its source as written, what a reader sees, and what it links to.

Takes Markdown and HTML inline markup off a string, in one pass per kind of markup and never by
executing or fetching anything. Tables belong in `markdown_tables.py`; what a text means, in `vocabulary.py`.
"""

import html
import re
import unicodedata
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from modellens_core.config import PUBLIC_HUB

MAX_CELL: Final = 400  # characters; a longer cell is prose, and is cut
_HOSTS: Final = frozenset(
    {urlsplit(PUBLIC_HUB).netloc, "www." + urlsplit(PUBLIC_HUB).netloc, "hf.co"}
)
_NOT_MODELS: Final = frozenset(
    {
        "datasets",
        "spaces",
        "papers",
        "docs",
        "blog",
        "models",
        "collections",
        "tasks",
        "learn",
        "api",
    }
)

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_IMAGE = re.compile(r"!\[[^\]]{0,300}\]\([^)\s]{0,500}[^)]{0,200}\)")
_LINK = re.compile(r"\[([^\]]{0,300})\]\(\s*<?([^)\s>]{0,500})>?[^)]{0,200}\)")
_REFERENCE = re.compile(r"\[([^\]]{1,300})\]\[[^\]]{0,100}\]")
_FOOTNOTE = re.compile(r"\[\^[^\]]{1,30}\]")
_ANCHOR = re.compile(r"<a\b[^>]{0,500}?href\s*=\s*[\"']?([^\"'\s>]{1,500})", re.IGNORECASE)
_BARE = re.compile(r"(https?://\S{1,500})")
_LINK_TAG = re.compile(r"</?a\b[^<>]{0,600}>", re.IGNORECASE)
_BREAK = re.compile(r"<br\s*/?>|<sup>|<sub>", re.IGNORECASE)
_BOLD = re.compile(r"</?(?:b|strong|i|em|u)\b\s{0,3}/?>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,500}>")
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+.!|~<>%&$-])")
_LATEX = re.compile(r"\\(?:textbf|mathbf|underline|text|mathrm|bf|emph)\b\s*|[{}$]")
_LATEX_ARROW = re.compile(r"\\(up|down)arrow")
_EMPHASIS = re.compile(r"\*{2,3}|(?<!\w)\*|\*(?!\w)|`+|(?<!\w)_{1,3}(?=\S)|(?<=\S)_{1,3}(?!\w)|~~")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Attributes:
        raw: as written; links, bold, emphasis around it and control characters taken off.
        text: as seen: no markup, one line.
        link: the first address it links to, or None.
        head: whether it was marked as a header cell.
    """

    raw: str
    text: str
    link: str | None = None
    head: bool = False


EMPTY_CELL = Cell("", "")


def strip_control(text: str) -> str:
    """Drop control, zero-width and direction characters; keep tabs and line ends."""
    return _CONTROL.sub("", text)


def visible(source: str) -> str:
    """What a reader sees of one line of Markdown or HTML, white space collapsed."""
    text = _FOOTNOTE.sub("", _IMAGE.sub(" ", source))
    if "[" in text:
        text = _REFERENCE.sub(r"\1", _LINK.sub(r"\1", text))
    if "<" in text:
        text = _TAG.sub("", _BREAK.sub(" ", text))
    if "&" in text:
        text = html.unescape(text)
    if "\\" in text:
        text = _LATEX_ARROW.sub(lambda m: "↑" if m[1] == "up" else "↓", text)
        text = _LATEX.sub("", _ESCAPE.sub(r"\1", text)) if "$" in text else _ESCAPE.sub(r"\1", text)
    text = _EMPHASIS.sub("", text)
    return " ".join(unicodedata.normalize("NFKC", strip_control(text)).split())


def make_cell(source: str, *, head: bool = False) -> Cell:
    """Read one cell from its Markdown or flattened HTML source."""
    source = strip_control(source[: MAX_CELL * 4]).strip()
    if not source:
        return Cell("", "", None, head)
    target = _LINK.search(source) or _ANCHOR.search(source) or _BARE.fullmatch(source.strip("* <>"))
    link = target[target.lastindex or 0] if target else None
    raw = _LINK.sub(r"\1", _LINK_TAG.sub("", source)) if link else source
    raw = _BOLD.sub("", raw) if "<" in raw else raw
    raw = strip_control(html.unescape(raw)) if "&" in raw else raw
    raw = raw.strip("*_` \t").replace("**", "")[:MAX_CELL]
    if raw.count("~~") % 2:  # never hide that a value was struck out
        raw = source[:MAX_CELL]
    return Cell(raw, visible(source)[:MAX_CELL], link, head)


def _hub_path(link: str | None) -> list[str]:
    if not link:
        return []
    try:
        parts = urlsplit(link if "//" in link else "//" + link)
    except ValueError:
        return []
    return [p for p in parts.path.split("/") if p] if parts.netloc.lower() in _HOSTS else []


def linked_model(link: str | None) -> str | None:
    """The repository id of the Hub model an address points to, or None."""
    path = _hub_path(link)
    if len(path) < 2 or path[0].lower() in _NOT_MODELS:
        return None
    return f"{path[0]}/{path[1]}"


def linked_dataset(link: str | None) -> str | None:
    """The id of the Hub dataset an address points to, or None."""
    path = _hub_path(link)
    if len(path) < 2 or path[0] != "datasets":
        return None
    return (
        "/".join(path[1:3])
        if len(path) > 2 and path[2] not in {"viewer", "tree", "blob"}
        else path[1]
    )


def linked_datasets(source: str) -> tuple[str, ...]:
    """The distinct Hub datasets that a piece of Markdown or HTML links to, in order."""
    targets = [m[2] for m in _LINK.finditer(source)] + [m[1] for m in _ANCHOR.finditer(source)]
    return tuple(dict.fromkeys(d for t in targets if (d := linked_dataset(t)) is not None))
