"""Lists the repositories of a Hub: everything now and then, in between only what changed.

One expanded listing carries metadata, gold and silver. A full listing is ordered by creation, so that new
repositories do not move the others while pages are read; an incremental one by last change, newest
first, and ends where it meets what is known. Each page is stored before the next is asked for. How
requests are made belongs in `client.py`, what is kept in `store.py`.
"""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from modellens_core.config import Profile, Settings
from modellens_core.errors import SourceCorruptError
from modellens_core.progress import Progress
from modellens_core.sources.hub.client import PAGE_SIZE, HubClient
from modellens_core.sources.hub.failures import RefusedError
from modellens_core.sources.hub.store import HubStore
from modellens_core.sources.hub.stored import Listed, Unfinished, has_readme

EXPAND = (
    "sha", "lastModified", "createdAt", "siblings", "tags", "pipeline_tag", "library_name", "downloads",
    "likes", "gated", "private", "disabled", "config", "safetensors", "baseModels", "cardData",
    "model-index", "evalResults",
)  # fmt: skip
# Clocks differ, and a repository may change while a listing is under way.
_OVERLAP = timedelta(hours=1)
# A listing that was stopped longer ago is begun anew: too much has changed.
_STALE = timedelta(days=1)
# How a Hub says that it knows a cursor no more.
_CURSOR_GONE = frozenset({400, 404, 410, 422})
_FIRST_YEAR, _LAST_YEAR = 1970, 9000
# Fewer repositories than this may well shrink by half.
_MANY = 100


class _NotBelievedError(SourceCorruptError):
    """What was listed so far is worth nothing."""


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
    """Bring the store's repositories up to date; returns "full" or "incremental", and what was odd.

    Nothing takes effect before the listing is complete; pages already stored are not asked for again.

    Raises:
        SourceUnreachableError: a page could not be read after all retries; the next call goes on there.
        SourceCorruptError: an answer is not a list of models; or the pages go in a circle, or far fewer
            repositories are listed than are known, and the next call begins anew.
        ModelLensError: another collection writes to the store.
    """
    listing = _due(crawl, store, now)
    if listing.listed:
        store.resume(listing)
    else:
        store.begin(listing)
    try:
        try:
            listing = _read_pages(client, crawl, store, listing, progress)
        except RefusedError as error:
            # Only an old cursor is given up: a page that was refused just now is asked for again next time.
            if (
                error.status not in _CURSOR_GONE
                or store.unfinished() != listing
                or not listing.listed
            ):
                raise
            listing = _new(crawl, listing.since, now)
            store.begin(listing)
            listing = _read_pages(client, crawl, store, listing, progress)
        _believe(client, crawl, store, listing)
    except _NotBelievedError:
        store.abandon(listing)
        raise
    store.finish(listing, now, forget=bool(crawl.bound))
    progress("Hub listing", listing.listed, listing.listed)
    rows = "row" if listing.skipped == 1 else "rows"
    odd = f", {listing.skipped:,} {rows} without an id left out" if listing.skipped else ""
    return ("incremental" if listing.since else "full") + odd


def _read_pages(
    client: HubClient, crawl: Crawl, store: HubStore, listing: Unfinished, progress: Progress
) -> Unfinished:
    """Read and store the pages that are missing; returns the complete listing."""
    sort = "lastModified" if listing.since else "downloads" if crawl.bound else "createdAt"
    size = min(PAGE_SIZE, crawl.bound) if crawl.bound else PAGE_SIZE
    params = {"sort": sort, "limit": size, "expand": list(EXPAND)}
    pages = client.pages("/api/models", params, listing.following)
    followed = {listing.following}
    while not listing.complete:
        rows, following = next(pages)
        if following is not None and following in followed:
            raise _NotBelievedError(
                f"the listing of the Hub at {client.shown} goes in a circle; check that HF_ENDPOINT is a Hub"
            )
        followed.add(following)
        taken = rows[: crawl.bound - listing.listed] if crawl.bound else rows
        named = [
            r for r in taken if isinstance(r, dict) and isinstance(r.get("id"), str) and r["id"]
        ]
        # A token shows its owner's private repositories: those are nobody else's business.
        found = [_listed(r) for r in named if not r.get("private")]
        listed, skipped = listing.listed + len(taken), listing.skipped + len(taken) - len(named)
        if skipped and skipped == listed:
            raise _NotBelievedError(
                f"{client.shown} lists models without ids; check that HF_ENDPOINT is a Hub"
            )
        enough = (crawl.bound and listed >= crawl.bound) or _reached(listing.since, found)
        complete = bool(following is None or enough)
        listing = replace(
            listing, following=following, listed=listed, skipped=skipped, complete=complete
        )
        store.add_page(listing, found, datetime.now(UTC))
        progress("Hub listing", listed, crawl.bound or None)
    return listing


