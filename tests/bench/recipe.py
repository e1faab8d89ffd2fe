"""What each part of the training recipe is worth, on validation groups: `make bench-recipe`.

Trains the default recipe and variants of it, each changed in one place, on the frozen splits of a profile
that `make run` has built, and prints the best validation tau of each. Test groups are not touched. Writes
`bench/out/recipe.json`. To try another variant, add a line to `VARIANTS`.
"""

import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from modellens_core.config import load_settings
from modellens_core.splits.freeze import REPORTED
from modellens_core.store.lake import write_json
from pipelines.environment import PROJECT_ROOT
from tests.bench.machine import machine

OUT = PROJECT_ROOT / "bench" / "out" / "recipe.json"
SEEDS = (0, 1)
VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "hidden 64": {"ranker.hidden": 64},
    "hidden 256": {"ranker.hidden": 256},
    "dropout 0.3": {"ranker.dropout": 0.3},
    "model-ID dropout 0.3": {"ranker.model_id_dropout": 0.3},
    "dataset-ID dropout 0.6": {"ranker.dataset_id_dropout": 0.6},
    "no listwise loss": {"listwise": 0.0},
    "no pairwise loss": {"pairwise": 0.0},
    "no pointwise loss": {"pointwise": 0.0},
    "learning rate 0.0007": {"learning_rate": 0.0007},
    "learning rate 0.003": {"learning_rate": 0.003},
    "no average of weights": {"average_decay": None},
}


def train_one(
    lake: Path, protocol: str, seed: int, overrides: dict[str, Any]
) -> tuple[float, float]:
    """Best validation tau, and seconds, of one run in a process of its own."""
    import torch

    from modellens_core.training.config import load_config
    from modellens_core.training.run import train_protocol

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="modellens-bench-") as out:
        found = train_protocol(lake, protocol, seed, load_config("default", overrides), Path(out))
    return found.best_validation, found.seconds


def measure(lake: Path) -> list[dict[str, Any]]:
    """Every variant on every reported protocol."""
    cells = [(p, name) for p in REPORTED for name in VARIANTS]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        runs = {
            (p, name, seed): pool.submit(train_one, lake, p, seed, VARIANTS[name])
            for p, name in cells
            for seed in SEEDS
        }
        for run in track(runs.values(), "training", console=Console(stderr=True)):
            run.result()
    found = []
    for p, name in cells:
        taus, seconds = zip(*(runs[p, name, s].result() for s in SEEDS), strict=True)
        base = [runs[p, "default", s].result()[0] for s in SEEDS]
        found.append(
            {
                "protocol": p, "variant": name, "overrides": VARIANTS[name],
                "validation_tau": float(np.mean(taus)), "by_seed": list(taus),
                "against_default": float(np.mean(np.subtract(taus, base))),
                "seconds": float(np.mean(seconds)),
            }
        )  # fmt: skip
    return found


def main() -> None:
    """Measure, print, write."""
    settings = load_settings()
    figures = measure(settings.lake_dir)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    write_json(OUT, {"profile": settings.profile.value, "figures": figures, **machine()})
    for protocol in REPORTED:
        table = Table(
            "variant", "validation tau", "against default", "seconds", title_justify="left",
            title=f"{protocol}, profile {settings.profile.value}, seeds {SEEDS}",
        )  # fmt: skip
        for row in (f for f in figures if f["protocol"] == protocol):
            table.add_row(
                row["variant"], f"{row['validation_tau']:.3f}", f"{row['against_default']:+.3f}",
                f"{row['seconds']:.0f}",
            )  # fmt: skip
        Console().print(table)
    Console().print(f"written to {OUT.relative_to(PROJECT_ROOT)}")


if __name__ == "__main__":
    main()
