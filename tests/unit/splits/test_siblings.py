"""The search must find planted sisters whatever their families say, and must not see any in a clean world."""

from dataclasses import replace

import numpy as np
import pytest

from modellens_core.splits.new_datasets import new_datasets
from modellens_core.splits.parts import TEST, TRAIN, UNUSED, all_in
from modellens_core.splits.siblings import SiblingKind, find_siblings
from tests.unit.splits.messy import as_dict, clean, regroup


def found(features, rows, parts) -> dict[SiblingKind, int]:
    return {s.kind: s.count for s in find_siblings(features, rows, parts)}


def named(features, **names):
    """The same world with some datasets under other names, each a family of its own."""
    ids, families = features.dataset_ids.astype("<U60"), features.dataset_family.astype("<U60")
    for at, name in names.items():
        ids[int(at[1:])] = families[int(at[1:])] = name
    return replace(features, dataset_ids=ids, dataset_family=families)


def hide(rows, dataset):
    parts = all_in(TRAIN, len(rows))
    parts[rows.dataset == dataset] = TEST
    return parts


@pytest.mark.parametrize(
    ("one", "other", "sisters"),
    [
        ("glorp-reviews", "the-new-glorp", True),
        ("wimble-test-a", "wimble-b-hard", True),
        ("glorp-snork", "glorp-snork-german", True),
        ("glorp-snork", "glorp-zangle", False),  # each has a telling word the other lacks
        ("glorp-reviews", "zangle-reviews", False),  # "reviews" tells nothing
        ("german-2017", "german-2019", False),
    ],
)
def test_names_that_share_their_telling_words(one, other, sisters):
    features, rows = clean()
    like = next(np.flatnonzero(features.dataset_family == f) for f in features.dataset_family[:1])
    features = named(features, **{f"d{like[0]}": one, f"d{like[1]}": other})
    result = find_siblings(features, rows, hide(rows, like[0]))[0]
    pairs = [e for e in result.examples if one in e and other in e]
    assert bool(pairs) == sisters
    parts = hide(rows, like[0])
    parts[rows.dataset == like[1]] = TEST
    assert not [
        e for e in find_siblings(features, rows, parts)[0].examples if one in e and other in e
    ]


def test_other_modalities_are_no_sisters():
    features, rows = clean()
    same = named(features, d0="glorp-one", d1="glorp")
    far = replace(
        rows, task=np.where(rows.dataset == 1, len(features.task_ids), rows.task).astype(np.int32)
    )
    elsewhere = replace(same, task_ids=np.append(same.task_ids, "object-detection"))
    text = [e for e in find_siblings(elsewhere, far, hide(rows, 0))[0].examples if "glorp" in e]
    assert not text


def copied(rows, of, under, digits):
    """The rows of dataset `of`, rounded, in place of those of dataset `under`."""
    copy = as_dict(rows.select(rows.dataset == of))
    copy["dataset"] = np.full_like(copy["dataset"], under)
    copy["group"] = np.full_like(copy["group"], under)
    copy["y"] = np.round(copy["y"], digits)
    kept = as_dict(rows.select(rows.dataset != under))
    return regroup(rows, [kept, copy], rows.group_ids.tolist())


def test_lists_that_repeat_each_other_to_within_rounding():
    features, rows = clean()
    rows = copied(rows, of=9, under=40, digits=3)
    result = find_siblings(features, rows, hide(rows, 9))[1]
    assert result.kind is SiblingKind.LIKE_SCORES
    assert result.count == 1
    assert features.dataset_ids[9] in result.examples[0]
    assert features.dataset_ids[40] in result.examples[0]
    unused = np.where(rows.dataset == 40, UNUSED, hide(rows, 9))
    assert find_siblings(features, rows, unused)[1].count == 0


def test_equal_order_is_not_equal_scores_and_one_score_for_all_proves_nothing():
    features, rows = clean()
    rows = copied(rows, of=9, under=40, digits=3)
    shifted = replace(rows, y=np.where(rows.dataset == 40, rows.y + 0.02, rows.y))
    assert find_siblings(features, shifted, hide(rows, 9))[1].count == 0
    flat = replace(rows, y=np.where(np.isin(rows.dataset, [9, 40]), 1.0, rows.y))
    assert find_siblings(features, flat, hide(rows, 9))[1].count == 0


def test_a_clean_world_has_no_sisters_on_two_sides():
    features, rows = clean()
    assert set(found(features, rows, new_datasets(features, rows, 0)).values()) == {0}
