"""Averages over seeds, lists and families, and their intervals."""

import numpy as np
import pyarrow as pa
import pytest

from modellens_core.errors import UnknownNameError
from modellens_core.evaluation.metrics import METRICS
from modellens_core.evaluation.protocol import GROUPS
from modellens_core.evaluation.summary import PAPER_TAU_BY_PAIRS, differences, summarise


def table(rows: list[dict]) -> pa.Table:
    """A groups table; `value` stands for every metric."""
    full = []
    for row in rows:
        base = {
            "protocol": "p", "seed": 0, "task_id": "t", "metric_id": "m", "n_models": 20,
            "n_known_models": 20,
        }  # fmt: skip
        base["dataset_unit"] = row["dataset_family"]
        full.append(base | {m.name: row["value"] for m in METRICS} | row)
    return pa.Table.from_pylist(full, schema=GROUPS)  # which has no column `value`


def lists(method: str, values: dict[str, list[float]], **more) -> list[dict]:
    return [
        {
            "method": method,
            "group_id": f"{family}-{i}",
            "dataset_family": family,
            "value": v,
            **more,
        }
        for family, vs in values.items()
        for i, v in enumerate(vs)
    ]


def pick(found: pa.Table, metric: str = "weighted_tau", min_models: int = 5, **where) -> dict:
    where |= {"metric": metric, "min_models": min_models}
    rows = [r for r in found.to_pylist() if all(r[k] == v for k, v in where.items())]
    assert len(rows) == 1
    return rows[0]


def test_families_weigh_the_same_however_many_lists_they_have():
    groups = table(lists("a", {"big": [0.0] * 99, "small": [1.0]}))
    row = pick(summarise(groups, {"a": 1.5}))
    assert row["mean"] == 0.5
    assert (row["n_groups"], row["n_families"], row["seconds"]) == (100, 2, 1.5)
    assert (row["low"], row["high"]) == (0.0, 1.0)


def test_seeds_are_averaged_within_a_list():
    rows = lists("a", {"f": [0.0, 0.4]}) + lists("a", {"f": [1.0, 0.6]}, seed=1)
    row = pick(summarise(table(rows), {}))
    assert row["mean"] == pytest.approx(0.5)
    assert (row["seeds"], row["n_groups"]) == (2, 2)


def test_several_runs_of_a_seed_are_averaged_and_are_one_seed():
    rows = lists("a", {"f": [0.0]}) + lists("a", {"f": [1.0]}) + lists("a", {"f": [0.5]}, seed=1)
    rows += lists("a", {"f": [0.5]}, seed=1)
    row = pick(summarise(table(rows), {}))
    assert (row["mean"], row["seeds"]) == (pytest.approx(0.5), 2)


def test_the_papers_average_weighs_pairs():
    rows = lists("a", {"f": [1.0]}, n_models=5) + lists("a", {"g": [0.0]}, n_models=100)
    found = summarise(table(rows), {})
    assert pick(found, "paper_tau")["mean"] == 0.5
    assert pick(found, PAPER_TAU_BY_PAIRS)["mean"] == pytest.approx(10 / (10 + 4950))


def test_long_lists_are_shown_beside_all():
    rows = lists("a", {"f": [0.0]}, n_models=5) + lists("a", {"g": [1.0]}, n_models=10)
    found = summarise(table(rows), {})
    assert pick(found)["mean"] == 0.5
    assert pick(found, min_models=10)["mean"] == 1.0


def test_undefined_values_are_left_out():
    rows = lists("a", {"f": [0.2, None], "g": [None]})
    row = pick(summarise(table(rows), {}), "hit_at_5")
    assert (row["mean"], row["n_groups"], row["n_families"]) == (pytest.approx(0.2), 1, 1)
    assert not [
        r
        for r in summarise(table(lists("a", {"f": [None]})), {}).to_pylist()
        if r["metric"] == "mrr"
    ]


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(80):
        groups = table(lists("a", {f"f{i:02}": [v] for i, v in enumerate(rng.normal(0.3, 1, 40))}))
        row = pick(summarise(groups, {}))
        covered += row["low"] <= 0.3 <= row["high"]
    assert 0.87 <= covered / 80 <= 0.99


def test_families_are_drawn_not_lists():
    """Copies of a list add no evidence."""
    rng = np.random.default_rng(1)
    values = {f"f{i:02}": float(v) for i, v in enumerate(rng.normal(size=30))}
    once = pick(summarise(table(lists("a", {f: [v] for f, v in values.items()})), {}))
    often = pick(summarise(table(lists("a", {f: [v] * 9 for f, v in values.items()})), {}))
    assert (once["low"], once["high"]) == pytest.approx((often["low"], often["high"]))


def test_families_of_one_unit_are_one_family():
    """A copy of a dataset under another family's name adds no evidence."""
    rng = np.random.default_rng(3)
    values = {f"f{i:02}": float(v) for i, v in enumerate(rng.normal(size=20))}
    once = lists("a", {f: [v] for f, v in values.items()}) + lists("b", {f: [0.0] for f in values})
    copies = [
        row
        | {
            "dataset_family": row["dataset_family"] + "-copy",
            "dataset_unit": row["dataset_family"],
            "group_id": row["group_id"] + "-copy",
        }
        for row in once
    ]
    for sum_up in (
        lambda g: pick(summarise(g, {}), method="a"),
        lambda g: pick(differences(g, "a")),
    ):
        alone, both = sum_up(table(once)), sum_up(table(once + copies))
        assert (both["n_groups"], both["n_families"]) == (40, alone["n_families"])
        assert [both[k] for k in ("mean", "low", "high")] == pytest.approx(
            [alone[k] for k in ("mean", "low", "high")]
        )


def test_differences_are_paired():
    rng = np.random.default_rng(2)
    base = {f"f{i:02}": [float(v)] for i, v in enumerate(rng.normal(size=30))}
    better = {f: [v[0] + 0.1] for f, v in base.items()}
    groups = table(lists("base", base) + lists("ours", better))
    row = pick(differences(groups, "ours"), baseline="base")
    assert (row["mean"], row["low"], row["high"]) == pytest.approx((0.1, 0.1, 0.1))
    assert row["won"] == 1.0
    alone = pick(summarise(groups, {}), method="ours")
    assert alone["high"] - alone["low"] > 0.4


def test_a_draw_is_half_a_win_and_less_regret_is_a_win():
    groups = table(lists("base", {"f": [0.5, 0.5]}) + lists("ours", {"f": [0.5, 0.9]}))
    found = differences(groups, "ours")
    assert pick(found)["won"] == 0.75
    assert pick(found, "top1_regret_z")["won"] == 0.25


def test_protocols_are_summed_up_apart():
    rows = lists("a", {"f": [0.0]}) + lists("a", {"f": [1.0]}, protocol="q")
    rows += lists("b", {"f": [0.5]}) + lists("b", {"f": [0.5]}, protocol="q")
    found = summarise(table(rows), {})
    assert pick(found, protocol="p", method="a")["mean"] == 0.0
    assert pick(found, protocol="q", method="a")["mean"] == 1.0
    assert pick(differences(table(rows), "a"), protocol="q")["mean"] == 0.5


def test_the_same_numbers_give_the_same_intervals():
    groups = table(lists("a", {f"f{i}": [i / 7] for i in range(7)}))
    assert summarise(groups, {}).equals(summarise(groups, {}))


def test_an_unknown_method_is_named_with_the_known_ones():
    with pytest.raises(UnknownNameError, match="there are a"):
        differences(table(lists("a", {"f": [0.0]})), "ours")
