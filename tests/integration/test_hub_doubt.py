"""What the Hub source does not believe, does not lose and does not stop at: lost stores, sick Hubs, odd rows."""

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx2
import huggingface_hub
import pyarrow as pa
import pytest

from modellens_core.config import Profile
from modellens_core.errors import ModelLensError
from modellens_core.progress import silent
from modellens_core.sources.base import SourceState
from modellens_core.sources.hub import collect_hub
from modellens_core.sources.hub.listing import Crawl
from modellens_core.sources.hub.store import HubStore
from tests.fakes.hub import Fault, MemoryRepository, running_hub
from tests.integration.hub_support import EVERYTHING, Read, collect, facts, many, settings

SOMETIMES = replace(EVERYTHING, full_every=timedelta(days=7))
DOWN = type("Down", (), {"endpoint": "http://127.0.0.1:9"})

pytestmark = pytest.mark.usefixtures("anonymous_client")


@pytest.fixture
def answers(monkeypatch):
    """A Hub whose listing answers whatever a test sets: a function from request to (rows, next page)."""
    pages = {}

    def answer(request):
        if "/resolve/" in request.url.path:
            return httpx2.Response(200, content=b"# Read me")
        rows, following = pages["of"](request)
        link = {"Link": f'<http://hub.test{following}>; rel="next"'} if following else {}
        return httpx2.Response(200, json=rows, headers=link)

    original = huggingface_hub.utils._http._GLOBAL_CLIENT_FACTORY
    huggingface_hub.set_client_factory(
        lambda: httpx2.Client(transport=httpx2.MockTransport(answer))
    )

    def run(of, store, **how):
        pages["of"] = of
        return collect(type("Fake", (), {"endpoint": "http://hub.test"}), store, **how)

    yield run
    huggingface_hub.set_client_factory(original)


def row(repo_id, **odd):
    """One row of a listing."""
    return {
        "id": repo_id, "sha": "a" * 40, "lastModified": "2024-01-01T00:00:00.000Z",
        "createdAt": "2024-01-01T00:00:00.000Z", "siblings": [{"rfilename": "README.md"}], **odd,
    }  # fmt: skip


# A lost store


@pytest.mark.parametrize("lost", ["deleted", "damaged", "older"])
def test_a_lost_store_is_filled_from_the_last_raw_tables(hub, store, lost):
    gone = "people/asr-strings"
    collect(hub, store)
    hub.repository.remove(gone)
    first = collect(hub, store)
    if lost == "older":
        with sqlite3.connect(store.path) as con:
            con.execute("PRAGMA user_version = 1")
    else:
        for path in store.path.parent.glob("hub.sqlite*"):
            path.unlink()
        if lost == "damaged":
            store.path.write_bytes(b"no database" * 999)
    down = collect(DOWN, HubStore(store.path), previous=first.tables)
    assert down.statuses[0].state is SourceState.UNREACHABLE
    assert "last good collection stays" in down.statuses[0].detail
    assert down.tables["models"].equals(first.tables["models"])
    assert down.tables["readmes"].equals(first.tables["readmes"])
    hub.log.clear()
    again = collect(hub, HubStore(store.path), previous=first.tables)
    assert again.statuses[0].detail.startswith("full")
    assert again.tables["models"].equals(first.tables["models"])  # what is closed stays closed
    assert hub.log.count("/resolve/") == 0


def test_the_source_hands_its_last_tables_to_the_store(hub, store, tmp_path):
    first = collect(hub, store)
    lost = settings(DOWN, tmp_path / "home", profile=Profile.FULL)
    found = Read.of(collect_hub(lost, first.tables, silent))
    assert facts(found) == facts(first)
    assert found.statuses[0].rows == first.statuses[0].rows


