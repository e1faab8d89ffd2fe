"""The Batch API through the genuine client: sent once, collected later, matched by the table's hash."""

import json

import pytest

from modellens_core.config import load_settings
from modellens_core.progress import silent
from modellens_core.sources.base import SourceState
from modellens_core.sources.hub.llm.answers import collect_answers
from modellens_core.sources.hub.llm.batch import BatchPatience, _read_line
from tests.fakes.llm_server import running_llm
from tests.fakes.openai_server import KEY, Fault
from tests.unit.sources.hub.llm.tables import raw_readmes, readme

ONE_LOOK = BatchPatience(wait=0.0, pause=0.0, max_retries=1)
WAITING = BatchPatience(wait=5.0, pause=0.01, max_retries=1)
TEXTS = {f"a/m{i}": readme(i) for i in range(6)}


@pytest.fixture(autouse=True)
def _no_foreign_settings(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "MODELLENS_LLM_MODEL"):
        monkeypatch.delenv(name, raising=False)


def collect(server, home, patience=WAITING, texts=TEXTS, **given):
    settings = load_settings(
        bronze_reader="llm", llm_batch=True, openai_base_url=server.base_url, openai_api_key=KEY,
        home=home, **given,
    )  # fmt: skip
    got = collect_answers(settings, raw_readmes(texts), silent, batch_patience=patience)
    return got.tables["llm_answers"], got.statuses[0]


def single(server, home):
    """The same without batches."""
    settings = load_settings(
        bronze_reader="llm", openai_base_url=server.base_url, openai_api_key=KEY, home=home
    )
    return collect_answers(settings, raw_readmes(TEXTS), silent).tables["llm_answers"]


def test_a_batch_says_the_same_as_single_requests_for_half_the_price(tmp_path):
    with running_llm(batch_polls=2) as server:
        table, status = collect(server, tmp_path / "batch")
        alone = single(server, tmp_path / "single")
        assert len(server.batches) == 1
    columns = ["table_hash", "repo_ids", "answer", "outcome", "prompt_tokens"]
    assert table.select(columns).equals(alone.select(columns))
    assert status.state is SourceState.OK
    cost = [sum(t["dollars"].to_pylist()) for t in (table, alone)]
    assert cost[0] == pytest.approx(cost[1] / 2, rel=1e-3)


def test_a_batch_is_collected_by_a_later_run_and_never_sent_twice(tmp_path):
    with running_llm(batch_polls=2) as server:
        table, status = collect(server, tmp_path, ONE_LOOK)
        assert table.num_rows == 0
        assert status.state is SourceState.PARTIAL
        assert "6 of them in batches under way" in status.detail
        assert "run again to collect it" in status.detail
        collect(server, tmp_path, ONE_LOOK)
        more = {**TEXTS, "b/new": readme(50)}
        collect(server, tmp_path, ONE_LOOK, more)
        table, status = collect(server, tmp_path, WAITING, more)
        assert [
            len(server.files[b["input_file_id"]].splitlines()) for b in server.batches.values()
        ] == [6, 1]
        assert len(server.requests) == 7
        assert list(tmp_path.rglob("batches/*.json")) == []
    assert table.num_rows == 7
    assert status.state is SourceState.OK


def test_a_batch_whose_id_was_never_heard_of_is_found_again(tmp_path):
    with running_llm(lose_creation=True) as server:
        table, status = collect(server, tmp_path, ONE_LOOK)
        assert (table.num_rows, status.state) == (0, SourceState.UNREACHABLE)
        server.lose_creation = False
        table, status = collect(server, tmp_path)
        assert len(server.batches) == 1
    assert table.num_rows == 6
    assert status.state is SourceState.OK


@pytest.mark.parametrize("known", [True, False])
def test_a_batch_that_is_gone_is_sent_again(tmp_path, known):
    with running_llm(lose_creation=not known, batch_polls=1) as server:
        collect(server, tmp_path, ONE_LOOK)
        server.batches.clear()
        server.lose_creation = False
        table, status = collect(server, tmp_path)
        assert len(server.batches) == 1
    assert table.num_rows == 6
    assert status.state is SourceState.OK


def test_large_backfills_are_several_batches(tmp_path):
    with running_llm() as server:
        few = BatchPatience(wait=5.0, pause=0.01, max_requests=4)
        table, _ = collect(server, tmp_path / "few", few)
        assert len(server.batches) == 2
        (size,) = {len(f) for name, f in server.files.items() if name == "file-0"}
        small = BatchPatience(wait=5.0, pause=0.01, max_bytes=size // 2)
        collect(server, tmp_path / "small", small)
        assert len(server.batches) == 5
        assert all(
            len(f) <= size // 2 for n, f in server.files.items() if n in {"file-5", "file-6"}
        )
    assert table.num_rows == 6


def test_requests_that_failed_are_asked_again(tmp_path):
    with running_llm(faults=[None, Fault.SERVER_ERROR, Fault.WRONG_SHAPE, Fault.REFUSAL]) as server:
        table, status = collect(server, tmp_path)
        assert sorted(table["outcome"].to_pylist()) == ["answered"] * 3 + ["refused"]
        assert status.state is SourceState.PARTIAL
        assert "2 not answered" in status.detail
        table, status = collect(server, tmp_path)
        assert len(server.requests) == 8
    assert table.num_rows == 6


@pytest.mark.parametrize("ends", ["expired", "failed", "cancelled"])
def test_a_batch_that_ends_otherwise_is_told_and_asked_again(tmp_path, ends):
    with running_llm(batch_ends=ends, faults=[Fault.SERVER_ERROR] * 6) as server:
        table, status = collect(server, tmp_path)
        assert table.num_rows == 0
        assert "6 failed" in status.detail
        server.batch_ends = "completed"
        table, status = collect(server, tmp_path)
    assert table.num_rows == 6
    assert status.state is SourceState.OK


def test_the_budget_bounds_what_is_sent(tmp_path):
    with running_llm() as server:
        table, status = collect(server, tmp_path, llm_max_tokens=20_000)
        assert 0 < table.num_rows < 6
        assert server.used_tokens <= 20_000
        assert "budget" in status.detail
        assert status.state is SourceState.PARTIAL


def test_a_refused_key_is_a_state(tmp_path):
    with running_llm() as server:
        settings = load_settings(
            bronze_reader="llm", llm_batch=True, openai_base_url=server.base_url,
            openai_api_key="sk-wrong-1", home=tmp_path / "other",
        )  # fmt: skip
        got = collect_answers(settings, raw_readmes(TEXTS), silent, batch_patience=ONE_LOOK)
    assert got.statuses[0].state is SourceState.UNREACHABLE
    assert "refused the key" in got.statuses[0].detail


@pytest.mark.parametrize(
    "line",
    ["", "{", "[]", '"x"', "1", "null", '{"custom_id": 1}', "[" * 100_000, '{"response": {}}'],
)
def test_a_line_that_cannot_be_read_is_nobodys(line):
    assert _read_line(line) == ("", None)


def test_a_line_without_an_answer_is_a_failure():
    for response in (None, {}, {"status_code": 500, "body": {}}, {"status_code": 200, "body": []}):
        line = json.dumps({"custom_id": "h", "response": response})
        assert _read_line(line)[1].outcome in {"failed", "no_choices"}
