"""Embeddings from OpenAI (text-embedding-3-small, the paper's encoder) or from a compatible endpoint.

The genuine client retries what the transport gets wrong (429 with Retry-After, 5xx, timeouts, broken
connections); tenacity here retries only what the client takes for success: an answer that is not JSON, or
not one vector per text. The two never retry the same failure. No message built here quotes a server's
words, an address with credentials or a key.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from pydantic import SecretStr
from tenacity import (
    RetryError,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from modellens_core.features.encoders.base import EncoderError, filled, normalize_rows
from modellens_core.features.featureset import FloatArray
from modellens_core.progress import Progress, silent

MODEL = "text-embedding-3-small"
DIM = 1536
PUBLIC_API = "https://api.openai.com/v1"
# Limits of one request. A token is at least one byte, so counting bytes can never break the token limits.
MAX_INPUTS = 2048
MAX_REQUEST_BYTES = 300_000
MAX_TEXT_BYTES = 8192
ANSWER_ATTEMPTS = 3


class _UnusableAnswerError(Exception):
    """A 200 whose body is not one vector per text."""


class OpenAIEncoder:
    """text-embedding-3-small behind `TextEncoder`."""

    max_tokens = MAX_TEXT_BYTES

    def __init__(
        self,
        api_key: SecretStr,
        *,
        base_url: str | None = None,
        model: str = MODEL,
        dim: int = DIM,
        timeout: float = 60.0,
        max_retries: int = 5,
    ) -> None:
        self._key = api_key
        self._base_url = base_url or PUBLIC_API
        self._model = model
        self._timeout = timeout
        self._max_retries = max_retries
        self.dim = dim

    @property
    def encoder_id(self) -> str:
        """The model's name."""
        return self._model

    @property
    def weights_hash(self) -> str:
        """Stands for weights nobody can see: the service and the model's name."""
        return hashlib.sha256(f"{self._host}\x1f{self._model}".encode()).hexdigest()

    @property
    def _host(self) -> str:
        """Where the service is, without credentials or query."""
        parts = urlsplit(self._base_url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.hostname}{port}{parts.path.rstrip('/')}"

    @cached_property
    def _client(self) -> Any:
        import openai

        return openai.OpenAI(
            api_key=self._key.get_secret_value(),
            base_url=self._base_url,
            timeout=openai.Timeout(self._timeout, connect=5.0),
            max_retries=self._max_retries,
        )

    def encode(self, texts: Sequence[str], progress: Progress = silent) -> FloatArray:
        """See `TextEncoder.encode`."""
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        order = filled(texts)
        cut = {row: _cut(texts[row]) for row in order}
        done = 0
        progress("encode texts", 0, len(order))
        for rows in _batches(cut):
            vectors[rows] = self._embed([cut[row] for row in rows])
            done += len(rows)
            progress("encode texts", done, len(order))
        return normalize_rows(vectors)

    def _embed(self, texts: list[str]) -> FloatArray:
        """One request, asked again where the answer is unusable."""
        attempts = Retrying(
            stop=stop_after_attempt(ANSWER_ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.25, max=4),
            retry=retry_if_exception_type(_UnusableAnswerError),
        )
        try:
            return attempts(self._ask, texts)
        except RetryError as error:
            reason = error.last_attempt.exception()
            raise EncoderError(
                f"{self._host} answered {ANSWER_ATTEMPTS} times without usable vectors ({reason}); "
                "check OPENAI_BASE_URL, or set MODELLENS_ENCODER=minilm"
            ) from None

    def _ask(self, texts: list[str]) -> FloatArray:
        import openai

        try:
            # The raw answer: the client's own decoding fails in several untyped ways on a broken body.
            raw = self._client.embeddings.with_raw_response.create(
                model=self._model, input=texts, encoding_format="base64"
            )
            body = raw.http_response.json()
        except openai.APIError as error:
            raise EncoderError(self._explain(error)) from None
        except ValueError:
            raise _UnusableAnswerError("not JSON") from None
        return _vectors(body, len(texts), self.dim)

    def _explain(self, error: Exception) -> str:
        import openai

        if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            return f"{self._host} refused the key; check OPENAI_API_KEY, or set MODELLENS_ENCODER=minilm"
        if isinstance(error, openai.RateLimitError):
            return (
                f"{self._host} still limits the rate or the quota is used up after "
                f"{self._max_retries} retries; wait, raise the limit, or set MODELLENS_ENCODER=minilm"
            )
        if isinstance(error, openai.APIStatusError):
            return (
                f"{self._host} answered {error.status_code} for model {self._model}; "
                "check OPENAI_BASE_URL, or set MODELLENS_ENCODER=minilm"
            )
        what = (
            "did not answer in time"
            if isinstance(error, openai.APITimeoutError)
            else "is unreachable"
        )
        return f"{self._host} {what}; check OPENAI_BASE_URL, or set MODELLENS_ENCODER=minilm"


def _cut(text: str) -> str:
    """The text's first `MAX_TEXT_BYTES` bytes, never half a character."""
    raw = text.encode("utf-8", "replace")[:MAX_TEXT_BYTES]
    return raw.decode("utf-8", "ignore")


def _batches(texts: dict[int, str]) -> Iterator[list[int]]:
    """Rows of one request each, within the service's limits."""
    batch: list[int] = []
    size = 0
    for row, text in texts.items():
        length = len(text.encode())
        if batch and (len(batch) == MAX_INPUTS or size + length > MAX_REQUEST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += length
    if batch:
        yield batch


def _vectors(body: Any, count: int, dim: int) -> FloatArray:
    """Vectors in the order of the texts; the service may send them in any order."""
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, list) or len(data) != count:
        raise _UnusableAnswerError(f"no list of {count} vectors")
    found = np.full((count, dim), np.nan, dtype=np.float32)
    for item in data:
        try:
            at, vector = int(item["index"]), _numbers(item["embedding"])
        except (KeyError, TypeError, ValueError, binascii.Error):
            raise _UnusableAnswerError("a vector that cannot be read") from None
        if len(vector) != dim:
            raise EncoderError(
                f"the embedding service gave {len(vector)}-dimensional vectors where {dim} were expected; "
                "point OPENAI_BASE_URL at a service with this model"
            )
        if not 0 <= at < count:
            raise _UnusableAnswerError("a vector of an unknown text")
        found[at] = vector
    if not np.isfinite(found).all():
        raise _UnusableAnswerError("a missing or non-finite vector")
    return found


def _numbers(embedding: Any) -> FloatArray:
    """A vector as sent: base64 of little-endian float32, or a list where base64 is not known."""
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding, validate=True), dtype="<f4")
    return np.asarray(embedding, dtype=np.float32)
