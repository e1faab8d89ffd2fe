"""How the Hub source reads READMEs: single ones that are refused or hang, gates that open, runs in between."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from modellens_core.progress import silent
from modellens_core.sources.base import SourceState
from modellens_core.sources.hub.client import HubClient
from modellens_core.sources.hub.collect import collect_from
from modellens_core.sources.hub.store import HubStore
from tests.fakes.hub import Fault, Kind, MemoryRepository, running_hub
from tests.integration.hub_support import EVERYTHING, QUICK, collect, facts, many

pytestmark = pytest.mark.usefixtures("anonymous_client")


@pytest.mark.parametrize("status", [400, 403, 451])
def test_readmes_that_are_refused_for_good_do_not_hold_up_the_others(store, status):
    with running_hub(MemoryRepository(many(200, readmes=200))) as hub:
        for i in range(60):
            hub.faults.plan(Fault(f"m{i:04d}/resolve/", status=status, times=99))
        found = collect(hub, store)
        assert found.statuses[1].state is SourceState.OK
        assert "60 refused" in found.statuses[1].detail
        outcomes = found.tables["readmes"]["outcome"].to_pylist()
        assert (outcomes.count("read"), outcomes.count("refused")) == (140, 60)
        hub.log.clear()
        collect(hub, store)
        assert hub.log.count("/resolve/") == 0


def test_what_a_proxy_refuses_from_some_moment_on_is_asked_for_again(store):
    with running_hub(MemoryRepository(many(200, readmes=200))) as hub:
        hub.faults.plan(Fault("/resolve/", status=403, times=999, skip=50))
        blocked = collect(hub, store)
        assert blocked.statuses[1].state is SourceState.PARTIAL
        assert "HTTP 403" in blocked.statuses[1].detail
        hub.faults.clear()
        found = collect(hub, store)
        assert found.statuses[1].state is SourceState.OK
        assert set(found.tables["readmes"]["outcome"].to_pylist()) == {"read"}


def test_a_gate_that_opened_is_seen_with_a_token(hub, store):
    repo = hub.repository.get("model", "people/asr-strings")
    hub.repository.put(replace(repo, fields={"gated": "manual"}))
    collect(hub, store)
    found = collect(hub, store, token="hf_aToken")
    outcomes = {r["repo_id"]: r["outcome"] for r in found.tables["readmes"].to_pylist()}
    assert outcomes[repo.repo_id] == "read"


def test_a_bounded_run_in_between_costs_no_readmes(store):
    with running_hub(MemoryRepository(many(60, readmes=60))) as hub:
        first = collect(hub, store)
        few = collect(hub, store, crawl=replace(EVERYTHING, bound=5))
        assert few.tables["readmes"].num_rows == 5
        hub.log.clear()
        assert facts(collect(hub, store)) == facts(first)
        assert hub.log.count("/resolve/") == 0


def test_a_readme_that_hangs_holds_none_of_the_others_up(store):
    patient = replace(QUICK, read=20.0)
    with running_hub(MemoryRepository(many(40, readmes=40))) as hub, ThreadPoolExecutor(1) as pool:
        hub.faults.plan(Fault("m0000/resolve/", Kind.HANG, seconds=6))
        client = HubClient(hub.endpoint, None, patient)
        running = pool.submit(collect_from, client, EVERYTHING, HubStore(store.path), silent)
        deadline = time.monotonic() + 5
        while store.counts()[2] < 39 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert store.counts()[2] == 39
        assert not running.done()
