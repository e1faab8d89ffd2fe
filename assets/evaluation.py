"""Evaluation layer: every method on the frozen test groups, with intervals, and the report.

What is measured and how it is written belongs in `modellens_core.evaluation`.
"""

import dagster as dg

from assets.metadata import markdown_table, materialized, picture
from assets.resources import Workspace, log_progress
from assets.versions import code_version
from modellens_core.config import Settings
from modellens_core.splits.freeze import REPORTED


def evaluation_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """All assets of the layer."""

    @dg.asset(
        group_name="evaluation",
        deps=[*(f"ranker_{p}" for p in REPORTED), *(f"split_{p}" for p in REPORTED)],
        description="The ranker and every baseline on the frozen test groups: per-group metrics, means "
        "with 95% intervals over dataset families, paired differences, and `report.md`.",
        kinds={"python", "markdown"},
        code_version=code_version("evaluation", "ranking", "splits", settings=settings.seeds),
    )
    def evaluation_report(
        context: dg.AssetExecutionContext, workspace: Workspace
    ) -> dg.MaterializeResult:
        from modellens_core.evaluation.metrics import HEADLINE
        from modellens_core.evaluation.report import report_plots
        from modellens_core.evaluation.run import evaluate_all
        from modellens_core.evaluation.summary import MIN_MODELS_SHOWN

        config, lake = workspace.settings, workspace.lake
        found = evaluate_all(
            lake,
            config.lake_dir / "training",
            config.report_dir,
            config.seeds,
            log_progress(context),
        )
        plots = report_plots(found.data)
        rows = [
            [r["protocol"], r["method"], r["mean"], r["low"], r["high"], r["n_groups"]]
            for r in found.summary.to_pylist()
            if r["metric"] == HEADLINE and r["min_models"] == MIN_MODELS_SHOWN[0]
        ]
        columns = ["protocol", "method", HEADLINE, "low", "high", "groups"]
        extra = {
            "standing": dg.MetadataValue.md(markdown_table(columns, rows)),
            "report": dg.MetadataValue.path(str(found.report)),
        }
        for protocol in REPORTED:
            png = plots[f"tau-{protocol}.png"]
            extra[f"{protocol}_by_method"] = picture(png, f"{protocol}: weighted tau by method")
            png = plots[f"size-{protocol}.png"]
            extra[f"{protocol}_by_size"] = picture(png, f"{protocol}: weighted tau by list length")
        return materialized(
            lake.info("evaluation/summary"), lake.info("evaluation/groups"), extra=extra
        )

    return [evaluation_report]
