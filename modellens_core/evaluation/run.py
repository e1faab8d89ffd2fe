"""Evaluates the trained rankers and all baselines on every reported protocol, and writes the report.

Reads frozen splits and checkpoints, writes `evaluation/{groups,summary,differences}` and the report. It
trains nothing and chooses nothing. What is measured belongs in `protocol.py`, how it is averaged in
`summary.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modellens_core.evaluation.coverage import coverage, dataset_coverage
from modellens_core.evaluation.protocol import Method, evaluate
from modellens_core.evaluation.ranker_method import (
    CONTROL,
    CONTROL_DRAWS,
    NAME,
    OtherTextMethod,
    RankerMethod,
    read_curve,
)
from modellens_core.evaluation.report import ReportData, write_report
from modellens_core.evaluation.summary import differences, summarise
from modellens_core.normalize.sizes import SIZE_BUCKETS
from modellens_core.progress import Progress, silent
from modellens_core.ranking.baselines import trivial_baselines
from modellens_core.splits.freeze import REPORTED, load_manifest
from modellens_core.splits.leakage import audit, require_clean
from modellens_core.splits.problem import Problem
from modellens_core.splits.units import dataset_units
from modellens_core.store.lake import Lake


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """What `evaluate_all` found and wrote.

    Attributes:
        groups, summary, differences: the three lake tables.
        report: path of `report.md`.
        data: what the report was made of, for showing it elsewhere.
    """

    groups: pa.Table
    summary: pa.Table
    differences: pa.Table
    report: Path
    data: ReportData


def evaluate_all(
    lake: Lake,
    training_root: Path,
    out_dir: Path,
    seeds: Sequence[int],
    progress: Progress = silent,
) -> EvaluationResult:
    """Judge rankers and baselines on the test lists of every reported protocol.

    Args:
        lake: holds features and frozen splits; gets the evaluation tables.
        training_root: holds `<protocol>/seed-<n>/` for every reported protocol and seed.
        out_dir: folder of the report.
        seeds: training runs to average, and seeds of the random baseline.
        progress: told after each method.

    Returns:
        Tables, report and what it was made of.

    Raises:
        QualityError: a split leaks.
        ModelLensError: a split or checkpoint is missing, stale or damaged.
    """
    parts = []
    curves: dict[str, list[tuple[int, float]]] = {}
    known: dict[str, dict[str, float]] = {}
    known_datasets: dict[str, float] = {}
    for protocol in REPORTED:
        problem = Problem.load(lake, protocol)
        require_clean(audit(problem.features, problem.rows, problem.parts, protocol), protocol)
        rankers = [RankerMethod(training_root / protocol / f"seed-{n}", n) for n in seeds]
        units = dataset_units(problem.features, problem.rows)
        controls = [
            OtherTextMethod(r.folder, r.seed, units=units, draw=draw)
            for r in rankers
            for draw in range(CONTROL_DRAWS)
        ]
        methods: list[Method] = [*rankers, *controls, *trivial_baselines(seeds)]
        judged = evaluate(problem, methods, progress=progress)
        parts.append((judged.groups, summarise(judged.groups, judged.seconds)))
        known[protocol] = coverage(problem)
        known_datasets[protocol] = dataset_coverage(problem)
        curves |= {f"{protocol}, seed {r.seed}": read_curve(r.folder) for r in rankers}
    groups = pa.concat_tables([part[0] for part in parts])
    summary = pa.concat_tables([part[1] for part in parts])
    gains = differences(groups, NAME)
    for name, table in (("groups", groups), ("summary", summary), ("differences", gains)):
        lake.write(f"evaluation/{name}", table)
    data = ReportData(
        ours=NAME,
        control=CONTROL,
        groups=groups,
        summary=summary,
        differences=gains,
        manifests={protocol: load_manifest(lake, protocol) for protocol in REPORTED},
        coverage=known,
        dataset_coverage=known_datasets,
        curves=curves,
        corpus_counts=_corpus_counts(problem),
        scores=_scores_by_metric(problem),
        size_prior=(np.mean([ranker.size_prior() for ranker in rankers], axis=0), SIZE_BUCKETS),
        notes=(
            f"Training seeds: {', '.join(map(str, seeds))}.",
            f"Text encoder: {_encoder(problem)}.",
        ),
    )
    return EvaluationResult(groups, summary, gains, write_report(out_dir, data), data)


def _encoder(problem: Problem) -> str:
    encoder = problem.features.encoder
    return f"{encoder.encoder_id}, {encoder.dim} dimensions, weights `{encoder.weights_hash[:12]}`"


def _corpus_counts(problem: Problem) -> dict[str, int]:
    features, rows = problem.features, problem.rows
    return {
        "scores (one per list and model)": len(rows),
        "lists": rows.n_groups,
        "models": features.n_models,
        "datasets": features.n_datasets,
        "dataset families": len(np.unique(dataset_units(features, rows)[:-1])),
        "tasks": len(features.task_ids),
        "metrics": len(features.metric_ids),
    }


def _scores_by_metric(problem: Problem) -> dict[str, npt.NDArray[np.float64]]:
    """Oriented scores (negative where lower is better) of every metric."""
    rows = problem.rows
    order = np.argsort(rows.metric, kind="stable")
    metrics, first = np.unique(rows.metric[order], return_index=True)
    names = problem.features.metric_ids[metrics]
    return dict(zip(names.tolist(), np.split(rows.y[order], first[1:]), strict=True))
