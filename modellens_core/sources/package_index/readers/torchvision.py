"""Reads torchvision's weight enums: scores that stand in Python source as literal dictionaries.

The source is parsed with `ast` and never run: a class `<Model>_Weights` holds one `Weights(meta={...})`
per set of weights, whose `_metrics` maps dataset to metric to value.
"""

import ast
from collections.abc import Iterator, Sequence
from typing import Any

from modellens_core.schema import ModelFact
from modellens_core.sources.package_index.catalogue import Wheel
from modellens_core.sources.package_index.scores import Found, ResultFile, Score, reject

FILES = ("torchvision/models/*.py",)
# Where a module lies says what its models do; the metric decides where a detector does two things.
TASK_OF_FOLDER = {
    "detection": "object detection",
    "optical_flow": "optical flow estimation",
    "segmentation": "semantic segmentation",
    "video": "action recognition",
}
TASK_OF_METRIC = {"kp_map": "keypoint detection", "mask_map": "instance segmentation"}
DEFAULT_TASK = "image classification"


def read(wheel: Wheel, files: Sequence[ResultFile]) -> Iterator[Found]:
    """Read all model modules.

    Yields:
        Scores and model facts; a reject per module that is not Python.
    """
    for file in files:
        try:
            module = ast.parse(file.text)
        except (SyntaxError, ValueError) as error:
            yield reject(wheel, file, "malformed_source", str(error))
            continue
        task = TASK_OF_FOLDER.get(file.path.split("/")[-2], DEFAULT_TASK)
        for node in module.body:
            if isinstance(node, ast.ClassDef) and node.name.endswith("Weights"):
                yield from _enum(wheel, file, node, task)


def _enum(wheel: Wheel, file: ResultFile, enum: ast.ClassDef, task: str) -> Iterator[Found]:
    for statement in enum.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=member)], value=ast.Call(keywords=keywords)):
                meta = next((_literals(k.value) for k in keywords if k.arg == "meta"), {})
            case _:
                continue  # DEFAULT = <another member>, docstrings
        metrics = meta.get("_metrics")
        if not isinstance(metrics, dict):
            continue
        model = f"{enum.name}.{member}"
        params = meta.get("num_params")
        family = enum.name.rsplit("_", 1)[0]
        yield ModelFact(
            source=wheel.source,
            raw_model=model,
            params_b=params / 1e9 if isinstance(params, int) else None,
            params_origin="source" if isinstance(params, int) else None,
            architecture=family,
            library=wheel.package,
            description=f"{family.replace('_', ' ')} model for {task}, with weights {member}.",
        )
        for dataset, values in metrics.items():
            for metric, raw in values.items() if isinstance(values, dict) else ():
                yield Score(
                    file=file,
                    model=model,
                    dataset=str(dataset),
                    task=TASK_OF_METRIC.get(str(metric), task),
                    metric=str(metric),
                    raw=raw,
                )


def _literals(node: ast.expr) -> dict[str, Any]:
    """The entries of a dictionary display that are literals; others (names, calls) are left out."""
    found: dict[str, Any] = {}
    if not isinstance(node, ast.Dict):
        return found
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            try:
                found[key.value] = ast.literal_eval(value)
            except ValueError:
                continue  # "categories": _IMAGENET_CATEGORIES
    return found