def test_a_hub_with_nothing_but_private_repositories_is_not_believed(answers, store):
    answers(lambda _: ([row("a/a"), row("b/b")], None), store)
    found = answers(lambda _: ([row("my/own", private=True)], None), store)
    assert found.statuses[0].state is SourceState.CORRUPT
    assert found.tables["models"]["closed_at"].null_count == 2


class Unreadable(dict):
    """Tables whose files are damaged."""

    def __getitem__(self, name):
        raise pa.ArrowInvalid(name)


def test_raw_tables_that_a_store_cannot_take_stay_while_the_hub_is_down(hub, store):
    odd = {
        "models": pa.table({"repo_id": ["a/a"], "said": ["long ago"]}),
        "readmes": pa.table({"repo_id": ["a/a"]}),
    }
    down = collect(DOWN, store, previous=odd)
    assert down.tables == odd
    assert (down.statuses[0].state, down.statuses[0].rows) == (SourceState.UNREACHABLE, 1)
    assert collect(DOWN, store, previous=Unreadable(odd)).tables["models"].num_rows == 0
    found = collect(hub, store, previous=odd)
    assert facts(found) == facts(collect(hub, HubStore(store.path.with_name("fresh.sqlite"))))


# A Hub that is ill


@pytest.mark.parametrize("bound", [0, 40])
def test_a_hub_that_lists_nothing_is_not_believed(store, bound):
    crawl = replace(EVERYTHING, bound=bound)
    with running_hub(MemoryRepository(many(60, readmes=5))) as hub:
        first = collect(hub, store, crawl=crawl)
    with running_hub(MemoryRepository([])) as hub:
        for _ in range(2):
            empty = collect(hub, store, crawl=crawl)
            assert empty.statuses[0].state is SourceState.CORRUPT
            assert "lists nothing where" in empty.statuses[0].detail
            assert facts(empty) == facts(first)


def test_a_hub_that_lost_most_repositories_is_not_believed_until_the_store_is_deleted(store):
    with running_hub(MemoryRepository(many(300, readmes=5))) as hub:
        first = collect(hub, store)
        for i in range(40, 300):
            hub.repository.remove(f"org/m{i:04d}")
        for _ in range(2):
            shrunk = collect(hub, store)
            assert shrunk.statuses[0].state is SourceState.CORRUPT
            assert "40 models where 300 were known" in shrunk.statuses[0].detail
            assert f"delete {store.path}" in shrunk.statuses[0].detail
            assert facts(shrunk) == facts(first)
        for path in store.path.parent.glob("hub.sqlite*"):
            path.unlink()
        accepted = collect(hub, HubStore(store.path), previous=first.tables)
        assert accepted.statuses[0].state is SourceState.OK
        assert HubStore(store.path).counts() == (40, 260, 5)


def test_a_lower_bound_and_another_hub_may_list_less(store):
    with running_hub(MemoryRepository(many(300))) as hub:
        collect(hub, store)
        assert collect(hub, store, crawl=replace(EVERYTHING, bound=20)).statuses[0].rows == 20
        assert collect(hub, store).statuses[0].rows == 300
    with running_hub(MemoryRepository(many(10))) as hub:
        assert collect(hub, store, crawl=replace(EVERYTHING, hub="other")).statuses[0].rows == 10


def test_pages_that_go_in_a_circle_end(answers, store):
    def circle(request):
        number = int(request.url.params.get("cursor", 0))
        return [row(f"a/{number}")], f"/api/models?cursor={number % 3 + 1}"

    for _ in range(2):
        found = answers(circle, store)
        assert found.statuses[0].state is SourceState.CORRUPT
        assert "circle" in found.statuses[0].detail
    assert store.unfinished() is None


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_cursor_that_is_not_known_any_more_begins_the_listing_anew(store, status):
    with running_hub(MemoryRepository(many(2500))) as hub:
        hub.faults.plan(Fault("cursor=", status=503, times=99, skip=1))
        collect(hub, store)
        assert store.unfinished().listed == 2000
        hub.faults.clear()
        hub.faults.plan(Fault("cursor=", status=status))
        found = collect(hub, store)
        assert (found.statuses[0].state, found.statuses[0].rows) == (SourceState.OK, 2500)


