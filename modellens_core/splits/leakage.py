"""Counts what a split lets through. Every count must be 0; a test and an asset check hold it there.

The audit looks at the rows and names alone and shares no code with the drawing of the splits beyond
what "the same name" means (`units.py`), so a mistake there is not repeated here. Two parts leak into
each other when the same thing lies in both; this is checked for every two parts, so that validation does
not see test either. How a leak is repaired belongs in the normalisation or in `units.py`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from modellens_core.errors import ModelLensError, QualityError
from modellens_core.features.featureset import FeatureSet, Interactions
from modellens_core.splits.parts import PARTS, UNUSED, PartArray
from modellens_core.splits.units import (
    SCORE_DECIMALS,
    IndexArray,
    model_spelling,
    pair_keys,
    spelling,
    twin_datasets,
)

MAX_EXAMPLES = 5


class LeakKind(StrEnum):
    """Ways in which an answer can be read off another part."""

    SAME_PAIR_OTHER_METRIC = (
        "same_pair_other_metric"  # (model, dataset) under another metric or setting
    )
    CLONE = "clone"  # a copy of the model on the same dataset
    DATASET_FAMILY_ACROSS = "dataset_family_across"  # another subset of the same dataset family
    ALIAS = "alias"  # the same model or dataset under another spelling
    COPIED_SCORES = "copied_scores"  # another dataset that repeats the same scores
    DUPLICATE_ROW = "duplicate_row"  # one model twice in one list


@dataclass(frozen=True, slots=True)
class Leak:
    """How often one kind of leak occurs: `count` things that lie in several parts, and some of them."""

    kind: LeakKind
    count: int
    examples: tuple[str, ...] = ()


def audit(features: FeatureSet, rows: Interactions, parts: PartArray, protocol: str) -> list[Leak]:
    """Count every kind of leak between the parts of a split.

    Args:
        features: N models and D datasets.
        rows: R interactions.
        parts: [R] part of each row; "unused" rows leak nothing.
        protocol: "completion" compares (model, dataset) pairs; the others, which hide whole dataset
            families, compare datasets whoever was measured on them.

    Returns:
        One `Leak` per kind, in the order of `LeakKind`; a clean split has `count` 0 in all.

    Raises:
        ModelLensError: `parts` is not aligned with `rows`.
    """
    if len(parts) != len(rows):
        raise ModelLensError(
            f"the split has {len(parts)} rows, the interactions {len(rows)}; freeze the split again"
        )
    by_pair = protocol == "completion"
    used = parts != UNUSED
    kept, part = rows.select(used), np.unique(parts[used], return_inverse=True)[1]
    name = _namer(features, kept, by_pair=by_pair)
    return [
        _across(kind, labels, part, name)
        for kind, labels in _labels(features, kept, by_pair=by_pair)
    ] + [_copied(features, kept, part, by_pair=by_pair), _duplicates(features, kept)]


def require_clean(leaks: list[Leak], protocol: str) -> None:
    """Refuse a split that leaks.

    Raises:
        QualityError: any count is not 0; the message names kinds, counts and one example.
    """
    found = [leak for leak in leaks if leak.count]
    if found:
        text = "; ".join(f"{x.count} x {x.kind} (e.g. {x.examples[0]})" for x in found)
        raise QualityError(
            f"split {protocol!r} leaks: {text}; fix names or units, then freeze again"
        )


def _labels(
    features: FeatureSet, rows: Interactions, *, by_pair: bool
) -> Iterator[tuple[LeakKind, list[IndexArray]]]:
    """For each kind, one or more labels [R]; rows of equal label must lie in one part."""
    model_name = _codes([model_spelling(m) for m in features.model_ids])[rows.model]
    dataset_name = _codes([spelling(d) for d in features.dataset_ids])[rows.dataset]
    family_name = _codes([spelling(f) for f in features.dataset_family])[rows.dataset]
    family = _codes(list(features.dataset_family))[rows.dataset]
    cluster = features.clone_cluster[rows.model]
    yield LeakKind.SAME_PAIR_OTHER_METRIC, [pair_keys(rows.model, rows.dataset)]
    yield LeakKind.CLONE, [pair_keys(cluster, family if by_pair else rows.dataset)]
    if by_pair:
        yield LeakKind.DATASET_FAMILY_ACROSS, [pair_keys(rows.model, family)]
        yield (
            LeakKind.ALIAS,
            [pair_keys(model_name, dataset_name), pair_keys(model_name, family_name)],
        )
    else:
        yield LeakKind.DATASET_FAMILY_ACROSS, [family]
        yield LeakKind.ALIAS, [dataset_name, family_name]


def _across(
    kind: LeakKind, labels: list[IndexArray], part: IndexArray, name: Callable[[int], str]
) -> Leak:
    """Count labels that lie in more than one part."""
    count = 0
    examples: list[str] = []
    for label in labels:
        both = np.unique(label * len(PARTS) + part)
        values, n_parts = np.unique(both // len(PARTS), return_counts=True)
        leaking = values[n_parts > 1]
        count += len(leaking)
        examples += [name(int(np.flatnonzero(label == v)[0])) for v in leaking[:MAX_EXAMPLES]]
    return Leak(kind, count, tuple(examples[:MAX_EXAMPLES]))


def _copied(features: FeatureSet, rows: Interactions, part: IndexArray, *, by_pair: bool) -> Leak:
    """Count scores of a model that lie in several parts because two datasets are copies."""
    count, examples = 0, []
    score = np.round(rows.y, SCORE_DECIMALS)
    by_dataset = np.argsort(rows.dataset, kind="stable")
    bounds = np.searchsorted(rows.dataset[by_dataset], np.arange(features.n_datasets + 1))
    for left, right in twin_datasets(rows):
        a, b = (by_dataset[bounds[d] : bounds[d + 1]] for d in (left, right))
        if by_pair:
            first = {(rows.model[i], score[i]): part[i] for i in a}
            hits = [i for i in b if first.get((rows.model[i], score[i]), part[i]) != part[i]]
        else:
            hits = list(b) if len({*part[a], *part[b]}) > 1 else []
        if hits:
            count += len(hits)
            examples.append(f"{features.dataset_ids[left]} = {features.dataset_ids[right]}")
    return Leak(LeakKind.COPIED_SCORES, count, tuple(examples[:MAX_EXAMPLES]))


def _duplicates(features: FeatureSet, rows: Interactions) -> Leak:
    label = pair_keys(rows.group, rows.model)
    _, first, n = np.unique(label, return_index=True, return_counts=True)
    twice = first[n > 1]
    examples = tuple(
        f"{features.model_ids[rows.model[i]]} in {rows.group_ids[rows.group[i]]}"
        for i in twice[:MAX_EXAMPLES]
    )
    return Leak(LeakKind.DUPLICATE_ROW, len(twice), examples)


def _namer(features: FeatureSet, rows: Interactions, *, by_pair: bool) -> Callable[[int], str]:
    def name(row: int) -> str:
        dataset = str(features.dataset_ids[rows.dataset[row]])
        return f"{features.model_ids[rows.model[row]]} on {dataset}" if by_pair else dataset

    return name


def _codes(names: list[str]) -> IndexArray:
    codes: IndexArray = np.unique(np.asarray(names, dtype=np.str_), return_inverse=True)[1]
    return codes
