"""Training layer: one asset per protocol, each training one ranker per seed in a subprocess.

The subprocess is started through Dagster Pipes with the command that any other launcher would use
(`python -m pipelines.worker`, a thin adapter around `modellens_core.training`). Seeds are a setting and
not partitions, so that the whole graph stays one run (docs/adr/0005).
"""

import json
import sys
from pathlib import Path

import dagster as dg
import pyarrow as pa

from assets.metadata import markdown_table, picture, table_schema
from assets.resources import Workspace
from assets.splits import PROTOCOLS
from assets.versions import code_version, data_version
from modellens_core.config import Settings

_RUNS = pa.schema(
    [
        pa.field("seed", pa.int64()),
        pa.field("best_validation", pa.float64()),
        pa.field("epochs", pa.int64()),
        pa.field("seconds", pa.float64()),
        pa.field("parameters", pa.int64()),
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
        pool="training",
        code_version=code_version("training", "ranking", settings=(seeds, settings.train_config)),
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
            "--processes", str(config.threads),
        ]  # fmt: skip
        pipes_subprocess.run(command=command, context=context)
        return result_of(out, seeds)

    return train


def result_of(out: Path, seeds: tuple[int, ...]) -> dg.MaterializeResult:
    """Metadata of finished rankers: best validation, curves, the learned size prior."""
    from modellens_core.evaluation.plots import size_prior, validation_curves
    from modellens_core.ranking.artifact import learned_size_prior

    folders = [out / f"seed-{s}" for s in seeds]
    metas = [json.loads((f / "ranker.json").read_text("utf-8")) for f in folders]
    curves = {
        f.name: [json.loads(line) for line in (f / "metrics.jsonl").read_text("utf-8").splitlines()]
        for f in folders
    }
    columns = _RUNS.names
    rows = [[m["training"].get(c) for c in columns] for m in metas]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(seeds),
            "dagster/column_schema": table_schema(_RUNS),
            "preview": dg.MetadataValue.md(markdown_table(columns, rows)),
            "validation_curve": picture(
                validation_curves(curves), "validation weighted tau by epoch"
            ),
            "size_prior": picture(size_prior(learned_size_prior(folders[0])), "learned size prior"),
            "best_validation": max(float(m["training"]["best_validation"]) for m in metas),
        },
        data_version=data_version(*(f / "ranker.safetensors" for f in folders)),
    )


def training_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """All assets of the layer."""
    return [training_asset(p, settings) for p in PROTOCOLS]
