"""The Hub source in bad times: errors, cut and hanging connections, rate limits, and the token."""

import logging
import subprocess
import sys
import time
from dataclasses import replace

import httpx2
import huggingface_hub
import pytest
from pydantic import SecretStr

from modellens_core.config import Profile
from modellens_core.errors import SourceCorruptError
from modellens_core.progress import silent
from modellens_core.sources.base import SourceState
from modellens_core.sources.hub import (
    collect_hub,
)
from modellens_core.sources.hub.client import HubClient
from modellens_core.sources.hub.collect import collect_from
from modellens_core.sources.hub.store import HubStore
from tests.fakes.hub import (
    Fault,
    HubRepo,
    Kind,
    MemoryRepository,
    running_hub,
)
from tests.integration.hub_support import EVERYTHING, QUICK, collect, settings

TOKEN = "hf_aVerySecretToken"


pytestmark = pytest.mark.usefixtures("anonymous_client")


def test_errors_that_pass_are_retried(hub, store):
    hub.faults.plan(Fault("expand=", status=503, times=2))
    hub.faults.plan(Fault("expand=", kind=Kind.CUT))
    hub.faults.plan(Fault("asr-strings/resolve/", status=500, times=2))
    hub.faults.plan(Fault("reasoner-9b/resolve/", kind=Kind.CUT))
    hub.faults.plan(Fault("reasoner-9b/resolve/", kind=Kind.HANG, seconds=4))
    collected = collect(hub, store)
    assert [s.state for s in collected.statuses] == [SourceState.OK, SourceState.OK]
    texts = dict(
        zip(*(collected.tables["readmes"][c].to_pylist() for c in ("repo_id", "text")), strict=True)
    )
    assert texts["gold-lab/reasoner-9b"].startswith("---\nlicense: mit")


def test_a_file_cut_short_is_noticed_by_its_etag(hub, store):
    hub.faults.plan(Fault("asr-strings/resolve/", kind=Kind.SHORT))
    texts = {r["repo_id"]: r["text"] for r in collect(hub, store).tables["readmes"].to_pylist()}
    whole = hub.repository.get("model", "people/asr-strings").read("README.md").decode()
    assert texts["people/asr-strings"] == whole
    assert hub.log.count("asr-strings/resolve/") == 2


def test_answers_damaged_on_the_way_are_asked_for_again(hub, store):
    hub.faults.plan(Fault("expand=", kind=Kind.GZIP))
    hub.faults.plan(Fault("expand=", kind=Kind.SHORT))
    hub.faults.plan(Fault("asr-strings/resolve/", kind=Kind.GZIP, times=2))
    hub.faults.plan(Fault("asr-broken-yaml/resolve/", kind=Kind.SHORT, times=3))
    collected = collect(hub, store)
    assert [s.state for s in collected.statuses] == [SourceState.OK, SourceState.OK]
    texts = {r["repo_id"]: r["text"] for r in collected.tables["readmes"].to_pylist()}
    assert texts["people/asr-strings"].endswith("# ASR\n")
    assert texts["people/asr-broken-yaml"].endswith("# ASR\n")


def test_a_gated_card_is_read_with_a_token_and_refused_without(hub, store, tmp_path):
    repo = hub.repository.get("model", "people/asr-strings")
    hub.repository.put(replace(repo, fields={"gated": "manual"}))
    outcome = {
        r["repo_id"]: r["outcome"] for r in collect(hub, store).tables["readmes"].to_pylist()
    }
    assert outcome[repo.repo_id] == "forbidden"
    with_token = collect(hub, HubStore(tmp_path / "other.sqlite"), token=TOKEN)
    outcome = {r["repo_id"]: r["outcome"] for r in with_token.tables["readmes"].to_pylist()}
    assert outcome[repo.repo_id] == "read"


def test_a_repository_renamed_after_it_was_listed_is_read_under_its_new_name(hub, store):
    def rename(label, done, total):
        if label == "Hub READMEs" and done == 0:
            hub.repository.rename("people/asr-strings", "people/asr-renamed")

    found = collect(hub, store, progress=rename)
    texts = {r["repo_id"]: r["text"] for r in found.tables["readmes"].to_pylist()}
    assert texts["people/asr-strings"].endswith("# ASR\n")
    renamed = collect(hub, store)
    open_ids = [r["repo_id"] for r in renamed.tables["models"].to_pylist() if not r["closed_at"]]
    assert "people/asr-renamed" in open_ids
    assert "people/asr-strings" not in open_ids


