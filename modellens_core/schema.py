"""The record: what one reported score is, and the Arrow schema of every shared table.

This is the one definition of the columns. Sources build `Report`, `ModelFact`, `DatasetFact` and
`Reject` objects; `StagingBatch` turns them into Arrow tables of the schemas below; SQL in `sql/` reads
those tables. No I/O, no parsing and no normalisation belongs here.

A report keeps what the source wrote (`raw_*`) beside the number read from it (`value`). Which model,
dataset, task and metric are meant is decided later, in the corpus layer.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import pyarrow as pa


class Tier(StrEnum):
    """How a score reached us; precedence between duplicates follows from it (sql/corpus/records.sql)."""

    GOLD = "gold"  # structured results in a model repository (.eval_results)
    SILVER = "silver"  # model-index metadata of a model card
    BRONZE = "bronze"  # tables in a README
    LEADERBOARD = "leaderboard"  # the benchmark owner's or library owner's own table
    ARCHIVE = "archive"  # a catalogue of published results (Papers with Code)


class ReportedBy(StrEnum):
    """Who ran or published the evaluation."""

    AUTHOR = "author"
    THIRD_PARTY = "third_party"
    OWNER = "owner"  # the owner of the benchmark or of the leaderboard
    UNKNOWN = "unknown"


class Unit(StrEnum):
    """The unit a source states for a value. Never guessed from one value."""

    PERCENT = "percent"
    PROPORTION = "proportion"
    RAW = "raw"  # seconds, points, perplexity: the metric's own scale


def canonical_setting(setting: Mapping[str, Any]) -> str:
    """Serialise an evaluation setting so that equal settings are equal strings.

    Args:
        setting: config, split, language, shots, protocol, notes, ...; empty and None values are dropped.

    Returns:
        JSON with sorted keys and string values, `{}` if nothing is set.
    """
    kept = {k: str(v).strip() for k, v in setting.items() if v is not None and str(v).strip()}
    return json.dumps(dict(sorted(kept.items())), ensure_ascii=False, separators=(",", ":"))


def stable_id(*parts: object) -> str:
    """Hash parts into 16 hex digits; the same parts give the same id on every machine and run."""
    text = "\x1f".join("" if p is None else str(p) for p in parts)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One reported score in the words of its source (grain of `staging/*/reports`)."""

    source: str  # origin: "openmmlab", "hub", "open_llm_leaderboard_v2", ...
    tier: Tier
    raw_model: str
    raw_dataset: str
    raw_metric: str
    raw_value: str  # exactly as written: "92.1%", "83.2 (±0.3)"
    value: float  # the number in raw_value, finite, not rescaled: 92.1, 83.2
    raw_task: str | None = None
    unit: Unit | None = None  # only where the source states it ("%" or its documentation)
    lower_is_better: bool | None = None  # only where the source states it
    setting: Mapping[str, Any] = field(default_factory=dict)
    source_url: str | None = None
    source_revision: str | None = None
    retrieved_at: datetime  # timezone-aware, UTC
    evaluated_at: date | None = None
    verified: bool = False
    reported_by: ReportedBy = ReportedBy.UNKNOWN
    extractor: str  # name/version of the code (or model and prompt) that read it

    @property
    def report_id(self) -> str:
        """Identity of this report: what was said, and where. Independent of when it was read."""
        return stable_id(
            self.source, self.tier, self.raw_model, self.raw_dataset, self.raw_task, self.raw_metric,
            self.raw_value, canonical_setting(self.setting), self.source_url,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFact:
    """What a source says about a model (grain of `staging/*/models`); unknown fields stay None."""

    source: str
    raw_model: str
    params_b: float | None = None  # parameters in billions
    params_origin: str | None = None  # "safetensors", "config", "name", "source"
    license: str | None = None
    base_model: str | None = None
    architecture: str | None = None  # config.architectures[0] or the source's family name
    library: str | None = None
    pipeline_tag: str | None = None
    languages: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    trained_on: tuple[str, ...] = ()  # training datasets
    released_at: date | None = None
    downloads: int | None = None
    likes: int | None = None
    description: str | None = None  # prose only; features strip numbers and tables again
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetFact:
    """What a source says about a dataset (grain of `staging/*/datasets`)."""

    source: str
    raw_dataset: str
    raw_task: str | None = None
    description: str | None = None
    languages: tuple[str, ...] = ()
    modality: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """Something that looked like a score (or its container) and was refused, with the reason."""

    source: str
    tier: Tier
    where: str  # locator: repo id, file and position
    reason: str  # a slug, counted in the summary: "not_a_number", "malformed_yaml"
    detail: str = ""
    raw: str = ""  # at most 300 characters of what was refused


_TEXTS = pa.list_(pa.string())
_TIME = pa.timestamp("us", tz="UTC")

REPORTS = pa.schema(
    [
        pa.field("report_id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("tier", pa.string(), nullable=False),
        pa.field("raw_model", pa.string(), nullable=False),
        pa.field("raw_dataset", pa.string(), nullable=False),
        pa.field("raw_task", pa.string()),
        pa.field("raw_metric", pa.string(), nullable=False),
        pa.field("raw_value", pa.string(), nullable=False),
        pa.field("value", pa.float64(), nullable=False),
        pa.field("unit", pa.string()),
        pa.field("lower_is_better", pa.bool_()),
        pa.field("setting", pa.string(), nullable=False),
        pa.field("source_url", pa.string()),
        pa.field("source_revision", pa.string()),
        pa.field("retrieved_at", _TIME, nullable=False),
        pa.field("evaluated_at", pa.date32()),
        pa.field("verified", pa.bool_(), nullable=False),
        pa.field("reported_by", pa.string(), nullable=False),
        pa.field("extractor", pa.string(), nullable=False),
    ]
)

MODELS = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("raw_model", pa.string(), nullable=False),
        pa.field("params_b", pa.float64()),
        pa.field("params_origin", pa.string()),
        pa.field("license", pa.string()),
        pa.field("base_model", pa.string()),
        pa.field("architecture", pa.string()),
        pa.field("library", pa.string()),
        pa.field("pipeline_tag", pa.string()),
        pa.field("languages", _TEXTS),
        pa.field("tags", _TEXTS),
        pa.field("trained_on", _TEXTS),
        pa.field("released_at", pa.date32()),
        pa.field("downloads", pa.int64()),
        pa.field("likes", pa.int64()),
        pa.field("description", pa.string()),
        pa.field("url", pa.string()),
    ]
)

