"""Bronze tier: hands every README that was read to the table reader.

How tables are found and read belongs in `readme_tables.py`.
"""

from collections.abc import Iterator

from modellens_core.schema import Item
from modellens_core.sources.base import RawTables
from modellens_core.sources.hub.raw_tables import repo_url
from modellens_core.sources.hub.readme_tables import read_readme


def parse_hub_bronze(raw: RawTables) -> Iterator[Item]:
    """Yield the reports and rejects of all README tables."""
    if "readmes" not in raw:
        return
    for batch in raw["readmes"].to_batches(max_chunksize=500):
        for row in batch.to_pylist():
            if row["text"] is not None:
                yield from read_readme(
                    row["text"],
                    row["repo_id"],
                    source_url=repo_url(row["repo_id"]),
                    source_revision=row["sha"],
                    retrieved_at=row["retrieved_at"],
                )
