"""A loopback OpenAI: `/v1/embeddings` over real HTTP, with deterministic vectors and planned faults.

Vectors depend on the text alone and are sent in shuffled order, as the real service may. Faults are a
queue: each request takes the next one, then the server behaves. It proves how we handle the wire, never
how good an embedding is.
"""

import base64
import hashlib
import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

KEY = "sk-test-0123456789abcdef"


class Fault(StrEnum):
    """What goes wrong with one request."""

    RATE_LIMIT = "rate_limit"  # 429 with Retry-After
    QUOTA = "quota"  # 429 insufficient_quota
    SERVER_ERROR = "server_error"  # 500, quoting the key it was sent
    TRUNCATED = "truncated"  # 200, JSON cut in the middle
    NOT_JSON = "not_json"  # 200, a proxy's login page
    WRONG_COUNT = "wrong_count"  # one vector short
    DUPLICATE_INDEX = "duplicate_index"  # two vectors claim the same text
    NOT_FINITE = "not_finite"  # a NaN in a vector
    BAD_REQUEST = "bad_request"  # 400
    EMPTY_CHOICES = "empty_choices"  # a completion without an answer
    REFUSAL = "refusal"
    LENGTH = "length"  # finish_reason length, the answer cut off
    CONTENT_FILTER = "content_filter"
    BROKEN_CONTENT = "broken_content"  # the answer is not JSON
    WRONG_SHAPE = "wrong_shape"  # the answer is JSON of another shape
    NO_USAGE = "no_usage"  # nobody says what it took
    HANG = "hang"  # no answer before the client gives up
    DROP = "drop"  # connection closed without an answer


def vector_of(text: str, dim: int) -> np.ndarray:
    """The vector the fake gives a text (not normalised)."""
    seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
    return np.random.default_rng(seed).normal(size=dim).astype(np.float32)


@dataclass
class FakeOpenAI:
    """State of one running server."""

    dim: int = 1536
    force_float: bool = False  # ignore encoding_format, as some compatible servers do
    faults: list[Fault] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    base_url: str = ""
    stopping: threading.Event = field(default_factory=threading.Event)

    def embeddings(self, request: dict[str, Any], fault: Fault | None) -> dict[str, Any]:
        texts = [request["input"]] if isinstance(request["input"], str) else request["input"]
        items: list[dict[str, Any]] = []
        for at, text in enumerate(texts):
            vector = vector_of(text, self.dim)
            if fault is Fault.NOT_FINITE and at == 0:
                vector[0] = np.nan
            as_text = request.get("encoding_format") == "base64" and not self.force_float
            encoded = base64.b64encode(vector.tobytes()).decode() if as_text else vector.tolist()
            items.append({"object": "embedding", "index": at, "embedding": encoded})
        if fault is Fault.WRONG_COUNT:
            items.pop()
        if fault is Fault.DUPLICATE_INDEX:
            items[-1]["index"] = 0
        random.Random(len(texts)).shuffle(items)
        usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
        return {"object": "list", "data": items, "model": request["model"], "usage": usage}


def _limits_broken(request: dict[str, Any]) -> str | None:
    texts = request["input"]
    if not isinstance(texts, list) or not 1 <= len(texts) <= 2048:
        return "between 1 and 2048 inputs"
    if any(not text for text in texts):
        return "no empty input"
    # Without a tokenizer the fake counts the worst case, one token per byte.
    lengths = [len(text.encode()) for text in texts]
    if max(lengths) > 8192 or sum(lengths) > 300_000:
        return "at most 8192 tokens a text and 300000 a request"
    return None


class Handler(BaseHTTPRequestHandler):
    """One request; the state of its server is a class attribute of a subclass."""

    state: Any
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.state.requests.append(request)
        if self.path != "/v1/embeddings":
            self.answer(404, {"error": {"message": "no such path", "code": None}})
            return
        if self.headers["Authorization"] != f"Bearer {KEY}":
            words = f"Incorrect API key provided: {self.headers['Authorization']}"
            self.answer(401, {"error": {"message": words, "code": "invalid_api_key"}})
            return
        broken = _limits_broken(request)
        if broken:
            self.answer(400, {"error": {"message": broken, "code": None}})
            return
        fault = self.state.faults.pop(0) if self.state.faults else None
        if not self.failed(fault):
            body = json.dumps(self.state.embeddings(request, fault)).encode()
            self.send(200, body[: len(body) // 2] if fault is Fault.TRUNCATED else body)

    def failed(self, fault: Fault | None) -> bool:
        """Answer with a fault that needs no vectors; False if there is none."""
        match fault:
            case Fault.RATE_LIMIT:
                error = {"message": "slow down", "code": "rate_limit_exceeded"}
                self.answer(429, {"error": error}, {"Retry-After": "0.05"})
            case Fault.QUOTA:
                error = {"message": "pay", "code": "insufficient_quota"}
                self.answer(429, {"error": error}, {"Retry-After": "0.01"})
            case Fault.SERVER_ERROR:
                words = f"failed for {self.headers['Authorization']}"
                self.answer(500, {"error": {"message": words}}, {"Retry-After": "0.01"})
            case Fault.BAD_REQUEST:
                self.answer(400, {"error": {"message": "too long", "code": "context_length"}})
            case Fault.NOT_JSON:
                self.send(200, b"<html>please log in</html>", {"Content-Type": "text/html"})
            case Fault.HANG:
                self.state.stopping.wait(timeout=10)
                self.close_connection = True
            case Fault.DROP:
                self.close_connection = True
            case _:
                return False
        return True

    def answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        self.send(status, json.dumps(body).encode(), headers)

    def send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def running(**options: Any) -> Iterator[FakeOpenAI]:
    """Serve embeddings on a free loopback port until the block ends."""
    with serve(FakeOpenAI(**options), Handler) as state:
        yield state


@contextmanager
def serve(state: Any, handler: type[Handler]) -> Iterator[Any]:
    """Serve a state on a free loopback port until the block ends."""
    bound = type("BoundHandler", (handler,), {"state": state})
    http = ThreadingHTTPServer(("127.0.0.1", 0), bound)
    http.daemon_threads = True
    state.base_url = f"http://127.0.0.1:{http.server_address[1]}/v1"
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.stopping.set()
        http.shutdown()
        http.server_close()
        thread.join(timeout=5)
