"""Reads the raw table of result files into reports, facts and rejects. Pure: no disk, no network.

Each wheel's files go to the reader its rows name; `scores.py` judges what comes back; datasets that the
reports mention and `datasets.toml` knows get a description.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from modellens_core.errors import SourceCorruptError
from modellens_core.schema import DatasetFact, Item, Report
from modellens_core.sources.base import RawTables
from modellens_core.sources.package_index import catalogue
from modellens_core.sources.package_index.catalogue import Wheel
from modellens_core.sources.package_index.readers import READERS
from modellens_core.sources.package_index.scores import ResultFile, Score, reports


def parse_package_index(raw: RawTables) -> Iterator[Item]:
    """Read every collected wheel.

    Args:
        raw: table `files` as `collect_package_index` returns it.

    Yields:
        Reports of tier "leaderboard", model and dataset facts, and a reject per refused score or file.

    Raises:
        SourceCorruptError: the table names a wheel that the catalogue does not have.
    """
    by_wheel: dict[tuple[str, str], list[ResultFile]] = defaultdict(list)
    for row in raw["files"].to_pylist():
        file = ResultFile(row["path"], row["text"], row["url"], row["retrieved_at"])
        by_wheel[(row["package"], row["version"])].append(file)
    entries = {wheel.package: wheel for wheel in catalogue.wheels()}
    for (package, version), files in sorted(by_wheel.items()):
        if package not in entries:
            raise SourceCorruptError(
                f"raw table package_index/files holds {package}, which wheels.toml does not list; "
                "collect this source again"
            )
        # Rows of an older version stay in place while the newer wheel cannot be had.
        yield from read_wheel(entries[package].model_copy(update={"version": version}), files)


def read_wheel(wheel: Wheel, files: Sequence[ResultFile]) -> Iterator[Item]:
    """Read the result files of one wheel.

    Args:
        wheel: its catalogue entry.
        files: its result files, in any order.

    Yields:
        Reports, model facts, dataset facts and rejects.
    """
    scores: list[Score] = []
    for found in READERS[wheel.reader].read(wheel, sorted(files, key=lambda file: file.path)):
        if isinstance(found, Score):
            scores.append(found)
        else:
            yield found
    mentioned: set[tuple[str, str | None]] = set()
    for item in reports(wheel, scores):
        yield item
        if isinstance(item, Report):
            mentioned.add((item.raw_dataset, item.raw_task))
    known = catalogue.known_datasets()
    for name, task in sorted(mentioned, key=lambda pair: (pair[0], pair[1] or "")):
        if fact := known.get(name):
            yield DatasetFact(
                source=wheel.source,
                raw_dataset=name,
                raw_task=task,
                description=fact.about,
                languages=fact.languages,
                modality=fact.modality,
            )
