"""The genuine client and the Hub source against the loopback Hub, in good times."""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from math import ceil
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import HfApi, hf_hub_download

from modellens_core.config import Profile
from modellens_core.progress import silent
from modellens_core.schema import Report
from modellens_core.sources.base import SourceState
from modellens_core.sources.hub import (
    collect_hub,
    parse_hub_bronze,
    parse_hub_gold,
    parse_hub_models,
    parse_hub_silver,
)
from modellens_core.sources.hub.store import HubStore
from tests.fakes.hub import (
    HubRepo,
    MemoryRepository,
    running_hub,
    snapshot_repository,
)
from tests.fakes.hub.snapshot import real_cards
from tests.integration.hub_support import EVERYTHING, Read, collect, facts, settings

REPO = Path(__file__).parents[2]


pytestmark = pytest.mark.usefixtures("anonymous_client")


# The genuine client


def test_the_genuine_client_pages_through_the_listing():
    repos = [HubRepo(f"org/m{i:04d}", fields={"downloads": i % 7}) for i in range(2300)]
    with running_hub(MemoryRepository(repos)) as hub:
        listed = [
            m.id
            for m in HfApi(hub.endpoint).list_models(sort="downloads", expand=["sha", "downloads"])
        ]
        assert sorted(listed) == [r.repo_id for r in repos]
        assert hub.log.count("/api/models") == 3


def test_the_genuine_client_filters(hub):
    api = HfApi(hub.endpoint)
    assert {m.id for m in api.list_models(author="gold-lab")} == {
        "gold-lab/reasoner-9b",
        "gold-lab/untidy",
    }
    assert [m.id for m in api.list_models(search="ASR-STR")] == ["people/asr-strings"]
    assert len(list(api.list_models(filter="bert", limit=3))) == 3
    first, second = api.list_models(sort="downloads", limit=2)
    assert first.downloads >= second.downloads


def test_the_genuine_client_reads_repositories(hub, tmp_path):
    api = HfApi(hub.endpoint)
    info = api.model_info("gold-lab/reasoner-9b", expand=["evalResults", "sha"])
    assert {e.dataset_id for e in info.eval_results} >= {"cais/hle", "Idavidrein/gpqa"}
    assert ".eval_results/hle.yaml" in api.list_repo_files("gold-lab/reasoner-9b")
    [folder, *_] = api.list_repo_tree("gold-lab/reasoner-9b")
    assert folder.path == ".eval_results"
    assert [p.path for p in api.get_paths_info("gold-lab/reasoner-9b", ["README.md", "no"])] == [
        "README.md"
    ]
    assert [d.num for d in api.get_repo_discussions("gold-lab/reasoner-9b")] == [7]
    refs = api.list_repo_refs("gold-lab/reasoner-9b", include_pull_requests=True)
    assert [r.ref for r in refs.pull_requests] == ["refs/pr/7"]
    path = hf_hub_download(
        "gold-lab/reasoner-9b",
        ".eval_results/gpqa.yaml",
        revision="refs/pr/7",
        cache_dir=tmp_path,
        endpoint=hub.endpoint,
    )
    assert "54.8" in Path(path).read_text()


def test_the_genuine_client_reads_leaderboards_renames_and_gates(hub, tmp_path):
    hub.repository.put(HubRepo("cais/hle", kind="dataset"))
    api = HfApi(hub.endpoint)
    board = api.get_dataset_leaderboard("cais/hle")
    assert [(row.rank, row.model_id, row.value) for row in board] == [
        (1, "gold-lab/reasoner-9b", 20.9),
        (2, "gold-lab/reasoner-9b", 12.5),
    ]
    hub.repository.rename("people/empty", "people/renamed")
    assert api.model_info("people/empty").id == "people/renamed"
    repo = hub.repository.get("model", "people/asr-strings")
    hub.repository.put(replace(repo, fields={"gated": "auto"}))
    with pytest.raises(huggingface_hub.errors.GatedRepoError):
        hf_hub_download(repo.repo_id, "README.md", cache_dir=tmp_path, endpoint=hub.endpoint)


def test_missing_things_raise_what_the_client_promises(hub, tmp_path):
    errors = huggingface_hub.errors
    with pytest.raises(errors.RepositoryNotFoundError):
        HfApi(hub.endpoint).model_info("nobody/nothing")
    with pytest.raises(errors.RevisionNotFoundError):
        HfApi(hub.endpoint).model_info("people/empty", revision="no")
    with pytest.raises(errors.EntryNotFoundError):
        hf_hub_download("people/empty", "README.md", cache_dir=tmp_path, endpoint=hub.endpoint)


