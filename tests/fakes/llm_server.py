"""A loopback OpenAI that reads tables: `/v1/chat/completions`, `/v1/files`, `/v1/batches` over real HTTP.

It refuses what the genuine service refuses (a schema that is not strict, a temperature a reasoning model
does not take, batches beyond the limits), answers by a small function of the table in the prompt, and
misbehaves on purpose. Faults are a queue: each completion takes the next one. It proves how we handle
the wire and a model that errs, never how well a model reads.
"""

import email
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.openai_server import KEY, Fault, Handler, serve

Document = dict[str, Any]
Reader = Callable[[Document], Any]
_MEASURED = re.compile(r"(?P<dataset>.+?) \((?P<metric>.+)\)")


def row(model, dataset, metric, value, split=None, notes=None) -> dict[str, Any]:
    """One result as the schema wants it."""
    return {
        "model": model, "dataset": dataset, "metric": metric, "value": value, "split": split,
        "notes": notes,
    }  # fmt: skip


def honest(document: Document) -> dict[str, Any]:
    """Reads two plain sorts of tables right: models by "Dataset (metric)", and dataset | metric | value."""
    head, *body = document["rows"]
    if head[0] == "Model":
        heads = [_MEASURED.fullmatch(h) for h in head]
        found = [
            row(cells[0], m["dataset"], m["metric"], cells[i])
            for cells in body
            for i, m in enumerate(heads)
            if m is not None
        ]
    else:
        found = [row(None, c[0], c[1], c[2]) for c in body]
    return {"results": found}