def test_a_full_rate_limit_window_is_waited_for(store):
    repos = [HubRepo(f"o/r{i}", {"README.md": b"# Read me"}) for i in range(20)]
    with running_hub(MemoryRepository(repos), quota={"resolvers": 8}, window=1) as hub:
        collected = collect(hub, store)
        assert collected.tables["readmes"]["outcome"].to_pylist() == ["read"] * 20


def test_an_announced_end_of_the_window_is_not_run_into():
    repo = HubRepo("o/r", {"README.md": b"# Read me"})
    with running_hub(MemoryRepository([repo]), quota={"resolvers": 2}, window=1) as hub:
        client = HubClient(hub.endpoint, None, QUICK)
        texts = [client.read_text("o/r", repo.sha, "README.md").text for _ in range(5)]
        assert texts == ["# Read me"] * 5
        assert hub.log.count("/resolve/") == 5


def test_retry_after_is_honoured(hub, store):
    hub.faults.plan(Fault("expand=", status=429, headers={"Retry-After": "1"}))
    started = time.monotonic()
    assert collect(hub, store).statuses[0].state is SourceState.OK
    assert time.monotonic() - started >= 1.0


def test_a_window_longer_than_anybody_waits_is_reported(hub, store):
    hub.faults.plan(Fault("/api/models", status=429, times=9, headers={"Retry-After": "7200"}))
    [status] = collect(hub, store).statuses
    assert status.state is SourceState.UNREACHABLE
    assert "7201 s" in status.detail
    assert "HF_TOKEN" in status.detail


def test_an_unreachable_hub_keeps_the_last_good_tables(hub, store):
    first = collect(hub, store)
    second = collect(replace(hub, endpoint="http://127.0.0.1:9"), store)
    assert second.tables["models"].equals(first.tables["models"])
    assert second.tables["readmes"].equals(first.tables["readmes"])
    [status] = second.statuses
    assert status.state is SourceState.UNREACHABLE
    assert "HF_ENDPOINT" in status.detail
    assert "\n" not in status.detail


def test_a_hub_that_hangs_from_the_start_gives_empty_tables_the_first_time(hub, store):
    hub.faults.plan(Fault("/api/models", kind=Kind.HANG, times=9, seconds=4))
    collected = collect(hub, store)
    assert collected.statuses[0].state is SourceState.UNREACHABLE
    assert (collected.tables["models"].num_rows, collected.tables["readmes"].num_rows) == (0, 0)


def test_a_listing_that_stops_halfway_is_not_taken(hub, store):
    repos = [HubRepo(f"org/m{i:04d}") for i in range(1500)]
    with running_hub(MemoryRepository(repos)) as big:
        first = collect(hub, store)
        big.faults.plan(Fault("cursor=", status=500, times=99))
        second = collect(big, store)
        assert second.statuses[0].state is SourceState.UNREACHABLE
        assert second.tables["models"].equals(first.tables["models"])


def test_readmes_that_cannot_be_read_leave_the_others_and_the_old_text(hub, store):
    collect(hub, store)
    repo = hub.repository.get("model", "people/asr-strings")
    hub.repository.put(replace(repo, files={"README.md": b"# New text"}))
    hub.faults.plan(Fault("asr-strings/resolve/", status=500, times=99))
    second = collect(hub, store)
    assert [s.state for s in second.statuses] == [SourceState.OK, SourceState.PARTIAL]
    assert "1 not read" in second.statuses[1].detail
    old = {r["repo_id"]: r["sha"] for r in second.tables["readmes"].to_pylist()}
    assert old["people/asr-strings"] == repo.sha


def test_a_proxy_that_refuses_everything_is_not_remembered_as_missing_files(hub, store):
    hub.faults.plan(Fault("/resolve/", status=403, times=10_000))
    blocked = collect(hub, store)
    assert blocked.statuses[1].state is SourceState.PARTIAL
    assert blocked.tables["readmes"].num_rows == 0


def test_a_gated_readme_is_remembered(hub, store):
    gated = {"X-Error-Code": "GatedRepo"}
    hub.faults.plan(Fault("asr-strings/resolve/", status=403, headers=gated))
    outcomes = {
        r["repo_id"]: r["outcome"] for r in collect(hub, store).tables["readmes"].to_pylist()
    }
    assert outcomes["people/asr-strings"] == "forbidden"
    assert outcomes["people/asr-broken-yaml"] == "read"


