"""Reads PyKEEN's experiment files: published link-prediction results of knowledge-graph embeddings.

Each file is one configuration from a paper with the numbers the paper gives. Results are nested by
metric, by how tied ranks were counted and by k, in either order; ties change the numbers, so their
treatment is part of the setting.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from modellens_core.schema import ModelFact
from modellens_core.sources.package_index.catalogue import Wheel
from modellens_core.sources.package_index.readers.documents import load_yaml
from modellens_core.sources.package_index.scores import Found, ResultFile, Score, reject

FILES = ("pykeen/experiments/*.yaml", "pykeen/experiments/*.json")
TASK = "link prediction"
# How a paper ranks the true answer among candidates of the same score.
TIES = frozenset(
    {
        "avg",
        "best",
        "nondeterministic",
        "optimistic",
        "pessimistic",
        "realistic",
        "unknown",
        "worst",
    }
)


def read(wheel: Wheel, files: Sequence[ResultFile]) -> Iterator[Found]:
    """Read all experiment files.

    Yields:
        Scores and a model fact per experiment; a reject per file that cannot be read.
    """
    for file in files:
        try:
            # Both kinds of file: JSON is read as such, since YAML gives its numbers other types.
            load = json.loads if file.path.endswith(".json") else load_yaml
            document = load(file.text)
        except ValueError as error:  # both parsers' errors are
            yield reject(wheel, file, "malformed_yaml", str(error), file.text)
            continue
        if not isinstance(document, dict) or "results" not in document:
            continue  # a search space or another file without published numbers
        pipeline = document.get("pipeline")
        names = [
            pipeline.get(k) if isinstance(pipeline, dict) else None for k in ("model", "dataset")
        ]
        model, dataset = names
        if not isinstance(model, str) or not isinstance(dataset, str):
            yield reject(wheel, file, "malformed_model", "no model or dataset named", pipeline)
            continue
        name = f"{model} ({variant})" if (variant := _variant(file.path)) else model
        yield ModelFact(
            source=wheel.source,
            raw_model=name,
            architecture=model,
            library=wheel.package,
            trained_on=(dataset,),
            description=f"{model}, an embedding model of knowledge graphs for link prediction.",
        )
        for path, raw in _leaves(document["results"]):
            metric, setting = _metric(path)
            yield Score(
                file=file, model=name, dataset=dataset, task=TASK, metric=metric, raw=raw, setting=setting
            )  # fmt: skip


def _variant(path: str) -> str:
    """What follows the dataset in `<paper>_<model>_<dataset>_<variant>.yaml`: an ablation of the model."""
    parts = PurePosixPath(path).stem.split("_")
    return " ".join(parts[3:])


def _leaves(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _leaves(value, (*path, str(key)))
    else:
        yield path, node


def _metric(path: Sequence[str]) -> tuple[str, dict[str, str]]:
    """`("best", "hits_at_k", "10")` is metric "hits_at_10" with ties counted as "best"."""
    ties = [key for key in path if key in TIES]
    words = [key for key in path if key not in TIES]
    if words[0] == "hits_at_k" and len(words) == 2:
        words = [f"hits_at_{words[1]}"]
    return " ".join(words), {"ties": ties[0]} if ties else {}
