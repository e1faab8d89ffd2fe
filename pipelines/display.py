"""How status, rankings and query results look on a terminal. Data in, rich text out; no decisions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from modellens_core.serving import Answer

STATE_STYLE = {"ok": "green", "partial": "yellow", "unreachable": "yellow", "corrupt": "red"}
NEXT_STEP = {
    "at_work": "a run is at work; what follows is how far it is",
    "unknown": "what became of the last run cannot be told (see below)",
    "never_run": "nothing has been built yet: run `modellens run`",
    "cut_off": "the last run was cut off: run `modellens run` again, it goes on where it stopped",
    "incomplete": "the last run has not finished: run `modellens run` again, it goes on where it stopped",
    "attention": "some sources did not answer (see below); `modellens run` asks them again",
    "ok": "all is well",
}


def show_status(console: Console, status: dict[str, Any]) -> None:
    """One screen: corpus, sources, evaluation, checks, where things lie."""
    console.print(
        f"\n[bold]ModelLens[/bold], profile {status['profile']}: {NEXT_STEP[status['state']]}"
    )
    corpus = status["corpus"]
    if corpus:
        console.print(
            f"  corpus: {corpus['records']:,} records of {corpus['models']:,} models on "
            f"{corpus['datasets']:,} datasets in {corpus['groups']:,} groups; "
            f"{corpus.get('conflicts', 0):,} conflicts, {corpus.get('rejects', 0):,} refused, "
            f"{corpus['records_of_unknown_direction']:,} of unknown direction (kept out of training)"
        )
    show_sources(console, status["sources"])
    show_evaluation(console, status["evaluation"])
    run = status["last_run"] or {}
    for check in run.get("failed_checks", []):
        console.print(
            f"  [yellow]check {check['check']} on {check['asset']} ({check['severity'].lower()}): "
            f"{check['detail']}[/yellow]",
            highlight=False,
        )
    for problem in filter(None, (status["last_run_problem"], status["bundle_problem"])):
        console.print(f"  [red]{escape(problem)}[/red]", highlight=False, soft_wrap=True)
    for name, path in status["paths"].items():
        if path:
            console.print(f"  {name}: {path}", highlight=False, soft_wrap=True)


def show_sources(console: Console, sources: Sequence[dict[str, Any]]) -> None:
    """One line per source, and one per part of it that is not ok."""
    by_source: dict[str, list[dict[str, Any]]] = {}
    for part in sources:
        by_source.setdefault(part["source"], []).append(part)
    for name, parts in by_source.items():
        good = sum(p["state"] == "ok" for p in parts)
        style = "green" if good == len(parts) else "yellow"
        rows = sum(p["rows"] for p in parts)
        console.print(
            f"  source {name}: [{style}]{good} of {len(parts)} parts ok[/{style}], {rows:,} rows read",
            highlight=False,
        )
        for p in parts:
            if p["state"] != "ok":
                style = STATE_STYLE.get(p["state"], "red")
                console.print(
                    f"    [{style}]{p['part']}: {p['state']}[/{style}] {escape(p['detail'])}",
                    highlight=False, soft_wrap=True,
                )  # fmt: skip


def show_evaluation(console: Console, evaluation: dict[str, Any]) -> None:
    """Weighted tau of every method, best first, per protocol."""
    # Here, since it takes half a second that no other command needs.
    from modellens_core.evaluation.ranker_method import CONTROL

    for protocol, methods in evaluation.items():
        any_method = next(iter(methods.values()))
        console.print(
            f"{protocol}: weighted tau on test groups "
            f"({any_method['n_groups']} groups of {any_method['n_families']} dataset families)",
            highlight=False,
        )
        table = Table()
        for name in ("method", "tau_w", "95% interval"):
            table.add_column(name, justify="left" if name == "method" else "right")
        for method, m in sorted(methods.items(), key=lambda kv: -kv[1]["mean"]):
            name = f"{method} (control)" if method == CONTROL else method
            table.add_row(name, f"{m['mean']:.3f}", f"[{m['low']:.3f}, {m['high']:.3f}]")
        console.print(table)


def show_rows(console: Console, rows: pa.Table, limit: int) -> None:
    """A query result as a table."""
    table = Table()
    for name in rows.schema.names:
        table.add_column(escape(name), overflow="fold")
    for row in rows.slice(0, limit).to_pylist():
        table.add_row(*("" if v is None else _short(v) for v in row.values()))
    console.print(table)
    if rows.num_rows > limit:
        console.print(f"({rows.num_rows - limit:,} more rows; --limit shows more)")


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else escape(str(value))


def show_findings(console: Console, findings: Sequence[Any]) -> None:
    """What `doctor` found, one line each."""
    marks = {"ok": "[green]✓[/green]", "missing": "[yellow]-[/yellow]", "broken": "[red]✗[/red]"}
    for finding in findings:
        console.print(
            f"  {marks[finding.state]} {finding.what}: {finding.detail}",
            highlight=False,
            soft_wrap=True,
        )


def show_ranking(console: Console, answer: "Answer") -> None:
    """A ranked list with the reason for each place, and how far to trust it."""
    inferred = " (inferred)" if answer.task_inferred or answer.metric_inferred else ""
    console.print(
        f"Ranked for task [bold]{answer.task_id}[/bold], metric [bold]{answer.metric_id}[/bold]{inferred}, "
        f"among {answer.n_candidates:,} models",
        highlight=False,
    )
    table = Table()
    for name in (
        "",
        "model",
        "score",
        "size + family",
        "this dataset",
        "params",
        "known on the nearest dataset",
    ):
        right = name in {"", "score", "size + family", "this dataset", "params"}
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for place, model in enumerate(answer, start=1):
        known = next(iter(model.evidence), None)
        table.add_row(
            str(place),
            escape(model.model_id),
            f"{model.score:+.2f}",
            f"{model.prior:+.2f}",
            f"{model.residual:+.2f}",
            f"{model.params_b:.3g} B" if model.params_b else "?",
            f"{known.dataset_id} {known.metric_id} {known.score:.4g}" if known else "nothing near",
        )
    console.print(table)
    near = ", ".join(f"{d.dataset_id} ({d.similarity:.2f})" for d in answer.nearest[:3])
    console.print(f"  nearest known datasets: {near or 'none'}", highlight=False, soft_wrap=True)
    for note in answer.notes:
        console.print(f"  [yellow]note: {escape(note)}[/yellow]", highlight=False, soft_wrap=True)
