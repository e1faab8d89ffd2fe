"""Raw tables of the Hub source, built without HTTP."""

import json
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from modellens_core.sources.hub.listing import EXPAND
from modellens_core.sources.hub.raw_tables import MODELS, READMES, repo_url
from tests.fakes.hub.listing import item

READ_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def raw_of(*repos, readmes=True):
    """What collecting these repositories gives."""
    repos = sorted(repos, key=lambda r: r.repo_id)
    rows = [
        {
            "repo_id": r.repo_id, "sha": r.sha, "listing_json": json.dumps(item(r, EXPAND)),
            "retrieved_at": READ_AT, "source_url": repo_url(r.repo_id),
        }
        for r in repos
    ]  # fmt: skip
    texts = [
        {
            "repo_id": r.repo_id, "sha": r.sha, "outcome": "read", "etag": "e", "retrieved_at": READ_AT,
            "text": r.read("README.md").decode(),
        }
        for r in repos
        if readmes and "README.md" in r.files
    ]  # fmt: skip
    return {
        "models": pa.Table.from_pylist(rows, schema=MODELS),
        "readmes": pa.Table.from_pylist(texts, schema=READMES),
    }


def listing_of(repo_id, **listing):
    """One repository whose listing object is given as it is."""
    row = {
        "repo_id": repo_id, "sha": "a" * 40, "listing_json": json.dumps({"id": repo_id, **listing}),
        "retrieved_at": READ_AT, "source_url": repo_url(repo_id),
    }  # fmt: skip
    return {"models": pa.Table.from_pylist([row], schema=MODELS), "readmes": READMES.empty_table()}


@pytest.fixture
def read_at():
    return READ_AT
