"""Finds the tables of a README: GFM pipe tables, HTML tables, pipe tables printed inside code blocks.

A `Table` is a rectangle of cells with what stands around it: the path of section titles, the text just
before it, its caption. What the cells mean is decided in `table_reader.py`. Work and memory are bounded:
text beyond `MAX_TEXT` and tables beyond `MAX_TABLES` are not read, and the caller is told.
"""

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from modellens_core.sources.hub.cells import (
    EMPTY_CELL,
    Cell,
    linked_datasets,
    make_cell,
    strip_control,
    visible,
)
from modellens_core.sources.hub.html_tables import MAX_CELLS, html_tables

MAX_TEXT: Final = 1_000_000  # characters
MAX_TABLES: Final = 300
_MAX_HTML: Final = 400_000  # characters of one HTML table
_MAX_CONTEXT: Final = 600
_MAX_PARAGRAPHS: Final = 8

_FRONT_MATTER = re.compile(r"\A\ufeff?\s*---[ \t]*\n(.*?\n)---[ \t]*(?:\n|\Z)", re.DOTALL)
_DELIMITER = re.compile(
    r"^[ \t>]*(?:\|[ \t]*)?:?-+:?[ \t]*(?:\|[ \t]*(?::?-+:?[ \t]*|:[ \t]*)?)+$", re.MULTILINE
)
_TABLE_TAG = re.compile(r"<(/?)table\b", re.IGNORECASE)
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)
_HEADING_LINE = re.compile(r"^#{1,6} ", re.MULTILINE)
_HTML_HEADING = re.compile(r"<h([1-6])\b[^>]{0,300}>(.{1,500}?)</h\1>", re.IGNORECASE | re.DOTALL)
_RULE_SIGNS: Final = frozenset(" \t|:->")
_MARK = re.compile("\ue000(\\d+)\ue001")


@dataclass(frozen=True, slots=True)
class Table:
    """A table and its surroundings.

    Attributes:
        rows: at least two rows, all of the same length.
        head_rows: how many leading rows were marked as header.
        headings: section titles, outermost first.
        before: the paragraph just before it, as seen; the last `_MAX_CONTEXT` characters.
        section: all paragraphs since the last title or table, `before` included; bounded.
        datasets: Hub datasets which `before` links to.
        caption: of an HTML table.
        origin: "pipe", "html" or "code".
        index: position among the README's tables, from 1.
    """

    rows: tuple[tuple[Cell, ...], ...]
    head_rows: int
    headings: tuple[str, ...]
    before: str
    section: str
    datasets: tuple[str, ...]
    caption: str
    origin: str
    index: int


@dataclass(frozen=True, slots=True)
class Unread:
    """A table, or the rest of a text, that was too large to read."""

    reason: str
    index: int


