"""Training layer: one asset per protocol, each training one ranker per seed in a subprocess.

The subprocess is started through Dagster Pipes with the command that any other launcher would use
(`python -m pipelines.worker`, a thin adapter around `modellens_core.training`). Seeds are a setting and
not partitions, so that the whole graph can be one run (docs/adr/0005).
"""

import json
import os
import sys
from pathlib import Path

import dagster as dg
import pyarrow as pa

from assets.metadata import markdown_table, picture, table_schema
from assets.resources import Workspace
from assets.versions import code_version, data_version
from modellens_core.config import Settings
from modellens_core.splits.freeze import PROTOCOLS

_RUNS = pa.schema(
    [
        pa.field("seed", pa.int64()),
        pa.field("best_validation", pa.float64()),
        pa.field("best_epoch", pa.int64()),
        pa.field("epochs", pa.int64()),
        pa.field("rows", pa.int64()),
        pa.field("groups", pa.int64()),
        pa.field("seconds", pa.float64()),
    ]
)


def seeds_of(protocol: str, settings: Settings) -> tuple[int, ...]:
    """Seeds trained for a protocol; the served ranker is trained once."""
    return settings.seeds[:1] if protocol == "production" else settings.seeds


def training_dir(settings: Settings, protocol: str) -> Path:
    """Folder that holds `seed-<n>/` for each seed of a protocol."""
    return settings.lake_dir / "training" / protocol


def training_asset(protocol: str, settings: Settings) -> dg.AssetsDefinition:
    """The asset of one protocol's rankers."""
    seeds = seeds_of(protocol, settings)

    @dg.asset(
        name=f"ranker_{protocol}",
        group_name="training",
        deps=[f"split_{protocol}", "features_vectors"],
        description=f"Rankers trained on the train part of `{protocol}`, one per seed, each stopped and "
        "chosen by weighted tau on the validation groups.",
        kinds={"pytorch", "python"},
        code_version=code_version(
            "training", "ranking", "evaluation/metrics", settings=(seeds, settings.train_config)
        ),
    )
    def train(
        context: dg.AssetExecutionContext,
        workspace: Workspace,
        pipes_subprocess: dg.PipesSubprocessClient,
    ) -> dg.MaterializeResult:
        config = workspace.settings
        out = training_dir(config, protocol)
        command = [
            sys.executable, "-m", "pipelines.worker",
            "--lake", str(config.lake_dir), "--protocol", protocol, "--out", str(out),
            "--seeds", ",".join(map(str, seeds)), "--config", config.train_config,
            "--processes", str(config.threads), "--parent", str(os.getpid()),
        ]  # fmt: skip
        pipes_subprocess.run(command=command, context=context)
        return result_of(out, seeds)

    return train


def result_of(out: Path, seeds: tuple[int, ...]) -> dg.MaterializeResult:
    """Metadata of finished rankers: best validation, curves, the learned size prior."""
    from modellens_core.evaluation.plots import size_prior, validation_curves
    from modellens_core.evaluation.ranker_method import learned_size_prior, read_curve
    from modellens_core.normalize.sizes import SIZE_BUCKETS

    folders = {seed: out / f"seed-{seed}" for seed in seeds}
    results = {
        seed: json.loads((folder / "ranker.json").read_text("utf-8"))["meta"]["result"]
        for seed, folder in folders.items()
    }
    columns = _RUNS.names
    rows = [[seed, *(result[c] for c in columns[1:])] for seed, result in results.items()]
    curves = {f"seed {seed}": read_curve(folder) for seed, folder in folders.items()}
    prior = learned_size_prior(folders[seeds[0]])
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(seeds),
            "dagster/column_schema": table_schema(_RUNS),
            "preview": dg.MetadataValue.md(markdown_table(columns, rows)),
            "validation_curve": picture(
                validation_curves(curves), "validation weighted tau by epoch"
            ),
            "size_prior": picture(size_prior(prior, SIZE_BUCKETS), "learned size prior"),
            "best_validation": max(float(r["best_validation"]) for r in results.values()),
        },
        data_version=data_version(*(f / "ranker.safetensors" for f in folders.values())),
    )


def training_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """All assets of the layer."""
    return [training_asset(p, settings) for p in PROTOCOLS]
