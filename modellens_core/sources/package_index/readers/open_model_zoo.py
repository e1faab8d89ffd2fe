"""Reads the Open Model Zoo: reference accuracies that stand in the accuracy checker's configurations.

A folder is a model; `accuracy-check.yml` in it lists datasets and metrics with the reference value that
the zoo's owner measured, `model.yml` or `composite-model.yml` the task. The same model in another
framework's format is an evaluation of the same folder.
"""

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from modellens_core.schema import ModelFact
from modellens_core.sources.package_index.catalogue import Wheel
from modellens_core.sources.package_index.readers.documents import MalformedYamlError, load_yaml
from modellens_core.sources.package_index.scores import Found, ResultFile, Score, reject

CHECKS = "accuracy-check.yml"
FILES = (
    f"omz_tools/models/*/{CHECKS}",
    "omz_tools/models/*/model.yml",
    "omz_tools/models/*/composite-model.yml",
)

# The zoo's own short names, as its documentation spells them out; elsewhere they mean other things.
TASK_TYPES = {"classification": "image classification", "detection": "object detection"}


def read(wheel: Wheel, files: Sequence[ResultFile]) -> Iterator[Found]:
    """Read all folders that have reference accuracies.

    Yields:
        Scores and a model fact per folder; a reject per file that cannot be read.
    """
    tasks: dict[str, str] = {}
    checks: list[tuple[ResultFile, Any]] = []
    for file in files:
        try:
            document = load_yaml(file.text)
        except MalformedYamlError as error:
            yield reject(wheel, file, "malformed_yaml", str(error), file.text)
            continue
        path = PurePosixPath(file.path)
        if path.name == CHECKS:
            checks.append((file, document))
        elif isinstance(document, dict) and isinstance(document.get("task_type"), str):
            task = document["task_type"]
            tasks[str(path.parent)] = TASK_TYPES.get(task, task.replace("_", " "))
    for file, document in checks:
        folder = PurePosixPath(file.path).parent
        task = tasks.get(str(folder))
        yield ModelFact(
            source=wheel.source,
            raw_model=folder.name,
            library="openvino",
            description=f"{folder.name} model{f' for {task}' if task else ''}.",
        )
        for dataset, metric, value in _references(document):
            yield Score(
                file=file, model=folder.name, dataset=dataset, task=task, metric=metric, raw=value
            )  # fmt: skip


def _references(document: Any) -> Iterator[tuple[str, str, Any]]:
    """Every (dataset, metric, reference value) of one configuration."""
    for evaluation in _dicts(document, "models"):
        yield from _of_datasets(evaluation)
    for evaluation in _dicts(document, "evaluations"):  # models in several parts
        yield from _of_datasets(evaluation.get("module_config"))


def _of_datasets(evaluation: Any) -> Iterator[tuple[str, str, Any]]:
    for dataset in _dicts(evaluation, "datasets"):
        for metric in _dicts(dataset, "metrics"):
            value = metric.get("reference")
            if value is None:
                continue  # checked by eye, or against another model
            if isinstance(value, dict):
                value = value.get("mean", value)
            name = metric.get("name", metric.get("type"))
            yield str(dataset.get("name", "")), str(name), value


def _dicts(parent: Any, key: str) -> list[dict[str, Any]]:
    listed = parent.get(key) if isinstance(parent, dict) else None
    return [v for v in listed if isinstance(v, dict)] if isinstance(listed, list) else []
