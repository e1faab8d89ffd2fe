"""The Papers-with-Code archive: results as papers published them, and a catalogue of datasets.

The dump is a tree (task, its datasets, their sub-datasets, their leaderboard rows; and sub-tasks, again
and again); values are text as somebody typed it. Reading that tree belongs here; what a value, a metric
or a name means does not. The site closed in 2025, so nothing newer will come from it.
"""

import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from modellens_core.config import Settings
from modellens_core.errors import SourceCorruptError
from modellens_core.progress import Progress
from modellens_core.schema import DatasetFact, Item, ModelFact, Reject, Report, Tier
from modellens_core.sources.base import Collected, RawTables
from modellens_core.sources.local import LocalFile, collect_files, read_parquet
from modellens_core.sources.values import EMPTY, Refusal, parse_value

SOURCE = "papers_with_code"
EXTRACTOR = "papers_with_code/1"

TABLES = pa.schema(
    [
        pa.field("task_path", pa.string(), nullable=False),  # "Parsing / Dependency Parsing"
        pa.field("task", pa.string(), nullable=False),
        pa.field("parent_dataset", pa.string()),  # of a sub-dataset
        pa.field("dataset", pa.string(), nullable=False),
        pa.field("json", pa.string(), nullable=False),  # the dataset's object, without sub-datasets
    ]
)

