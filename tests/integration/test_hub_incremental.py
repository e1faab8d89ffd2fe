"""The Hub source over time: only what changed is asked for, and no way of being stopped changes the outcome."""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from modellens_core.progress import silent
from modellens_core.sources.base import SourceState
from modellens_core.sources.hub import parse_hub_bronze, parse_hub_gold, parse_hub_silver
from modellens_core.sources.hub.listing import Crawl
from modellens_core.sources.hub.raw_tables import revisions
from modellens_core.sources.hub.store import HubStore
from tests.fakes.hub import Fault, HubRepo, Kind, MemoryRepository, running_hub
from tests.integration.hub_support import EVERYTHING, collect, facts

SOMETIMES = replace(EVERYTHING, full_every=timedelta(days=7))
LATER = "2024-06-01T00:00:00.000Z"


pytestmark = pytest.mark.usefixtures("anonymous_client")


def many(count, readmes=0):
    """So many repositories, each changed a minute after the one before; the first few have a README."""
    start = datetime(2023, 1, 1, tzinfo=UTC)
    return [
        HubRepo(
            f"org/m{i:04d}", {"README.md": b"# Read me %d" % i} if i < readmes else {},
            last_modified=(start + timedelta(minutes=i)).isoformat().replace("+00:00", "Z"),
        )
        for i in range(count)
    ]  # fmt: skip


def listings(hub):
    return hub.log.count("expand=")


# Only what changed


def test_in_between_only_what_changed_is_listed(store):
    with running_hub(MemoryRepository(many(2500, readmes=30))) as hub:
        collect(hub, store, crawl=SOMETIMES)
        assert listings(hub) == 3
        hub.log.clear()
        again = collect(hub, store, crawl=SOMETIMES)
        assert (listings(hub), hub.log.count("/resolve/")) == (1, 0)
        assert again.tables["models"].num_rows == 2500
        changed = HubRepo("org/m0007", {"README.md": b"# New"}, last_modified=LATER)
        hub.repository.put(changed)
        hub.repository.put(HubRepo("org/new", {"README.md": b"# First"}, last_modified=LATER))
        hub.log.clear()
        third = collect(hub, store, crawl=SOMETIMES)
        assert (listings(hub), hub.log.count("/resolve/")) == (1, 2)
        assert third.tables["models"].num_rows == 2501
        fresh = collect(hub, HubStore(store.path.with_name("fresh.sqlite")))
        assert facts(third) == facts(fresh)


def test_what_changed_while_a_listing_ran_is_found_by_the_next(store):
    with running_hub(MemoryRepository(many(1500))) as hub:

        def change(label, done, total):
            if done == 1000:  # its page has been read
                old = hub.repository.get("model", "org/m0003")
                now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
                hub.repository.put(replace(old, fields={"downloads": 7}, last_modified=now))

        collect(hub, store, crawl=SOMETIMES, progress=change)
        found = collect(hub, store, crawl=SOMETIMES)
        fresh = collect(hub, HubStore(store.path.with_name("fresh.sqlite")))
        assert facts(found) == facts(fresh)


def test_a_removed_repository_is_closed_by_the_next_full_listing_and_not_forgotten(hub, store):
    first = collect(hub, store, crawl=SOMETIMES)
    gone = "people/asr-strings"
    removed = hub.repository.get("model", gone)
    hub.repository.remove(gone)
    assert facts(collect(hub, store, crawl=SOMETIMES)) == facts(first)  # no listing shows absences
    second = collect(hub, store)
    closed = {r["repo_id"]: r["closed_at"] for r in second.tables["models"].to_pylist()}
    assert [k for k, at in closed.items() if at is not None] == [gone]
    assert gone not in second.tables["readmes"]["repo_id"].to_pylist()
    assert "1 closed" in second.statuses[0].detail
    for parse in (parse_hub_gold, parse_hub_silver, parse_hub_bronze):
        assert not any(gone == getattr(i, "raw_model", None) for i in parse(second.tables))
    at = closed[gone]
    assert {r["repo_id"]: r["closed_at"] for r in collect(hub, store).tables["models"].to_pylist()}[
        gone
    ] == at
    hub.repository.put(removed)
    hub.log.clear()
    assert facts(collect(hub, store)) == facts(first)
    assert hub.log.count("/resolve/") == 0  # its README is known at this commit


def test_revisions_tell_gone_from_left_out(store):
    repos = [HubRepo(name, fields={"downloads": n}) for n, name in enumerate(["gpt", "o/a", "o/b"])]
    with running_hub(MemoryRepository(repos)) as hub:
        collect(hub, store)
        hub.repository.remove("o/a")
        urls = [
            f"https://huggingface.co/{p}" for p in ("gpt", "gpt/discussions/3", "o/a", "o/b", "o/c")
        ]
        found = revisions(collect(hub, store).tables, urls)
        assert found == dict(
            zip(urls, [repos[0].sha, repos[0].sha, None, repos[2].sha], strict=False)
        )
        few = collect(hub, store, crawl=replace(EVERYTHING, bound=1))
        assert revisions(few.tables, urls) == {urls[3]: repos[2].sha}


def test_another_hub_is_listed_anew(store):
    with running_hub(MemoryRepository(many(3))) as hub:
        collect(hub, store, crawl=SOMETIMES)
        other = collect(hub, store, crawl=replace(SOMETIMES, hub="another"))
        assert other.statuses[0].detail.startswith("full")


