"""`GET /api/models` and one repository's info: filters, orders, cursors, and which keys come back.

Pages follow a keyset cursor (the last row's order key and `_id`), as the Hub's do: rows that appear
while somebody pages never shift the rest. No HTTP here; the server turns query strings into `Query`.
"""

import base64
import bisect
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.fakes.hub.repository import HubRepo, Repository

PAGE_CAP = 1000
SORTS = ("createdAt", "downloads", "lastModified", "likes", "trendingScore")
DEFAULT = (
    "likes", "trendingScore", "private", "downloads", "tags", "pipeline_tag", "library_name",
    "createdAt", "modelId",
)  # fmt: skip
FULL = (*DEFAULT, "author", "sha", "lastModified", "gated", "disabled", "siblings")
INFO = (*FULL, "model-index", "config", "cardData", "safetensors", "usedStorage")


class UnknownSortError(ValueError):
    """The Hub answers 400."""


@dataclass(frozen=True)
class Query:
    """The query string of a listing."""

    filters: tuple[str, ...] = ()
    author: str | None = None
    search: str | None = None
    pipeline_tag: str | None = None
    gated: bool | None = None
    sort: str = "trendingScore"
    limit: int = PAGE_CAP
    cursor: str | None = None
    keys: tuple[str, ...] = DEFAULT


def item(repo: HubRepo, keys: Sequence[str]) -> dict[str, Any]:
    """One repository with the wanted keys; `_id` and `id` always come along."""
    card = repo.card_data() if {"cardData", "model-index"} & set(keys) else None
    derived: dict[str, Any] = {
        "author": repo.repo_id.split("/")[0] if "/" in repo.repo_id else None,
        "sha": repo.sha,
        "lastModified": repo.last_modified,
        "createdAt": repo.created_at,
        "siblings": [{"rfilename": name} for name in repo.siblings()],
        "modelId": repo.repo_id,
        "cardData": card,
        "model-index": (card or {}).get("model-index"),
        "private": False,
        "gated": False,
        "disabled": False,
        "likes": 0,
        "downloads": 0,
        "trendingScore": 0,
        "tags": [],
    }
    if "evalResults" in keys:
        derived["evalResults"] = repo.eval_results()
    everything = {**derived, **repo.fields}
    wanted = {k: everything[k] for k in keys if k in everything}
    return {"_id": repo.object_id, "id": repo.repo_id, **wanted}


def _order(repo: HubRepo, sort: str) -> tuple[float, str]:
    """Ascending key that puts the largest value first."""
    if sort == "lastModified":
        value = datetime.fromisoformat(repo.last_modified).timestamp()
    elif sort == "createdAt":
        value = datetime.fromisoformat(repo.created_at).timestamp()
    else:
        value = float(repo.fields.get(sort) or 0)
    return (-value, repo.object_id)


def _matches(repo: HubRepo, query: Query) -> bool:
    fields = repo.fields
    labels = {*fields.get("tags", ()), fields.get("pipeline_tag"), fields.get("library_name")}
    return (
        all(f in labels for f in query.filters)
        and (query.author is None or repo.repo_id.startswith(f"{query.author}/"))
        and (query.search is None or query.search.lower() in repo.repo_id.lower())
        and (query.pipeline_tag is None or fields.get("pipeline_tag") == query.pipeline_tag)
        and (query.gated is None or bool(fields.get("gated")) == query.gated)
    )


class Lister:
    """Pages through a repository, remembering the order of everything while it does not change."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._sorted: dict[
            tuple[str, str], tuple[object, list[tuple[float, str]], list[HubRepo]]
        ] = {}

    def _ordered(self, kind: str, sort: str) -> tuple[list[tuple[float, str]], list[HubRepo]]:
        version = getattr(self._repository, "version", 0)
        known = self._sorted.get((kind, sort))
        if known is None or known[0] != version:
            pairs = sorted(
                ((_order(r, sort), r) for r in self._repository.all(kind)), key=lambda p: p[0]
            )
            known = (version, [k for k, _ in pairs], [r for _, r in pairs])
            self._sorted[kind, sort] = known
        return known[1], known[2]

    def page(self, kind: str, query: Query) -> tuple[list[dict[str, Any]], str | None]:
        """One page of items, and the cursor of the next page if there is one.

        Raises:
            UnknownSortError: the order is none of the Hub's.
        """
        if query.sort not in SORTS:
            raise UnknownSortError(query.sort)
        keys, repos = self._ordered(kind, query.sort)
        start = 0
        if query.cursor is not None:
            value, object_id = json.loads(base64.urlsafe_b64decode(query.cursor))
            start = bisect.bisect_right(keys, (value, object_id))
        size = max(1, min(query.limit, PAGE_CAP))
        found: list[int] = []
        for index in range(start, len(repos)):
            if _matches(repos[index], query):
                found.append(index)
                if len(found) > size:
                    break
        shown, more = found[:size], len(found) > size
        cursor = (
            base64.urlsafe_b64encode(json.dumps(keys[shown[-1]]).encode()).decode()
            if more
            else None
        )
        return [item(repos[i], query.keys) for i in shown], cursor


def query_of(params: Mapping[str, Sequence[str]]) -> Query:
    """Read a query string; the Hub takes `expand=` and `expand[]=`."""

    def one(name: str) -> str | None:
        return params[name][0] if name in params else None

    def true(name: str) -> bool:
        return (one(name) or "").lower() == "true"

    keys: tuple[str, ...] = FULL if true("full") else DEFAULT
    keys += ("cardData",) if true("cardData") else ()
    keys += ("config",) if true("config") else ()
    expand = (*params.get("expand", ()), *params.get("expand[]", ()))
    return Query(
        filters=tuple(params.get("filter", ())),
        author=one("author"),
        search=one("search"),
        pipeline_tag=one("pipeline_tag"),
        gated=true("gated") if "gated" in params else None,
        sort=one("sort") or "trendingScore",
        limit=int(one("limit") or PAGE_CAP),
        cursor=one("cursor"),
        keys=expand or keys,
    )
