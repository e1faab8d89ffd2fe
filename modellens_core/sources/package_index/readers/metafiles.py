"""Reads OpenMMLab metafiles: `model-index` YAML of a model zoo, one file per method.

A file lists collections (a method: its paper and architecture) and models (a configuration with weights:
what it was trained on, and results by task and dataset). Written by hand over years, so the shape varies:
results may be one mapping or a list, metrics may be nested, a file may be a bare list of models. Nothing
is decided here about values or units.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from modellens_core.schema import ModelFact, Reject
from modellens_core.sources.package_index.catalogue import Wheel
from modellens_core.sources.package_index.readers.documents import MalformedYamlError, load_yaml
from modellens_core.sources.package_index.scores import Found, ResultFile, Score, reject

FILES = ("*/.mim/*.yml", "*/.mim/*.yaml")

# Columns of a results table that say under which condition the others were measured.
CONDITIONS: Mapping[str, str] = {
    "$sigma$": "noise_sigma",  # strength of the noise to be removed
    "CGS": "model.guidance_scale",
    "Steps": "model.sampling_steps",
}

_COUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([KMB])", re.IGNORECASE)
_SCALE = {"K": 1e3, "M": 1e6, "B": 1e9}
_SMALLEST_COUNT = 10_000  # below, the number is in some unit of its own
_DATE = re.compile(r"(?<![0-9])(20[0-9]{2})([01][0-9])([0-3][0-9])(?![0-9])")
_FIRST_RELEASE = date(2018, 1, 1)  # of any of these zoos; an earlier day is a slip of the pen
_CHANNEL = re.compile(r"\((RGB|Y)\)\s*$")
_MARKUP = re.compile(r"<[^>]*>")


def read(wheel: Wheel, files: Sequence[ResultFile]) -> Iterator[Found]:
    """Read the metafiles of one package.

    Args:
        wheel: the package.
        files: every YAML file of its model zoo; those without models or collections are skipped.

    Yields:
        Scores and model facts; a reject for a file that is not YAML and for a model in no known shape.
    """
    documents: list[tuple[ResultFile, Any]] = []
    for file in files:
        try:
            documents.append((file, load_yaml(file.text)))
        except MalformedYamlError as error:
            yield reject(wheel, file, "malformed_yaml", str(error), file.text)
    collections = _collections(document for _, document in documents)
    for file, document in documents:
        for model in _models(document):
            if not isinstance(model, dict) or not isinstance(model.get("Name"), str):
                yield reject(wheel, file, "malformed_model", "a model without a name", model)
                continue
            collection = collections.get(_text(model, "In Collection", "In Collections"), {})
            yield _fact(wheel, model, collection)
            yield from _scores(wheel, file, model)


def _collections(documents: Iterator[Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for document in documents:
        listed = document.get("Collections") if isinstance(document, dict) else None
        for collection in listed if isinstance(listed, list) else []:
            if isinstance(collection, dict) and isinstance(collection.get("Name"), str):
                # One method may be described in several files; the fullest description serves.
                name = collection["Name"]
                found[name] = max(found.get(name, {}), collection, key=len)
    return found


def _models(document: Any) -> list[Any]:
    if isinstance(document, list):
        return document if any(isinstance(m, dict) and "Results" in m for m in document) else []
    models = document.get("Models") if isinstance(document, dict) else None
    if isinstance(models, dict):
        return [models]
    return models if isinstance(models, list) else []


def _scores(wheel: Wheel, file: ResultFile, model: dict[str, Any]) -> Iterator[Score | Reject]:
    listed = model.get("Results")
    results = [listed] if isinstance(listed, dict) else listed
    if results is None:
        return  # a pretrained backbone: weights, and nothing measured
    if not isinstance(results, list) or not all(isinstance(r, dict) for r in results):
        yield reject(wheel, file, "malformed_results", model["Name"], listed)
        return
    for result in results:
        metrics = result.get("Metrics")
        if metrics is None:
            continue
        if not isinstance(metrics, dict):
            yield reject(wheel, file, "malformed_results", model["Name"], result)
            continue
        setting = {
            CONDITIONS[_column(key)]: f"{value:g}" if isinstance(value, float) else str(value)
            for key, value in metrics.items()
            if _column(key) in CONDITIONS
        }
        for key, value in metrics.items():
            if _column(key) in CONDITIONS:
                continue
            for metric, raw in _flat(_column(key), value):
                yield Score(
                    file=file,
                    model=model["Name"].strip(),
                    dataset=_dataset(result),
                    task=_text(result, "Task") or None,
                    metric=metric,
                    raw=raw,
                    setting=setting,
                )


def _column(key: Any) -> str:
    return str(key).replace("\\", "").strip()


def _dataset(result: dict[str, Any]) -> str:
    """The dataset a result is about; several names are one evaluation over their union."""
    value = result.get("Dataset")
    listed = value if isinstance(value, list) else [value]
    return " + ".join(str(name).strip() for name in listed if name is not None)


def _flat(column: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Unfold `{"PSNR/SSIM (RGB)": {"PSNR": 32.9, "SSIM": 0.95}}` into its metrics.

    The outer name must mention every inner one. Where it does not ("P&R": {"PSNR": ..., "SSIM": ...}),
    the inner names are wrong, and the mapping as a whole goes on to be refused as not a number.
    """
    outer = _MARKUP.sub("", column).strip()
    if not isinstance(value, dict):
        yield outer, value
    elif all(str(inner).lower() in outer.lower() for inner in value):
        channel = _CHANNEL.search(outer)
        for inner, raw in value.items():
            yield (f"{inner} ({channel[1]})" if channel else str(inner)), raw
    else:
        yield outer, value


