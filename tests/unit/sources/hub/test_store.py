"""The store keeps what was read, survives damage, and says in one line what it cannot do."""

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from modellens_core.errors import ModelLensError
from modellens_core.sources.hub.store import HubStore
from modellens_core.sources.hub.stored import Listed, Readme, Unfinished

NOW = datetime(2026, 1, 2, tzinfo=UTC)
LATER = datetime(2026, 1, 3, tzinfo=UTC)


def listed(repo_id, sha="a", text="{}"):
    return Listed(repo_id, sha, NOW, NOW, has_readme=True, listing_json=text)


def take(store, *rows, now=NOW, since=None):
    """One complete listing."""
    listing = Unfinished("all", since, now.isoformat())
    store.begin(listing)
    store.add_page(listing, rows, now)
    store.finish(listing, now, forget=False)


@pytest.fixture
def store(tmp_path):
    return HubStore(tmp_path / "hub.sqlite")


def test_pages_show_only_when_the_listing_is_complete(store):
    take(store, listed("a/a"))
    listing = Unfinished("all", None, LATER.isoformat())
    store.begin(listing)
    store.add_page(listing, [listed("b/b")], LATER)
    assert store.models().read_all()["repo_id"].to_pylist() == ["a/a"]
    store.finish(listing, LATER, forget=False)
    closed = {r["repo_id"]: r["closed_at"] for r in store.models().read_all().to_pylist()}
    assert closed == {"a/a": LATER, "b/b": None}


def test_what_is_listed_as_before_keeps_its_time(store):
    take(store, listed("a/a"), listed("b/b"))
    take(store, listed("a/a"), listed("b/b", text='{"likes":1}'), now=LATER)
    times = {r["repo_id"]: r["retrieved_at"] for r in store.models().read_all().to_pylist()}
    assert times == {"a/a": NOW, "b/b": LATER}


def test_a_readme_is_wanted_once_per_commit(store):
    take(store, listed("a/a", "one"), listed("b/b", "one"))
    assert store.wanted("", 9) == [("a/a", "one"), ("b/b", "one")]
    store.add_readmes([Readme("a/a", "one", "read", "# A", None)], NOW)
    assert store.wanted("", 9) == [("b/b", "one")]
    take(store, listed("a/a", "two"), listed("b/b", "one"), now=LATER)
    assert store.wanted("", 9) == [("a/a", "two"), ("b/b", "one")]
    assert store.wanted_count() == 2
    assert store.wanted("a/a", 9) == [("b/b", "one")]


@pytest.mark.parametrize(
    "text", ["", "\x00\x01 odd", "línea\r\n" * 9, "\ud800".encode("utf-8", "replace").decode()]
)
def test_texts_come_back_as_they_were(store, text):
    take(store, listed("a/a"))
    store.add_readmes([Readme("a/a", "a", "read", text, "e")], NOW)
    [row] = store.readmes().read_all().to_pylist()
    assert (row["text"], row["etag"], row["retrieved_at"]) == (text, "e", NOW)


@pytest.mark.parametrize(
    "content", [b"not a database at all" * 99, b"SQLite format 3\x00" + b"\xff" * 5000]
)
def test_a_damaged_file_is_filled_again(tmp_path, content):
    path = tmp_path / "hub.sqlite"
    path.write_bytes(content)
    store = HubStore(path)
    take(store, listed("a/a"))
    assert store.counts() == (1, 0, 0)


def test_a_file_of_an_older_version_is_filled_again(store):
    take(store, listed("a/a"))
    with sqlite3.connect(store.path) as con:
        con.execute("PRAGMA user_version = 1")
    assert HubStore(store.path).counts() == (0, 0, 0)