# Collecting


def test_one_request_per_thousand_models_and_one_per_new_readme(store):
    repos = [HubRepo(f"org/m{i:04d}") for i in range(1700)]
    repos += [HubRepo(f"org/r{i}", {"README.md": b"# Read me"}) for i in range(12)]
    with running_hub(MemoryRepository(repos)) as hub:
        collected = collect(hub, store)
        assert collected.tables["models"].num_rows == len(repos)
        assert hub.log.count("expand=") == ceil(len(repos) / 1000)
        assert hub.log.count("/api/models") == ceil(len(repos) / 1000) + 1
        assert hub.log.count("/resolve/") == 12
        assert sum(s.requests for s in collected.statuses) == len(hub.log.seen)


def test_an_unchanged_hub_gives_identical_tables_without_reading_a_file(hub, store):
    first = collect(hub, store)
    hub.log.clear()
    second = collect(hub, store)
    assert second.tables["models"].equals(first.tables["models"])
    assert second.tables["readmes"].equals(first.tables["readmes"])
    assert hub.log.count("/resolve/") == 0


def test_only_what_changed_is_read_again(hub, store):
    first = collect(hub, store)
    changed = hub.repository.get("model", "people/asr-strings")
    hub.repository.put(replace(changed, files={"README.md": b"# New text"}))
    hub.repository.remove("people/asr-broken-yaml")
    hub.log.clear()
    second = collect(hub, store)
    assert hub.log.count("/resolve/") == 1
    texts = {r["repo_id"]: r for r in second.tables["readmes"].to_pylist()}
    assert texts["people/asr-strings"]["text"] == "# New text"
    assert "people/asr-broken-yaml" not in texts
    before = {r["repo_id"]: r for r in first.tables["readmes"].to_pylist()}
    others = set(texts) - {"people/asr-strings"}
    assert all(texts[k] == before[k] for k in others)


def test_a_readme_is_read_at_the_listed_commit(hub, store):
    repo = hub.repository.get("model", "people/asr-strings")
    collect(hub, store)
    assert hub.log.count(f"/people/asr-strings/resolve/{repo.sha}/README.md") == 1


def test_a_file_without_text_is_not_asked_for_twice(store):
    repos = [
        HubRepo("o/binary", {"README.md": b"\x89PNG\0\0"}),
        HubRepo("o/huge", {"README.md": b"x" * 2_100_000}),
        HubRepo("o/gone", names=("README.md",)),
    ]
    with running_hub(MemoryRepository(repos)) as hub:
        first = collect(hub, store)
        outcomes = {
            r["repo_id"]: (r["outcome"], r["text"]) for r in first.tables["readmes"].to_pylist()
        }
        assert outcomes == {
            "o/binary": ("binary", None),
            "o/huge": ("too_large", None),
            "o/gone": ("missing", None),
        }
        hub.log.clear()
        collect(hub, store, crawl=replace(EVERYTHING, full_every=timedelta(days=7)))
        assert hub.log.count("/resolve/") == 0
        collect(hub, store)
        assert (
            hub.log.count("/resolve/") == 1
        )  # after a full listing, what was missing may be there
        assert store.readmes().read_all().equals(first.tables["readmes"])


def test_profiles_decide_how_much_is_read(hub, tmp_path):
    few = settings(hub, tmp_path, profile=Profile.QUICKSTART, hub_max_models=3)
    quick = Read.of(collect_hub(few, {}, silent))
    downloads = [
        json.loads(t)["downloads"] for t in quick.tables["models"]["listing_json"].to_pylist()
    ]
    assert sorted(downloads) == [39_000, 40_000, 900_000]
    assert hub.log.count("/resolve/") == 0
    full = Read.of(collect_hub(settings(hub, tmp_path, profile=Profile.FULL), {}, silent))
    assert full.tables["models"].num_rows == len(hub.repository.all("model"))
    assert full.tables["readmes"].num_rows > 40


def test_private_repositories_of_the_token_stay_out(store):
    repos = [HubRepo("o/public"), HubRepo("o/secret", fields={"private": True})]
    with running_hub(MemoryRepository(repos)) as hub:
        assert collect(hub, store).tables["models"]["repo_id"].to_pylist() == ["o/public"]


