"""Bronze tier: hands every README that was read to the table reader.

How tables are found and read belongs in `readme_tables.py`.
"""

from collections.abc import Iterator

from modellens_core.schema import Item, Reject, Tier
from modellens_core.sources.base import RawTables
from modellens_core.sources.hub.raw_tables import SOURCE, repo_url, rows_of
from modellens_core.sources.hub.readme_tables import read_readme

_REFUSED = {
    "too_large": "longer than any text that is read",
    "binary": "not a text",
    "forbidden": "gated: its readers must be let in first",
}


def parse_hub_bronze(raw: RawTables) -> Iterator[Item]:
    """Yield the reports and rejects of all README tables, and the READMEs that hold no usable text."""
    for row in rows_of(raw, "readmes"):
        if row["text"] is not None:
            yield from read_readme(
                row["text"],
                row["repo_id"],
                source_url=repo_url(row["repo_id"]),
                source_revision=row["sha"],
                retrieved_at=row["retrieved_at"],
            )
        elif row["outcome"] in _REFUSED:
            yield Reject(
                source=SOURCE,
                tier=Tier.BRONZE,
                where=f"{row['repo_id']}/README.md",
                reason=f"readme_{row['outcome']}",
                detail=_REFUSED[row["outcome"]],
            )
