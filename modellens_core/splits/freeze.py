"""Writes splits to the lake and reads them back, so that everyone trains and measures on the same rows.

A frozen split is a table aligned with `features/interactions` and a manifest with its hash. Reading one
back checks both: a split made for other interactions is refused, never silently applied. How parts are
drawn belongs in the protocol modules.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from modellens_core.errors import ModelLensError
from modellens_core.features.featureset import FeatureSet, Interactions
from modellens_core.splits.completion import completion
from modellens_core.splits.leakage import audit, require_clean
from modellens_core.splits.new_datasets import new_datasets
from modellens_core.splits.parts import PARTS, PartArray, Split, measurable_groups
from modellens_core.splits.production import production
from modellens_core.splits.units import IndexArray, dataset_units
from modellens_core.store.lake import Lake, write_json

BUILDER_VERSION = 1  # raise it when the same rows and seed give other parts than before

PROTOCOLS: Mapping[str, Split] = {
    "completion": completion,
    "new_datasets": new_datasets,
    "production": production,
}
REPORTED = ("completion", "new_datasets")  # production has no test part

COLUMNS = ("group_id", "model_id", "part")


def freeze_split(lake: Lake, protocol: str, seed: int = 0) -> dict[str, Any]:
    """Draw a split, audit it, and write `splits/<protocol>` and its manifest.

    Args:
        lake: must hold the feature tables.
        protocol: a key of `PROTOCOLS`.
        seed: another seed is another draw.

    Returns:
        The manifest: protocol, seed, builder_version, hash, interactions_hash, and per part its rows,
        groups, measurable groups, models, datasets and dataset families, those that a split joins
        counted as one. No clock: the same input gives the same bytes.

    Raises:
        QualityError: the drawn split leaks; nothing is written.
        ModelLensError: the corpus is too small, or the protocol is not known.
    """
    split = PROTOCOLS.get(protocol)
    if split is None:
        raise ModelLensError(f"protocol {protocol!r} is not known; use one of {sorted(PROTOCOLS)}")
    features, rows = FeatureSet.load(lake), Interactions.load(lake)
    parts = split(features, rows, seed)
    leaks = audit(features, rows, parts, protocol)
    require_clean(leaks, protocol)
    keys = lake.read("features/interactions", columns=["group_id", "model_id"])
    table = keys.append_column("part", pa.array(parts.tolist(), pa.string()))
    unit = dataset_units(features, rows)
    manifest = {
        "protocol": protocol,
        "seed": seed,
        "builder_version": BUILDER_VERSION,
        "hash": rows_hash(table),
        "interactions_hash": lake.info("features/interactions").sha256,
        "leaks": {leak.kind.value: leak.count for leak in leaks},
        "parts": {
            part: _counts(rows.select(parts == part), unit)
            for part in PARTS
            if (parts == part).any()
        },
    }
    lake.write(f"splits/{protocol}", table)
    write_json(lake.root / f"splits/{protocol}.json", manifest)
    return manifest


def load_manifest(lake: Lake, protocol: str) -> dict[str, Any]:
    """Read the manifest of a frozen split.

    Raises:
        ModelLensError: the split has not been frozen.
    """
    lake.require(f"splits/{protocol}")
    path = lake.root / f"splits/{protocol}.json"
    if not path.is_file():
        raise ModelLensError(f"split {protocol!r} has no manifest {path}; freeze the split again")
    manifest: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return manifest


def load_parts(lake: Lake, protocol: str) -> PartArray:
    """Read a frozen split, aligned with `features/interactions`.

    Args:
        lake: holds the split and the interactions.
        protocol: name of the split.

    Returns:
        [R] part of each row of the interactions.

    Raises:
        ModelLensError: the split was made for other interactions, or is not the one its manifest names.
    """
    manifest = load_manifest(lake, protocol)
    table = lake.read(f"splits/{protocol}")
    keys = lake.read("features/interactions", columns=["group_id", "model_id"])
    if any(not table[name].equals(keys[name]) for name in keys.column_names):
        raise ModelLensError(
            f"split {protocol!r} was made for other interactions; freeze the split again"
        )
    if rows_hash(table) != manifest["hash"]:
        raise ModelLensError(
            f"split {protocol!r} differs from its manifest; freeze the split again"
        )
    return np.asarray(table["part"].to_pylist(), dtype=f"<U{max(map(len, PARTS))}")


def rows_hash(table: pa.Table) -> str:
    """SHA-256 over the (group_id, model_id, part) rows in their order, independent of the file format."""
    digest = hashlib.sha256()
    columns = (table[name].to_pylist() for name in COLUMNS)
    for row in zip(*columns, strict=True):
        digest.update("\x1f".join(row).encode("utf-8") + b"\n")
    return digest.hexdigest()


def _counts(part: Interactions, unit: IndexArray) -> dict[str, int]:
    return {
        "rows": len(part),
        "groups": len(np.unique(part.group)),
        "measurable_groups": int(measurable_groups(part).sum()),
        "models": len(np.unique(part.model)),
        "datasets": len(np.unique(part.dataset)),
        "dataset_families": len(np.unique(unit[part.dataset])),
    }