def test_a_file_of_a_newer_version_is_left_alone(store):
    take(store, listed("a/a"))
    with sqlite3.connect(store.path) as con:
        con.execute("PRAGMA user_version = 99")
    with pytest.raises(ModelLensError, match="newer version"):
        HubStore(store.path)
    with sqlite3.connect(store.path) as con:
        assert con.execute("SELECT count(*) FROM repositories").fetchone() == (1,)


def test_another_collector_cannot_add_to_a_listing_or_finish_it(store):
    own = Unfinished("all", None, NOW.isoformat())
    store.begin(own)
    store.add_page(own, [listed("a/a")], NOW)
    other = Unfinished("all", None, NOW.isoformat())
    for attempt in (
        lambda: store.add_page(other, [listed("b/b")], NOW),
        lambda: store.finish(other, NOW, forget=False),
    ):
        with pytest.raises(ModelLensError, match="another collection"):
            attempt()
    taken_over = replace(own, token="other")
    store.resume(taken_over)
    with pytest.raises(ModelLensError, match="another collection"):
        store.add_page(own, [listed("c/c")], NOW)
    store.finish(taken_over, NOW, forget=False)
    assert store.models().read_all()["repo_id"].to_pylist() == ["a/a"]
    with pytest.raises(ModelLensError, match="another collection"):
        store.finish(own, NOW, forget=False)


def test_raw_tables_fill_a_blank_store_and_no_other(store, tmp_path):
    readme = '{"siblings":[{"rfilename":"README.md"}]}'
    take(store, listed("a/a", text=readme), listed("b/b", text=readme))
    store.add_readmes([Readme("a/a", "a", "read", "# A", "e")], NOW)
    take(store, listed("a/a", text=readme), now=LATER)
    tables = {"models": store.models().read_all(), "readmes": store.readmes().read_all()}
    seeded = HubStore(tmp_path / "other.sqlite")
    seeded.seed(tables)
    assert seeded.models().read_all().equals(tables["models"])
    assert seeded.readmes().read_all().equals(tables["readmes"])
    assert seeded.wanted_count() == 0
    take(seeded, listed("c/c"), now=LATER)
    seeded.seed(tables)
    assert seeded.counts()[0] == 1


def test_tables_from_before_the_store_fill_it_too(store, tmp_path):
    take(store, listed("a/a"))
    old = store.models().read_all().drop_columns(["closed_at"])
    seeded = HubStore(tmp_path / "other.sqlite")
    seeded.seed({"models": old})
    assert seeded.models().read_all().equals(store.models().read_all())


def test_a_forbidden_or_missing_readme_is_wanted_again_after_a_full_listing(store):
    take(store, *(listed(f"a/{i}") for i in range(4)))
    outcomes = ("read", "missing", "forbidden", "refused")
    store.add_readmes([Readme(f"a/{i}", "a", o, None, None) for i, o in enumerate(outcomes)], NOW)
    take(store, since=NOW.isoformat())
    assert store.wanted_count() == 0
    take(store, *(listed(f"a/{i}") for i in range(4)))
    assert store.wanted("", 9) == [("a/1", "a"), ("a/2", "a")]
    before = store.readmes().read_all()
    store.add_readmes([Readme("a/1", "a", "missing", None, None)], LATER)
    assert store.wanted("", 9) == [("a/2", "a")]
    assert store.readmes().read_all().equals(before)  # same answer, same row


def test_damage_noticed_later_says_what_to_do(store):
    take(store, *(listed(f"a/{i}", text="x" * 400) for i in range(2000)))
    with sqlite3.connect(store.path) as con:
        con.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(store.path.read_bytes())
    data[4096:] = b"\xab" * (len(data) - 4096)
    store.path.write_bytes(data)
    with pytest.raises(ModelLensError, match=r"damaged .* delete it"):
        store.counts()


def test_a_folder_in_its_place_says_what_to_do(tmp_path):
    (tmp_path / "hub.sqlite").mkdir()
    with pytest.raises(ModelLensError, match="cannot use"):
        HubStore(tmp_path / "hub.sqlite")