@dataclass(slots=True)
class _Reader:
    html: Sequence[str]
    titles: dict[int, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    count: int = 0

    def heading(self, level: int, source: str) -> None:
        self.titles = {k: v for k, v in self.titles.items() if k < level}
        self.titles[level] = visible(source)[:300]
        self.texts = []

    def paragraph(self, source: str) -> None:
        if source.strip():
            self.texts = [*self.texts[1 - _MAX_PARAGRAPHS :], source[-_MAX_CONTEXT * 3 :]]

    def table(
        self, rows: Sequence[Sequence[Cell]] | None, head: int, origin: str, caption: str = ""
    ) -> Table | Unread | None:
        self.count += 1
        if rows is None:
            return Unread("too_large", self.count)
        width = max((len(r) for r in rows), default=0)
        if len(rows) < 2 or not width:
            return None
        padded = tuple((*r, *[EMPTY_CELL] * (width - len(r))) for r in rows)
        headings = tuple(self.titles[k] for k in sorted(self.titles))
        last = self.texts[-1] if self.texts else ""
        found = Table(
            rows=padded,
            head_rows=head,
            headings=headings,
            before=visible(last)[-_MAX_CONTEXT:],
            section="\n".join(visible(t)[-_MAX_CONTEXT:] for t in self.texts),
            datasets=linked_datasets(last) if "/datasets/" in last else (),
            caption=visible(caption),
            origin=origin,
            index=self.count,
        )
        self.texts = []
        return found


@cache
def _parser() -> MarkdownIt:
    md = MarkdownIt("commonmark").enable("table").disable("reference")
    md.core.ruler.enableOnly(["normalize", "block"])
    return md


def front_matter(text: str) -> tuple[str, str]:
    """Split a README into its YAML front matter (may be empty) and its body."""
    match = _FRONT_MATTER.match(text)
    return (match[1], text[match.end() :]) if match else ("", text)


def may_hold_table(text: str) -> bool:
    """Whether a text can hold a table at all; cheap."""
    return ("|" in text and _DELIMITER.search(text) is not None) or "<table" in text.lower()


def read_tables(body: str) -> Iterator[Table | Unread]:
    """Yield the tables of a README's body in reading order.

    Args:
        body: Markdown without front matter; any text is accepted.

    Yields:
        Tables, and `Unread` for each part that was too large.
    """
    if len(body) > MAX_TEXT:
        yield Unread("readme_too_long", 0)
        body = body[:MAX_TEXT]
    body = strip_control(body.replace("\ue000", "").replace("\r\n", "\n"))
    text, html = _cut_html(_parted(body))
    reader = _Reader(html)
    for table in _walk(_parser().parse(text), reader, "pipe"):
        if reader.count > MAX_TABLES:
            yield Unread("too_many_tables", reader.count)
            return
        yield table


def _parted(body: str) -> str:
    """Set a blank line between a line of text and a table right below it.

    CommonMark would take the table's heading for more of a list item above it; the Hub shows a table.
    """
    lines = body.split("\n")
    parted: list[str] = []
    for index, line in enumerate(lines):
        rule = lines[index + 1] if index + 1 < len(lines) else ""
        if (
            "|" in line
            and "|" in rule
            and "-" in rule
            and _RULE_SIGNS.issuperset(rule)
            and index
            and lines[index - 1].strip()
            and "|" not in lines[index - 1]
        ):
            parted.append("")
        parted.append(line)
    return "\n".join(parted)


def _cut_html(body: str) -> tuple[str, list[str]]:
    """Replace each HTML table outside code by a mark, since Markdown would break it at blank lines."""
    fences = [m.start() for m in _FENCE.finditer(body)]
    code = list(zip(fences[::2], [*fences[1::2], len(body)], strict=False))
    kept: list[str] = []
    cut: list[str] = []
    done, depth, start, inside = 0, 0, 0, 0
    for tag in _TABLE_TAG.finditer(body):
        while inside < len(code) and code[inside][1] < tag.start():
            inside += 1
        if inside < len(code) and code[inside][0] <= tag.start():
            continue
        if not tag[1]:
            start, depth = (start if depth else tag.start()), depth + 1
        elif depth:
            depth -= 1
            if not depth:
                done = _cut(body, start, tag.end(), done, kept, cut)
    if depth:
        heading = _HEADING_LINE.search(body, start)
        done = _cut(body, start, heading.start() if heading else len(body), done, kept, cut)
    kept.append(body[done:])
    return "".join(kept), cut


def _cut(body: str, start: int, end: int, done: int, kept: list[str], cut: list[str]) -> int:
    piece = body[start:end]
    if _DELIMITER.search(piece):  # HTML only lays out Markdown tables
        return done
    kept += [body[done:start], f"\n\n\ue000{len(cut)}\ue001\n\n"]
    cut.append(piece)
    return end


def _walk(tokens: Sequence[Token], reader: _Reader, origin: str) -> Iterator[Table | Unread]:
    position = 0
    while position < len(tokens):
        token = tokens[position]
        if token.type == "heading_open":
            reader.heading(int(token.tag[1:]), tokens[position + 1].content)
            position += 2
        elif token.type == "table_open":
            rows, position = _pipe_rows(tokens, position)
            found = reader.table(rows, 1, origin)
            if found is not None:
                yield found
        elif token.type == "inline":
            yield from _text(token.content, reader)
        elif token.type in {"fence", "code_block"}:
            yield from _code(token.content, reader)
        elif token.type == "html_block":
            yield from _html(token.content, reader)
        position += 1


def _pipe_rows(tokens: Sequence[Token], position: int) -> tuple[list[list[Cell]] | None, int]:
    rows: list[list[Cell]] = []
    cells = 0
    head = True
    while tokens[position].type != "table_close":
        token = tokens[position]
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "thead_close":
            head = False
        elif token.type == "inline":
            cells += 1
            if cells <= MAX_CELLS:
                rows[-1].append(make_cell(token.content, head=head))
        position += 1
    return (rows if cells <= MAX_CELLS else None), position


def _text(content: str, reader: _Reader) -> Iterator[Table | Unread]:
    mark = _MARK.fullmatch(content.strip())
    if mark is None:
        reader.paragraph(content)
        return
    index = int(mark[1])
    source = reader.html[index] if index < len(reader.html) else ""
    if len(source) > _MAX_HTML:
        reader.count += 1
        yield Unread("too_large", reader.count)
        return
    for table in html_tables(source):
        head = 0
        for row in table.rows or ():
            if not all(c.head or not c.text for c in row):
                break
            head += 1
        found = reader.table(table.rows, head, "html", table.caption)
        if found is not None:
            yield found


def _code(content: str, reader: _Reader) -> Iterator[Table | Unread]:
    if "|" in content and _DELIMITER.search(content):
        inner = _Reader((), dict(reader.titles), list(reader.texts), reader.count)
        yield from _walk(_parser().parse(textwrap.dedent(content)), inner, "code")
        reader.count = inner.count
    else:
        reader.paragraph(content.strip().rpartition("\n")[2][:200])


def _html(content: str, reader: _Reader) -> Iterator[Table | Unread]:
    for mark in _MARK.finditer(content):
        yield from _text(mark[0], reader)
    for heading in _HTML_HEADING.finditer(content):
        reader.heading(int(heading[1]), heading[2])
    if not _MARK.search(content) and not _HTML_HEADING.search(content):
        start = content[:_MAX_CONTEXT]
        if visible(start):
            reader.paragraph(start)
