"""Looks for sisters of held-out datasets among the others, trusting neither families nor the normaliser.

`leakage.py` proves that what is known to belong together lies in one part; here likeness is searched for
where nobody said so: names that share their telling words, and score lists that repeat each other. Both
are hints for people, not proofs: "wikitext103" is WikiText, "Paris StreetView" is not "Paris-6k". A true sister is mended in `normalize/data/datasets.yaml`, never here.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

import numpy as np
import numpy.typing as npt

from modellens_core.features.featureset import FeatureSet, Interactions
from modellens_core.normalize.languages import names_language
from modellens_core.normalize.tasks import resolve_task
from modellens_core.splits.parts import UNUSED, PartArray
from modellens_core.splits.units import IndexArray, pair_keys

FloatArray = npt.NDArray[np.float64]

MAX_EXAMPLES = 10
MAX_NAMES = (
    8  # a word in more datasets' names than this (counted once per first word) tells nothing
)
MIN_LETTERS = 4  # of a telling word
MIN_SHARED = 5  # models that two lists have in common, and different values among the equal scores
EQUAL_SHARE = 0.8  # of the shared models
MAX_SAME_SCORE = 20  # lists; a score that a model has in more of them (0, 1) tells nothing
DIGITS = 3  # significant digits that tables publish; beyond them scores may differ

_WORD = re.compile(r"[^\W\d_]+|\d+")
_COMMON = frozenset(
    {
        "action",
        "answer",
        "bench",
        "benchmark",
        "challenge",
        "classification",
        "clean",
        "clustering",
        "corpus",
        "data",
        "dataset",
    }
    | {"datasets", "detection", "emotion", "eval", "evaluation", "full", "hard", "easy", "image"}
    | {"images", "labels", "language", "large", "lite", "mini", "multi", "multilingual", "news"}
    | {
        "noisy",
        "online",
        "open",
        "other",
        "question",
        "answering",
        "questions",
        "real",
        "reading",
        "recognition",
    }
    | {"reranking", "retrieval", "segmentation", "sentiment", "sets", "shared", "small", "speech"}
    | {"split", "task", "tasks", "test", "text", "train", "translation", "unnamed", "version"}
    | {
        "traffic",
        "urban",
        "video",
        "visual",
        "wiki",
        "wikipedia",
        "reviews",
        "review",
        "english",
        "summarization",
        "generation",
    }
)


class SiblingKind(StrEnum):
    """Why two datasets on different sides are taken for sisters."""

    LIKE_NAMES = "like_names"  # the telling words of one name are all in the other
    LIKE_SCORES = "like_scores"  # the same models with the same scores


@dataclass(frozen=True, slots=True)
class Siblings:
    """How many pairs of datasets look like sisters although they lie in different parts, and some of them."""

    kind: SiblingKind
    count: int
    examples: tuple[str, ...] = ()


def find_siblings(features: FeatureSet, rows: Interactions, parts: PartArray) -> list[Siblings]:
    """Search for sisters on different sides of a split that holds out whole datasets.

    Args:
        features: D datasets.
        rows: R interactions.
        parts: [R] part of each row; "unused" rows are on no side.

    Returns:
        One entry per kind, most convincing pairs first.
    """
    used = parts != UNUSED
    kept, part = rows.select(used), np.unique(parts[used], return_inverse=True)[1]
    side = np.full(features.n_datasets, -1, dtype=np.int64)
    side[kept.dataset] = part
    names = [str(name) for name in features.dataset_ids]
    by_name = [
        f"{names[a]} ~ {names[b]} ({', '.join(words)})"
        for a, b, words in _like_names(features, kept, side)
    ]
    by_score = [
        f"{names[a]} ~ {names[b]} ({equal} of {shared} scores)"
        for a, b, equal, shared in _like_scores(kept, side)
    ]
    return [
        Siblings(SiblingKind.LIKE_NAMES, len(by_name), tuple(by_name[:MAX_EXAMPLES])),
        Siblings(SiblingKind.LIKE_SCORES, len(by_score), tuple(by_score[:MAX_EXAMPLES])),
    ]


def _like_names(
    features: FeatureSet, rows: Interactions, side: IndexArray
) -> Iterator[tuple[int, int, list[str]]]:
    """Pairs on different sides that share modality and the telling words of one of them."""
    present = np.flatnonzero(side >= 0)
    words = {int(d): _WORD.findall(str(features.dataset_ids[d]).casefold()) for d in present}
    telling = _telling(words)
    modalities = _modalities(features, rows)
    holders: dict[str, list[int]] = defaultdict(list)
    for dataset, own in telling.items():
        for word in own:
            holders[word].append(dataset)
    found = {
        pair
        for datasets in holders.values()
        for pair in combinations(datasets, 2)
        if side[pair[0]] != side[pair[1]]
    }

    def doubt(pair: tuple[int, int]) -> tuple[int, int, tuple[int, int]]:
        shared = telling[pair[0]] & telling[pair[1]]
        return -len(shared), min(len(holders[word]) for word in shared), pair

    for a, b in sorted(found, key=doubt):
        shared = telling[a] & telling[b]
        if shared in (telling[a], telling[b]) and modalities[a] & modalities[b]:
            yield a, b, sorted(shared)


def _telling(words: dict[int, list[str]]) -> dict[int, frozenset[str]]:
    """The words of each name that few others have; siblings of one first word count as one name."""
    used: dict[str, set[str]] = defaultdict(set)
    for own in words.values():
        for word in own:
            used[word].add(own[0])
    return {
        dataset: frozenset(
            w
            for w in own
            if len(w) >= MIN_LETTERS
            and not (w.isdigit() or w in _COMMON or (len(w) > MIN_LETTERS and names_language(w)))
            and len(used[w]) <= MAX_NAMES
        )
        for dataset, own in words.items()
    }


def _modalities(features: FeatureSet, rows: Interactions) -> dict[int, frozenset[str]]:
    of_task = [resolve_task(str(task)).modality for task in features.task_ids] + ["unknown"]
    found: dict[int, set[str]] = defaultdict(set)
    for dataset, task in set(zip(rows.dataset.tolist(), rows.task.tolist(), strict=True)):
        found[dataset].add(of_task[task])
    return {dataset: frozenset(said) for dataset, said in found.items()}


def _like_scores(rows: Interactions, side: IndexArray) -> list[tuple[int, int, int, int]]:
    """Pairs of datasets on different sides with lists that give most shared models one score."""
    bounds = np.searchsorted(rows.group, np.arange(rows.n_groups + 1))
    best: dict[tuple[int, int], tuple[int, int]] = {}
    for left, right in _meeting_lists(rows):
        a, b = (slice(bounds[g], bounds[g + 1]) for g in (left, right))
        pair = tuple(sorted((int(rows.dataset[a][0]), int(rows.dataset[b][0]))))
        if side[pair[0]] == side[pair[1]]:
            continue
        _, at_a, at_b = np.intersect1d(rows.model[a], rows.model[b], return_indices=True)
        y_a, y_b = rows.y[a][at_a], rows.y[b][at_b]
        equal = np.abs(y_a - y_b) <= _last_digit(np.maximum(np.abs(y_a), np.abs(y_b))) * 0.501
        n_equal, n_shared = int(equal.sum()), len(equal)
        if n_equal >= EQUAL_SHARE * n_shared and len(np.unique(y_a[equal])) >= MIN_SHARED:
            best[pair[0], pair[1]] = max(best.get((pair[0], pair[1]), (0, 0)), (n_equal, n_shared))
    ranked = sorted(best.items(), key=lambda item: (-item[1][0], item[0]))
    return [(a, b, n_equal, n_shared) for (a, b), (n_equal, n_shared) in ranked]


def _meeting_lists(rows: Interactions) -> Iterator[tuple[int, int]]:
    """Pairs of groups in which `MIN_SHARED` models have scores that may be equal.

    Scores are put into bins as wide as their last digit, and into bins half a width away: two that are
    equal to within rounding lie in one bin of the first or of the second kind.
    """
    from scipy import sparse  # half a second, which a code location that only lists protocols saves

    rows = rows.select((np.bincount(rows.group) >= MIN_SHARED)[rows.group])
    digit = _last_digit(np.abs(rows.y))
    scale = np.unique(digit, return_inverse=True)[1]
    together = None
    for shift in (0.0, 0.5):
        step = np.unique(np.floor(rows.y / digit + shift), return_inverse=True)[1]
        column = np.unique(pair_keys(pair_keys(step, scale), rows.model), return_inverse=True)[1]
        telling = (np.bincount(column) <= MAX_SAME_SCORE)[column]
        ones = np.ones(int(telling.sum()), dtype=np.int32)
        place = (rows.group[telling], column[telling])
        held = sparse.csr_array((ones, place), (rows.n_groups, int(column.max(initial=-1)) + 1))
        met = held @ held.T
        together = met if together is None else together + met
    pairs = sparse.triu(together, k=1).tocoo()
    often = pairs.data >= MIN_SHARED
    yield from zip(pairs.row[often].tolist(), pairs.col[often].tolist(), strict=True)


def _last_digit(size: FloatArray) -> FloatArray:
    """[n] what one step in the last of `DIGITS` significant digits is worth."""
    magnitude = np.floor(np.log10(np.maximum(size, 1e-6)))
    step: FloatArray = 10.0 ** (magnitude - (DIGITS - 1))
    return step
