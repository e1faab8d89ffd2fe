"""What the network is fed: every draw obeys the truth, and the same seed and epoch draw the same."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from modellens_core.errors import ModelLensError
from modellens_core.features.featureset import Interactions
from modellens_core.splits.parts import standardised
from modellens_core.training.config import Feed
from modellens_core.training.data import GroupedRows
from tests.fakes.world import make_world

FEED = Feed(lists_per_step=3, min_steps=1, list_cap=4, pairs_per_step=32, pair_balance=0.5)


def interactions(groups: list[list[float]]) -> Interactions:
    """Group g's truths; the model index is unique over all rows."""
    group = np.repeat(np.arange(len(groups)), [len(g) for g in groups]).astype(np.int32)
    n = len(group)
    names = np.array([f"g{i}" for i in range(len(groups))])
    return standardised(Interactions(
        group=group, model=np.arange(n, dtype=np.int32), dataset=group, task=group * 0, metric=group * 0,
        y=np.array([y for g in groups for y in g], dtype=np.float64), z=np.full(n, 99.0), group_ids=names, group_family=names,
    ))  # fmt: skip


groups_strategy = st.lists(
    st.lists(st.integers(-2, 2).map(float), min_size=1, max_size=8), min_size=1, max_size=6
).filter(lambda groups: any(len(g) > 1 for g in groups))


@settings(max_examples=60, deadline=None)
@given(groups_strategy, st.integers(0, 5), st.sampled_from([None, 2, 4]))
def test_every_list_and_pair_obeys_the_truth(groups, seed, cap):
    source = interactions(groups)
    rows = GroupedRows.of(source, None)
    truth, group = source.y, source.group
    visited = []
    for step in rows.epoch(replace(FEED, list_cap=cap), seed, 0):
        models = step.rows.model.numpy()
        contexts = step.rows.dataset.numpy()[step.rows.context.numpy()]
        np.testing.assert_array_equal(contexts, group[models])
        listed = int(step.lengths.sum())
        start = 0
        for length in step.lengths.tolist():
            members = models[start : start + length]
            assert len(set(members)) == length
            assert np.all(np.diff(truth[members]) <= 0)
            full = int((group == group[members[0]]).sum())
            assert length == (full if cap is None else min(full, cap))
            for i in range(start, start + length):
                block = int(step.block_start[i])
                assert block >= start
                assert np.all(truth[models[block : i + 1]] == truth[models[i]])
                assert block == start or truth[models[block - 1]] > truth[models[i]]
            visited.append(group[members[0]])
            start += length
        assert start == listed == len(step.block_start)
        better, worse = models[listed : listed + step.pairs], models[listed + step.pairs :]
        assert len(better) == len(worse) == step.pairs
        assert np.all(group[better] == group[worse])
        assert np.all(truth[better] > truth[worse])
    assert sorted(visited) == [g for g, ys in enumerate(groups) if len(ys) > 1]


def test_pairs_reach_every_worse_row_and_anchors_are_balanced_as_asked():
    source = interactions([list(range(20, 0, -1)), [2.0, 1.0]])
    rows = GroupedRows.of(source, None)
    counts = {}
    for balance in (0.0, 1.0):
        feed = Feed(2, 1, None, 20_000, balance)
        (step,) = rows.epoch(feed, 0, 0)
        anchors = step.rows.model[22 : 22 + step.pairs].numpy()
        counts[balance] = np.bincount(anchors, minlength=22) / step.pairs
        pairs = set(zip(anchors.tolist(), step.rows.model[22 + step.pairs :].tolist(), strict=True))
        assert len(pairs) == 20 * 19 // 2 + 1
    # One anchor in the small group, nineteen in the large one.
    assert counts[1.0][20] == pytest.approx(1 / 20, abs=0.01)
    assert counts[0.0][20] == pytest.approx((1 / 2) / (1 / 2 + 19 / 20), abs=0.02)


def test_targets_are_the_rows_z_within_bounds():
    source = interactions([[100.0] + [0.1 * i for i in range(30)], [2.0, 1.0]])
    plain, clipped = GroupedRows.of(source, None), GroupedRows.of(source, 2.0)
    assert plain.z.max() > 5.0
    np.testing.assert_allclose(clipped.z, plain.z.clip(-2.0, 2.0))
    np.testing.assert_allclose(plain.z, source.z[plain.model])


def test_a_group_of_equal_models_gives_lists_but_no_pairs():
    (step,) = GroupedRows.of(interactions([[7.0, 7.0, 7.0]]), 3.0).epoch(FEED, 0, 0)
    assert step.pairs == 0
    assert step.block_start.tolist() == [0, 0, 0]


def test_a_huge_group_is_sampled_anew_each_epoch():
    rows = GroupedRows.of(interactions([list(range(3000))]), 3.0)
    seen = set()
    for epoch in range(2):
        (step,) = rows.epoch(Feed(8, 1, 100, 16, 1.0), 0, epoch)
        assert step.lengths.tolist() == [100]
        seen |= set(step.rows.model[:100].tolist())
    assert len(seen) > 150


def test_a_small_corpus_is_passed_over_until_the_epoch_is_long_enough():
    rows = GroupedRows.of(interactions([[1.0, 2.0]] * 5), 3.0)
    feed = Feed(2, 7, None, 4, 1.0)
    steps = list(rows.epoch(feed, 0, 0))
    assert len(steps) == rows.steps_per_epoch(feed) == 7
    lists = torch.cat([s.rows.dataset[: len(s.lengths)] for s in steps])
    assert np.bincount(lists).min() >= 2
    assert rows.steps_per_epoch(replace(feed, min_steps=1)) == 3


def test_draws_depend_on_seed_and_epoch_alone():
    _, source = make_world(n_models=10, n_datasets=6).arrays()
    rows = GroupedRows.of(source, 3.0)

    def models(seed, epoch):
        return torch.cat([step.rows.model for step in rows.epoch(FEED, seed, epoch)])

    assert torch.equal(models(1, 2), models(1, 2))
    assert not torch.equal(models(1, 2), models(2, 2))
    assert not torch.equal(models(1, 2), models(1, 3))


def test_rows_without_anything_to_rank_are_an_error():
    with pytest.raises(ModelLensError, match="nothing to rank"):
        GroupedRows.of(interactions([[1.0], [2.0]]), 3.0)
    with pytest.raises(ModelLensError, match="not finite, the first in group 'g1'"):
        GroupedRows.of(interactions([[1.0, 2.0], [np.nan, 1.0]]), 3.0)
