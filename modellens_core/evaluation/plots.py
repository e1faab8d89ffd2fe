"""Plots of the report, each as the bytes of a PNG, so that files and web pages can both show them.

Drawn on plain figures with the Agg canvas: no global state, no display, equal bytes for equal numbers.
What the numbers mean belongs in `summary.py` and `report.py`.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from modellens_core.evaluation.metrics import HEADLINE

SIZES = (
    (5, 9),
    (10, 19),
    (20, 49),
    (50, 99),
    (100, None),
)  # lengths of lists, for `tau_by_group_size`
MAX_METRICS = 10
OURS_COLOUR, OTHER_COLOUR = "#1f6fb4", "#8a8f98"


def tau_by_method(summary: pa.Table, protocol: str, ours: str, min_models: int = 5) -> bytes:
    """Mean top-weighted tau and its 95% interval, one line per method, best at the top."""
    chosen = summary.filter(
        (pc.field("protocol") == protocol)
        & (pc.field("metric") == HEADLINE)
        & (pc.field("min_models") == min_models)
    ).sort_by("mean")
    rows = chosen.to_pylist()
    figure, axes = _figure(height=0.9 + 0.38 * len(rows))
    for at, row in enumerate(rows):
        colour = OURS_COLOUR if row["method"] == ours else OTHER_COLOUR
        axes.plot([row["low"], row["high"]], [at, at], color=colour, linewidth=2.5)
        axes.plot(row["mean"], at, "o", color=colour)
    axes.set_yticks(range(len(rows)), [row["method"] for row in rows])
    axes.axvline(0, color="black", linewidth=0.6)
    axes.set_xlabel("top-weighted Kendall tau (95% interval over dataset families)")
    groups = rows[0]["n_groups"] if rows else 0
    axes.set_title(f"{protocol}: {groups} test lists of at least {min_models} models", fontsize=10)
    return _png(figure)


def validation_curves(curves: Mapping[str, Sequence[tuple[int, float]]]) -> bytes:
    """Validation value by epoch, one line per run, the kept epoch marked.

    Args:
        curves: label of a run to its (epoch, validation) points.
    """
    figure, axes = _figure(height=3.2)
    for label, points in curves.items():
        epochs, values = [p[0] for p in points], [p[1] for p in points]
        (line,) = axes.plot(epochs, values, linewidth=1.4, label=label)
        if values:
            best = int(np.argmax(values))
            axes.plot(epochs[best], values[best], "o", color=line.get_color(), markersize=5)
    axes.set_xlabel("epoch")
    axes.set_ylabel("top-weighted tau on validation lists")
    if curves:
        axes.legend(fontsize=7, frameon=False)
    return _png(figure)


def score_distributions(scores: Mapping[str, npt.NDArray[np.float64]]) -> bytes:
    """Histograms of the scores of the metrics with most scores, at most ten.

    Args:
        scores: metric name to its scores. The outermost 1% on each side are drawn at the edge.
    """
    shown = sorted(scores, key=lambda name: (-len(scores[name]), name))[:MAX_METRICS]
    n_rows = max(1, -(-len(shown) // 2))
    figure, grid = _grid(n_rows, 2, height=1.35 * n_rows + 0.4)
    for axes in grid[len(shown) :]:
        axes.set_axis_off()
    for axes, name in zip(grid, shown, strict=False):
        values = np.clip(scores[name], *np.percentile(scores[name], [1, 99]))
        axes.hist(values, bins=40, color=OURS_COLOUR)
        axes.set_title(f"{name} ({len(scores[name]):,})", fontsize=8)
        axes.tick_params(labelsize=7)
        axes.set_yticks([])
    return _png(figure)


def size_prior(prior: npt.NDArray[np.floating], labels: Sequence[str]) -> bytes:
    """What the ranker learned to expect of a model's size alone.

    Args:
        prior: [S] score by size bucket, bucket 0 (unknown) first; NaN where it learned nothing.
        labels: [S] names of the buckets.
    """
    figure, axes = _figure(height=3.0)
    axes.plot(range(1, len(prior)), prior[1:], "o-", color=OURS_COLOUR, markersize=4)
    axes.axhline(float(prior[0]), color=OTHER_COLOUR, linestyle="--", label=f"size {labels[0]}")
    axes.set_xticks(range(1, len(prior)), labels[1:], rotation=60, ha="right", fontsize=7)
    axes.set_ylabel("learned prior")
    axes.set_xlabel("parameters")
    axes.legend(fontsize=7, frameon=False)
    return _png(figure)


def tau_by_group_size(groups: pa.Table, protocol: str, ours: str) -> bytes:
    """Mean top-weighted tau of each method on lists of each length (lists alike, seeds pooled)."""
    chosen = groups.filter(pc.field("protocol") == protocol)
    method = np.asarray(chosen["method"].to_pylist())
    size, tau = chosen["n_models"].to_numpy(), chosen[HEADLINE].to_numpy()
    names = list(dict.fromkeys(method.tolist()))
    bins = [(size >= low) & (size <= (high or np.inf)) for low, high in SIZES]
    filled = [i for i, inside in enumerate(bins) if inside.any()]
    figure, axes = _figure(height=3.4)
    for name in names:
        means = [float(tau[bins[i] & (method == name)].mean()) for i in filled]
        width = 2.4 if name == ours else 1.2
        axes.plot(range(len(filled)), means, "o-", linewidth=width, markersize=4, label=name)
    seeds = {n: len(set(chosen.filter(pc.field("method") == n)["seed"].to_pylist())) for n in names}
    ticks = []
    for i in filled:
        low, high = SIZES[i]
        n_lists = int((bins[i] & (method == names[0])).sum()) // seeds[names[0]]
        ticks.append(f"{low} to {high}\n{n_lists} lists" if high else f"{low}+\n{n_lists} lists")
    axes.set_xticks(range(len(filled)), ticks, fontsize=8)
    axes.axhline(0, color="black", linewidth=0.6)
    axes.set_xlabel("models in the list")
    axes.set_ylabel("top-weighted tau")
    axes.set_title(protocol, fontsize=10)
    axes.legend(fontsize=7, frameon=False)
    return _png(figure)


def _grid(n_rows: int, n_columns: int, height: float) -> tuple[Any, list[Any]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, height), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(n_rows, n_columns, squeeze=False)
    return figure, list(grid.ravel())


def _figure(height: float) -> tuple[Any, Any]:
    figure, grid = _grid(1, 1, height)
    for side in ("top", "right"):
        grid[0].spines[side].set_visible(False)
    return figure, grid[0]


def _png(figure: Any) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