def _fact(wheel: Wheel, model: dict[str, Any], collection: dict[str, Any]) -> ModelFact:
    own = _mapping(model, "Metadata")
    shared = _mapping(collection, "Metadata")
    family = _text(model, "In Collection", "In Collections") or None
    built_of = _list(own.get("Architecture")) or _list(shared.get("Architecture"))
    trained_on = _trained_on(own, shared, model)
    params = _params_b(own)
    return ModelFact(
        source=wheel.source,
        raw_model=model["Name"].strip(),
        params_b=params,
        params_origin="source" if params is not None else None,
        architecture=family or (built_of[0] if built_of else None),
        library=wheel.package,
        trained_on=trained_on,
        released_at=None if "Converted From" in model else _weights_date(model.get("Weights")),
        description=_describe(family, _tasks(model), built_of, trained_on, collection),
        url=next(iter(_list(model.get("Weights"))), None),
    )


def _trained_on(
    own: dict[str, Any], shared: dict[str, Any], model: dict[str, Any]
) -> tuple[str, ...]:
    """The model's own training data; a method's only where the model was tested on the same."""
    tested_on = {_dataset(result) for result in _results(model)}
    inherited = (name for name in _list(shared.get("Training Data")) if name in tested_on)
    names = _list(own.get("Training Data")) or tuple(inherited)
    return tuple(name for name in names if not name.startswith("#"))


def _describe(
    family: str | None,
    tasks: Sequence[str],
    built_of: Sequence[str],
    trained_on: Sequence[str],
    collection: dict[str, Any],
) -> str:
    """A sentence from the facts: method, task, building blocks, training data and paper title."""
    what = f" for {' and '.join(task.lower() for task in tasks)}" if tasks else ""
    parts = [f"{family or 'A'} model{what}"]
    parts += [f"built of {', '.join(built_of)}" if built_of else ""]
    parts += [f"trained on {', '.join(trained_on)}" if trained_on else ""]
    sentence = ", ".join(part for part in parts if part)
    title = _text(_mapping(collection, "Paper"), "Title")
    return " ".join(f"{text}." for text in (sentence, title.rstrip(". ")) if text)


def _tasks(model: dict[str, Any]) -> list[str]:
    return sorted({task for result in _results(model) if (task := _text(result, "Task"))})


def _results(model: dict[str, Any]) -> list[dict[str, Any]]:
    """The well-formed results of a model; what is not is reported by `_scores`."""
    listed = model.get("Results")
    results = [listed] if isinstance(listed, dict) else listed
    return [r for r in results if isinstance(r, dict)] if isinstance(results, list) else []


def _params_b(metadata: dict[str, Any]) -> float | None:
    """Parameters in billions, only where the number clearly is a count ("24.3M", 11170000)."""
    value = metadata.get("Parameters", metadata.get("params"))
    if isinstance(value, str) and (match := _COUNT.fullmatch(value.strip())):
        return float(match[1]) * _SCALE[match[2].upper()] / 1e9
    if isinstance(value, int) and not isinstance(value, bool) and value >= _SMALLEST_COUNT:
        return value / 1e9
    millions = metadata.get("Params(M)")
    return millions / 1e3 if isinstance(millions, float) else None


def _weights_date(weights: Any) -> date | None:
    """The day in the newest weight file's name: `..._20220909-81c58e40.pth`."""
    days = []
    for name in _list(weights):
        for year, month, day in _DATE.findall(name.rsplit("/", 1)[-1]):
            try:
                days.append(date(int(year), int(month), int(day)))
            except ValueError:
                continue  # eight digits that are not a day
    return max((day for day in days if day >= _FIRST_RELEASE), default=None)


def _mapping(parent: dict[str, Any], key: str) -> dict[str, Any]:
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def _text(parent: dict[str, Any], *keys: str) -> str:
    found = (parent.get(key) for key in keys)
    return next((value.strip() for value in found if isinstance(value, str)), "")


def _list(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value.strip(),) if value.strip() else ()
    return tuple(str(v).strip() for v in value if v) if isinstance(value, list) else ()
