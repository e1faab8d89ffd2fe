"""The completion protocol: a known model, a dataset others were measured on, the score is missing.

What is hidden is a *pair* of a model unit and a dataset unit (see `units.py`): all metrics, settings,
subsets and aliases of the dataset family, for all copies of the model. A model keeps at least half of
the dataset families it was measured on, so it stays known; models measured on one family only are never
hidden (that would be the new-models question).

Ranking needs several hidden models in one list, which hiding a tenth of the pairs at random gives only
for lists of 50 models or more. So pairs are sampled in two stages. Each pair belongs to one *block*: the
pairs of a dataset unit whose longest common list is the same. A block of n pairs hides k of them (a
tenth, but at least a third of it between 5 and 10) with probability q = 0.1 n / k: every eligible pair
is hidden with probability one tenth, and hidden ones come in lists that can be ranked. The same for
validation. Draws are hashes of names, so a split grows with its corpus instead of being redrawn. On a
tiny corpus, where chance could leave a part empty, the block drawn lowest tests and the one drawn highest
validates, whatever their probability.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modellens_core.features.featureset import FeatureSet, Interactions
from modellens_core.splits.parts import (
    MIN_MODELS,
    TEST,
    TRAIN,
    VAL,
    PartArray,
    all_in,
    require_measurable,
)
from modellens_core.splits.units import (
    HashArray,
    IndexArray,
    dataset_units,
    mix,
    model_units,
    pair_keys,
    stable_hash,
)

HIDDEN_SHARE = 0.1
BLOCK_HIDDEN = (MIN_MODELS, 10)  # a third of a small block, within these bounds
MIN_BLOCK = 2 * MIN_MODELS  # never hide more than half of a list


@dataclass(frozen=True, slots=True)
class _Pairs:
    """P distinct (model unit, dataset unit) pairs, and the pair of each row."""

    of_row: IndexArray  # [R]
    model: IndexArray  # [P] 0..U-1
    n_families: IndexArray  # [U] dataset units that each model unit was measured on
    block: IndexArray  # [P] group that is the longest list of the pair
    order: HashArray  # [P] random but stable
    draw: npt.NDArray[np.float64]  # [G] uniform in [0, 1), one per block


def completion(features: FeatureSet, rows: Interactions, seed: int) -> PartArray:
    """Hide a tenth of the eligible pairs for test and another for validation.

    Args:
        features: N models and D datasets.
        rows: R interactions.
        seed: another seed is another draw.

    Returns:
        [R] "train", "val" or "test".

    Raises:
        ModelLensError: no list is long enough, or too few models were measured on several datasets.
    """
    pairs = _find_pairs(features, rows, seed)
    left = pairs.n_families // 2  # how many more pairs of each model unit may be hidden
    part_of_pair = all_in(TRAIN, len(pairs.model))
    eligible = np.flatnonzero(left[pairs.model] > 0)
    ordered = eligible[np.lexsort((pairs.order[eligible], pairs.block[eligible]))]
    blocks = np.split(ordered, np.flatnonzero(np.diff(pairs.block[ordered])) + 1)
    blocks = [block for block in blocks if len(block) >= MIN_BLOCK]
    blocks.sort(key=lambda block: float(pairs.draw[pairs.block[block[0]]]))
    for at, block in enumerate(blocks):
        n = len(block)
        k = max(round(HIDDEN_SHARE * n), min(max(n // 3, BLOCK_HIDDEN[0]), BLOCK_HIDDEN[1]))
        probability = HIDDEN_SHARE * n / k
        draw = pairs.draw[pairs.block[block[0]]]
        drawn = {
            TEST: draw < probability or at == 0,
            VAL: draw >= 1 - probability or at == len(blocks) - 1,
        }
        for part in (part for part, is_drawn in drawn.items() if is_drawn):
            hidden = int((part_of_pair[block] != TRAIN).sum())
            free = block[(left[pairs.model[block]] > 0) & (part_of_pair[block] == TRAIN)]
            if len(free) >= k and hidden + k <= n / 2:
                part_of_pair[free[:k]] = part
                left[pairs.model[free[:k]]] -= 1
    parts = part_of_pair[pairs.of_row]
    require_measurable(rows, parts, (TEST, VAL))
    return parts


def _find_pairs(features: FeatureSet, rows: Interactions, seed: int) -> _Pairs:
    model_unit = model_units(features)[rows.model]
    dataset_unit = dataset_units(features, rows)[rows.dataset]
    keys = pair_keys(model_unit, dataset_unit)
    _, first, of_row = np.unique(keys, return_index=True, return_inverse=True)
    units, model = np.unique(model_unit[first], return_inverse=True)

    _, listed = np.unique(pair_keys(rows.group, of_row), return_index=True)
    group, pair = rows.group[listed].astype(np.int64), of_row[listed]
    length = np.bincount(group, minlength=rows.n_groups)
    by_length = np.lexsort((group, -length[group], pair))
    _, longest = np.unique(pair[by_length], return_index=True)

    model_names = np.append(features.model_ids, "")
    dataset_names = np.append(features.dataset_ids, "")
    return _Pairs(
        of_row=of_row,
        model=model,
        n_families=np.bincount(model, minlength=len(units)),
        block=group[by_length][longest],
        order=mix(
            stable_hash(model_names, seed)[model_unit[first]],
            stable_hash(dataset_names, seed)[dataset_unit[first]],
        ),
        draw=stable_hash(rows.group_ids, seed) / 2.0**64,
    )
