import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modellens_core.schema import DatasetFact, Reject, Report, ReportedBy, canonical_setting
from modellens_core.sources.hub.silver import parse_hub_silver
from tests.fakes.hub import HubRepo, world_repository
from tests.fakes.hub.world import card, handwritten, model_index, result
from tests.fakes.world import make_world
from tests.unit.sources.hub.conftest import listing_of, raw_of

GOLDEN = json.loads((Path(__file__).parents[3] / "golden/hub/model_index.json").read_text("utf-8"))


def read(index):
    return list(parse_hub_silver(listing_of("org/model", **{"model-index": index})))


@pytest.mark.parametrize("case", GOLDEN, ids=lambda c: c["name"])
def test_golden(case):
    items = read([{"name": "m", "results": case["results"]}])
    reports = [
        {
            "dataset": r.raw_dataset, "task": r.raw_task, "metric": r.raw_metric, "value": r.value,
            "unit": r.unit, "reported_by": r.reported_by, "setting": json.loads(canonical_setting(r.setting)),
        }
        for r in items if isinstance(r, Report)
    ]  # fmt: skip
    assert reports == [{"unit": None, "reported_by": "author", **e} for e in case["reports"]]
    assert [r.reason for r in items if isinstance(r, Reject)] == case.get("rejects", [])


def test_both_places_of_the_same_index_are_read_once():
    index = model_index("m", result("t", {"type": "imdb"}, {"type": "accuracy", "value": 1}))
    raw = listing_of("o/m", **{"model-index": index, "cardData": {"model-index": index}})
    assert len([i for i in parse_hub_silver(raw) if isinstance(i, Report)]) == 1
    only_card = listing_of("o/m", cardData={"model-index": index})
    assert len([i for i in parse_hub_silver(only_card) if isinstance(i, Report)]) == 1


def test_a_card_whose_yaml_the_hub_cannot_read_is_read_from_its_readme():
    broken = next(r for r in handwritten() if r.repo_id == "people/asr-broken-yaml")
    assert broken.card_data() is None
    with_readme = [i for i in parse_hub_silver(raw_of(broken)) if isinstance(i, Report)]
    assert [(r.raw_metric, r.value) for r in with_readme] == [("wer", 21.5)]
    assert not list(parse_hub_silver(raw_of(broken, readmes=False)))


def test_a_model_index_that_nobody_can_read_is_counted():
    hopeless = HubRepo(
        "o/m",
        {"README.md": b"---\nlicense: mit\nmodel-index:\n- name: [x\n  results: }\n---\n# M\n"},
    )
    [found] = parse_hub_silver(raw_of(hopeless))
    assert found.reason == "malformed_yaml"


def test_verified_needs_the_token_too():
    metrics = [
        {"type": "f1", "value": 1, "verified": True, "verifyToken": "eyJ"},
        {"type": "em", "value": 2, "verified": True},
    ]
    signed, unsigned = (
        i
        for i in read(model_index("m", result("t", {"type": "squad"}, *metrics)))
        if isinstance(i, Report)
    )
    assert (signed.verified, signed.reported_by) == (True, ReportedBy.THIRD_PARTY)
    assert (unsigned.verified, unsigned.reported_by) == (False, ReportedBy.AUTHOR)


def test_the_usual_name_of_a_dataset_becomes_a_fact():
    common = result(
        "t", {"type": "common_voice", "name": "Common Voice"}, {"type": "wer", "value": 1}
    )
    rare = result("t", {"type": "common_voice", "name": "CV"}, {"type": "wer", "value": 1})
    cards = [
        listing_of(f"o/{i}", **{"model-index": model_index("m", r)})
        for i, r in enumerate((rare, common, common))
    ]
    raw = {table: pa.concat_tables(c[table] for c in cards) for table in cards[0]}
    facts = [i for i in parse_hub_silver(raw) if isinstance(i, DatasetFact)]
    assert [(f.raw_dataset, f.description) for f in facts] == [("common_voice", "Common Voice")]
    assert facts[0].url.endswith("/datasets/common_voice")


def test_several_names_under_one_id_are_several_datasets():
    forums = [
        result("Retrieval", {"type": "BeIR/cqadupstack", "name": name}, {"type": "ndcg_at_10", "value": value})
        for name, value in (("MTEB CQADupstackAndroidRetrieval", 40.1), ("MTEB CQADupstackTexRetrieval", 30.2))
    ]  # fmt: skip
    items = list(read(model_index("m", *forums)))
    assert {r.raw_dataset: r.value for r in items if isinstance(r, Report)} == {
        "MTEB CQADupstackAndroidRetrieval": 40.1, "MTEB CQADupstackTexRetrieval": 30.2,
    }  # fmt: skip
    assert not [i for i in items if isinstance(i, DatasetFact)]


def test_two_spellings_of_one_name_are_one_dataset():
    spellings = [
        result("t", {"type": "squad_v2", "name": name}, {"type": metric, "value": 80})
        for name, metric in (("SQuAD v2", "f1"), ("squad-V2", "em"))
    ]
    found = [i for i in read(model_index("m", *spellings)) if isinstance(i, Report)]
    assert [r.raw_dataset for r in found] == ["squad_v2", "squad_v2"]


def test_results_without_a_dataset_are_never_comparable_across_models():
    index = model_index("m", {"task": {"type": "ner"}, "metrics": [{"type": "f1", "value": 0.8}]})
    names = {
        r.raw_dataset
        for repo in ("a/x", "b/x")
        for r in parse_hub_silver(listing_of(repo, **{"model-index": index}))
    }
    assert len(names) == 2


def test_the_planted_world_comes_back_whole():
    world = make_world()
    reports = [
        i
        for i in parse_hub_silver(raw_of(*world_repository(world).all("model"), readmes=False))
        if isinstance(i, Report)
    ]
    found = {(r.raw_model, r.raw_dataset): r.value for r in reports}
    for i, j in zip(*world.observed.nonzero(), strict=True):
        assert found[world.model_ids[i], world.datasets[j]["id"]] == world.score(i, j)


_YAML = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "name",
                    "results",
                    "task",
                    "dataset",
                    "metrics",
                    "type",
                    "value",
                    "args",
                    "source",
                    "x",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(_YAML)
def test_total_on_anything_a_card_can_hold(index):
    for item in read(index):
        assert isinstance(item, Report | Reject | DatasetFact)


def test_the_front_matter_is_read_as_the_hub_reads_it():
    metadata = {
        "language": "no",
        "model-index": model_index("m", result("t", {"type": "x1"}, {"type": "f1", "value": 0.5})),
    }
    assert HubRepo("o/m", {"README.md": card(metadata, "text")}).card_data() == metadata
