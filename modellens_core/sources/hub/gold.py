"""Gold tier: results that a repository holds in `.eval_results/*.yaml`, as the listing carries them.

An entry names a benchmark, a task and a number; what the number means follows from
`gold_benchmarks.yaml`. Results from open pull requests are somebody else's claim until they are merged.
The raw JSON is read, because the client's own objects drop `filename`, `verified` and `pullRequest`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from modellens_core.config import PUBLIC_HUB
from modellens_core.errors import ConfigError
from modellens_core.schema import Item, Reject, Report, ReportedBy, Tier, Unit
from modellens_core.sources.base import RawTables
from modellens_core.sources.hub.raw_tables import SOURCE, Listed, iter_models
from modellens_core.sources.values import ParsedValue, Refusal, parse_value

EXTRACTOR = "hub_gold/1"
UNKNOWN = "unknown"
TABLE = Path(__file__).with_name("gold_benchmarks.yaml")
_SHORT_NOTE = 40  # longer notes tell the story of a run, they name no protocol
_AGENT = re.compile(r"agent(?: harness)?\s*[:=]\s*(.+)", re.IGNORECASE)
_NO_TOOLS = re.compile(r"(?:no|without|w/o)[ -]*tools?", re.IGNORECASE)
_WITH_TOOLS = re.compile(r"(?:with|w/|using)[ -]*tools?", re.IGNORECASE)
_HUB_HOSTS = frozenset({urlsplit(PUBLIC_HUB).hostname, "hf.co"})
_NOT_MODELS = frozenset(
    {"datasets", "spaces", "papers", "blog", "docs", "collections", "posts", "api"}
)


class _Task(BaseModel):
    """How one task of a benchmark differs from the others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    aliases: tuple[str, ...] = ()
    metric: str | None = None
    unit: Unit | None = None
    lower_is_better: bool | None = None


