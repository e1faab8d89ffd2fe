"""The evaluation report: what was measured, in plain words first, then in tables and plots.

The first paragraph says for every protocol which baselines the ranker beats, and which it does not, and what
the dataset's description adds. What belongs here: wording and layout. Numbers come from `summary.py`, pictures from `plots.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from modellens_core.evaluation import plots
from modellens_core.evaluation.coverage import NEEDS
from modellens_core.evaluation.metrics import HEADLINE, METRICS
from modellens_core.evaluation.summary import MIN_MODELS_SHOWN, PAPER_TAU_BY_PAIRS
from modellens_core.store.lake import atomic_path

FEW_FAMILIES = 10  # with fewer, a bootstrap over families says little
LITTLE_KNOWN = 0.5  # a baseline that knows fewer of the ranked models is no opponent

METRIC_NOTES: Mapping[str, str] = {
    "weighted_tau": "Kendall tau, weight on the truly best models; guessing 0 (headline)",
    "tau_b": "Kendall tau, all pairs alike; guessing 0",
    "top1_regret_z": "score lost by taking the first choice, in standard deviations; lower is better",
    "top1_regret_raw": "the same in each metric's own unit: do not compare across corpora",
    "hit_at_1": "the truly best model is ranked first",
    "hit_at_5": "the truly best model is among the first 5 (lists longer than 5)",
    "recall_at_5": "overlap of the true and the predicted top 5 (lists longer than 5)",
    "recall_at_10": "overlap of the true and the predicted top 10 (lists longer than 10)",
    "ndcg_at_10": "hardly separates rankers: read it beside `random`",
    "ndcg_at_10_over_random": "NDCG@10 rescaled so that guessing is 0",
    "mrr": "1 / place of the truly best model",
    "paper_tau": "the paper's code: weight on the worst models, ties by row order; to compare only",
    PAPER_TAU_BY_PAIRS: "the same, long lists weighted by their number of pairs, as the paper averages",
}


@dataclass(frozen=True, slots=True)
class ReportData:
    """Everything a report shows.

    Attributes:
        ours: name of the method the report is about.
        groups, summary, differences: tables of `GROUPS`, `SUMMARY`, `DIFFERENCES`.
        manifests: protocol to the manifest of its frozen split.
        coverage: protocol to baseline to the share of ranked models it knows anything of.
        curves: label of a training run to its (epoch, validation) points.
        corpus_counts: what to its number, in the order to print.
        scores: metric to its scores, for the histograms.
        control: name of the method that is told other datasets' texts, if there is one: no baseline.
        dataset_coverage: protocol to the share of ranked rows whose dataset the ranker has trained on.
        size_prior: [S] learned score by size bucket and [S] labels, if the ranker has one.
        notes: sentences to print as they are.
    """

    ours: str
    groups: pa.Table
    summary: pa.Table
    differences: pa.Table
    manifests: Mapping[str, Mapping[str, Any]]
    coverage: Mapping[str, Mapping[str, float]]
    curves: Mapping[str, Sequence[tuple[int, float]]]
    corpus_counts: Mapping[str, int]
    scores: Mapping[str, npt.NDArray[np.float64]]
    control: str | None = None
    dataset_coverage: Mapping[str, float] = field(default_factory=dict)
    size_prior: tuple[npt.NDArray[np.floating], Sequence[str]] | None = None
    notes: Sequence[str] = field(default=())


def write_report(out_dir: Path, data: ReportData) -> Path:
    """Write `report.md` and its plots.

    Args:
        out_dir: folder to write into; made if missing.
        data: what to show.

    Returns:
        Path of `report.md`.
    """
    for name, png in report_plots(data).items():
        with atomic_path(out_dir / name) as tmp:
            tmp.write_bytes(png)
    path = out_dir / "report.md"
    with atomic_path(path) as tmp:
        tmp.write_text(report_text(data), encoding="utf-8")
    return path


def report_plots(data: ReportData) -> dict[str, bytes]:
    """File name to PNG bytes of every plot the report refers to; the control is in the tables only."""
    found = {}
    summary, groups = (
        table.filter(pc.field("method") != (data.control or ""))
        for table in (data.summary, data.groups)
    )
    for protocol in data.manifests:
        found[f"tau-{protocol}.png"] = plots.tau_by_method(summary, protocol, data.ours)
        found[f"size-{protocol}.png"] = plots.tau_by_group_size(groups, protocol, data.ours)
    if data.curves:
        found["validation.png"] = plots.validation_curves(data.curves)
    if data.scores:
        found["scores.png"] = plots.score_distributions(data.scores)
    if data.size_prior is not None:
        found["size-prior.png"] = plots.size_prior(*data.size_prior)
    return found


def verdict(data: ReportData) -> str:
    """Say for every protocol which baselines the method beats; a few sentences per protocol."""
    return " ".join(
        sentence for protocol in data.manifests for sentence in _verdict(data, protocol)
    )


def report_text(data: ReportData) -> str:
    """The report as Markdown."""
    lines = ["# Does the ranker beat the baselines?", "", verdict(data), ""]
    how = (
        "Every number below is an average over lists of test models: over seeds, then over the lists of "
        "a dataset family, then over families. Brackets are 95% bootstrap intervals over families. "
        "Families that copy each other's scores or have kindred names count as one dataset family, as in "
        "the splits. Test lists were used for this report only: nothing was trained, tuned or chosen on them."
    )
    served = (
        "The ranker that is served is one more fit, on all scores but those it is stopped on, test lists "
        "included: it is itself never tested, and the numbers are of rankers that have not seen the test "
        "lists."
    )
    lines += [how, "", served, ""]
    lines += [f"- {note}" for note in data.notes] + ([""] if data.notes else [])
    for protocol in data.manifests:
        lines += _protocol_section(data, protocol)
    lines += ["## Metrics", ""]
    lines += [f"- `{name}`: {note}" for name, note in METRIC_NOTES.items()]
    lines += ["", "## Corpus", "", "| what | number |", "|---|--:|"]
    lines += [f"| {what} | {number:,} |" for what, number in data.corpus_counts.items()]
    lines += [""]
    if data.scores:
        lines += ["![Scores by metric](scores.png)", ""]
    if data.curves:
        lines += ["## Training", "", "Dots mark the epoch that was kept.", ""]
        lines += ["![Validation by epoch](validation.png)", ""]
    if data.size_prior is not None:
        about = "What the rankers learned to expect of a model's size alone (gaps: sizes never trained on)."
        lines += [about, "", "![Learned prior by size](size-prior.png)", ""]
    return "\n".join(lines)


def _verdict(data: ReportData, protocol: str) -> Iterator[str]:
    head = _rows(data.summary, protocol=protocol, metric=HEADLINE, min_models=MIN_MODELS_SHOWN[0])
    ours = next(row for row in head if row["method"] == data.ours)
    yield (
        f"On **{protocol}** ({_count(ours['n_groups'], 'list')} of "
        f"{_count(ours['n_families'], 'dataset family', 'dataset families')}, "
        f"{_count(ours['seeds'], 'seed')}), {data.ours} reaches a top-weighted tau of {_cell(ours)}."
    )
    gains, told = _gains(data, protocol)
    few = ours["n_families"] < FEW_FAMILIES
    beaten = [row["baseline"] for row in gains if row["low"] > 0]
    if beaten:
        yield f"It {'is ahead of' if few else 'beats'} {_join(beaten)}."
    blind = [name for name in beaten if data.coverage[protocol].get(name, 1) < LITTLE_KNOWN]
    if blind:
        known = [f"{NEEDS[n]} for {data.coverage[protocol][n]:.0%}" for n in blind]
        yield (
            f"Being ahead of {_join(blind)} says little: known of the ranked models are {_join(known)}."
        )
    for row in gains:
        if row["low"] <= 0:
            worse = "it is worse" if row["high"] < 0 else "the difference is"
            yield f"It **does not beat** {row['baseline']}: {worse} {_cell(row, signed=True)}."
    if told is not None:
        yield _description(data, protocol, told)
    if few:
        adds = ", and neither is what the description adds" if told and told["low"] > 0 else ""
        yield (
            f"With {ours['n_families']} families a bootstrap interval is too narrow: being ahead here is "
            f"no proof{adds}."
        )
    chosen_on = data.manifests[protocol]["parts"]["val"]
    if chosen_on["dataset_families"] < FEW_FAMILIES:
        yield (
            f"Training was stopped on {_count(chosen_on['measurable_groups'], 'validation list')} of "
            f"{_count(chosen_on['dataset_families'], 'dataset family', 'dataset families')}: how well "
            "that was chosen is luck."
        )


def _gains(data: ReportData, protocol: str) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Headline differences to the baselines, and the one to the control, which is none."""
    rows = _rows(
        data.differences, protocol=protocol, metric=HEADLINE, min_models=MIN_MODELS_SHOWN[0]
    )
    told = next((row for row in rows if row["baseline"] == data.control), None)
    return [row for row in rows if row["baseline"] != data.control], told