def _believe(client: HubClient, crawl: Crawl, store: HubStore, listing: Unfinished) -> None:
    """Refuse a listing that would take most of what is known away: a Hub that is ill answers like that.

    An empty Hub is never meant. Less than half may be, if the Hub is another one than last time, or if
    somebody deleted the store to say so.
    """
    listed, known = store.pending_count(), store.counts()[0]
    expected = min(known, crawl.bound) if crawl.bound else known
    # An incremental listing may well hold nothing but the token's own, a full one may not.
    if expected and not (listing.listed if listing.since else listed):
        raise _NotBelievedError(
            f"the Hub at {client.shown} lists nothing where {known:,} models were known; check HF_ENDPOINT"
        )
    last = store.finished("full")
    other = last is not None and json.loads(last[0])[0] != crawl.hub
    if listing.since or other or store.accepts_any_size or expected < _MANY:
        return
    if listed < expected / 2:
        raise _NotBelievedError(
            f"the Hub at {client.shown} lists {listed:,} models where {expected:,} were known; check "
            f"HF_ENDPOINT, or delete {store.path} to accept it"
        )


def _due(crawl: Crawl, store: HubStore, now: datetime) -> Unfinished:
    """The listing that was stopped, if it is still the one to make; else a new one."""
    new = _new(crawl, None, now)
    since = None if crawl.bound else _since(store, new.identity, crawl.full_every, now)
    begun = store.unfinished()
    if begun is not None and (begun.identity, begun.since) == (new.identity, since):
        age = now - datetime.fromisoformat(begun.started_at)
        if timedelta(0) <= age < _STALE:
            return replace(begun, token=new.token)
    return replace(new, since=since)


def _new(crawl: Crawl, since: str | None, now: datetime) -> Unfinished:
    return Unfinished(json.dumps([crawl.hub, crawl.bound]), since, now.isoformat())


def _since(store: HubStore, identity: str, full_every: timedelta, now: datetime) -> str | None:
    """Where an incremental listing ends; None if everything has to be listed."""
    full, last, newest = store.finished("full"), store.finished("any"), store.newest()
    if full is None or last is None or newest is None:
        return None
    if full[0] != identity or last[0] != identity or now - full[1] >= full_every:
        return None
    # A time to come was written by a clock that was wrong: nobody knows how old it is.
    if full[1] > now or last[1] > now:
        return None
    # What changed while the last listing ran may have been missed by it.
    return (min(newest, last[1]) - _OVERLAP).isoformat()


def _reached(since: str | None, rows: list[Listed]) -> bool:
    """Whether a page, newest first, ends before a time."""
    times = [r.last_modified for r in rows if r.last_modified is not None]
    return since is not None and bool(times) and min(times) < datetime.fromisoformat(since)


def _listed(row: dict[str, Any]) -> Listed:
    """One public repository; what is odd about it is left out."""
    return Listed(
        repo_id=_valid(row["id"]),
        sha=row["sha"] if isinstance(row.get("sha"), str) else None,
        last_modified=_time(row.get("lastModified")),
        created_at=_time(row.get("createdAt")),
        has_readme=has_readme(row),
        listing_json=_valid(json.dumps(row, ensure_ascii=False, separators=(",", ":"))),
    )


def _valid(text: str) -> str:
    """Lone surrogates, which no UTF-8 can hold, become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _time(value: object) -> datetime | None:
    """A time as the Hub writes it; None for what is none, and for times that no calculation bears."""
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
        if time is None:
            return None
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return time if _FIRST_YEAR <= time.year <= _LAST_YEAR else None
