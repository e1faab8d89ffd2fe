"""The serving bundle: one folder that holds everything needed to rank, written whole or not at all.

`<bundles>/<release>/` carries a manifest with the hash of every file; `<bundles>/LATEST` names the newest
release and is updated last, so a reader sees the old bundle or the new one. A bundle that is damaged or of
another format is refused. No pickle: safetensors, `.npy`, Parquet and JSON. Which tables go in belongs in
`contents.py`, ranking with them in `recommend.py`.
"""

import json
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from modellens_core.errors import BundleError
from modellens_core.features.featureset import EncoderInfo, FloatArray
from modellens_core.features.vectors import write_vectors
from modellens_core.schema import stable_id
from modellens_core.store.lake import Lake, atomic_path, file_sha256, write_json

FORMAT = 1
MANIFEST = "manifest.json"
LATEST = "LATEST"
TABLES = (
    "models",
    "datasets",
    "tasks",
    "metrics",
    "families",
    "contexts",
    "model_tasks",
    "evidence",
)
ARRAYS = ("candidates", "priors", "dataset_vectors")
RANKER_FILES = ("ranker.safetensors", "ranker.json")
REMEDY = "run `modellens run` to publish a new one"


class Manifest(BaseModel):
    """What `manifest.json` says; `files` maps every other file to its SHA-256."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int
    release: str
    created: datetime
    content: str  # hash of everything that went in
    corpus_sha256: str
    encoder: EncoderInfo
    n_name_tokens: int
    similarity_floor: float
    counts: dict[str, int]
    ranker: dict[str, Any]
    evaluation: list[dict[str, Any]]
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Contents:
    """What goes into a bundle, before it has a name and a date.

    Attributes:
        tables: name (of `TABLES`) to table; arrays: name (of `ARRAYS`) to matrix.
        ranker_dir: folder of the trained ranker.
        corpus_sha256: hash of the records; encoder, n_name_tokens: of the features.
        similarity_floor: cosine below which a description counts as out of domain.
        ranker, evaluation: what the ranker was trained on and how it was judged, for people.
    """

    tables: Mapping[str, pa.Table]
    arrays: Mapping[str, FloatArray]
    ranker_dir: Path
    corpus_sha256: str
    encoder: EncoderInfo
    n_name_tokens: int
    similarity_floor: float
    ranker: dict[str, Any]
    evaluation: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle on disk whose every file was found to be as its manifest says."""

    path: Path
    manifest: Manifest

    def table(self, name: str) -> pa.Table:
        """One of `TABLES`."""
        return pq.read_table(self.path / f"{name}.parquet")

    def array(self, name: str) -> FloatArray:
        """One of `ARRAYS`, memory-mapped; private to this process, so never written back."""
        array: FloatArray = np.load(self.path / f"{name}.npy", mmap_mode="c", allow_pickle=False)
        return array


def publish_bundle(lake: Lake, ranker_dir: Path, bundle_dir: Path) -> Path:
    """Publish a trained ranker with the lake it was trained on, and point `LATEST` to it.

    Args:
        lake: holds corpus, features and (if it was judged) evaluation.
        ranker_dir: folder of the trained ranker.
        bundle_dir: root of the bundles.

    Returns:
        Folder of the release. The same content is published once.

    Raises:
        ModelLensError: a table or the ranker is missing, or the ranker is not of these features.
    """
    from modellens_core.serving.contents import gather

    return write_bundle(bundle_dir, gather(lake, ranker_dir), datetime.now(UTC))