def _description(data: ReportData, protocol: str, told: Mapping[str, Any]) -> str:
    """What knowing the dataset's own text is worth, against the text of other datasets."""
    knows_id = data.dataset_coverage.get(protocol, 0.0) > 0
    what = "the description and the learned id add" if knows_id else "the description adds"
    if told["low"] > 0:
        said = f"What {what}: {_cell(told, signed=True)}"
    elif told["high"] < 0:
        said = f"What {what} is **less than nothing**: {_cell(told, signed=True)}"
    else:
        said = f"What {what} is **not measurable here**: {_cell(told, signed=True)}"
    without = ", without the dataset's id" if knows_id else ""
    return f"{said}, against the same rankers told the text of a random other dataset{without}."


def _protocol_section(data: ReportData, protocol: str) -> list[str]:
    manifest = data.manifests[protocol]
    lines = [f"## Protocol: {protocol}", "", f"![tau by method](tau-{protocol}.png)", ""]
    for least in MIN_MODELS_SHOWN:
        lines += _metric_table(data, protocol, least)
    lines += [f"### {data.ours} against each baseline", ""]
    lines += ["| baseline | difference in tau | lists won | difference in regret (z) | verdict |"]
    lines += ["|---|--:|--:|--:|---|"]
    least = MIN_MODELS_SHOWN[0]
    regret = {
        row["baseline"]: row
        for row in _rows(
            data.differences, protocol=protocol, metric="top1_regret_z", min_models=least
        )
    }
    gains, told = _gains(data, protocol)
    for row in gains:
        ahead = "ahead, too few families" if row["n_families"] < FEW_FAMILIES else "beats it"
        said = ahead if row["low"] > 0 else "does not beat it"
        lines.append(
            f"| {row['baseline']} | {_cell(row, signed=True)} | {row['won']:.0%} "
            f"| {_cell(regret[row['baseline']], signed=True)} | {said} |"
        )
    knows = [
        f"{NEEDS[name]} of {share:.0%} (`{name}`)"
        for name, share in data.coverage[protocol].items()
    ]
    if told is not None:
        lines += [
            "",
            f"`{data.control}` is a control, not a baseline. {_description(data, protocol, told)}",
        ]
    lines += ["", f"What the baselines know of the ranked models: {_join(knows)}.", ""]
    lines += [f"![tau by length of list](size-{protocol}.png)", ""]
    lines += [
        "### The split",
        "",
        "| part | rows | lists | measurable | models | datasets | families |",
    ]
    lines += ["|---|--:|--:|--:|--:|--:|--:|"]
    keys = ("rows", "groups", "measurable_groups", "models", "datasets", "dataset_families")
    for part, counts in manifest["parts"].items():
        lines.append(f"| {part} | " + " | ".join(f"{counts[key]:,}" for key in keys) + " |")
    leaks = sum(manifest["leaks"].values())
    origin = (
        f"Split seed {manifest['seed']}, builder version {manifest['builder_version']}, "
        f"split hash `{manifest['hash']}`, interactions hash `{manifest['interactions_hash']}`; "
        f"leaks found by the audit: {leaks} ({', '.join(manifest['leaks'])})."
    )
    return [*lines, "", origin, ""]


