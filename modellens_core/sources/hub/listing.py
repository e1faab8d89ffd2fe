"""Lists the repositories of a Hub: everything now and then, in between only what changed.

One expanded listing carries metadata, gold and silver. A full listing is ordered by creation, so that new
repositories do not move the others while pages are read; an incremental one by last change, newest
first, and ends where it meets what is known. Each page is stored before the next is asked for. How
requests are made belongs in `client.py`, what is kept in `store.py`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from modellens_core.config import Profile, Settings
from modellens_core.errors import SourceCorruptError
from modellens_core.progress import Progress
from modellens_core.sources.hub.client import PAGE_SIZE, HubClient
from modellens_core.sources.hub.store import HubStore, Listed, Unfinished

EXPAND = (
    "sha", "lastModified", "createdAt", "siblings", "tags", "pipeline_tag", "library_name", "downloads",
    "likes", "gated", "private", "disabled", "config", "safetensors", "baseModels", "cardData",
    "model-index", "evalResults",
)  # fmt: skip
README = "README.md"
# Clocks differ, and a repository may change while a listing is under way.
_OVERLAP = timedelta(hours=1)
# A listing that was stopped longer ago is begun anew: too much has changed.
_STALE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Crawl:
    """What to read.

    Attributes:
        hub: which Hub this is; a store of another Hub is listed anew.
        bound: repositories to list, the most used first; 0 means all.
        readmes: whether README texts are read.
        full_every: an incremental listing does when the last full one is younger than this; only a full
            one sees what was removed. A bounded crawl is always listed in full.
    """

    hub: str
    bound: int
    readmes: bool
    full_every: timedelta

    @staticmethod
    def of(settings: Settings) -> "Crawl":
        """The crawl of a profile: bounded in quickstart, or where a bound was set on purpose."""
        quick = settings.profile is Profile.QUICKSTART
        bounded = quick or "hub_max_models" in settings.model_fields_set
        wanted = settings.hub_read_readmes
        return Crawl(
            hub=settings.hub_endpoint_identity,
            bound=settings.hub_max_models if bounded else 0,
            readmes=not quick if wanted is None else wanted,
            full_every=timedelta(days=settings.hub_full_listing_days),
        )


def list_repositories(
    client: HubClient, crawl: Crawl, store: HubStore, now: datetime, progress: Progress
) -> str:
    """Bring the store's repositories up to date; returns "full" or "incremental".

    Nothing takes effect before the listing is complete; pages already stored are not asked for again.

    Raises:
        SourceUnreachableError: a page could not be read after all retries; the next call goes on there.
        SourceCorruptError: an answer is not a list of models.
    """
    listing = _due(crawl, store, now)
    if listing.listed == 0:
        store.begin(listing)
    sort = "lastModified" if listing.since else "downloads" if crawl.bound else "createdAt"
    size = min(PAGE_SIZE, crawl.bound) if crawl.bound else PAGE_SIZE
    params = {"sort": sort, "limit": size, "expand": list(EXPAND)}
    pages = client.pages("/api/models", params, listing.following)
    while not listing.complete:
        rows, following = next(pages)
        taken = rows[: crawl.bound - listing.listed] if crawl.bound else rows
        found = list(_listed(client, taken))
        listed = listing.listed + len(taken)
        enough = (crawl.bound and listed >= crawl.bound) or _reached(listing.since, found)
        listing = replace(
            listing, following=following, listed=listed, complete=bool(following is None or enough)
        )
        store.add_page(listing, found, datetime.now(UTC))
        progress("Hub listing", listed, crawl.bound or None)
    store.finish(listing, now, forget=bool(crawl.bound))
    progress("Hub listing", listing.listed, listing.listed)
    return "incremental" if listing.since else "full"


def _due(crawl: Crawl, store: HubStore, now: datetime) -> Unfinished:
    """The listing that was stopped, if it is still the one to make; else a new one."""
    identity = json.dumps([crawl.hub, crawl.bound])
    since = None if crawl.bound else _since(store, identity, now - crawl.full_every)
    begun = store.unfinished()
    if (
        begun is not None
        and (begun.identity, begun.since) == (identity, since)
        and now - datetime.fromisoformat(begun.started_at) < _STALE
    ):
        return begun
    return Unfinished(identity, since, now.isoformat())


def _since(store: HubStore, identity: str, oldest: datetime) -> str | None:
    """Where an incremental listing ends; None if everything has to be listed."""
    full, last, newest = store.finished("full"), store.finished("any"), store.newest()
    if full is None or last is None or newest is None:
        return None
    if full[0] != identity or last[0] != identity or full[1] <= oldest:
        return None
    # What changed while the last listing ran may have been missed by it.
    return (min(newest, last[1]) - _OVERLAP).isoformat()


def _reached(since: str | None, rows: list[Listed]) -> bool:
    """Whether a page, newest first, ends before a time."""
    times = [r.last_modified for r in rows if r.last_modified is not None]
    return since is not None and bool(times) and min(times) < datetime.fromisoformat(since)


def _listed(client: HubClient, rows: list[Any]) -> Iterator[Listed]:
    """The public repositories of one page."""
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("id"), str):
            raise SourceCorruptError(
                f"{client.shown} lists a model without an id; check that HF_ENDPOINT is a Hub"
            )
        # A token shows its owner's private repositories: those are nobody else's business.
        if not row.get("private"):
            yield Listed(
                repo_id=_valid(row["id"]),
                sha=row["sha"] if isinstance(row.get("sha"), str) else None,
                last_modified=_time(row.get("lastModified")),
                created_at=_time(row.get("createdAt")),
                has_readme=_has_readme(row),
                listing_json=_valid(json.dumps(row, ensure_ascii=False, separators=(",", ":"))),
            )


def _valid(text: str) -> str:
    """Lone surrogates, which no UTF-8 can hold, become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _has_readme(row: dict[str, Any]) -> bool:
    if row.get("disabled"):
        return False
    siblings = row.get("siblings") or ()
    return any(isinstance(s, dict) and s.get("rfilename") == README for s in siblings)


def _time(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value)).astimezone(UTC)
    except ValueError:
        return None
