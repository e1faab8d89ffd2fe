"""What must be hidden together: the same model or dataset under another name.

Copies of a model (clone clusters, re-uploads under another organisation, other spellings) are one model
unit; datasets of one family, families with kindred names (`svt` and `svt-recognition`), other spellings, and
datasets whose published scores are copies of one another are one dataset unit. A split that assigns whole units cannot leak between them. Too wide a unit
costs a little training data; too narrow a unit fakes a result, so these err on the wide side. How parts
are drawn belongs in the protocol modules, how leaks are counted in `leakage.py`.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from modellens_core.features.featureset import FeatureSet, Interactions, TextArray

if TYPE_CHECKING:
    from scipy import sparse

IndexArray = npt.NDArray[np.int64]
HashArray = npt.NDArray[np.uint64]

SCORE_DECIMALS = 4  # two published scores that agree this far are the same number
MIN_TWIN_MODELS = 5  # fewer equal scores are a coincidence
TWIN_SHARE = 0.8  # of the models that two groups have in common
MAX_SAME_SCORE = 20  # a score that a model has in more groups than this (0, 1) proves nothing

MAX_KINDRED = 8  # families that share a first word: more, and the word is a common one ("image")

_WORD = re.compile(r"[^\W\d_]+|\d+")
_NOT_LETTER_OR_DIGIT = re.compile(r"[\W_]+")


def spelling(name: str) -> str:
    """A name without case, punctuation and spaces; a name of nothing else stays as it is."""
    return _NOT_LETTER_OR_DIGIT.sub("", name.casefold()) or name


def model_spelling(model_id: str) -> str:
    """`spelling` without the organisation: `TheOrg/My-Model_v2` and `other/my_model.V2` are equal."""
    return spelling(model_id.rsplit("/", 1)[-1])


def model_units(features: FeatureSet) -> IndexArray:
    """Which models are one model for the purpose of hiding.

    Args:
        features: N models.

    Returns:
        [N + 1] index of the first model of each model's unit; entry N stands for an unknown model.
    """
    names = [model_spelling(m) for m in features.model_ids]
    return _components(features.n_models, [features.clone_cluster, _codes(names)])


def dataset_units(features: FeatureSet, rows: Interactions) -> IndexArray:
    """Which datasets are one dataset for the purpose of hiding.

    Args:
        features: D datasets.
        rows: all interactions; they show which datasets carry copies of the same scores.

    Returns:
        [D + 1] index of the first dataset of each dataset's unit; entry D stands for an unknown one.
    """
    families = [spelling(f) for f in features.dataset_family]
    names = [spelling(d) for d in features.dataset_ids]
    kin = kindred_families(features.dataset_family)
    labels = [_codes(families), _codes(names), _codes(kin)]
    return _components(features.n_datasets, labels, twin_datasets(rows))


def dataset_unit_names(features: FeatureSet, units: IndexArray) -> TextArray:
    """Name every dataset's unit by the alphabetically first family in it.

    Args:
        features: D datasets.
        units: [D + 1] as `dataset_units` gives them.

    Returns:
        [D + 1] names, equal where the units are; the last is empty: an unknown dataset.
    """
    families = np.append(features.dataset_family, "")
    order = np.lexsort((families, units))
    _, first, inverse = np.unique(units[order], return_index=True, return_inverse=True)
    names = np.empty_like(families)
    names[order] = families[order][first][inverse]
    return names


def kindred_families(families: Sequence[str] | TextArray) -> list[str]:
    """Find families that are likely parts or versions of one benchmark, which the normaliser kept apart.

    Families are kin if few families share their first word ("mnli-m", "mnli-mm"), or if one name begins
    with all words of another ("human-art", "human-art-gt").

    Args:
        families: [n] family names.

    Returns:
        [n] name of the first family of each one's kin.
    """
    words = {f: tuple(_WORD.findall(f.casefold())) for f in map(str, families)}
    distinct = sorted(words, key=lambda f: (words[f], f))
    sharing = Counter(words[f][0] for f in distinct if words[f])
    kin: dict[str, str] = {}
    before = ""
    for family in distinct:  # sorted by words: kin stand next to one another
        own, last = words[family], words.get(before, ())
        rare = bool(own and last) and own[0] == last[0] and sharing[own[0]] <= MAX_KINDRED
        root = words[kin[before]] if before else ()
        extends = bool(root) and len(own) > len(root) and own[: len(root)] == root
        kin[family] = kin[before] if rare or extends else family
        before = family
    return [kin[str(f)] for f in families]


def twin_datasets(rows: Interactions) -> IndexArray:
    """Find datasets whose groups repeat each other's scores: one leaderboard under two names.

    Two groups are twins when at least `MIN_TWIN_MODELS` models, and at least `TWIN_SHARE` of the models
    in both, have the same score in both (to `SCORE_DECIMALS`), with as many different values.

    Returns:
        [P, 2] pairs of dataset indices, the smaller first.
    """
    from scipy import sparse  # half a second, which a code location that only lists protocols saves

    if not len(rows):
        return np.empty((0, 2), dtype=np.int64)
    score = np.unique(np.round(rows.y, SCORE_DECIMALS), return_inverse=True)[1]
    key = np.unique(pair_keys(rows.model, score), return_inverse=True)[1]
    _, one = np.unique(
        pair_keys(rows.group, key), return_index=True
    )  # a model twice in a list: once
    telling = one[(np.bincount(key[one]) <= MAX_SAME_SCORE)[key[one]]]
    same = _incidence(rows.group[telling], key[telling], rows.n_groups)
    equal = sparse.triu(same @ same.T, k=1).tocoo()
    dataset_of = np.zeros(rows.n_groups, dtype=np.int64)
    dataset_of[rows.group] = rows.dataset
    keep = (equal.data >= MIN_TWIN_MODELS) & (dataset_of[equal.row] != dataset_of[equal.col])
    left, right, n_equal = equal.row[keep], equal.col[keep], equal.data[keep]
    present = _incidence(rows.group, rows.model, rows.n_groups).minimum(1).tocsr()
    in_both = np.asarray(present[left].multiply(present[right]).sum(axis=1)).ravel()
    likely = np.flatnonzero(n_equal >= TWIN_SHARE * in_both)
    bounds = np.searchsorted(rows.group, np.arange(rows.n_groups + 1))
    pairs = [
        sorted((dataset_of[left[i]], dataset_of[right[i]]))
        for i in likely
        if _distinct_equal(rows, bounds, left[i], right[i]) >= MIN_TWIN_MODELS
    ]
    return np.unique(np.asarray(pairs, dtype=np.int64).reshape(-1, 2), axis=0)


def stable_hash(names: Sequence[str] | TextArray, seed: int) -> HashArray:
    """[n] hashes of names: the same on every machine, and whatever else the corpus holds."""
    digests = (hashlib.blake2b(f"{seed}\x1f{n}".encode(), digest_size=8).digest() for n in names)
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def pair_keys(left: npt.NDArray[np.integer], right: npt.NDArray[np.integer]) -> IndexArray:
    """[n] numbers, equal where both numbers of a pair are."""
    wide = left.astype(np.int64) * (int(right.max(initial=0)) + 1) + right
    return wide.astype(np.int64)


def mix(left: HashArray, right: HashArray) -> HashArray:
    """[n] hashes of pairs of hashes (the finaliser of splitmix64; not symmetric)."""
    value = left + np.uint64(0x9E3779B97F4A7C15) * right
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: HashArray = value ^ (value >> np.uint64(31))
    return mixed


def _distinct_equal(rows: Interactions, bounds: IndexArray, left: int, right: int) -> int:
    a, b = (slice(bounds[g], bounds[g + 1]) for g in (left, right))
    both, at_a, at_b = np.intersect1d(rows.model[a], rows.model[b], return_indices=True)
    y_a, y_b = (np.round(rows.y[s][i], SCORE_DECIMALS) for s, i in ((a, at_a), (b, at_b)))
    return min(len(both), len(np.unique(y_a[y_a == y_b])))


def _incidence(
    row: npt.NDArray[np.integer], col: npt.NDArray[np.integer], n_rows: int
) -> "sparse.csr_array":
    from scipy import sparse

    ones = np.ones(len(row), dtype=np.int32)
    return sparse.csr_array((ones, (row, col)), shape=(n_rows, int(col.max(initial=-1)) + 1))


def _codes(names: Sequence[str]) -> IndexArray:
    codes: IndexArray = np.unique(np.asarray(names, dtype=np.str_), return_inverse=True)[1]
    return codes


def _components(
    n: int, labels: Sequence[npt.NDArray[np.integer]], extra: IndexArray | None = None
) -> IndexArray:
    """Join what shares any label or an extra edge; name each component by its smallest member."""
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    edges = [np.empty((0, 2), dtype=np.int64)] if extra is None else [extra]
    for label in labels:
        _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
        edges.append(np.stack([np.arange(n), first[inverse]], axis=1))
    joined = np.concatenate(edges)
    graph = sparse.csr_array((np.ones(len(joined), np.int8), (joined[:, 0], joined[:, 1])), (n, n))
    component = connected_components(graph, directed=False)[1]
    _, first, inverse = np.unique(component, return_index=True, return_inverse=True)
    return np.append(first[inverse], n).astype(np.int64)
