"""Silver tier: results in the `model-index` of model cards, in every shape that people gave it.

The listing carries `model-index` for all cards whose YAML the Hub could read; where it could not and the
README is at hand, the metadata is read from there. A value that is not one clear number is refused with a
reason. Names of datasets and metrics are taken apart in `silver_names.py`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from modellens_core.config import PUBLIC_HUB
from modellens_core.schema import (
    DatasetFact,
    Item,
    Reject,
    Report,
    ReportedBy,
    Tier,
    canonical_setting,
)
from modellens_core.sources.base import RawTables
from modellens_core.sources.hub.front_matter import read_front_matter
from modellens_core.sources.hub.raw_tables import SOURCE, Listed, iter_models
from modellens_core.sources.hub.silver_names import (
    NamedDataset,
    Setting,
    name_dataset,
    name_metric,
    text_of,
)
from modellens_core.sources.hub.write_backs import WriteBack, read_write_back
from modellens_core.sources.values import ParsedValue, Refusal, parse_value

EXTRACTOR = "hub_silver/2"
_AGGREGATES = frozenset({"average", "avg", "avg.", "mean", "overall", "average score", "total"})
_Metric = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Result:
    """What all metrics of one result share."""

    model: Listed
    where: str
    task: str | None
    dataset: NamedDataset
    write_back: WriteBack | None


_Found = Reject | tuple[_Result, list[Any]]


def parse_hub_silver(raw: RawTables) -> Iterator[Item]:
    """Yield reports and rejects of all cards, then the datasets under their usual names."""
    names: Counter[tuple[str, str | None, str, bool]] = Counter()
    for model in iter_models(raw, with_readmes=True):
        index, broken = _model_index(model)
        if broken:
            yield _reject(model, "front matter", "malformed_yaml", "")
        for found in _told_apart(list(_results(model, index))):
            if isinstance(found, Reject):
                yield found
                continue
            result, metrics = found
            yield from _reports(result, metrics)
            if result.dataset.name is not None and metrics:
                dataset = result.dataset
                names[dataset.raw, result.task, dataset.name or "", dataset.is_id] += 1
    yield from _dataset_facts(names)


def _model_index(model: Listed) -> tuple[object, bool]:
    """The `model-index` of a card, and whether there is one that cannot be read."""
    card = model.card_data
    index = model.listing.get("model-index") or (card or {}).get("model-index")
    if index is not None or card is not None or model.readme is None:
        return index, False
    matter = read_front_matter(model.readme)
    lost = "model-index" in matter.broken or ("" in matter.broken and "model-index" in model.readme)
    return matter.data.get("model-index"), lost


def _results(model: Listed, index: object) -> Iterator[_Found]:
    """Walk down to single results, whatever the nesting."""
    for i, entry in enumerate(_several(index)):
        where = f"model-index[{i}]"
        if not isinstance(entry, dict):
            yield _reject(model, where, "malformed_model_index", entry)
            continue
        for j, result in enumerate(_several(entry.get("results"))):
            place = f"{where}.results[{j}]"
            if not isinstance(result, dict):
                yield _reject(model, place, "malformed_result", result)
                continue
            yield _result(model, place, result)


def _told_apart(found: list[_Found]) -> Iterator[_Found]:
    """Take the name for the dataset where one card has several names under one id.

    Suites do that: thirteen forums of CQADupstack are all "BeIR/cqadupstack". Under the id alone they
    would be one record that contradicts itself.
    """
    names: dict[object, set[str]] = {}
    for item in found:
        if not isinstance(item, Reject):
            names.setdefault(_place(item[0]), set()).add(_spelling(item[0].dataset))
    for item in found:
        if isinstance(item, Reject) or len(names[_place(item[0])]) == 1:
            yield item
            continue
        result, metrics = item
        named = result.dataset
        apart = replace(named, raw=named.name or named.raw, name=None, is_id=False)
        yield replace(result, dataset=apart), metrics


def _place(result: _Result) -> tuple[str, str | None, str]:
    """What two results share unless their names tell them apart."""
    return result.dataset.raw, result.task, canonical_setting(result.dataset.setting)


def _spelling(dataset: NamedDataset) -> str:
    return "".join(filter(str.isalnum, (dataset.name or dataset.raw).casefold()))


def _result(model: Listed, where: str, result: Mapping[str, Any]) -> _Found:
    task = _one(result.get("task", result.get("tasks")))
    datasets = result.get("dataset", result.get("datasets"))
    if isinstance(datasets, list) and len(datasets) > 1:
        return _reject(model, where, "several_datasets", datasets)
    dataset = _one(datasets)
    nested = [part.get("metrics") for part in (task, dataset) if isinstance(part, dict)]
    metrics = next((m for m in (result.get("metrics"), *nested) if m), None)
    if metrics is None:
        return _reject(model, where, "no_metrics", result)
    named = dataset if isinstance(dataset, dict) else {"name": dataset}
    described = task if isinstance(task, dict) else {"name": task}
    shared = _Result(
        model=model,
        where=where,
        task=text_of(described.get("type")) or text_of(described.get("name")) or None,
        dataset=name_dataset(named, model.repo_id),
        write_back=read_write_back(result.get("source"), dataset),
    )
    return shared, _metrics(metrics)


def _metrics(metrics: object) -> list[Any]:
    """A list of metrics out of a list, one metric, or a mapping of names to values."""
    if not isinstance(metrics, dict):
        return [m for entry in _several(metrics) for m in _paired(entry)]
    if metrics.keys() & {"type", "name", "value", "types"}:
        return _paired(metrics)
    return [{"type": key, "value": value} for key, value in metrics.items()]


def _paired(metric: object) -> list[Any]:
    """`types: [a, b]` beside `values: [1, 2]` are two metrics."""
    if isinstance(metric, dict):
        types, values = metric.get("types"), metric.get("values")
        if isinstance(types, list) and isinstance(values, list) and len(types) == len(values):
            return [{**metric, "type": t, "value": v} for t, v in zip(types, values, strict=True)]
    return [metric]


def _reports(result: _Result, metrics: list[Any]) -> Iterator[Report | Reject]:
    for k, metric in enumerate(metrics):
        where = f"{result.where}.metrics[{k}]"
        if not isinstance(metric, dict):
            yield _reject(result.model, where, "no_value", metric)
            continue
        value = metric.get("value", metric.get("score"))
        if isinstance(value, dict) and value:
            for key, inner in value.items():
                yield _report(result, where, {**metric, "name": None, "type": key}, inner)
        else:
            yield _report(result, where, metric, value)


def _report(result: _Result, where: str, metric: _Metric, value: object) -> Report | Reject:
    raw_metric, said = name_metric(metric)
    parsed = parse_value(value)
    reason = _refusal(result, raw_metric, parsed)
    if reason is not None or isinstance(parsed, Refusal):
        return _reject(result.model, where, reason or "not_a_number", metric)
    back = result.write_back
    verified = metric.get("verified") is True and bool(metric.get("verifyToken"))
    return Report(
        source=SOURCE,
        tier=Tier.SILVER,
        raw_model=result.model.repo_id,
        raw_dataset=(back.dataset if back else None) or result.dataset.raw,
        raw_task=result.task,
        raw_metric=(back.metric if back else None) or raw_metric,
        raw_value=parsed.text,
        value=parsed.value,
        unit=parsed.unit or (back.unit if back else None),
        setting=_setting(result, said),
        source_url=result.model.url,
        source_revision=result.model.sha,
        retrieved_at=result.model.retrieved_at,
        verified=verified,
        reported_by=_reporter(back, verified=verified),
        extractor=EXTRACTOR,
    )


def _refusal(result: _Result, raw_metric: str, parsed: ParsedValue | Refusal) -> str | None:
    if isinstance(parsed, Refusal):
        return "no_value" if parsed.reason == "empty" else parsed.reason
    if not raw_metric:
        return "no_metric"
    if result.write_back is not None and result.write_back.rescaled:
        return "rescaled_copy"
    named = {raw_metric.lower(), result.dataset.raw.lower(), (result.dataset.name or "").lower()}
    return "aggregate" if named & _AGGREGATES else None


def _setting(result: _Result, said: Setting) -> Setting:
    """What the dataset says wins over what the metric's name says; a leaderboard's protocol over both."""
    if result.write_back is not None:
        return {
            "protocol": result.write_back.protocol,
            "shots": result.dataset.setting.get("shots"),
        }
    return {**said, **result.dataset.setting}


def _reporter(back: WriteBack | None, *, verified: bool) -> ReportedBy:
    if back is not None:
        return ReportedBy.OWNER
    return ReportedBy.THIRD_PARTY if verified else ReportedBy.AUTHOR


def _dataset_facts(names: Counter[tuple[str, str | None, str, bool]]) -> Iterator[DatasetFact]:
    """One fact per dataset and task, with the name most cards use."""
    usual: dict[tuple[str, str | None], tuple[int, str, bool]] = {}
    for (raw, task, name, is_id), count in sorted(names.items(), key=str):
        if count > usual.get((raw, task), (0, "", False))[0]:
            usual[raw, task] = (count, name, is_id)
    for (raw, task), (_, name, is_id) in usual.items():
        yield DatasetFact(
            source=SOURCE,
            raw_dataset=raw,
            raw_task=task,
            description=name,
            url=f"{PUBLIC_HUB}/datasets/{raw}" if is_id else None,
        )


def _several(value: object) -> list[Any]:
    """A list, or a single entry as a list; nothing for None."""
    if isinstance(value, list):
        return [v for v in value if v is not None]
    return [] if value is None else [value]


def _one(value: object) -> object:
    """The only element of a list, else the value."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _reject(model: Listed, where: str, reason: str, raw: object) -> Reject:
    return Reject(
        source=SOURCE, tier=Tier.SILVER, where=f"{model.repo_id} {where}", reason=reason, raw=str(raw)
    )  # fmt: skip