def test_every_parser_reads_what_was_collected(hub, store):
    raw = collect(hub, store).tables
    parsers = (parse_hub_gold, parse_hub_silver, parse_hub_bronze)
    models = {p.__name__: {i.raw_model for i in p(raw) if isinstance(i, Report)} for p in parsers}
    assert "gold-lab/reasoner-9b" in models["parse_hub_gold"]
    assert {"people/asr-strings", "people/asr-broken-yaml"} <= models["parse_hub_silver"]
    assert len(models["parse_hub_bronze"]) > 30
    assert len(list(parse_hub_models(raw))) == raw["models"].num_rows


# Around a command


def run_fake(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "tests.fakes.hub", *arguments],
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_command_finds_the_hub_and_its_exit_code_comes_back():
    code = "from huggingface_hub import HfApi; import sys; sys.exit(len(list(HfApi().list_models(author='people'))))"
    done = run_fake("--world", "--", sys.executable, "-c", code)
    assert done.returncode == 3, done.stderr


def test_a_wrong_folder_says_what_to_do(tmp_path):
    done = run_fake("--snapshot", str(tmp_path))
    assert done.returncode == 2
    assert "real records" in done.stderr


@pytest.mark.parametrize("with_command", [True, False])
def test_ctrl_c_reaches_the_command_once(with_command):
    child = (
        "import signal,sys,time; signal.signal(signal.SIGINT, lambda *_: sys.exit(7));"
        "print('ready', flush=True); time.sleep(60)"
    )
    command = ["--", sys.executable, "-c", child] if with_command else []
    with subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.hub", "--world", *command],
        cwd=REPO, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        line = process.stdout.readline().strip()
        assert line == "ready" if with_command else line.startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == (7 if with_command else 0)


# Real records


def snapshot_dir():
    return Path(os.environ.get("REAL_RECORDS_DIR") or REPO.parent / "shared/data")


@pytest.mark.slow
@pytest.mark.skipif(
    not (snapshot_dir() / "hub").is_dir(), reason="no real records: set REAL_RECORDS_DIR"
)
def test_real_records_part(store):
    everything = snapshot_repository(snapshot_dir())
    chosen = [r for r in everything.all("model") if r.repo_id.startswith("d")]
    with running_hub(MemoryRepository(chosen)) as hub:
        collected = collect(hub, store)
        assert [s.state for s in collected.statuses] == [SourceState.OK, SourceState.OK]
        assert hub.log.count("expand=") == ceil(len(chosen) / 1000)
    gold = [i for i in parse_hub_gold(collected.tables) if isinstance(i, Report)]
    silver = {i.raw_model for i in parse_hub_silver(collected.tables) if isinstance(i, Report)}
    claimed = {i.raw_model for i in gold if i.source_url.endswith("/discussions/241")}
    assert claimed == {"deepseek-ai/DeepSeek-R1"}
    index = {r.repo_id: json.dumps((r.card_data() or {}).get("model-index")) for r in chosen}
    numeric = {repo_id for repo_id, text in index.items() if re.search(r'"value": -?\d', text)}
    assert len(numeric) > 20
    assert len(numeric - silver) <= 0.05 * len(numeric)


@pytest.mark.slow
@pytest.mark.skipif(
    not (snapshot_dir() / "hub").is_dir(), reason="no real records: set REAL_RECORDS_DIR"
)
def test_from_the_older_cards_to_the_newer_only_what_changed_is_read(store):
    folder = snapshot_dir() / "hub"
    older = dict(real_cards(folder / "cards-older.tar.xz"))
    newer = {k: v for k, v in real_cards(folder / "cards.tar.xz") if k in older}
    assert len(newer) > 600
    with running_hub(
        MemoryRepository([HubRepo(k, {"README.md": v}) for k, v in older.items()])
    ) as hub:
        collect(hub, store)
        assert hub.log.count("/resolve/") == len(older)
        for repo_id, text in newer.items():
            hub.repository.put(HubRepo(repo_id, {"README.md": text}))
        hub.log.clear()
        found = collect(hub, store)
        changed = sorted(k for k, text in newer.items() if text != older[k])
        assert 0 < len(changed) < len(older)
        assert hub.log.count("/resolve/") == len(changed)
        fresh = collect(hub, HubStore(store.path.with_name("fresh.sqlite")))
        assert facts(found) == facts(fresh)
