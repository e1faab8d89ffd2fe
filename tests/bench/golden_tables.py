"""How well a reader of README tables does on tables labelled by hand: `make bench-golden`.

Reads the labelled cards, runs the reader on each whole README, and compares its reports with the labels:
`golden_scores.py` says what is counted, `labels.py` when a report says what a label says. Prints
precision and recall and writes `bench/out/golden-<part>.json`. Cards are never part of the repository:
they come from `MODELLENS_SNAPSHOT_DIR` or ../shared/data.
"""

import argparse
import hashlib
import os
import platform
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from modellens_core.schema import Reject, Report
from modellens_core.sources.hub.readme_tables import read_readme
from modellens_core.store.lake import write_json
from tests.bench.golden_scores import Reader, Scored, figures, score_card
from tests.bench.labels import LabelledTable, parse_labels

ROOT = Path(__file__).resolve().parents[2]
LABELS = ROOT / "tests/golden/hub_labels"
PARTS = ("dev", "held_out")
PACKAGES = ("huggingface_hub", "markdown-it-py")
FEWEST = 3  # tables of a tag that is printed; the file holds all tags


def default_reader(text: str, repo_id: str) -> Iterable[Report | Reject]:
    """The project's own reader."""
    return read_readme(
        text, repo_id, source_url=None, source_revision=None,
        retrieved_at=datetime(2022, 1, 1, tzinfo=UTC),
    )  # fmt: skip


def read_cards(origin: Path, repos: Iterable[str]) -> dict[str, bytes]:
    """The READMEs of repositories from a folder or a tar file that holds `models/<repo>/README.md`."""
    wanted = {f"models/{repo}/README.md": repo for repo in repos}
    if origin.is_dir():
        paths = {repo: origin / name for name, repo in wanted.items()}
        return {repo: path.read_bytes() for repo, path in paths.items() if path.is_file()}
    return dict(_from_tar(origin, wanted))


def _from_tar(origin: Path, wanted: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(origin) as archive:
        for member in archive:
            repo = wanted.get(member.name.removeprefix("./"))
            content = archive.extractfile(member) if repo else None
            if repo and content:
                yield repo, content.read()


def default_cards() -> Path:
    """Where the cards are unless a path is given."""
    snapshot = os.environ.get("MODELLENS_SNAPSHOT_DIR") or ROOT.parent / "shared/data"
    return Path(snapshot) / "hub/cards.tar.xz"


def measure(
    tables: Sequence[LabelledTable], cards: Mapping[str, bytes], reader: Reader
) -> tuple[list[Scored], list[str]]:
    """Score every labelled table whose card is at hand in the labelled version; and the other cards."""
    by_repo: dict[str, list[LabelledTable]] = {}
    for table in tables:
        by_repo.setdefault(table.repo, []).append(table)
    scored: list[Scored] = []
    other: list[str] = []
    for repo, own in by_repo.items():
        content = cards.get(repo, b"")
        if any(hashlib.sha256(content).hexdigest() != table.sha256 for table in own):
            other.append(repo)
        else:
            scored += score_card(content.decode("utf-8"), own, reader)
    return scored, other


def show(console: Console, result: Mapping[str, Any], title: str) -> None:
    """Print the figures."""
    common = {tag: row for tag, row in result["by_tag"].items() if row["tables"] >= FEWEST}
    for heading, rows in ((title, result["levels"]), ('by tag, level "all"', common)):
        table = Table(title=heading, title_justify="left")
        for column in ("", "tables", "cells", "found", "false", "P", "R", "macro P", "macro R"):
            table.add_column(column, justify="left" if not column else "right")
        for name, row in rows.items():
            counts = (str(row[key]) for key in ("tables", "demanded", "found", "false"))
            shares = (
                _percent(row[k]) for k in ("precision", "recall", "macro_precision", "macro_recall")
            )
            table.add_row(name.replace("_", " "), *counts, *shares)
        console.print(table)
    empty = result["tables_without_results"]
    console.print(
        f"{result['tables']} tables of {result['cards']} cards; cells: {result['cells']}; "
        f"tables without results: {empty['tables']}, of which {empty['with_a_report']} got a report"
    )


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"


def show_worst(console: Console, scored: Iterable[Scored], most: int) -> None:
    """Print the tables with most cells missed and reports false."""
    worst = sorted(scored, key=lambda s: -(len(s.missed) + len(s.false)))[:most]
    for s in worst:
        count = s.counts["all"]
        console.print(
            f"\n{s.table.repo} line {s.table.line} {list(s.table.tags)}: found {count.found} of "
            f"{count.demanded}, false {count.false}", markup=False, highlight=False,
        )  # fmt: skip
        for sign, items in (("missed", s.missed), ("false ", s.false)):
            for item in items[:6]:
                console.print(f"  {sign} {item}", markup=False, highlight=False, soft_wrap=True)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.golden_tables")
    parser.add_argument("--part", choices=PARTS, default="dev")
    parser.add_argument(
        "--cards", type=Path, help="folder or tar file with models/<repo>/README.md"
    )
    parser.add_argument("--show", type=int, default=0, metavar="N", help="the N worst tables")
    options = parser.parse_args()
    if options.show and options.part == "held_out":
        parser.error(
            "--show is refused for held_out: who looks at it can no longer be judged by it"
        )
    console = Console()
    file, origin = LABELS / f"{options.part}.yaml", options.cards or default_cards()
    for needed, what in ((file, "labels"), (origin, "cards")):
        if not needed.exists():
            console.print(f"skipped: no {what} at {needed}", soft_wrap=True)
            return
    tables = parse_labels(file.read_text(encoding="utf-8"))
    cards = read_cards(origin, {table.repo for table in tables})
    scored, other = measure(tables, cards, default_reader)
    if other:
        console.print(f"not scored, absent or another version: {', '.join(other)}", soft_wrap=True)
    result = {
        "part": options.part,
        **figures(scored),
        "not_scored": len(other),
        "machine": {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count(),
                    "python": platform.python_version()},
        "versions": {name: version(name) for name in PACKAGES},
    }  # fmt: skip
    show(console, result, f"README tables against labels, part {options.part}")
    if options.show:
        show_worst(console, scored, options.show)
    out = ROOT / "bench/out" / f"golden-{options.part}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    write_json(out, result)
    console.print(f"written to {out.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
