"""A trained ranker on disk: `ranker.safetensors` (weights and seen masks) and `ranker.json` (all else).

No pickle: weights are safetensors, the rest is JSON a person can read. The manifest is written last and
names the hash of the weights, so a folder is whole, or missing its manifest, or recognisably damaged.
Frozen text vectors are not in it: they belong to the features, whose hashes the manifest keeps.
"""

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from modellens_core.errors import ModelLensError
from modellens_core.features.featureset import EncoderInfo, FeatureSet, TextArray
from modellens_core.ranking.config import RankerConfig, Sizes
from modellens_core.ranking.network import Ranker
from modellens_core.store.lake import atomic_path, file_sha256, write_json

FORMAT = 1
WEIGHTS = "ranker.safetensors"
MANIFEST = "ranker.json"


@dataclass(frozen=True, slots=True)
class RankerMeta:
    """Where a ranker comes from.

    Attributes:
        protocol, seed: which split it was trained on, and with which randomness.
        recipe: the training configuration as plain values.
        encoder: who made the frozen vectors.
        vocabulary: entity kind ("models", "datasets", "tasks", "metrics", "families") to the hash of its
            ids in index order.
        data: hashes of the training inputs: "interactions", "split", "features".
        result: rows, groups, epochs, best_epoch, best_validation, seconds.
        versions: of ModelLens, Python, torch and NumPy.
    """

    protocol: str
    seed: int
    recipe: dict[str, Any]
    encoder: EncoderInfo
    vocabulary: dict[str, str]
    data: dict[str, str]
    result: dict[str, float]
    versions: dict[str, str]

    def check(self, features: FeatureSet) -> None:
        """Make sure that indices and vectors mean what they meant in training.

        Raises:
            ModelLensError: the features were built again since; the message says what differs.
        """
        if features.encoder != self.encoder:
            raise ModelLensError(
                f"the ranker was trained on vectors of {self.encoder.encoder_id!r}, the features are of "
                f"{features.encoder.encoder_id!r}; train again, or restore the encoder"
            )
        now = vocabulary_hashes(features)
        changed = [kind for kind, digest in self.vocabulary.items() if now.get(kind) != digest]
        if changed:
            raise ModelLensError(
                f"the {', '.join(changed)} of the features changed since this ranker was trained; train again"
            )


@dataclass(frozen=True, slots=True)
class _Manifest:
    format: int
    weights_sha256: str
    seen_sha256: str
    ranker: RankerConfig
    sizes: Sizes
    meta: RankerMeta


_ADAPTER = TypeAdapter(_Manifest)


def vocabulary_hashes(features: FeatureSet) -> dict[str, str]:
    """Hash of the ids of every entity kind, in index order."""
    kinds: Mapping[str, TextArray] = {
        "models": features.model_ids,
        "datasets": features.dataset_ids,
        "tasks": features.task_ids,
        "metrics": features.metric_ids,
        "families": features.families,
    }
    return {
        kind: hashlib.sha256("\n".join(ids.tolist()).encode()).hexdigest()
        for kind, ids in kinds.items()
    }


def library_versions() -> dict[str, str]:
    """Versions that a trained ranker depends on."""
    try:
        own = version("modellens")
    except PackageNotFoundError:  # run from a source tree that was not installed
        own = "source"
    return {
        "modellens": own,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


def save_ranker(folder: Path, ranker: Ranker, meta: RankerMeta) -> None:
    """Write a ranker; a reader sees the old one, the new one, or (for an instant) none."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)
    state = {name: tensor.contiguous() for name, tensor in ranker.state_dict().items()}
    with atomic_path(folder / WEIGHTS) as tmp:
        save_file(state, tmp, metadata={"format": str(FORMAT)})
    manifest = _Manifest(
        format=FORMAT,
        weights_sha256=file_sha256(folder / WEIGHTS),
        seen_sha256=_seen_hash(ranker),
        ranker=ranker.config,
        sizes=ranker.sizes,
        meta=meta,
    )
    write_json(folder / MANIFEST, asdict(manifest))


def load_ranker(folder: Path) -> tuple[Ranker, RankerMeta]:
    """Read a ranker, ready to score.

    Raises:
        ModelLensError: it is missing, incomplete, damaged or of another format version.
    """
    manifest = _read_manifest(folder)
    path = folder / WEIGHTS
    if not path.is_file() or file_sha256(path) != manifest.weights_sha256:
        raise _damaged(folder, f"{WEIGHTS} is not the file that {MANIFEST} describes")
    ranker = Ranker(manifest.ranker, manifest.sizes)
    try:
        ranker.load_state_dict(load_file(path))
    except (SafetensorError, RuntimeError) as error:
        raise _damaged(folder, str(error).splitlines()[0]) from None
    if _seen_hash(ranker) != manifest.seen_sha256:
        raise _damaged(folder, "the masks of seen entities differ from the manifest")
    return ranker.eval(), manifest.meta


def _read_manifest(folder: Path) -> _Manifest:
    path = folder / MANIFEST
    if not path.is_file():
        raise ModelLensError(
            f"no trained ranker in {folder} ({MANIFEST} is missing); run `modellens run`, or "
            "`python -m modellens_core.training --help`"
        )
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        found = values["format"]
        if found == FORMAT:
            return _ADAPTER.validate_python(values)
    except (ValueError, TypeError, KeyError, ValidationError) as error:
        raise _damaged(folder, f"{MANIFEST}: {str(error).splitlines()[0]}") from None
    raise ModelLensError(
        f"the ranker in {folder} is of format {found}, this version reads format {FORMAT}; train again"
    )


def _damaged(folder: Path, why: str) -> ModelLensError:
    return ModelLensError(f"the ranker in {folder} is damaged: {why}; train again")


def _seen_hash(ranker: Ranker) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(ranker.named_buffers()):
        if name.startswith("seen_"):
            digest.update(name.encode() + np.packbits(tensor.numpy()).tobytes())
    return digest.hexdigest()
