"""Reads the AlpacaEval leaderboards: one CSV per judge, and one YAML per model that took part.

The folder names the benchmark, the file names the judge. The judge decides the numbers, so it is part of
the setting. Entries made to deceive the judge are withheld in `wheels.toml`.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from modellens_core.schema import ModelFact, Reject
from modellens_core.sources.package_index.catalogue import Wheel
from modellens_core.sources.package_index.readers.documents import MalformedYamlError, load_yaml
from modellens_core.sources.package_index.scores import Found, ResultFile, Score, reject

FILES = (
    "alpaca_eval/leaderboards/data_AlpacaEval*/*_leaderboard.csv",
    "alpaca_eval/models_configs/*/configs.yaml",
)
TASK = "instruction following"
DATASETS = {"data_AlpacaEval": "AlpacaEval", "data_AlpacaEval_2": "AlpacaEval 2"}
# The discrete win rate is the same verdicts rounded; the other columns count games and words.
METRICS = ("win_rate", "length_controlled_winrate")


def read(wheel: Wheel, files: Sequence[ResultFile]) -> Iterator[Found]:
    """Read all leaderboards and model descriptions of the wheel.

    Yields:
        Scores, model facts, and a reject per file that cannot be read.
    """
    for file in files:
        if file.path.endswith(".csv"):
            yield from _leaderboard(wheel, file)
        else:
            yield from _model(wheel, file)


def _leaderboard(wheel: Wheel, file: ResultFile) -> Iterator[Score | Reject]:
    path = PurePosixPath(file.path)
    dataset = DATASETS.get(path.parent.name)
    rows = csv.DictReader(io.StringIO(file.text))
    if dataset is None or not rows.fieldnames or "win_rate" not in rows.fieldnames:
        yield reject(
            wheel, file, "malformed_csv", "not a leaderboard of a known benchmark", file.text
        )
        return
    judge = path.stem.removesuffix("_leaderboard")
    name = rows.fieldnames[0]
    for row in rows:
        for metric in METRICS:
            if row.get(metric):
                yield Score(
                    file=file,
                    model=row[name],
                    dataset=dataset,
                    task=TASK,
                    metric=metric,
                    raw=row[metric],
                    setting={"judge": judge},
                )


def _model(wheel: Wheel, file: ResultFile) -> Iterator[ModelFact | Reject]:
    try:
        document: Any = load_yaml(file.text)
    except MalformedYamlError as error:
        yield reject(wheel, file, "malformed_yaml", str(error), file.text)
        return
    name = PurePosixPath(file.path).parent.name
    entry = document.get(name) if isinstance(document, dict) else None
    if not isinstance(entry, dict):
        yield reject(
            wheel, file, "malformed_model", "the entry is not named like its folder", file.text
        )
        return
    title = entry.get("pretty_name")
    link = entry.get("link")
    yield ModelFact(
        source=wheel.source,
        raw_model=name,
        pipeline_tag="text-generation",
        description=f"Chat model {title}." if isinstance(title, str) else None,
        url=link if isinstance(link, str) else None,
    )