class _Benchmark(BaseModel):
    """One entry of the table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: str
    metric: str
    unit: Unit
    lower_is_better: bool
    tasks: Mapping[str, _Task | tuple[str, ...]] = Field(min_length=1)

    def find(self, task_id: str | None) -> tuple[str | None, _Task]:
        """The task's own id and what is special about it; unknown ids stand for themselves."""
        named = {n: t if isinstance(t, _Task) else _Task(aliases=t) for n, t in self.tasks.items()}
        if task_id is None and len(named) == 1:
            return next(iter(named.items()))
        for name, task in named.items():
            if task_id in {name, *task.aliases}:
                return name, task
        return task_id, _Task()


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a result of one (benchmark, task) measures; all None for one that is not in the table."""

    task_id: str | None
    raw_task: str | None = None
    metric: str = UNKNOWN
    unit: Unit | None = None
    lower_is_better: bool | None = None


@cache
def _table() -> Mapping[str, _Benchmark]:
    try:
        raw = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
        known = TypeAdapter(dict[str, _Benchmark]).validate_python(raw)
    except (yaml.YAMLError, ValidationError) as error:
        raise ConfigError(f"{TABLE.name} is not usable: {str(error).splitlines()[0]}") from None
    return {name.casefold(): benchmark for name, benchmark in known.items()}


def meaning(dataset_id: str, task_id: str | None) -> Meaning:
    """Look a benchmark up. Total: an unknown one keeps its task id and gets the metric "unknown".

    Raises:
        ConfigError: the shipped table is damaged.
    """
    benchmark = _table().get(dataset_id.casefold())
    if benchmark is None:
        return Meaning(task_id)
    name, task = benchmark.find(task_id)
    lower = benchmark.lower_is_better if task.lower_is_better is None else task.lower_is_better
    return Meaning(
        name, benchmark.task, task.metric or benchmark.metric, task.unit or benchmark.unit, lower
    )


def parse_hub_gold(raw: RawTables) -> Iterator[Item]:
    """Yield a report or a reject for every entry of every `.eval_results` file."""
    for model in iter_models(raw, with_readmes=False):
        entries = model.listing.get("evalResults") or []
        if not isinstance(entries, list):
            yield _reject(model, "evalResults", "malformed_results", entries)
            continue
        for entry in entries:
            yield _read(model, entry)


def _read(model: Listed, entry: object) -> Item:
    if not isinstance(entry, dict):
        return _reject(model, "evalResults", "malformed_entry", entry)
    where = str(entry.get("filename") or "evalResults")
    pull_request = entry.get("pullRequest")
    if pull_request is not None:
        where += f", pull request {pull_request}"
    if refused := _refusal(model.repo_id, entry):
        return _reject(model, where, refused, entry, str(entry.get("error") or ""))
    data, dataset = entry["data"], entry["data"]["dataset"]
    value = parse_value(data["value"])
    assert isinstance(value, ParsedValue)
    known = _meaning_of(dataset)
    page = f"discussions/{pull_request}" if pull_request else f"blob/main/{entry.get('filename')}"
    return Report(
        source=SOURCE,
        tier=Tier.GOLD,
        raw_model=model.repo_id,
        raw_dataset=str(dataset["id"]),
        raw_task=known.raw_task,
        raw_metric=known.metric,
        raw_value=value.text,
        value=value.value,
        unit=value.unit or known.unit,
        lower_is_better=known.lower_is_better,
        setting={
            "task_id": known.task_id,
            # Part of a run's identity, but groups across dataset revisions are still comparable.
            "model.dataset_revision": dataset.get("revision"),
            **_notes(data.get("notes")),
        },
        source_url=f"{model.url}/{page}",
        source_revision=model.sha,
        retrieved_at=model.retrieved_at,
        evaluated_at=_date(data.get("date")),
        verified=entry.get("verified") is True,
        reported_by=ReportedBy.THIRD_PARTY if pull_request else ReportedBy.AUTHOR,
        extractor=EXTRACTOR,
    )


def _refusal(repo_id: str, entry: Mapping[str, Any]) -> str | None:
    """Why an entry is no result, or None if it is one."""
    data = entry.get("data")
    if not isinstance(data, dict):
        return "invalid_file" if entry.get("error") else "malformed_entry"
    dataset = data.get("dataset")
    if not isinstance(dataset, dict) or not str(dataset.get("id") or "").strip():
        return "no_dataset"
    value = parse_value(data.get("value"))
    if isinstance(value, Refusal):
        return value.reason
    if _quotes_another_model(repo_id, data.get("source")):
        return "quotes_another_model"
    # 0.412 on a benchmark posted in percent: a proportion, or next to nothing. Nobody can tell.
    posted_in = None if value.unit is Unit.PERCENT else _meaning_of(dataset).unit
    return "ambiguous_scale" if posted_in is Unit.PERCENT and 0 < abs(value.value) <= 1 else None


def _meaning_of(dataset: Mapping[str, Any]) -> Meaning:
    task_id = dataset.get("task_id")
    return meaning(str(dataset["id"]), str(task_id) if task_id is not None else None)


def _notes(notes: object) -> dict[str, str]:
    """What the free text says: tools and short protocol names set results apart, long text is a remark."""
    text = " ".join(notes.split()).rstrip(".") if isinstance(notes, str) else ""
    if not text or _NO_TOOLS.fullmatch(text):
        return {}  # by convention a result without notes is one without tools
    if agent := _AGENT.fullmatch(text):
        return {"model.agent": agent[1]}
    if _WITH_TOOLS.fullmatch(text):
        return {"tools": "with tools"}
    return {"notes": text.lower()} if len(text) <= _SHORT_NOTE else {"model.notes": text}


def _quotes_another_model(repo_id: str, source: object) -> bool:
    """Whether the evidence is the card of another model: a fine-tune that posts its parent's numbers."""
    parts = urlsplit(str(source.get("url") or "") if isinstance(source, dict) else "")
    path = [p for p in parts.path.split("/") if p]
    if parts.hostname not in _HUB_HOSTS or len(path) < 2 or path[0] in _NOT_MODELS:
        return False
    is_card = len(path) == 2 or path[-1].lower() == "readme.md"
    return is_card and "/".join(path[:2]).casefold() != repo_id.casefold()


def _date(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def _reject(model: Listed, where: str, reason: str, raw: object, detail: str = "") -> Reject:
    return Reject(
        source=SOURCE, tier=Tier.GOLD, where=f"{model.repo_id} {where}", reason=reason, detail=detail,
        raw=str(raw),
    )  # fmt: skip