def test_a_smaller_bound_drops_what_it_leaves_out(store):
    repos = [HubRepo(f"o/m{i}", fields={"downloads": i}) for i in range(9)]
    with running_hub(MemoryRepository(repos)) as hub:
        collect(hub, store, crawl=replace(EVERYTHING, bound=5))
        found = collect(hub, store, crawl=replace(EVERYTHING, bound=2))
        assert found.tables["models"]["repo_id"].to_pylist() == ["o/m7", "o/m8"]
        assert found.tables["models"]["closed_at"].null_count == 2


# Being stopped


def test_a_listing_goes_on_where_it_was_stopped(store):
    with running_hub(MemoryRepository(many(3500))) as hub:
        hub.faults.plan(Fault("cursor=", status=500, times=99, skip=1))
        stopped = collect(hub, store)
        assert stopped.statuses[0].state is SourceState.UNREACHABLE
        assert stopped.tables["models"].num_rows == 0  # a listing is taken whole or not at all
        hub.faults.clear()
        hub.log.clear()
        done = collect(hub, store)
        assert done.tables["models"].num_rows == 3500
        assert listings(hub) == 2


def test_a_listing_stopped_long_ago_is_begun_anew(store, monkeypatch):
    with running_hub(MemoryRepository(many(1500))) as hub:
        hub.faults.plan(Fault("cursor=", status=500, times=99))
        collect(hub, store)
        hub.faults.clear()
        hub.log.clear()
        monkeypatch.setattr("modellens_core.sources.hub.listing._STALE", timedelta(0))
        assert collect(hub, store).tables["models"].num_rows == 1500
        assert listings(hub) == 2


class _Stop(BaseException):
    """Ends a collection where it stands, as a kill would."""


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_the_end_is_the_same(seed, tmp_path):
    """Cuts, errors, throttling, corrupt bodies and stops at random; then the same tables as undisturbed."""
    dice = random.Random(seed)
    repos = many(dice.randrange(1001, 2200), readmes=dice.randrange(20, 60))
    with running_hub(MemoryRepository(repos)) as hub:
        expected = facts(collect(hub, HubStore(tmp_path / "calm.sqlite")))
        hub.log.clear()
        path = tmp_path / "rough.sqlite"
        for _ in range(25):
            hub.faults.clear()
            for _ in range(dice.randrange(6)):
                hub.faults.plan(_trouble(dice))
            left = dice.randrange(5, 80)

            def stop(label, done, total):
                nonlocal left
                left -= 1
                if left < 0:
                    raise _Stop

            try:
                found = collect(hub, HubStore(path), progress=stop)
            except _Stop:
                continue
            if all(s.state is SourceState.OK for s in found.statuses):
                break
        else:
            hub.faults.clear()
            found = collect(hub, HubStore(path), progress=silent)
        assert facts(found) == expected


def _trouble(dice):
    """A planned failure."""
    path = dice.choice(["expand=", "cursor=", "/resolve/", "/api/models"])
    kind = dice.choice([Kind.STATUS, Kind.STATUS, Kind.CUT, Kind.SHORT, Kind.GZIP])
    status = dice.choice([429, 500, 502, 503, 404])
    return Fault(path, kind, status, times=dice.randrange(1, 9), skip=dice.randrange(20))


COLLECT = """
import sys
from datetime import timedelta
from pathlib import Path
from modellens_core.sources.hub.client import HubClient
from modellens_core.sources.hub.collect import collect_from
from modellens_core.sources.hub.store import HubStore
from tests.integration.hub_support import EVERYTHING, QUICK
print("ready", flush=True)
tell = lambda label, done, total: print(done, flush=True)
collect_from(HubClient(sys.argv[1], None, QUICK), EVERYTHING, HubStore(Path(sys.argv[2])), tell)
print("done", flush=True)
"""


@pytest.mark.parametrize("seed", range(2))
def test_kill_9_costs_only_what_was_not_stored(seed, store):
    dice = random.Random(seed)
    with running_hub(MemoryRepository(many(2500, readmes=400))) as hub:
        hub.faults.plan(Fault("/m0390/resolve/", Kind.HANG, times=1, seconds=3))
        command = [sys.executable, "-c", COLLECT, hub.endpoint, str(store.path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as child:
            for _ in range(dice.randrange(3, 250)):
                child.stdout.readline()
            time.sleep(dice.random() / 5)
            child.send_signal(signal.SIGKILL)
        assert child.returncode == -signal.SIGKILL
        unfinished = store.unfinished()
        hub.faults.clear()
        stored = 3 if unfinished is None else unfinished.listed // 1000
        readmes = store.readmes().read_all().num_rows
        hub.log.clear()
        found = collect(hub, store)
        again = 3 if unfinished is None else 3 - stored  # a finished listing is made anew
        assert listings(hub) == again
        assert hub.log.count("/resolve/") == 400 - readmes
        assert facts(found) == facts(collect(hub, HubStore(store.path.with_name("calm.sqlite"))))


def test_crawls_of_profiles_have_their_own_identity(hub, tmp_path):
    from modellens_core.config import Profile
    from tests.integration.hub_support import settings

    quick = Crawl.of(settings(hub, tmp_path, profile=Profile.QUICKSTART))
    full = Crawl.of(settings(hub, tmp_path, profile=Profile.FULL))
    assert quick.bound == 5000
    assert (full.bound, full.readmes, full.full_every) == (0, True, timedelta(days=7))
