"""Vectors of texts, each distinct text embedded once and kept on disk.

The cache is a folder per encoder (`<cache_dir>/vectors/<encoder>-<hash8>/`), named by everything that
determines a vector, so vectors of two encoders cannot meet. It only ever grows, by shards: the vectors
(`.npy`) first, then the index (`.parquet`: text hashes, and the hash of the vectors' bytes). A shard
counts once its index is there, so a killed run keeps what it finished. Composing texts and choosing an
encoder belong elsewhere.
"""

import hashlib
import logging
import re
import uuid
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from modellens_core.features.encoders.base import TextEncoder
from modellens_core.features.featureset import FloatArray
from modellens_core.progress import Progress, silent
from modellens_core.store.lake import atomic_path, file_sha256

SHARD_TEXTS = 2048

log = logging.getLogger(__name__)

_NOT_IN_FILE_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


def embed_texts(
    texts: Sequence[str], encoder: TextEncoder, cache_dir: Path, progress: Progress = silent
) -> FloatArray:
    """Vectors of texts, from the cache where it has them.

    Args:
        texts: n texts; repeated and empty ones are allowed.
        encoder: who embeds what the cache does not have.
        cache_dir: root of the cache (`Settings.cache_dir`).
        progress: told how many of the missing distinct texts are done.

    Returns:
        float32 [n, dim], row by row that of `texts`; zero rows for empty texts.

    Raises:
        EncoderError: the encoder gives no vectors; shards finished before stay in the cache.
    """
    folder = cache_folder(encoder, cache_dir)
    keys = [_text_key(text) for text in texts]
    distinct = {key: text for key, text in zip(keys, texts, strict=True) if text.strip()}
    known = _read_shards(folder, encoder.dim, wanted=set(distinct))
    missing = [key for key in distinct if key not in known]
    missing.sort(key=lambda key: (len(distinct[key]), key))  # even lengths in a batch: less padding
    for start in range(0, len(missing), SHARD_TEXTS):
        progress("embed texts", start, len(missing))
        shard = missing[start : start + SHARD_TEXTS]
        vectors = encoder.encode(
            [distinct[key] for key in shard],
            lambda label, done, _total, start=start: progress(label, start + done, len(missing)),
        )
        _write_shard(folder, shard, vectors)
        known.update(zip(shard, vectors, strict=True))
    progress("embed texts", len(missing), len(missing))
    zero = np.zeros(encoder.dim, dtype=np.float32)
    rows = [known.get(key, zero) for key in keys]
    return np.stack(rows) if rows else np.zeros((0, encoder.dim), dtype=np.float32)


def cache_folder(encoder: TextEncoder, cache_dir: Path) -> Path:
    """The folder that holds this encoder's vectors and nobody else's."""
    identity = (encoder.encoder_id, encoder.weights_hash, encoder.dim, encoder.max_tokens)
    digest = hashlib.sha256("\x1f".join(map(str, identity)).encode()).hexdigest()[:8]
    return cache_dir / "vectors" / f"{_NOT_IN_FILE_NAMES.sub('_', encoder.encoder_id)}-{digest}"


def _text_key(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _read_shards(folder: Path, dim: int, wanted: set[str]) -> dict[str, FloatArray]:
    """Vectors of the wanted texts, from every shard that is whole."""
    known: dict[str, FloatArray] = {}
    for index in sorted(folder.glob("*.parquet")):
        try:
            table = pq.read_table(index)
            keys = table["key"].to_pylist()
            found = [(row, key) for row, key in enumerate(keys) if key in wanted]
            if not found:
                continue
            vectors = _read_vectors(index, table.schema.metadata or {}, (len(keys), dim))
        except (OSError, ValueError, KeyError, pa.ArrowInvalid) as error:
            log.warning(
                "vector cache: %s is damaged and will be made again (%s)", index.name, error
            )
            index.unlink(missing_ok=True)
            index.with_suffix(".npy").unlink(missing_ok=True)
            continue
        known.update((key, vectors[row]) for row, key in found)
    return known


def _read_vectors(index: Path, metadata: dict[bytes, bytes], shape: tuple[int, int]) -> FloatArray:
    path = index.with_suffix(".npy")
    if file_sha256(path).encode() != metadata.get(b"sha256"):
        raise ValueError("the vectors are not those that were written")
    vectors: FloatArray = np.load(path, allow_pickle=False)
    if vectors.shape != shape or vectors.dtype != np.float32:
        raise ValueError(f"holds {vectors.dtype}{vectors.shape}, expected float32{shape}")
    return vectors


def _write_shard(folder: Path, keys: list[str], vectors: FloatArray) -> None:
    """Vectors first, index last; names are unique, so runs beside each other do not collide."""
    path = folder / f"{uuid.uuid4().hex}.npy"
    write_vectors(path, vectors)
    table = pa.table({"key": pa.array(keys, pa.string())})
    table = table.replace_schema_metadata({"sha256": file_sha256(path)})
    with atomic_path(path.with_suffix(".parquet")) as tmp:
        pq.write_table(table, tmp, compression="zstd")


def write_vectors(path: Path, vectors: FloatArray) -> None:
    """Write a float32 matrix as `.npy`, whole or not at all."""
    with atomic_path(path) as tmp, tmp.open("wb") as file:
        np.save(file, np.ascontiguousarray(vectors, dtype=np.float32), allow_pickle=False)
