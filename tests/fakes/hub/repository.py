"""What the loopback Hub serves: repositories, their files, and what the Hub derives from those.

`Repository` is the only thing the server asks for; `MemoryRepository` holds what a test puts in, and
`snapshot.py` builds one from real records. Derived here, the way the Hub does it: `cardData` and
`model-index` from README front matter (null if the strict YAML fails), `evalResults` from
`.eval_results/*.yaml` on main and on open pull requests, ETags from content. HTTP does not belong here.
"""

import datetime as dt
import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import yaml

Content = bytes | Path
VALID_TOKEN = "eyJ.signed-by-the-hub"
_FRONT_MATTER = re.compile(r"\A\s*---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_EVAL_FILE = re.compile(r"\.eval_results/[^/]+\.yaml")


class _HubLoader(yaml.CSafeLoader):
    """YAML as a strict 1.2 parser reads it: `no` is Norwegian, and a key occurs once."""

    def construct_mapping(self, node, deep=False):
        keys = [k.value for k, _ in node.value if isinstance(k, yaml.ScalarNode)]
        if len(keys) != len(set(keys)):
            raise yaml.constructor.ConstructorError(
                None, None, "duplicated mapping key", node.start_mark
            )
        return super().construct_mapping(node, deep)


_HubLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if not tag.endswith((":bool", ":timestamp"))]
    for first, found in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_HubLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"true|True|TRUE|false|False|FALSE"), list("tTfF")
)


def _as_json(value: Any) -> Any:
    """What is left of a YAML value after JSON.stringify."""
    if isinstance(value, Mapping):
        return {str(k): _as_json(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_as_json(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dt.date):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool) else None


def front_matter(readme: str) -> dict[str, Any] | None:
    """`cardData` of a README: the JSON of its YAML, None where there is none or it is broken."""
    match = _FRONT_MATTER.match(readme)
    if match is None:
        return None
    try:
        data = yaml.load(match[1], Loader=_HubLoader)
    except (yaml.YAMLError, ValueError):
        return None
    return _as_json(data) if isinstance(data, dict) else None


def git_blob_sha(content: bytes) -> str:
    """The id git gives to a file's content: the ETag of a small file."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@dataclass(frozen=True)
class HubRepo:
    """One repository at its newest commit.

    `fields` are listing keys served as they are (tags, downloads, config, safetensors, ...); `names` are
    files that are listed, but whose content is not held; `pull_requests` holds the files that each open
    pull request adds or changes.
    """

    repo_id: str
    files: Mapping[str, Content] = field(default_factory=dict)
    kind: str = "model"
    fields: Mapping[str, Any] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    pull_requests: Mapping[int, Mapping[str, Content]] = field(default_factory=dict)
    last_modified: str = "2024-01-01T00:00:00.000Z"
    created_at: str = "2022-03-02T23:29:04.000Z"
    commit: str | None = None

    @cached_property
    def sha(self) -> str:
        """The commit: as given, else derived from the content."""
        if self.commit is not None:
            return self.commit
        digest = hashlib.sha1(self.repo_id.encode())
        for name in sorted(self.files):
            digest.update(name.encode() + self.read(name))
        return digest.hexdigest()

    @property
    def object_id(self) -> str:
        """Mongo-like `_id`: ties in every order are broken by it."""
        return hashlib.sha1(b"id" + self.repo_id.encode()).hexdigest()[:24]

    def read(self, name: str) -> bytes:
        """Content of a file on main."""
        content = self.files[name]
        return content.read_bytes() if isinstance(content, Path) else content

    def at_pull_request(self, number: int) -> "HubRepo":
        """The repository as the pull request would make it."""
        return replace(self, files={**self.files, **self.pull_requests[number]}, commit=None)

    def siblings(self) -> list[str]:
        """All file names, held or not."""
        return sorted({*self.files, *self.names})

    def card_data(self) -> dict[str, Any] | None:
        """Front matter of the README as JSON."""
        if "README.md" not in self.files:
            return None
        return front_matter(self.read("README.md").decode("utf-8", "replace"))

    def eval_results(self) -> list[dict[str, Any]]:
        """Results in `.eval_results`, on main and on open pull requests."""
        found = [e for name in sorted(self.files) for e in _results(name, self.read(name), None)]
        for number, files in sorted(self.pull_requests.items()):
            for name, content in sorted(files.items()):
                assert isinstance(content, bytes)
                if self.files.get(name) != content:
                    found += _results(name, content, number)
        return found


def _results(name: str, content: bytes, pull_request: int | None) -> Iterator[dict[str, Any]]:
    if not _EVAL_FILE.fullmatch(name):
        return
    origin = {"pullRequest": pull_request} if pull_request is not None else {}
    try:
        entries = yaml.load(content, Loader=_HubLoader)
    except (yaml.YAMLError, ValueError) as error:
        entries = str(error).splitlines()[0]
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        detail = entries if isinstance(entries, str) else "expected a list of entries"
        yield {"filename": name, "error": detail, **origin}
        return
    for entry in entries:
        verified = entry.get("verifyToken") == VALID_TOKEN
        yield {"filename": name, "verified": verified, "data": _as_json(entry), **origin}


class Repository(Protocol):
    """Where the server looks repositories up."""

    def all(self, kind: str) -> Sequence[HubRepo]:
        """Every repository of a kind, "model" or "dataset"."""

    def get(self, kind: str, repo_id: str) -> HubRepo | None:
        """One repository, None if there is none."""

    def at(self, kind: str, repo_id: str, commit: str) -> HubRepo | None:
        """A repository at a full commit hash."""

    def new_name(self, kind: str, repo_id: str) -> str | None:
        """What a repository is called now, if it was renamed."""


class MemoryRepository:
    """Repositories held in memory; a test may change them while the server runs."""

    def __init__(self, repos: Sequence[HubRepo] = ()) -> None:
        self._repos: dict[tuple[str, str], HubRepo] = {}
        self._commits: dict[tuple[str, str, str], HubRepo] = {}
        self._renamed: dict[tuple[str, str], str] = {}
        self.version = 0
        for repo in repos:
            self.put(repo)

    def put(self, repo: HubRepo) -> None:
        """Add a repository or push a new commit to it; old commits stay readable."""
        self._repos[repo.kind, repo.repo_id] = repo
        self._commits[repo.kind, repo.repo_id, repo.sha] = repo
        self.version += 1

    def remove(self, repo_id: str, kind: str = "model") -> None:
        """Delete a repository."""
        del self._repos[kind, repo_id]
        self.version += 1

    def rename(self, repo_id: str, new_id: str, kind: str = "model") -> None:
        """Give a repository another name; the old one leads to it."""
        repo = replace(
            self._repos[kind, repo_id], repo_id=new_id, commit=self._repos[kind, repo_id].sha
        )
        self.remove(repo_id, kind)
        self._renamed[kind, repo_id] = new_id
        self.put(repo)

    def new_name(self, kind: str, repo_id: str) -> str | None:
        """What a repository is called now, if it was renamed."""
        return self._renamed.get((kind, repo_id))

    def all(self, kind: str) -> Sequence[HubRepo]:
        """Every repository of a kind."""
        return [r for (k, _), r in self._repos.items() if k == kind]

    def get(self, kind: str, repo_id: str) -> HubRepo | None:
        """One repository at its newest commit."""
        return self._repos.get((kind, repo_id))

    def at(self, kind: str, repo_id: str, commit: str) -> HubRepo | None:
        """One repository at a commit that was put once."""
        return self._commits.get((kind, repo_id, commit))
