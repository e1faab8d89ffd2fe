"""The loopback Hub's HTTP side: the routes that the genuine `huggingface_hub` client uses.

Paths are matched on their raw segments, because `refs%2Fpr%2F7` is one of them. Error answers carry the
headers the client maps to its exceptions. No X-Xet-* header is ever sent: the client would then ask a
storage service that does not exist here. What is served belongs in `repository.py` and `listing.py`.
"""

import asyncio
import gzip
import hashlib
import re
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from tests.fakes.hub.faults import Fault, Faults, Kind, RateLimit
from tests.fakes.hub.leaderboard import leaderboard
from tests.fakes.hub.listing import INFO, Lister, UnknownSortError, item, query_of
from tests.fakes.hub.repository import HubRepo, Repository, git_blob_sha

LFS_SIZE = 10_000_000  # larger files get a SHA-256 as their ETag
_KINDS = {"models": "model", "datasets": "dataset"}
_SUBROUTES = frozenset(
    {"revision", "tree", "paths-info", "refs", "discussions", "commits", "leaderboard"}
)


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: str
    authorization: str | None


@dataclass
class RequestLog:
    """All requests so far."""

    seen: list[Seen] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, seen: Seen) -> None:
        """Note a request."""
        with self._lock:
            self.seen.append(seen)

    def count(self, text: str, method: str | None = None) -> int:
        """Requests whose path and query contain a text."""
        return sum(
            text in f"{s.path}?{s.query}" and method in {None, s.method} for s in list(self.seen)
        )

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self.seen.clear()


def _error(status: int, code: str | None, message: str, **headers: str) -> Response:
    named = {"X-Error-Code": code} if code else {}
    extra = {k.replace("_", "-"): v for k, v in headers.items()}
    return JSONResponse(
        {"error": message}, status, headers={**named, "X-Error-Message": message, **extra}
    )


def _not_found(repo: str) -> Response:
    return _error(404, "RepoNotFound", f"Repository not found: {repo}")


def _bad_revision(revision: str) -> Response:
    return _error(404, "RevisionNotFound", f"Invalid rev id: {revision}")


def _etag(content: bytes) -> str:
    big = len(content) > LFS_SIZE
    return f'"{hashlib.sha256(content).hexdigest() if big else git_blob_sha(content)}"'