_LANGUAGES = {
    "arabic": "ar", "bengali": "bn", "bulgarian": "bg", "chinese": "zh", "czech": "cs", "danish": "da",
    "dutch": "nl", "english": "en", "estonian": "et", "finnish": "fi", "french": "fr", "german": "de",
    "greek": "el", "hebrew": "he", "hindi": "hi", "hungarian": "hu", "indonesian": "id",
    "italian": "it", "japanese": "ja", "kannada": "kn", "korean": "ko", "malayalam": "ml",
    "mandarin chinese": "zh", "marathi": "mr", "norwegian": "no", "persian": "fa", "polish": "pl",
    "portuguese": "pt", "romanian": "ro", "russian": "ru", "spanish": "es", "swedish": "sv",
    "tamil": "ta", "telugu": "te", "thai": "th", "turkish": "tr", "ukrainian": "uk", "urdu": "ur",
    "vietnamese": "vi",
}  # fmt: skip
_MODALITIES = {
    "images": "image", "hyperspectral images": "image", "rgb-d": "image", "stereo": "image", "mri": "image",
    "texts": "text", "dialog": "text", "lyrics": "text", "videos": "video", "rgb video": "video",
    "audio": "audio", "speech": "audio", "music": "audio", "midi": "audio", "graphs": "graph",
    "tabular": "tabular", "tables": "tabular", "time series": "time-series", "eeg": "time-series",
    "environment": "reinforcement-learning", "replay data": "reinforcement-learning",
}  # fmt: skip
_PARAMETERS = frozenset({"params", "parameters", "number of params", "trainable parameters"})
_COUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([kmb])", re.IGNORECASE)
_BILLIONS = {"k": 1e-6, "m": 1e-3, "b": 1.0}
_ATTRIBUTION = re.compile(r"^\s*(image )?source\s*:.*", re.IGNORECASE | re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKUP = re.compile(r"</?[a-z][^>]{0,200}>|\*\*|__", re.IGNORECASE)


def read_tables(path: Path) -> pa.Table:
    """Flatten the gzipped tree: one row per task and dataset, the leaderboard as JSON text.

    Raises:
        SourceCorruptError: the archive is cut short, or is not a list of tasks.
    """
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            tasks = json.load(file)
        rows = [row for task in tasks for row in _flatten(task, ())]
    except (EOFError, OSError, zlib.error) as error:
        raise SourceCorruptError(
            f"{path.name} is not a whole gzip file ({error}); fetch it again"
        ) from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"[:120]
        raise SourceCorruptError(
            f"{path.name} is not the JSON of evaluation tables ({reason}); fetch it again"
        ) from None
    return pa.Table.from_pylist(rows, schema=TABLES)


def _flatten(task: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[dict[str, str | None]]:
    path = (*above, str(task["task"]))
    for dataset in task.get("datasets") or ():
        yield from _flatten_dataset(dataset, path, None)
    for child in task.get("subtasks") or ():
        yield from _flatten(child, path)


def _flatten_dataset(
    dataset: Mapping[str, Any], path: tuple[str, ...], parent: str | None
) -> Iterator[dict[str, str | None]]:
    name = str(dataset["dataset"])
    own = {k: v for k, v in dataset.items() if k != "subdatasets"}
    yield {
        "task_path": " / ".join(path),
        "task": path[-1],
        "parent_dataset": parent,
        "dataset": name,
        "json": json.dumps(own, ensure_ascii=False),
    }
    for child in dataset.get("subdatasets") or ():
        yield from _flatten_dataset(child, path, full_name(parent, name))


def full_name(parent: str | None, name: str) -> str:
    """Name of a sub-dataset that can stand alone: "GLUE" and "SST-2" give "GLUE SST-2"."""
    if parent is None or name.casefold().startswith(parent.casefold()):
        return name
    return f"{parent} {name}"


FILES: Mapping[str, LocalFile] = {
    "tables": LocalFile("papers_with_code/evaluation-tables-2020-08-28.json.gz", read_tables),
    "datasets": LocalFile(
        "papers_with_code/datasets-2022.parquet",
        read_parquet,
        required=("name", "description"),
        expected=("url", "modalities", "tasks", "languages", "variants"),
    ),
}


def collect_papers_with_code(
    settings: Settings, previous: RawTables, progress: Progress
) -> Collected:
    """Read the dump of the evaluation tables and the catalogue of datasets."""
    return collect_files(SOURCE, FILES, settings, previous, progress)


def parse_papers_with_code(raw: RawTables) -> Iterator[Item]:
    """Yield reports, rejects, what the papers say about models, and dataset descriptions."""
    papers: dict[str, tuple[date, str, str]] = {}
    sizes: dict[str, float] = {}
    datasets: set[str] = set()
    for row in _rows(raw, "tables"):
        dataset = full_name(row["parent_dataset"], row["dataset"])
        datasets.add(dataset)
        content = json.loads(row["json"])
        if description := clean_description(content.get("description")):
            yield DatasetFact(
                source=SOURCE, raw_dataset=dataset, raw_task=row["task"], description=description
            )
        for position, entry in enumerate((content.get("sota") or {}).get("rows") or ()):
            where = f"{row['task']}: {dataset}, row {position}"
            yield from _scores(entry, row, dataset, where)
            _remember_paper(papers, entry)
            _remember_size(sizes, entry)
    for model in papers.keys() | sizes.keys():
        published, title, url = papers.get(model, (None, "", ""))
        yield ModelFact(
            source=SOURCE,
            raw_model=model,
            params_b=sizes.get(model),
            params_origin="source" if model in sizes else None,
            released_at=published,
            description=title or None,
            url=url or None,
        )
    yield from _catalogue(raw, datasets)


def _rows(raw: RawTables, table: str) -> list[dict[str, Any]]:
    return raw[table].to_pylist() if table in raw else []


def _scores(
    entry: Mapping[str, Any], row: Mapping[str, Any], dataset: str, where: str
) -> Iterator[Item]:
    model, metrics = str(entry.get("model_name") or "").strip(), entry.get("metrics")
    if not isinstance(metrics, dict):
        yield _reject(where, "malformed_row", "a row needs metrics", json.dumps(entry))
        return
    if not model:
        yield _reject(where, "no_model_name", "", json.dumps(metrics))
        return
    for metric, written in metrics.items():
        parsed = parse_value(written)
        if isinstance(parsed, Refusal):
            if parsed != EMPTY:  # nothing was claimed
                yield _reject(f"{where}, {metric}", parsed.reason, model, str(written))
            continue
        retrieved_at: datetime = row["_retrieved_at"]
        yield Report(
            source=SOURCE,
            tier=Tier.ARCHIVE,
            raw_model=model,
            raw_dataset=dataset,
            raw_task=row["task"],
            raw_metric=metric,
            raw_value=parsed.text,
            value=parsed.value,
            unit=parsed.unit,
            setting=(
                {"model.extra_training_data": "true"} if entry.get("uses_additional_data") else {}
            ),
            source_url=entry.get("paper_url") or None,
            source_revision=row["_sha256"],
            retrieved_at=retrieved_at,
            evaluated_at=_date(entry.get("paper_date")),
            extractor=EXTRACTOR,
        )


def _reject(where: str, reason: str, detail: str, raw: str) -> Reject:
    return Reject(
        source=SOURCE, tier=Tier.ARCHIVE, where=where, reason=reason, detail=detail, raw=raw
    )


def _remember_paper(papers: dict[str, tuple[date, str, str]], entry: Mapping[str, Any]) -> None:
    """Keep the earliest paper of each model: it is the one that introduced it."""
    published = _date(entry.get("paper_date"))
    model = str(entry.get("model_name") or "").strip()
    if published is None or not model:
        return
    paper = (published, entry.get("paper_title") or "", entry.get("paper_url") or "")
    papers[model] = min(papers.get(model, paper), paper)


def _remember_size(sizes: dict[str, float], entry: Mapping[str, Any]) -> None:
    """Keep the parameters stated among the metrics ("44M"); of several statements, the largest."""
    for metric, written in (entry.get("metrics") or {}).items():
        count = _COUNT.fullmatch(str(written).strip())
        if metric.strip().lower() in _PARAMETERS and count is not None:
            model = str(entry.get("model_name") or "").strip()
            stated = float(count[1]) * _BILLIONS[count[2].lower()]
            sizes[model] = max(stated, sizes.get(model, 0.0))


def _catalogue(raw: RawTables, scored: set[str]) -> Iterator[DatasetFact]:
    """Descriptions of all datasets, and of those variants that somebody reported scores on."""
    wanted = {name.casefold(): name for name in sorted(scored)}
    for row in _rows(raw, "datasets"):
        description = clean_description(row["description"])
        variants = _split(row.get("variants"))
        named = {row["name"], *(wanted[v.casefold()] for v in variants if v.casefold() in wanted)}
        for name in sorted(named):
            yield DatasetFact(
                source=SOURCE,
                raw_dataset=name,
                raw_task=next(iter(_split(row.get("tasks"))), None),
                description=description,
                languages=tuple(
                    _LANGUAGES.get(x.casefold(), x.casefold()) for x in _split(row.get("languages"))
                ),
                modality=_modality(_split(row.get("modalities"))),
                url=row.get("url"),
            )


def _modality(names: list[str]) -> str | None:
    """One modality for a dataset; several that differ make it multimodal."""
    found = {_MODALITIES[n.casefold()] for n in names if n.casefold() in _MODALITIES}
    return found.pop() if len(found) == 1 else "multimodal" if found else None


def clean_description(text: str | None) -> str | None:
    """Prose of a description: attribution, links, HTML and emphasis taken off; None if nothing is left."""
    prose = _LINK.sub(r"\1", _ATTRIBUTION.sub("", text or ""))
    return " ".join(_MARKUP.sub("", prose).split()) or None


def _split(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(";") if part.strip()]


def _date(stated: str | None) -> date | None:
    try:
        return date.fromisoformat((stated or "")[:10])
    except ValueError:
        return None
