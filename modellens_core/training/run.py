"""One training run: from the lake's features and a frozen split to a ranker on disk.

The I/O around `loop.py`: it loads, fingerprints, resumes, trains, and writes
`<out>/ranker.{safetensors,json}` and `<out>/metrics.jsonl`. Choosing protocols and seeds, and running
many of these, is the caller's business.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from modellens_core.progress import Progress, silent
from modellens_core.ranking.artifact import (
    RankerMeta,
    library_versions,
    save_ranker,
    vocabulary_hashes,
)
from modellens_core.ranking.config import Sizes
from modellens_core.ranking.network import Ranker
from modellens_core.splits.problem import Problem
from modellens_core.store.lake import Lake, atomic_path, file_sha256
from modellens_core.training.checkpoints import Checkpoints
from modellens_core.training.config import TrainConfig
from modellens_core.training.data import GroupedRows
from modellens_core.training.loop import EpochResult, TrainState, train
from modellens_core.training.validation import Validation

Event = Mapping[str, Any]
METRICS = "metrics.jsonl"


@dataclass(frozen=True, slots=True)
class TrainResult:
    """How a run ended.

    Attributes:
        best_validation: top-weighted tau of the kept weights on the validation sample.
        best_epoch: when; epochs: how many were run; seconds: wall time of this process.
        curve: one entry per epoch; path: folder of the ranker.
    """

    best_validation: float
    best_epoch: int
    epochs: int
    seconds: float
    curve: tuple[EpochResult, ...]
    path: Path


def train_protocol(
    lake_root: Path,
    protocol: str,
    seed: int,
    config: TrainConfig,
    out_dir: Path,
    progress: Progress = silent,
    on_event: Callable[[Event], None] = lambda _event: None,
) -> TrainResult:
    """Train one ranker on the "train" rows of a split, choosing the epoch on its "val" rows.

    A run that was interrupted goes on from its last finished epoch, if recipe, seed and data are the
    same; otherwise it starts anew.

    Args:
        lake_root: root of the lake, with `features/` and `splits/<protocol>`.
        protocol: name of the split.
        seed: of initialisation, sampling and dropout.
        config: the recipe.
        out_dir: where the ranker goes; an earlier ranker there stays until this one is finished.
        progress: told after each epoch.
        on_event: told `{"event": "start" | "epoch" | "done", ...}`, plain JSON values.

    Raises:
        ModelLensError: a table is missing, the split does not fit, or training cannot go on.
    """
    began = time.monotonic()
    lake = Lake(lake_root)
    problem = Problem.load(lake, protocol)
    features, learn = problem.features, problem.train
    data = {**problem.hashes, "features": _features_hash(lake)}
    rows = GroupedRows.of(learn, config.z_clip)
    validation = Validation.sample(problem.val, seed=0)  # the same groups for every seed
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        ranker = Ranker(config.ranker, Sizes.of(features))
    ranker.fit_inputs(features, learn)
    tables = ranker.tables(features)
    state = TrainState.start(ranker, config)
    checkpoints = Checkpoints(
        out_dir / "checkpoint", _fingerprint([config.to_dict(), seed, protocol, data])
    )
    resumed = checkpoints.restore(state)
    on_event(
        {
            "event": "start", "protocol": protocol, "seed": seed, "config": config.name,
            "rows": len(rows), "groups": rows.n_groups, "validation_rows": len(validation.rows),
            "steps_per_epoch": rows.steps_per_epoch(config.feed),
            "resumed_after_epoch": len(state.curve) - 1 if resumed else None,
        }
    )  # fmt: skip
    label = f"training {protocol} seed {seed}"

    def on_epoch(state: TrainState, improved: bool) -> None:  # noqa: FBT001 - a fact, not a switch
        checkpoints.save(state, improved)
        _write_curve(out_dir / METRICS, state.curve)
        on_event({"event": "epoch", "best": improved, **asdict(state.curve[-1])})
        progress(label, len(state.curve), config.max_epochs)

    train(state, config, tables, rows, validation, seed, on_epoch)
    ranker.load_state_dict(state.best)
    result = TrainResult(
        best_validation=state.best_validation,
        best_epoch=state.best_epoch,
        epochs=len(state.curve),
        seconds=round(time.monotonic() - began, 3),
        curve=tuple(state.curve),
        path=out_dir,
    )
    meta = RankerMeta(
        protocol=protocol,
        seed=seed,
        recipe=config.to_dict(),
        encoder=features.encoder,
        vocabulary=vocabulary_hashes(features),
        data=data,
        result={
            "rows": len(rows), "groups": rows.n_groups, "epochs": result.epochs,
            "best_epoch": result.best_epoch, "best_validation": result.best_validation,
            "seconds": result.seconds,
        },
        versions=library_versions(),
    )  # fmt: skip
    save_ranker(out_dir, ranker, meta)
    checkpoints.clear()
    on_event({"event": "done", "path": str(out_dir), **meta.result})
    return result


def _features_hash(lake: Lake) -> str:
    """Hash of everything that is known about entities."""
    names = ("models", "datasets", "tasks", "metrics", "families")
    files = [lake.path(f"features/{name}") for name in names]
    files += [lake.root / f"features/{name}_vectors.npy" for name in ("model", "dataset")]
    return _fingerprint([file_sha256(path) for path in files])


def _fingerprint(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _write_curve(path: Path, curve: list[EpochResult]) -> None:
    with atomic_path(path) as tmp:
        tmp.write_text("".join(json.dumps(asdict(point)) + "\n" for point in curve), "utf-8")