@dataclass
class FakeLLM:
    """State of one running server."""

    read: Reader = honest  # gives the content: text as it is, anything else as JSON
    body: Any = None  # sent instead of a completion
    faults: list[Fault | None] = field(default_factory=list)
    batch_polls: int = 0  # how often a batch is looked at before it is done
    batch_ends: str = "completed"
    lose_creation: bool = False  # the batch is made, the answer about it is lost
    requests: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    used_tokens: int = 0
    base_url: str = ""
    stopping: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def documents(self) -> list[Document]:
        """What was asked about, in order."""
        return [document_of(r) for r in self.requests]

    def next_fault(self) -> Fault | None:
        with self.lock:
            return self.faults.pop(0) if self.faults else None

    def completion(self, request: dict[str, Any], fault: Fault | None) -> dict[str, Any]:
        said = self.read(document_of(request))
        content = said if isinstance(said, str) else json.dumps(said)
        message: dict[str, Any] = {"role": "assistant", "content": content, "refusal": None}
        reason = "stop"
        match fault:
            case Fault.REFUSAL:
                message |= {"content": None, "refusal": "I cannot help with that."}
            case Fault.LENGTH:
                reason, message["content"] = "length", content[: len(content) // 2]
            case Fault.CONTENT_FILTER:
                reason, message["content"] = "content_filter", ""
            case Fault.BROKEN_CONTENT:
                message["content"] = content[:-3]
            case Fault.WRONG_SHAPE:
                message["content"] = json.dumps({"results": [{"model": 1}]})
        prompt, answer = len(json.dumps(request["messages"])) // 4, len(content) // 4 + 1
        with self.lock:
            self.used_tokens += prompt + answer
        usage = {
            "prompt_tokens": prompt,
            "completion_tokens": answer,
            "total_tokens": prompt + answer,
        }
        choices = [{"index": 0, "message": message, "finish_reason": reason, "logprobs": None}]
        return {
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": request["model"],
            "choices": [] if fault is Fault.EMPTY_CHOICES else choices,
            **({} if fault is Fault.NO_USAGE else {"usage": usage}),
        }  # fmt: skip

    def finish(self, batch: dict[str, Any]) -> None:
        """Work through a batch's requests, last one first: the order of results is not promised."""
        good, bad = [], []
        lines = self.files[batch["input_file_id"]].decode().splitlines()
        for number, line in enumerate(reversed(lines)):
            request = json.loads(line)
            fault = self.next_fault()
            entry: dict[str, Any] = {
                "id": f"batch_req_{number}", "custom_id": request["custom_id"], "error": None,
            }  # fmt: skip
            if fault is Fault.SERVER_ERROR or self.batch_ends == "expired":
                entry |= {"response": None, "error": {"code": "batch_expired", "message": "late"}}
                bad.append(entry)
            else:
                body = self.completion(request["body"], fault)
                entry["response"] = {"status_code": 200, "request_id": "r", "body": body}
                good.append(entry)
        batch["status"] = self.batch_ends
        for name, entries in (("output_file_id", good), ("error_file_id", bad)):
            if entries:
                batch[name] = f"file-{name}-{batch['id']}"
                text = "\n".join(json.dumps(e) for e in entries) + "\n"
                self.files[batch[name]] = text.encode()


def document_of(request: dict[str, Any]) -> Document:
    """The JSON document in a request's user message."""
    document: Document = json.loads(request["messages"][1]["content"])
    return document


def why_refused(request: dict[str, Any]) -> str | None:
    """What the genuine service would answer 400 to."""
    shape = request.get("response_format", {})
    schema = shape.get("json_schema", {})
    checks = (
        (shape.get("type") != "json_schema", "response_format"),
        (not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", schema.get("name", "")), "schema name"),
        (schema.get("strict") is not True, "strict"),
        (not _is_strict(schema.get("schema")), "schema is not strict"),
        (not 0 <= request.get("temperature", 1) <= 2, "temperature"),
        (_thinks(request) and request.get("temperature", 1) != 1, "temperature of a reasoning model"),
        ("max_tokens" in request, "max_tokens is not supported with this model"),
        (not 0 < request.get("max_completion_tokens", 1) <= 128_000, "max_completion_tokens"),
        ([m["role"] for m in request["messages"]] != ["system", "user"], "messages"),
        (any("\0" in m["content"] for m in request["messages"]), "a NUL character"),
    )  # fmt: skip
    return next((why for wrong, why in checks if wrong), None)


def _thinks(request: dict[str, Any]) -> bool:
    return request["model"].startswith("gpt-5") and request.get("reasoning_effort") != "none"


def _is_strict(schema: Any) -> bool:
    """Whether every object of a schema names all its fields as required and allows no others."""
    if isinstance(schema, list):
        return all(_is_strict(s) for s in schema)
    if not isinstance(schema, dict):
        return schema is not None
    if schema.get("type") == "object" and (
        schema.get("additionalProperties") is not False
        or set(schema.get("required", ())) != set(schema["properties"])
    ):
        return False
    return "default" not in schema and all(_is_strict(v) for v in schema.values())


class LLMHandler(Handler):
    """One request to a `FakeLLM`."""

    state: FakeLLM

    def do_POST(self) -> None:  # noqa: N802 - the name http.server calls
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.allowed():
            return
        match self.path:
            case "/v1/chat/completions":
                self.complete(json.loads(raw))
            case "/v1/files":
                self.upload(raw)
            case "/v1/batches":
                self.create_batch(json.loads(raw))
            case _:
                self.answer(404, {"error": {"message": "no such path", "code": None}})

    def do_GET(self) -> None:  # noqa: N802
        if not self.allowed():
            return
        parts = self.path.partition("?")[0].removeprefix("/v1/").split("/")
        if parts == ["batches"]:
            data = list(reversed(self.state.batches.values()))
            self.answer(200, {"object": "list", "data": data, "has_more": False})
        elif parts[0] == "batches" and parts[1] in self.state.batches:
            self.poll(self.state.batches[parts[1]])
        elif parts[0] == "files" and parts[1] in self.state.files:
            self.send(200, self.state.files[parts[1]])
        else:
            self.answer(404, {"error": {"message": "not found", "code": None}})

    def allowed(self) -> bool:
        self.state.paths.append(f"{self.command} {self.path}")
        if self.headers["Authorization"] == f"Bearer {KEY}":
            return True
        words = f"Incorrect API key provided: {self.headers['Authorization']}"
        self.answer(401, {"error": {"message": words, "code": "invalid_api_key"}})
        return False

    def complete(self, request: dict[str, Any]) -> None:
        with self.state.lock:
            self.state.requests.append(request)
        if why := why_refused(request):
            self.answer(400, {"error": {"message": why, "code": "invalid_value"}})
            return
        fault = self.state.next_fault()
        if not self.failed(fault):
            sent = self.state.body or self.state.completion(request, fault)
            body = json.dumps(sent).encode()
            self.send(200, body[: len(body) // 2] if fault is Fault.TRUNCATED else body)

    def upload(self, raw: bytes) -> None:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = email.message_from_bytes(head + raw).get_payload()
        fields = {p.get_param("name", header="content-disposition"): p for p in parts}
        assert fields["purpose"].get_payload() == "batch"
        name = f"file-{len(self.state.files)}"
        self.state.files[name] = fields["file"].get_payload(decode=True)
        self.answer(200, {"id": name, "object": "file", "purpose": "batch"})

    def create_batch(self, request: dict[str, Any]) -> None:
        lines = [json.loads(x) for x in self.state.files[request["input_file_id"]].splitlines()]
        refused = [why_refused(x["body"]) for x in lines]
        assert not any(refused), refused
        assert len({x["custom_id"] for x in lines}) == len(lines) <= 50_000
        assert {(x["method"], x["url"]) for x in lines} == {("POST", request["endpoint"])}
        self.state.requests += [x["body"] for x in lines]
        name = f"batch_{len(self.state.batches)}"
        batch = {**request, "id": name, "object": "batch", "status": "in_progress", "polls": 0}
        self.state.batches[name] = batch
        if self.state.lose_creation:
            self.close_connection = True
        else:
            self.answer(200, batch)

    def poll(self, batch: dict[str, Any]) -> None:
        batch["polls"] += 1
        if batch["status"] == "in_progress" and batch["polls"] > self.state.batch_polls:
            self.state.finish(batch)
        self.answer(200, batch)


@contextmanager
def running_llm(**options: Any) -> Iterator[FakeLLM]:
    """Serve on a free loopback port until the block ends."""
    with serve(FakeLLM(**options), LLMHandler) as state:
        yield state
