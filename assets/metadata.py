"""What every materialisation shows in the UI: row counts, column schema, a preview, pictures.

Pure helpers from Arrow tables and PNG bytes to Dagster metadata. What a plot draws is decided in
`modellens_core.evaluation.plots`; which asset shows which is decided by the asset.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq

from assets.versions import data_version
from modellens_core.store.lake import TableInfo

PREVIEW_ROWS = 8
PREVIEW_WIDTH = 60


def table_schema(schema: pa.Schema) -> dg.TableSchema:
    """Arrow schema as Dagster's column schema."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=f.name,
                type=str(f.type),
                constraints=dg.TableColumnConstraints(nullable=f.nullable),
            )
            for f in schema
        ]
    )


def preview(info: TableInfo, rows: int = PREVIEW_ROWS) -> dg.MarkdownMetadataValue:
    """The first rows of a table as Markdown; long cells are cut."""
    batch = next(pq.ParquetFile(info.path).iter_batches(batch_size=rows), None)
    records = batch.to_pylist() if batch is not None else []
    return dg.MetadataValue.md(
        markdown_table(info.schema.names, [list(r.values()) for r in records])
    )


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Rows as a GitHub-flavoured Markdown table."""
    head = "| " + " | ".join(columns) + " |\n|" + "---|" * len(columns)
    return "\n".join([head, *("| " + " | ".join(_cell(v) for v in row) + " |" for row in rows)])


def _cell(value: Any) -> str:
    text = "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
    text = " ".join(text.replace("|", "\\|").split())
    return text if len(text) <= PREVIEW_WIDTH else text[: PREVIEW_WIDTH - 1] + "…"


def picture(png: bytes, alt: str) -> dg.MarkdownMetadataValue:
    """A PNG shown inline."""
    return dg.MetadataValue.md(f"![{alt}](data:image/png;base64,{base64.b64encode(png).decode()})")


def materialized(
    *infos: TableInfo,
    extra: Mapping[str, Any] | None = None,
    version: dg.DataVersion | None = None,
    checks: Sequence[dg.AssetCheckResult] = (),
) -> dg.MaterializeResult[Any]:
    """The result of an asset that wrote one or more tables; the first is the main one."""
    main = infos[0]
    metadata: dict[str, Any] = {
        "dagster/row_count": main.rows,
        "dagster/column_schema": table_schema(main.schema),
        "preview": preview(main),
        "path": dg.MetadataValue.path(str(main.path)),
        "bytes": sum(i.bytes for i in infos),
    }
    for info in infos[1:]:
        metadata[f"rows_{info.table.split('/')[-1]}"] = info.rows
    metadata.update(extra or {})
    return dg.MaterializeResult(
        metadata=metadata, data_version=version or data_version(*infos), check_results=list(checks)
    )
