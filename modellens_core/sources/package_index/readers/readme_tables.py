"""Reads result tables out of a package's README, which a wheel carries as its long description.

Only the tables that `wheels.toml` describes: which heading they stand under, which column is the model
and what each score column means. Nothing is guessed; a described table that is not there is reported.
"""

import re
from collections.abc import Iterator, Sequence
from email.parser import HeaderParser

from markdown_it import MarkdownIt
from markdown_it.token import Token

from modellens_core.schema import ModelFact
from modellens_core.sources.package_index.catalogue import TableSpec, Wheel
from modellens_core.sources.package_index.scores import Found, ResultFile, Score, reject

FILES = ("*.dist-info/METADATA",)

_SUMMARY = re.compile(r"<summary>(.*?)</summary>", re.DOTALL)
_NO_VALUE = "\u2014\u2013- "  # a dash of any length
_FOOTNOTE_MARKS = " †‡△▲*"

Row = dict[str, str]


def read(wheel: Wheel, files: Sequence[ResultFile]) -> Iterator[Found]:
    """Read the described tables of a package's README.

    Yields:
        Scores and model facts; a reject per described table that the README does not have.
    """
    for file in files:
        tables = list(_tables(str(HeaderParser().parsestr(file.text).get_payload())))
        for spec in wheel.tables:
            columns = {spec.model_column, *(score.column for score in spec.scores)}
            fitting = [rows for s, rows in tables if s == spec.section and columns <= set(rows[0])]
            if not fitting:
                yield reject(wheel, file, "table_not_found", f"{spec.section}: {sorted(columns)}")
            for row in fitting[0] if fitting else ():
                yield from _row(wheel, file, spec, row)


def _row(wheel: Wheel, file: ResultFile, spec: TableSpec, row: Row) -> Iterator[Found]:
    model = row[spec.model_column].strip(_FOOTNOTE_MARKS)
    millions = row.get(spec.params_column or "", "")
    params = float(millions) / 1e3 if re.fullmatch(r"[0-9]+(\.[0-9]+)?", millions) else None
    yield ModelFact(
        source=wheel.source,
        raw_model=model,
        params_b=params,
        params_origin="source" if params is not None else None,
        description=f"{model} model for {spec.task}.",
    )
    for score in spec.scores:
        if row[score.column].strip(_NO_VALUE):
            yield Score(
                file=file,
                model=model,
                dataset=score.dataset,
                task=spec.task,
                metric=score.metric,
                raw=row[score.column],
                setting={**spec.setting, **score.setting},
            )


def _tables(markdown: str) -> Iterator[tuple[str, list[Row]]]:
    """Every table with at least one row, and the heading or `<summary>` it stands under."""
    section = ""
    header: list[str] = []
    rows: list[Row] = []
    cells: list[str] = []
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    for i, token in enumerate(tokens):
        match token.type:
            case "heading_open":
                section = _plain(tokens[i + 1])
            case "html_block" if summary := _SUMMARY.search(token.content):
                section = summary[1].strip()
            case "table_open":
                header, rows = [], []
            case "tr_open":
                cells = []
            case "inline" if token.level and tokens[i - 1].type in {"th_open", "td_open"}:
                cells.append(_plain(token))
            case "tr_close" if not header:
                header = cells
            case "tr_close":
                rows.append(dict(zip(header, cells, strict=False)))
            case "table_close" if rows:
                yield section, rows


def _plain(token: Token) -> str:
    """Text of a cell or heading; a line break within it counts as a space, other markup as nothing."""
    parts = []
    for child in token.children or []:
        if child.type in {"text", "code_inline"}:
            parts.append(child.content)
        elif child.type in {"softbreak", "hardbreak"} or child.content.startswith("<br"):
            parts.append(" ")
    return "".join(parts).strip()
