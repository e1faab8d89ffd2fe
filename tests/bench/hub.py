"""What reading a whole Hub costs: `make bench-hub MODELLENS_SNAPSHOT_DIR=...`.

Serves the real Hub of February 2022 on the loopback, in a process of its own, and collects it with the
genuine client: a part of it, all of it, and all of it again. Prints requests by kind, seconds, peak memory,
and what the three tiers make of it, with refusals by reason. Writes `bench/out/hub.json`. The wire costs
nothing here: the figures are what our side costs, and what the Hub would be asked.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from modellens_core.config import load_settings
from modellens_core.progress import silent
from modellens_core.schema import Reject, Report
from modellens_core.sources.hub import parse_hub_bronze, parse_hub_gold, parse_hub_silver
from modellens_core.sources.hub.client import HubClient
from modellens_core.sources.hub.collect import collect_from
from modellens_core.sources.hub.listing import Crawl
from modellens_core.sources.hub.store import HubStore
from modellens_core.store.lake import Lake, write_json
from pipelines.environment import PROJECT_ROOT
from tests.bench.machine import machine

OUT = PROJECT_ROOT / "bench" / "out" / "hub.json"
PART = 7500  # repositories of the smaller collection: does memory grow with the Hub?
TIERS = {"gold": parse_hub_gold, "silver": parse_hub_silver, "bronze": parse_hub_bronze}


def peak_mib() -> float:
    """Largest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def collect(home: Path, bound: int) -> dict[str, Any]:
    """Collect once, and write the raw tables, as the asset does."""
    client = HubClient(load_settings().hub_endpoint, None)
    crawl = Crawl(hub="snapshot", bound=bound, readmes=True, full_every=timedelta(days=7))
    before, started = peak_mib(), time.perf_counter()
    got = collect_from(client, crawl, HubStore(home / "hub.sqlite"), silent)
    lake = Lake(home / "lake")
    rows = {name: lake.write(f"raw/hub/{name}", got.tables[name]).rows for name in got.tables}
    return {
        "seconds": round(time.perf_counter() - started, 1), "rows": rows,
        "requests": dict(client.requests_by_kind), "states": [s.state.value for s in got.statuses],
        "mib_before": round(before), "mib_peak": round(peak_mib()),
    }  # fmt: skip


def parse(home: Path, _bound: int) -> dict[str, Any]:
    """Read the tiers from the raw tables, counting what comes."""
    lake = Lake(home / "lake")
    raw = {name: lake.scan(f"raw/hub/{name}") for name in ("models", "readmes")}
    found = {}
    before = peak_mib()
    for tier, read in TIERS.items():
        started = time.perf_counter()
        cards, refused, reports = set(), Counter[str](), 0
        for item in read(raw):
            if isinstance(item, Report):
                reports += 1
                cards.add(item.source_url)
            elif isinstance(item, Reject):
                refused[item.reason] += 1
        found[tier] = {
            "reports": reports, "cards": len(cards), "refused": dict(refused.most_common()),
            "seconds": round(time.perf_counter() - started, 1),
        }  # fmt: skip
    return {"tiers": found, "mib_before": round(before), "mib_peak": round(peak_mib())}


STEPS = {"collect": collect, "parse": parse}


def in_process(step: str, home: Path, bound: int = 0) -> dict[str, Any]:
    """One step in a process of its own, so that its memory is its own."""
    command = [sys.executable, "-m", "tests.bench.hub", step, str(home), str(bound)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=PROJECT_ROOT)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def measure(folder: Path) -> dict[str, Any]:
    """All steps."""
    return {
        f"first run, {PART:,} repositories": in_process("collect", folder / "part", PART),
        "first run, all": in_process("collect", folder / "all"),
        "second run, all": in_process("collect", folder / "all"),
        "parse": in_process("parse", folder / "all"),
    }


def show(console: Console, figures: dict[str, Any]) -> None:
    """The figures as tables."""
    table = Table("run", "repositories", "READMEs", "API requests", "file requests", "seconds", "peak MiB",
                  title="Collecting", title_justify="left")  # fmt: skip
    for name, run in figures.items():
        if name != "parse":
            asked = run["requests"]
            table.add_row(
                name, f"{run['rows']['models']:,}", f"{run['rows']['readmes']:,}",
                str(asked.get("api", 0)), f"{asked.get('resolvers', 0):,}", str(run["seconds"]),
                f"{run['mib_peak']:,} ({run['mib_before']:,} before)",
            )  # fmt: skip
    console.print(table)
    parsed = figures["parse"]
    tiers = Table("tier", "cards", "reports", "seconds", "refused", title_justify="left",
                  title=f"Reading, peak {parsed['mib_peak']:,} MiB")  # fmt: skip
    for tier, found in parsed["tiers"].items():
        refused = ", ".join(f"{reason} {n:,}" for reason, n in found["refused"].items())
        tiers.add_row(
            tier, f"{found['cards']:,}", f"{found['reports']:,}", str(found["seconds"]), refused
        )
    console.print(tiers)


def main() -> None:
    """Measure, print, write; or do the one step that is named."""
    if len(sys.argv) > 1:
        step, home, bound = sys.argv[1:]
        sys.stdout.write(json.dumps(STEPS[step](Path(home), int(bound))))
        return
    if "HF_ENDPOINT" not in os.environ:
        sys.exit(
            "no local Hub: run `make bench-hub MODELLENS_SNAPSHOT_DIR=<folder with the records>`"
        )
    with tempfile.TemporaryDirectory(prefix="modellens-bench-") as folder:
        figures = measure(Path(folder))
    OUT.parent.mkdir(parents=True, exist_ok=True)
    write_json(OUT, {"figures": figures, **machine()})
    console = Console(width=160)
    show(console, figures)
    console.print(f"written to {OUT.relative_to(PROJECT_ROOT)}")


if __name__ == "__main__":
    main()
