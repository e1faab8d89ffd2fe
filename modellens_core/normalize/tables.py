"""Decides what every distinct string of the sources means, and writes it down as small mapping tables.

SQL finds the distinct strings, the pure functions of this package decide on each of them once, and
`sql/corpus/` applies the decisions to millions of rows. What a string means belongs in the sibling
modules; what is done with a report belongs in SQL.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from modellens_core.normalize.datasets import resolve_dataset
from modellens_core.normalize.families import family_of
from modellens_core.normalize.metrics import resolve_metric
from modellens_core.normalize.models import ModelName, canonical_spellings, resolve_model
from modellens_core.normalize.sizes import params_from_name, size_bucket
from modellens_core.normalize.tasks import resolve_task
from modellens_core.schema import canonical_setting
from modellens_core.store import duck, sql
from modellens_core.store.lake import Lake

NAME_TABLES = (
    "model_names",
    "dataset_names",
    "task_names",
    "metric_names",
    "setting_names",
    "model_facts",
)

# These leaderboards run every model in one way per benchmark: whatever else a report says about the
# set-up (a card repeats shots, config and split; the leaderboard's table does not) adds nothing.
FIXED_PROTOCOLS = frozenset({"open_llm_leaderboard_v1", "open_llm_leaderboard_v2"})
_FIXED_BY_PROTOCOL = frozenset({"shots", "config", "split"})
_MODEL_KEY = "model."  # keys about the run of the model: identity of a record, not of its group
_PRECISION = "model.precision"

_MODEL_NAMES = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("raw_model", pa.string(), nullable=False),
        pa.field("model_id", pa.string()),  # null: names no model ("ours")
        pa.field("org", pa.string()),
        pa.field("name", pa.string()),
        pa.field("variant", pa.string()),  # JSON: what the name says about quantisation and effort
    ]
)
_DATASET_NAMES = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("raw_dataset", pa.string(), nullable=False),
        pa.field("config", pa.string()),  # stated beside the name; null: none
        pa.field("dataset_id", pa.string(), nullable=False),
        pa.field("dataset_family", pa.string(), nullable=False),
        pa.field("takes_config", pa.bool_(), nullable=False),  # the id says the configuration
        pa.field("setting_json", pa.string(), nullable=False),
    ]
)
_TASK_NAMES = pa.schema(
    [
        pa.field("raw_task", pa.string()),
        pa.field("task_id", pa.string(), nullable=False),
        pa.field("modality", pa.string(), nullable=False),
    ]
)
_METRIC_NAMES = pa.schema(
    [
        pa.field("raw_metric", pa.string(), nullable=False),
        pa.field("raw_task", pa.string()),
        pa.field("metric_id", pa.string(), nullable=False),
        pa.field("lower_is_better", pa.bool_()),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("unit", pa.string(), nullable=False),
        pa.field("minimum", pa.float64()),
        pa.field("maximum", pa.float64()),
        pa.field("is_quality", pa.bool_(), nullable=False),
    ]
)
_SETTING_NAMES = pa.schema(
    [
        pa.field("stated_setting", pa.string(), nullable=False),
        pa.field("dataset_setting", pa.string(), nullable=False),
        pa.field("takes_config", pa.bool_(), nullable=False),
        pa.field("setting", pa.string(), nullable=False),  # identity of a record
        pa.field("group_setting", pa.string(), nullable=False),  # identity of a group
        pa.field("protocol", pa.string()),
        pa.field("precision", pa.string()),
        pa.field("setting_without_precision", pa.string(), nullable=False),
    ]
)


def name_tables(lake: Lake) -> dict[str, pa.Table]:
    """Decide on every distinct name in the staging tables of a lake.

    Args:
        lake: holds `staging/*`; nothing is written to it.

    Returns:
        One table for each of `NAME_TABLES`, rows in a fixed order, to be written as `corpus/<name>`.
    """
    with lake.session() as con:

        def ask(query: str) -> list[dict[str, Any]]:
            rows: list[dict[str, Any]] = duck.to_arrow(
                con, sql.load(f"staging/{query}")
            ).to_pylist()
            return rows

        models = _table(_model_names(ask("model_strings")), _MODEL_NAMES)
        datasets = _table(map(_dataset_name, ask("dataset_strings")), _DATASET_NAMES)
        con.register("model_names", models)
        con.register("dataset_names", datasets)
        facts = duck.to_arrow(con, sql.load("staging/model_facts"))
        return {
            "model_names": models,
            "dataset_names": datasets,
            "task_names": _table(map(_task_name, ask("task_strings")), _TASK_NAMES),
            "metric_names": _table(map(_metric_name, ask("metric_strings")), _METRIC_NAMES),
            "setting_names": _table(map(_setting_name, ask("setting_strings")), _SETTING_NAMES),
            "model_facts": _with_traits(facts, models),
        }


def _table(rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([dict(row) for row in rows], schema=schema)


def _model_names(strings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    counts: Counter[str] = Counter()
    for string in strings:
        counts[string["raw_model"]] += string["n"]
    spellings = canonical_spellings(counts.elements())
    repositories: dict[str, str] = {}
    for string in sorted(strings, key=lambda s: (s["source"] != "hub", s["raw_model"])):
        if string["is_repository"]:
            repositories.setdefault(string["raw_model"].casefold(), string["raw_model"])
    resolved: dict[str, ModelName | None] = {}
    rows = []
    for string in strings:
        spelling = spellings.get(string["raw_model"], string["raw_model"])
        if spelling not in resolved:
            resolved[spelling] = resolve_model(spelling, repositories)
        name = resolved[spelling]
        rows.append(
            {
                "source": string["source"],
                "raw_model": string["raw_model"],
                "model_id": name.model_id if name else None,
                "org": name.org if name else None,
                "name": name.name if name else None,
                "variant": canonical_setting(name.variant) if name else None,
            }
        )
    return rows


def _dataset_name(string: Mapping[str, Any]) -> dict[str, Any]:
    dataset = resolve_dataset(string["raw_dataset"], string["config"])
    return {
        **string,
        "dataset_id": dataset.dataset_id,
        "dataset_family": dataset.family,
        "takes_config": dataset.takes_config,
        "setting_json": canonical_setting(dataset.setting),
    }


def _task_name(string: Mapping[str, Any]) -> dict[str, Any]:
    task = resolve_task(string["raw_task"])
    return {**string, "task_id": task.task_id, "modality": task.modality}


def _metric_name(string: Mapping[str, Any]) -> dict[str, Any]:
    metric = resolve_metric(string["raw_metric"], string["raw_task"])
    return {
        **string,
        "metric_id": metric.metric_id,
        "lower_is_better": metric.lower_is_better,
        "kind": metric.kind,
        "unit": metric.unit,
        "minimum": metric.minimum,
        "maximum": metric.maximum,
        "is_quality": metric.is_quality,
    }


def _setting_name(string: Mapping[str, Any]) -> dict[str, Any]:
    """Merge what the dataset's name implies with what the report states; the report wins."""
    merged = json.loads(string["dataset_setting"]) | json.loads(string["stated_setting"])
    if string["takes_config"]:
        merged.pop("config", None)
    if merged.get("protocol") in FIXED_PROTOCOLS:
        merged = {k: v for k, v in merged.items() if k not in _FIXED_BY_PROTOCOL}
    group = {k: v for k, v in merged.items() if not k.startswith(_MODEL_KEY)}
    without = {k: v for k, v in merged.items() if k != _PRECISION}
    return {
        **string,
        "setting": canonical_setting(merged),
        "group_setting": canonical_setting(group),
        "protocol": merged.get("protocol"),
        "precision": merged.get(_PRECISION),
        "setting_without_precision": canonical_setting(without),
    }


