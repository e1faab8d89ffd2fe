"""The production split: everything trains the served ranker, but the families that tell it when to stop.

There is no test part: nothing measured on this split is ever reported. The protocols that are reported
are `completion.py` and `new_datasets.py`.
"""

from modellens_core.features.featureset import FeatureSet, Interactions
from modellens_core.splits.new_datasets import VAL_SHARE, hold_out_families
from modellens_core.splits.parts import VAL, PartArray


def production(features: FeatureSet, rows: Interactions, seed: int) -> PartArray:
    """Keep about 8% of the dataset families for early stopping, train on the rest.

    Args:
        features: N models and D datasets.
        rows: R interactions.
        seed: another seed is another draw.

    Returns:
        [R] "train" or "val".

    Raises:
        ModelLensError: too few dataset families to hold any out.
    """
    return hold_out_families(features, rows, seed, {VAL: VAL_SHARE})