def _metric_table(data: ReportData, protocol: str, least: int) -> list[str]:
    rows = _rows(data.summary, protocol=protocol, min_models=least)
    if not rows:
        return [f"No test list has {least} models.", ""]
    methods = list(dict.fromkeys(row["method"] for row in rows))
    cell = {(row["metric"], row["method"]): row for row in rows}
    names = [m.name for m in METRICS] + [PAPER_TAU_BY_PAIRS]
    lines = [f"### Lists of at least {least} models", ""]
    lines += ["| metric | lists | families | " + " | ".join(methods) + " |"]
    lines += ["|---|--:|--:|" + "--:|" * len(methods)]
    for name in names:
        if (name, methods[0]) in cell:
            first = cell[name, methods[0]]
            values = " | ".join(_cell(cell[name, method]) for method in methods)
            lines.append(f"| {name} | {first['n_groups']:,} | {first['n_families']:,} | {values} |")
    seconds = " | ".join(f"{cell[HEADLINE, method]['seconds']:.2f}" for method in methods)
    seeds = " | ".join(str(cell[HEADLINE, method]["seeds"]) for method in methods)
    return [*lines, f"| seeds | | | {seeds} |", f"| seconds | | | {seconds} |", ""]


def _rows(table: pa.Table, **equal: str | int) -> list[dict[str, Any]]:
    return [
        row for row in table.to_pylist() if all(row[key] == value for key, value in equal.items())
    ]


def _cell(row: Mapping[str, float], *, signed: bool = False) -> str:
    style = "+.3f" if signed else ".3f"
    return f"{row['mean']:{style}} [{row['low']:{style}}, {row['high']:{style}}]"


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _join(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