def _with_traits(facts: pa.Table, names: pa.Table) -> pa.Table:
    """Add what only Python can decide: name parts, parent, family, size where nobody states it."""
    parts = {n["model_id"]: (n["org"], n["name"]) for n in names.to_pylist() if n["model_id"]}
    known = {model_id.casefold(): model_id for model_id in parts}
    rows = []
    for fact in facts.to_pylist():
        org, name = parts[fact["model_id"]]
        base = _base_model(fact["base_model"], fact["model_id"], known)
        params, origin = fact["params_b"], fact["params_origin"]
        if params is None and (params := params_from_name(name)) is not None:
            origin = "name"
        rows.append(
            {
                **fact,
                "org": org,
                "name": name,
                "base_model": base,
                "family": family_of(fact["model_id"], fact["architecture"], base),
                "params_b": params,
                "params_origin": origin,
                "size_bucket": size_bucket(params),
            }
        )
    added = {
        "org": pa.string(),
        "name": pa.string(),
        "family": pa.string(),
        "size_bucket": pa.int32(),
    }
    schema = facts.schema
    for column, kind in added.items():
        schema = schema.append(pa.field(column, kind))
    return pa.Table.from_pylist(rows, schema=schema)


def _base_model(stated: str | None, model_id: str, known: Mapping[str, str]) -> str | None:
    """Id of the parent: the corpus's spelling where it is known there; never the model itself."""
    if stated is None:
        return None
    name = resolve_model(stated, known)
    return None if name is None or name.model_id == model_id else name.model_id