def test_a_hub_that_dies_while_readmes_are_read_is_left_alone(store):
    repos = [HubRepo(f"o/r{i:03d}", {"README.md": b"# Read me"}) for i in range(600)]
    with running_hub(MemoryRepository(repos)) as hub:
        hub.faults.plan(Fault("/resolve/", status=502, times=10_000))
        collected = collect(hub, store)
        assert collected.statuses[1].state is SourceState.PARTIAL
        assert "600 not read" in collected.statuses[1].detail
        assert hub.log.count("/resolve/") < 600 * QUICK.attempts


def test_something_else_that_answers_is_no_hub(tmp_path, store):
    command = [
        sys.executable,
        "-u",
        "-m",
        "http.server",
        "0",
        "--bind",
        "127.0.0.1",
        "-d",
        str(tmp_path),
    ]
    (tmp_path / "api").mkdir()
    (tmp_path / "api/models").write_text("<html>hello</html>")
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        try:
            port = server.stdout.readline().split("port ")[1].split()[0]
            client = HubClient(f"http://127.0.0.1:{port}", None, QUICK)
            [status] = collect_from(client, EVERYTHING, store, silent).statuses
        finally:
            server.terminate()
    assert status.state is SourceState.CORRUPT
    assert "HF_ENDPOINT" in status.detail


def test_offline_mode_is_respected(hub, monkeypatch, store):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    [status] = collect(hub, store).statuses
    assert status.state is SourceState.UNREACHABLE
    assert "HF_HUB_OFFLINE" in status.detail
    assert not hub.log.seen


def test_ctrl_c_while_readmes_are_read_ends_the_run_and_keeps_what_came(store):
    repos = [
        HubRepo(name, {"README.md": b"# Read me"}) for name in ("a/first", "b/slow", "b/slower")
    ]
    with running_hub(MemoryRepository(repos)) as hub:
        hub.faults.plan(Fault("/b/", status=429, times=999, headers={"Retry-After": "300"}))

        def interrupt(label, done, total):
            if label == "Hub READMEs" and done == 1:
                while hub.log.count("/b/") < 2:
                    time.sleep(0.01)
                raise KeyboardInterrupt

        started = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            collect_from(HubClient(hub.endpoint, None, QUICK), EVERYTHING, store, interrupt)
        assert time.monotonic() - started < 60  # not the five minutes that the threads were told
        assert store.readmes().read_all()["repo_id"].to_pylist() == ["a/first"]


# The token


def test_the_token_is_sent_and_never_shown(hub, caplog, tmp_path):
    caplog.set_level(logging.DEBUG)
    hub.faults.plan(Fault("expand=", status=500))
    hub.faults.plan(Fault("asr-strings/resolve/", status=500, times=99))
    given = settings(hub, tmp_path, profile=Profile.FULL, hub_token=SecretStr(f"{TOKEN}\n"))
    fast = collect(hub, HubStore(given.hub_store_path), token=TOKEN)
    hub.faults.plan(Fault("/api/models", status=403, times=99))
    refused = collect_hub(given, {}, silent)
    assert {s.authorization for s in hub.log.seen} == {f"Bearer {TOKEN}"}
    assert "HF_TOKEN" in refused.statuses[0].detail
    shown = caplog.text + repr(fast.statuses) + repr(refused.statuses)
    shown += str([t.to_pylist() for t in fast.tables.values()])
    assert TOKEN not in shown


def test_a_password_in_the_endpoint_is_not_shown(store):
    client = HubClient("http://user:secret@127.0.0.1:9", None, QUICK)
    [status] = collect_from(client, EVERYTHING, store, silent).statuses
    assert "127.0.0.1:9" in status.detail
    assert "secret" not in status.detail


def test_the_token_never_follows_a_listing_to_another_host():
    def answer(request):
        assert request.url.host == "hub.test"
        return httpx2.Response(
            200,
            json=[{"id": "a/b"}],
            headers={"Link": '<http://evil.test/api/models?x>; rel="next"'},
        )

    original = huggingface_hub.utils._http._GLOBAL_CLIENT_FACTORY
    huggingface_hub.set_client_factory(
        lambda: httpx2.Client(transport=httpx2.MockTransport(answer))
    )
    try:
        pages = HubClient("http://hub.test", TOKEN, QUICK).pages("/api/models", {})
        with pytest.raises(SourceCorruptError):
            next(pages)
    finally:
        huggingface_hub.set_client_factory(original)