DATASETS = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("raw_dataset", pa.string(), nullable=False),
        pa.field("raw_task", pa.string()),
        pa.field("description", pa.string()),
        pa.field("languages", _TEXTS),
        pa.field("modality", pa.string()),
        pa.field("url", pa.string()),
    ]
)

REJECTS = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("tier", pa.string(), nullable=False),
        pa.field("where", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("detail", pa.string(), nullable=False),
        pa.field("raw", pa.string(), nullable=False),
    ]
)

# Reports that their source no longer makes (grain of `staging/*/closed`).
CLOSED = REPORTS.append(pa.field("closed_at", _TIME, nullable=False))

STAGING_SCHEMAS: Mapping[str, pa.Schema] = {
    "reports": REPORTS,
    "models": MODELS,
    "datasets": DATASETS,
    "rejects": REJECTS,
}

STAGING_FILES = (*STAGING_SCHEMAS, "closed")  # every table a staging part writes

Item = Report | ModelFact | DatasetFact | Reject


def _plain(item: ModelFact | DatasetFact | Reject) -> dict[str, Any]:
    row = {f.name: getattr(item, f.name) for f in fields(item)}
    return {k: list(v) if isinstance(v, tuple) else v for k, v in row.items()}


def _report_row(report: Report) -> dict[str, Any]:
    row = asdict(report)
    row["report_id"] = report.report_id
    row["setting"] = canonical_setting(report.setting)
    return row


def staging_tables(items: Iterable[Item]) -> dict[str, pa.Table]:
    """Sort a parser's output into the four staging tables, in a stable order.

    Args:
        items: what a source's parser yields, in any order.

    Returns:
        `{"reports", "models", "datasets", "rejects"}`, each of its schema, rows sorted by identity and
        exact duplicates of a report dropped, so that equal content gives equal bytes on disk.
    """
    reports: dict[str, dict[str, Any]] = {}
    rows: dict[str, list[dict[str, Any]]] = {"models": [], "datasets": [], "rejects": []}
    for item in items:
        match item:
            case Report():
                row = _report_row(item)
                reports.setdefault(row["report_id"], row)
            case ModelFact():
                rows["models"].append(_plain(item))
            case DatasetFact():
                rows["datasets"].append(_plain(item))
            case Reject():
                row = _plain(item)
                row["raw"] = str(row["raw"])[:300]
                rows["rejects"].append(row)
    ordered = {"reports": [reports[k] for k in sorted(reports)]}
    for name, part in rows.items():
        keyed = {json.dumps(r, sort_keys=True, default=str): r for r in part}
        ordered[name] = [keyed[k] for k in sorted(keyed)]
    return {
        name: pa.Table.from_pylist(ordered[name], schema=schema)
        for name, schema in STAGING_SCHEMAS.items()
    }