class HubApp:
    """An ASGI application over a `Repository`."""

    def __init__(
        self, repository: Repository, faults: Faults, limit: RateLimit, log: RequestLog
    ) -> None:
        self._repository = repository
        self._lister = Lister(repository)
        self._faults = faults
        self._limit = limit
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or fail as planned."""
        assert scope["type"] == "http"
        request = Request(scope, receive)
        raw = scope["raw_path"].decode("ascii").split("?")[0]
        query = scope["query_string"].decode("ascii")
        self._log.add(Seen(request.method, raw, query, request.headers.get("authorization")))
        segments = [unquote(s) for s in raw.strip("/").split("/")]
        fault = self._faults.strike(f"{raw}?{query}")
        if fault is not None and fault.kind is Kind.HANG:
            await asyncio.sleep(fault.seconds)
            return
        allowed, limits = self._limit.take("api" if segments[0] == "api" else "resolvers")
        if fault is not None and fault.kind is Kind.STATUS:
            response: Response = _error(fault.status, None, "planned failure")
            response.headers.update(fault.headers)
        elif not allowed:
            response = _error(429, None, "We had to rate limit you")
        else:
            response = await self._respond(request, segments, query)
        for name, value in limits.items():
            response.headers.setdefault(name, value)
        await self._send(response, fault, scope, receive, send)

    async def _send(
        self, response: Response, fault: Fault | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if fault is not None and fault.kind is Kind.GZIP:
            packed = gzip.compress(bytes(response.body))
            response.body = packed[: len(packed) // 2]
            response.headers["content-length"] = str(len(response.body))
            response.headers["content-encoding"] = "gzip"
        if fault is not None and fault.kind in {Kind.CUT, Kind.SHORT}:
            half = bytes(response.body)[: len(response.body) // 2]
            if fault.kind is Kind.SHORT:
                response.headers["content-length"] = str(len(half))
            start = {"type": "http.response.start", "status": response.status_code}
            await send({**start, "headers": response.raw_headers})
            # A cut body is announced as unfinished; uvicorn then closes the connection.
            await send(
                {"type": "http.response.body", "body": half, "more_body": fault.kind is Kind.CUT}
            )
            return
        await response(scope, receive, send)

    async def _respond(self, request: Request, segments: list[str], query: str) -> Response:
        if segments[0] == "api" and len(segments) >= 2:
            if segments[1] == "whoami-v2":
                return _error(401, None, "Invalid credentials in Authorization header")
            kind = _KINDS.get(segments[1])
            if kind is None:
                return _error(404, None, "no such route")
            if len(segments) == 2:
                return self._list(request, kind, query)
            return await self._api(request, kind, segments[2:], query)
        return self._resolve(request, segments)

    def _list(self, request: Request, kind: str, query: str) -> Response:
        params = parse_qs(query)
        try:
            rows, cursor = self._lister.page(kind, query_of(params))
        except UnknownSortError as error:
            return _error(400, None, f"unknown sort {error}")
        headers = {}
        if cursor is not None:
            following = urlencode({**params, "cursor": [cursor]}, doseq=True)
            # The client needs an absolute URL.
            headers["Link"] = f'<{request.url.replace(query=following)}>; rel="next"'
        return JSONResponse(rows, headers=headers)

    async def _api(self, request: Request, kind: str, rest: list[str], query: str) -> Response:
        cut = next((i for i in (1, 2) if i < len(rest) and rest[i] in _SUBROUTES), len(rest))
        repo_id, route = "/".join(rest[:cut]), rest[cut:]
        repo = self._repository.get(kind, repo_id)
        if repo is None:
            return self._moved(request, kind, repo_id) or _not_found(repo_id)
        answer: object = None
        match route:
            case [] | ["revision", _]:
                revision = route[1] if route else "main"
                found = self._at(repo, revision)
                expand = query_of(parse_qs(query)).keys if "expand" in query else INFO
                answer = _bad_revision(revision) if found is None else item(found, expand)
            case ["tree", revision, *folder]:
                answer = self._tree(repo, revision, "/".join(folder), "recursive=true" in query)
            case ["paths-info", revision]:
                wanted = set(parse_qs((await request.body()).decode()).get("paths", ()))
                files = _files(self._at(repo, revision) or repo)
                answer = [f for f in files if f["path"] in wanted]
            case ["refs"]:
                answer = _refs(repo)
            case ["discussions"]:
                answer = _discussions(repo)
            case ["leaderboard"] if kind == "dataset":
                answer = leaderboard(self._repository.all("model"), repo_id)
            case ["commits", _]:
                commit = {"id": repo.sha, "title": "Update", "message": "", "authors": []}
                answer = [{**commit, "date": repo.last_modified}]
            case _:
                answer = _error(404, None, "no such route")
        return answer if isinstance(answer, Response) else JSONResponse(answer)

    def _at(self, repo: HubRepo, revision: str) -> HubRepo | None:
        if revision in {"main", repo.sha}:
            return repo
        if revision.startswith("refs/pr/"):
            number = revision.removeprefix("refs/pr/")
            known = number.isdigit() and int(number) in repo.pull_requests
            return repo.at_pull_request(int(number)) if known else None
        return self._repository.at(repo.kind, repo.repo_id, revision)

    def _tree(self, repo: HubRepo, revision: str, folder: str, recursive: bool) -> Response:
        found = self._at(repo, revision)
        if found is None:
            return _bad_revision(revision)
        prefix = f"{folder}/" if folder else ""
        below = [f for f in _files(found) if f["path"].startswith(prefix)]
        if folder and not below:
            return _error(404, "EntryNotFound", f"{folder} does not exist on {revision}")
        if recursive:
            return JSONResponse(below)
        entries: dict[str, dict[str, Any]] = {}
        for entry in below:
            head, _, tail = entry["path"].removeprefix(prefix).partition("/")
            if tail:
                directory = {
                    "type": "directory",
                    "oid": found.sha,
                    "size": 0,
                    "path": prefix + head,
                }
                entries.setdefault(head, directory)
            else:
                entries[head] = entry
        return JSONResponse(list(entries.values()))

    def _moved(self, request: Request, kind: str, repo_id: str) -> Response | None:
        """Where a renamed repository is now."""
        now = self._repository.new_name(kind, repo_id)
        if now is None:
            return None
        path = request.url.path.replace(repo_id, now, 1)
        return Response(status_code=307, headers={"Location": str(request.url.replace(path=path))})

    def _resolve(self, request: Request, segments: list[str]) -> Response:
        kind = _KINDS.get(segments[0], "model") if segments[0] == "datasets" else "model"
        rest = segments[1:] if kind == "dataset" else segments
        cut = next((i for i in (1, 2) if i < len(rest) and rest[i] in {"resolve", "raw"}), None)
        if cut is None or len(rest) < cut + 3:
            return _error(404, None, "no such page")
        repo_id = "/".join(rest[:cut])
        repo = self._repository.get(kind, repo_id)
        if repo is None:
            return self._moved(request, kind, repo_id) or _not_found(repo_id)
        if repo.fields.get("gated") and "authorization" not in request.headers:
            return _error(401, "GatedRepo", f"Access to model {repo_id} is restricted")
        range_ = request.headers.get("range", "")
        return self._file(repo, rest[cut + 1], "/".join(rest[cut + 2 :]), range_)

    def _file(self, repo: HubRepo, revision: str, path: str, range_: str) -> Response:
        found = self._at(repo, revision)
        if found is None:
            return _bad_revision(revision)
        commit = {"X-Repo-Commit": found.sha}
        if path not in found.files:
            response = _error(404, "EntryNotFound", f"{path} does not exist on {revision}")
            response.headers.update(commit)
            return response
        content = found.read(path)
        text = path.endswith((".md", ".json", ".yaml", ".yml", ".txt", ".csv"))
        media = "text/plain; charset=utf-8" if text else "application/octet-stream"
        headers = {"ETag": _etag(content), **commit}
        if wanted := re.fullmatch(r"bytes=(\d+)-", range_):  # a resumed download
            start, size = int(wanted[1]), len(content)
            headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
            return Response(content[start:], 206, media_type=media, headers=headers)
        return Response(content, media_type=media, headers=headers)


def _files(repo: HubRepo) -> list[dict[str, Any]]:
    found = []
    for name in repo.siblings():
        content = repo.read(name) if name in repo.files else b""
        oid = git_blob_sha(content)
        found.append({"type": "file", "oid": oid, "size": len(content), "path": name})
    return found


def _refs(repo: HubRepo) -> dict[str, Any]:
    pulls = [
        {"name": str(n), "ref": f"refs/pr/{n}", "targetCommit": repo.at_pull_request(n).sha}
        for n in sorted(repo.pull_requests)
    ]
    main = {"name": "main", "ref": "refs/heads/main", "targetCommit": repo.sha}
    return {"branches": [main], "converts": [], "tags": [], "pullRequests": pulls}


def _discussions(repo: HubRepo) -> dict[str, Any]:
    found = [
        {
            "num": n, "author": {"name": "someone"}, "repo": {"name": repo.repo_id, "type": repo.kind},
            "title": "Add evaluation results", "status": "open", "createdAt": repo.last_modified,
            "isPullRequest": True,
        }
        for n in sorted(repo.pull_requests)
    ]  # fmt: skip
    return {"discussions": found, "count": len(found), "start": 0}
