import json
from pathlib import Path

import pytest
from huggingface_hub import parse_eval_result_entries

from modellens_core.schema import Reject, Report, Tier, canonical_setting
from modellens_core.sources.hub.gold import meaning, parse_hub_gold
from tests.fakes.hub import HubRepo
from tests.fakes.hub.world import VALID_TOKEN, entries, gold, handwritten
from tests.unit.sources.hub.conftest import listing_of, raw_of

GOLDEN = json.loads((Path(__file__).parents[3] / "golden/hub/gold.json").read_text("utf-8"))


@pytest.mark.parametrize("case", GOLDEN, ids=lambda c: c["name"])
def test_golden(case):
    [found] = parse_hub_gold(listing_of("org/model", evalResults=[case["entry"]]))
    if "reject" in case:
        assert isinstance(found, Reject)
        assert found.reason == case["reject"]
        return
    assert isinstance(found, Report)
    expected = dict(case["report"])
    assert json.loads(canonical_setting(found.setting)) == expected.pop(
        "setting", json.loads(canonical_setting(found.setting))
    )
    for key, value in expected.items():
        actual = getattr(found, key)
        assert (str(actual) if key == "evaluated_at" else actual) == value, key


def test_one_bad_entry_costs_only_itself(read_at):
    repos = {r.repo_id: r for r in handwritten()}
    raw = raw_of(repos["gold-lab/untidy"], repos["gold-lab/reasoner-9b"])
    with pytest.raises(KeyError):  # what the client's own objects make of a missing task id
        parse_eval_result_entries(repos["gold-lab/untidy"].eval_results())
    items = list(parse_hub_gold(raw))
    reports = [i for i in items if isinstance(i, Report)]
    untidy = [i for i in items if isinstance(i, Reject)]
    assert [(r.raw_dataset, r.value) for r in reports if r.raw_model == "gold-lab/untidy"] == [
        ("openai/gsm8k", 86.2)
    ]
    assert sorted(r.reason for r in untidy) == ["invalid_file", "not_a_number"]
    assert all(r.retrieved_at == read_at and r.tier is Tier.GOLD for r in reports)


def test_merged_and_open_pull_request_stay_two_reports():
    repo = HubRepo(
        "org/model",
        {".eval_results/g.yaml": entries(gold("Idavidrein/gpqa", 62.0, "diamond"))},
        pull_requests={
            22: {".eval_results/g.yaml": entries(gold("Idavidrein/gpqa", 54.8, "diamond"))}
        },
    )
    merged, claimed = parse_hub_gold(raw_of(repo))
    assert (merged.value, claimed.value) == (62.0, 54.8)
    assert merged.reported_by != claimed.reported_by
    assert merged.report_id != claimed.report_id
    assert canonical_setting(merged.setting) == canonical_setting(claimed.setting)
    assert claimed.source_url.endswith("/org/model/discussions/22")


def test_only_the_hub_can_verify():
    signed = gold("cais/hle", 20.0, "hle", verifyToken=VALID_TOKEN)
    forged = gold("cais/hle", 21.0, "hle", verifyToken="eyJ.forged")
    found = parse_hub_gold(
        raw_of(HubRepo("o/m", {".eval_results/h.yaml": entries(signed, forged)}))
    )
    assert [r.verified for r in found] == [True, False]


@pytest.mark.parametrize(
    "results",
    [None, [], "text", {"a": 1}, [None, 1, [], {}], [{"data": {"dataset": [], "value": 1}}]],
)
def test_total_on_whatever_the_listing_holds(results):
    found = list(parse_hub_gold(listing_of("o/m", evalResults=results)))
    assert not [f for f in found if isinstance(f, Report)]


def test_benchmark_names_do_not_depend_on_case_and_unknown_ones_say_so():
    assert meaning("Cais/HLE", "hle").metric == "accuracy"
    assert meaning("nobody/knows", "x").lower_is_better is None
