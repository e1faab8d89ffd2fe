"""Corpus layer: names resolved, reports deduplicated into records, and the database people query.

`corpus_names` decides in Python on distinct strings; one asset per file in `sql/corpus/` applies the
decisions to rows, with its dependencies read off the SQL; `corpus_database` is the only writer of
`corpus.duckdb`. Rules belong in the SQL and in `modellens_core.normalize`, not here.
"""

import dagster as dg

from assets.metadata import materialized, picture
from assets.resources import Workspace
from assets.staging import staging_keys
from assets.versions import code_version
from modellens_core.config import Settings
from modellens_core.normalize.tables import NAME_TABLES
from modellens_core.sources.registry import raw_keys
from modellens_core.store import sql
from modellens_core.store.lake import Lake

QUERIES = tuple(sql.names("corpus"))


def asset_of(table: str, settings: Settings) -> list[str]:
    """Names of the assets that write a table which SQL calls `layer.name`."""
    layer, name = table.split(".", 1)
    if layer == "staging":
        return staging_keys(settings)
    if layer == "raw":
        return [f"raw_{key}" for key in raw_keys(settings)]
    if name in NAME_TABLES:
        return ["corpus_names"]
    return [f"{layer}_{name}"]


def names_asset(settings: Settings) -> dg.AssetsDefinition:
    """The mapping tables from what sources wrote to canonical names."""

    @dg.asset(
        name="corpus_names",
        group_name="corpus",
        deps=staging_keys(settings),
        description="Which model, dataset, task and metric each distinct string of the sources means.",
        kinds={"python", "parquet"},
        code_version=code_version("normalize", queries=tuple(sql.names("staging"))),
    )
    def corpus_names(workspace: Workspace) -> dg.MaterializeResult:
        from modellens_core.normalize.tables import name_tables

        lake = workspace.lake
        tables = name_tables(lake)
        return materialized(*(lake.write(f"corpus/{n}", tables[n]) for n in NAME_TABLES))

    return corpus_names


def score_picture(lake: Lake) -> dg.MarkdownMetadataValue:
    """Histograms of the scores of the most frequent metrics."""
    from modellens_core.evaluation.plots import score_distributions

    frame = lake.read("corpus/records", columns=["metric_id", "score"]).to_pandas().dropna()
    scores = {str(metric): part.to_numpy() for metric, part in frame.groupby("metric_id")["score"]}
    return picture(score_distributions(scores), "distribution of scores per metric")


def query_asset(query: str, settings: Settings) -> dg.AssetsDefinition:
    """The asset of one `sql/corpus/*.sql`."""
    table = query.split("/")[1]
    deps = {key for name in sql.inputs(query) for key in asset_of(name, settings)}

    @dg.asset(
        name=f"corpus_{table}",
        group_name="corpus",
        deps=sorted(deps),
        description=sql.describe(query),
        kinds={"sql", "duckdb", "parquet"},
        code_version=code_version(queries=(query,)),
    )
    def run_query(workspace: Workspace) -> dg.MaterializeResult:
        lake = workspace.lake
        info = lake.write_query(f"corpus/{table}", sql.load(query))
        extra = {}
        if table == "records":
            extra["score_distribution"] = score_picture(lake)
        return materialized(info, extra=extra)

    return run_query


def database_asset() -> dg.AssetsDefinition:
    """The corpus as one DuckDB file, swapped in atomically."""

    @dg.asset(
        name="corpus_database",
        group_name="corpus",
        deps=[f"corpus_{q.split('/')[1]}" for q in QUERIES],
        description="The whole corpus as one DuckDB file. Built beside the old one and swapped in; "
        "whoever reads the old one keeps it. The only asset that writes a database.",
        kinds={"duckdb"},
        code_version=code_version("store/release.py", queries=QUERIES),
    )
    def corpus_database(workspace: Workspace) -> dg.MaterializeResult:
        from modellens_core.store.release import publish_database

        lake, path = workspace.lake, workspace.settings.database_path
        counts = publish_database(lake, path)
        return materialized(
            lake.info("corpus/records"),
            extra={"database": dg.MetadataValue.path(str(path)), "tables": counts},
        )

    return corpus_database


def corpus_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """All assets of the layer."""
    queries = [query_asset(q, settings) for q in QUERIES]
    return [names_asset(settings), *queries, database_asset()]