# Two collectors


def test_a_collector_that_was_overtaken_stops_and_spoils_nothing(store):
    with running_hub(MemoryRepository(many(3000))) as hub:
        first = collect(hub, store)
        overtaken = False

        def overtake(label, done, total):
            nonlocal overtaken
            if label == "Hub listing" and done == 2000 and not overtaken:
                overtaken = True
                assert facts(collect(hub, HubStore(store.path))) == facts(first)

        with pytest.raises(ModelLensError, match="another collection"):
            collect(hub, store, progress=overtake)
        assert store.counts() == (3000, 0, 0)


# Odd rows


@pytest.mark.parametrize(
    "odd",
    [
        {"lastModified": "0001-01-01T00:00:00+14:00"},
        {"lastModified": "9999-12-31T23:59:59-12:00"},
        {"lastModified": "0001-01-01T00:00:00Z", "createdAt": 5},
        {"siblings": 5},
        {"siblings": [1, None]},
        {"id": None},
        {"id": ""},
    ],
)
def test_an_odd_row_does_not_stop_a_listing(answers, store, odd):
    rows = [row("a/a"), {**row("b/b"), **odd}]
    for crawl in (EVERYTHING, SOMETIMES):
        found = answers(lambda _: (rows, None), store, crawl=crawl)
        assert found.statuses[0].state is SourceState.OK
        names = found.tables["models"]["repo_id"].to_pylist()
        assert names == (["a/a"] if "id" in odd else ["a/a", "b/b"])
        assert ("1 row without an id" in found.statuses[0].detail) == ("id" in odd)


def test_times_of_no_use_are_none(answers, store):
    rows = [row("a/a", lastModified="9999-12-31T23:59:59-12:00", createdAt="2024-01-01")]
    [found] = answers(lambda _: (rows, None), store).tables["models"].to_pylist()
    assert found["last_modified"] is None
    assert found["created_at"] == datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("rows", [[{"error": "x"}], [None], [5, {"id": 7}]])
def test_rows_without_any_id_are_no_hub(answers, store, rows):
    found = answers(lambda _: (rows, None), store)
    assert found.statuses[0].state is SourceState.CORRUPT
    assert "HF_ENDPOINT" in found.statuses[0].detail


def test_a_name_too_long_for_an_address_is_a_refusal_of_that_file(answers, store):
    rows = [row("o/" + "n" * 100_000), row("o/short")]
    found = answers(lambda _: (rows, None), store)
    outcome = dict(
        zip(*(found.tables["readmes"][c].to_pylist() for c in ("repo_id", "outcome")), strict=True)
    )
    assert outcome == {rows[0]["id"]: "refused", "o/short": "read"}
    assert found.statuses[1].state is SourceState.OK


# Clocks


@pytest.mark.parametrize("days", [0, 36_500, 3_650_000, timedelta.max.days])
def test_any_time_between_full_listings_can_be_calculated_with(store, days):
    crawl = Crawl(hub="test", bound=0, readmes=False, full_every=timedelta(days=days))
    with running_hub(MemoryRepository(many(3))) as hub:
        details = [collect(hub, store, crawl=crawl).statuses[0].detail for _ in range(2)]
    assert details == ["full", "incremental" if days else "full"]


def test_a_listing_of_a_time_to_come_does_not_put_the_next_off(store):
    with running_hub(MemoryRepository(many(3))) as hub:
        collect(hub, store, crawl=SOMETIMES)
        with sqlite3.connect(store.path) as con:
            con.execute("UPDATE state SET value = replace(value, '\"20', '\"21')")
        assert store.finished("full")[1].year > 2100
        assert collect(hub, store, crawl=SOMETIMES).statuses[0].detail == "full"
