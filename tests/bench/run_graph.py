"""Times the whole graph from nothing, and again with nothing to do: `make bench-run`.

Runs `modellens run` twice as a user would, in a home of its own, and prints seconds per layer (from
Dagster's own records), peak memory, and what came out. Writes `bench/out/run_graph.json` with the machine
and the versions. Figures only; what they should be is in the docs.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import dagster as dg
from rich.console import Console
from rich.table import Table

from modellens_core.config import load_settings
from modellens_core.store.lake import write_json
from pipelines.build import build_defs
from pipelines.environment import PROJECT_ROOT, prepare
from pipelines.status import collect_status
from tests.bench.machine import machine
from tests.layers import LAYERS

OUT = PROJECT_ROOT / "bench" / "out" / "run_graph.json"


def timed_run(environment: dict[str, str]) -> float:
    """Seconds of one `modellens run` in a process of its own."""
    start = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "run", "--json"],
        env=environment, cwd=PROJECT_ROOT, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return time.monotonic() - start


def seconds_by_layer() -> dict[str, float]:
    """Wall time of the assets of each layer in the first run, checks counted with their asset."""
    defs = build_defs()
    graph = defs.resolve_asset_graph()
    groups = {k.to_user_string(): graph.get(k).group_name for k in graph.materializable_asset_keys}
    totals = dict.fromkeys(LAYERS, 0.0)
    with dg.DagsterInstance.get() as instance:
        first = instance.get_run_records(limit=1, ascending=True)[0].dagster_run.run_id
        for step in instance.get_run_step_stats(first):
            name = step.step_key.removeprefix("gx_")
            asset = max((n for n in groups if name.startswith(n)), key=len, default=None)
            if asset and step.start_time and step.end_time:
                totals[str(groups[asset])] += step.end_time - step.start_time
    return {layer: round(seconds, 1) for layer, seconds in totals.items()}


def measure(home: Path) -> dict[str, Any]:
    """Run twice and collect the figures."""
    environment = {**os.environ, "MODELLENS_HOME": str(home)}
    first, second = timed_run(environment), timed_run(environment)
    os.environ["MODELLENS_HOME"] = str(home)
    settings = load_settings()
    prepare(settings)
    status = collect_status(settings)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    return {
        "profile": settings.profile.value,
        "seconds_first_run": round(first, 1),
        "seconds_second_run": round(second, 1),
        "seconds_by_layer": seconds_by_layer(),
        "peak_gib_of_one_process": round(peak, 2),
        "corpus": status["corpus"],
        "evaluation": status["evaluation"],
        **machine(),
    }  # fmt: skip


def main() -> None:
    """Measure, print, write."""
    with tempfile.TemporaryDirectory(prefix="modellens-bench-") as folder:
        figures = measure(Path(folder))
    OUT.parent.mkdir(parents=True, exist_ok=True)
    write_json(OUT, figures)
    table = Table(title=f"make bench-run, profile {figures['profile']}", title_justify="left")
    table.add_column("what")
    table.add_column("figure", justify="right")
    for name in ("seconds_first_run", "seconds_second_run", "peak_gib_of_one_process"):
        table.add_row(name.replace("_", " "), str(figures[name]))
    for layer, seconds in figures["seconds_by_layer"].items():
        table.add_row(f"  {layer}", f"{seconds} s")
    for name in ("records", "models", "datasets", "groups"):
        table.add_row(name, f"{figures['corpus'][name]:,}")
    Console().print(table)
    Console().print(f"written to {OUT.relative_to(PROJECT_ROOT)}")


if __name__ == "__main__":
    main()
