"""Code versions: what an asset's result depends on besides its inputs.

Dagster calls an asset stale when its code version or an input's data version changed. The code version
here is a hash of the source files the asset runs (Python, SQL, YAML) and of the settings it reads, so
that nobody has to remember to raise a number. Data versions are hashes of what was written.
"""

import hashlib
from functools import cache
from pathlib import Path

import dagster as dg

import modellens_core
from modellens_core.store import sql
from modellens_core.store.lake import TableInfo, file_sha256

CORE = Path(modellens_core.__file__).parent
SUFFIXES = {".py", ".yaml", ".yml", ".toml", ".json"}


@cache
def _files_hash(part: str) -> str:
    path = CORE / part
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES)
    digest = hashlib.sha256()
    for file in files:
        digest.update(str(file.relative_to(CORE)).encode())
        digest.update(file.read_bytes())
    if not files:
        raise FileNotFoundError(f"modellens_core/{part} has no source files to version")
    return digest.hexdigest()


def code_version(*parts: str, queries: tuple[str, ...] = (), settings: object = None) -> str:
    """Version of an asset's code.

    Args:
        parts: files or packages below `modellens_core/` that the asset runs: "sources/hub".
        queries: names of SQL files it runs: "corpus/records".
        settings: the values of the settings it reads (never a secret).

    Returns:
        12 hex digits.
    """
    digest = hashlib.sha256()
    for part in ("schema.py", *parts):
        digest.update(_files_hash(part).encode())
    for name in queries:
        digest.update(sql.load(name).encode())
    digest.update(repr(settings).encode())
    return digest.hexdigest()[:12]


def data_version(*written: TableInfo | Path) -> dg.DataVersion:
    """Version of what an asset wrote: equal content, equal version."""
    digest = hashlib.sha256()
    for item in written:
        sha = item.sha256 if isinstance(item, TableInfo) else file_sha256(item)
        digest.update(sha.encode())
    return dg.DataVersion(digest.hexdigest()[:16])