def write_bundle(bundle_dir: Path, contents: Contents, created: datetime) -> Path:
    """Write a bundle beside the others, then point `LATEST` to it; on any error nothing changes.

    Args:
        bundle_dir: root of the bundles.
        contents: what goes in.
        created: now; part of the release's name.

    Returns:
        Folder of the release; an existing one if it has the same content and is undamaged.
    """
    bundle_dir.mkdir(parents=True, exist_ok=True)
    draft = bundle_dir / f".{uuid.uuid4().hex[:8]}.tmp"
    draft.mkdir()
    try:
        files = _write_files(draft, contents)
        facts = {
            "corpus_sha256": contents.corpus_sha256,
            "encoder": contents.encoder,
            "n_name_tokens": contents.n_name_tokens,
            "similarity_floor": contents.similarity_floor,
            "counts": {name: table.num_rows for name, table in contents.tables.items()},
            "ranker": contents.ranker,
            "evaluation": contents.evaluation,
            "files": files,
        }
        content = stable_id(FORMAT, json.dumps(facts, sort_keys=True, default=str))
        release = f"{created:%Y%m%d-%H%M%S}-{content[:8]}"
        path = _published(bundle_dir, content)
        if path is None:
            manifest = Manifest(
                format=FORMAT, release=release, created=created, content=content, **facts
            )
            write_json(draft / MANIFEST, manifest.model_dump(mode="json"))
            path = draft.rename(bundle_dir / release)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    with atomic_path(bundle_dir / LATEST) as tmp:
        tmp.write_text(path.name + "\n", encoding="utf-8")
    return path


def _write_files(folder: Path, contents: Contents) -> dict[str, str]:
    for name in TABLES:
        # Small row groups: evidence is read for a few datasets at a time.
        pq.write_table(
            contents.tables[name],
            folder / f"{name}.parquet",
            compression="zstd",
            row_group_size=20_000,
        )
    for name in ARRAYS:
        write_vectors(folder / f"{name}.npy", contents.arrays[name])
    for name in RANKER_FILES:
        shutil.copyfile(contents.ranker_dir / name, folder / name)
    return {file.name: file_sha256(file) for file in sorted(folder.iterdir())}


def _published(bundle_dir: Path, content: str) -> Path | None:
    """An undamaged bundle of the same content, if there is one."""
    for path in sorted(bundle_dir.glob(f"*-{content[:8]}")):
        try:
            if read_bundle(path).manifest.content == content:
                return path
        except BundleError:
            shutil.rmtree(path)  # a damaged copy of what is about to be published again
    return None


def latest_bundle(bundle_dir: Path) -> Bundle:
    """The newest bundle of a root folder.

    Raises:
        BundleError: nothing was published yet, or the newest bundle cannot be used.
    """
    pointer = bundle_dir / LATEST
    if not pointer.is_file():
        raise BundleError(f"no bundle has been published in {bundle_dir}; {REMEDY}")
    name = pointer.read_text(encoding="utf-8", errors="replace").strip()
    if not name or Path(name).name != name:
        raise BundleError(f"{pointer} does not name a bundle; {REMEDY}")
    return read_bundle(bundle_dir / name)


def read_bundle(path: Path) -> Bundle:
    """Open a bundle after checking every file against the manifest.

    Raises:
        BundleError: it is missing, damaged, or of another format version.
    """
    if not (path / MANIFEST).is_file():
        raise BundleError(f"no bundle in {path} ({MANIFEST} is missing); {REMEDY}")
    try:
        values = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        version = values["format"]
        if version != FORMAT:
            raise BundleError(
                f"the bundle in {path} is of format {version}, this version reads format {FORMAT}; {REMEDY}"
            )
        manifest = Manifest.model_validate(values)
    except (ValueError, TypeError, KeyError, ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise BundleError(
            f"the bundle in {path} is damaged: {MANIFEST}: {reason}; {REMEDY}"
        ) from None
    needed = {f"{t}.parquet" for t in TABLES} | {f"{a}.npy" for a in ARRAYS} | set(RANKER_FILES)
    for name in sorted(needed | set(manifest.files)):
        file = path / name
        if Path(name).name != name or not file.is_file():
            raise BundleError(f"the bundle in {path} is damaged: {name} is missing; {REMEDY}")
        if file_sha256(file) != manifest.files.get(name):
            raise BundleError(f"the bundle in {path} is damaged: {name} was changed; {REMEDY}")
    return Bundle(path, manifest)
