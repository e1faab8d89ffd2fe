"""A split applied: the features, the scores and which of them a method may see.

What belongs here: cutting rows by part, and keeping hidden scores hidden. How methods are judged belongs
in `evaluation/protocol.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from modellens_core.features.featureset import FeatureSet, Interactions
from modellens_core.splits.freeze import load_parts
from modellens_core.splits.parts import TRAIN, VAL, PartArray, standardised
from modellens_core.store.lake import Lake


@dataclass(frozen=True, slots=True)
class Problem:
    """One protocol's task: learn from `train`, select on `val`, rank what is hidden.

    Attributes:
        features: what is known about models and datasets.
        rows: R interactions of all parts.
        parts: [R] part of each row.
        protocol: name of the split.
        hashes: SHA-256 of the tables behind it, "split" and "interactions"; empty for a problem that was
            made in memory.
    """

    features: FeatureSet
    rows: Interactions
    parts: PartArray
    protocol: str
    hashes: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def load(lake: Lake, protocol: str) -> "Problem":
        """Read features, interactions and a frozen split from the lake."""
        return Problem(
            features=FeatureSet.load(lake),
            rows=Interactions.load(lake),
            parts=load_parts(lake, protocol),
            protocol=protocol,
            hashes={
                "split": lake.info(f"splits/{protocol}").sha256,
                "interactions": lake.info("features/interactions").sha256,
            },
        )

    @property
    def train(self) -> Interactions:
        """Training rows, z standardised among themselves: it knows nothing of hidden scores."""
        return standardised(self.part(TRAIN))

    @property
    def val(self) -> Interactions:
        """Validation rows, z standardised within the whole group."""
        return self.part(VAL)

    def part(self, name: str) -> Interactions:
        """Rows of one part, z standardised within the whole group."""
        return self.rows.select(self.parts == name)

    def without(self, name: str) -> "Problem":
        """The same problem with the rows of one part removed."""
        kept = self.parts != name
        return replace(self, rows=self.rows.select(kept), parts=self.parts[kept])


def blind(rows: Interactions) -> Interactions:
    """`rows` with NaN for every score: what a method gets to rank."""
    hidden = np.full(len(rows), np.nan)
    return replace(rows, y=hidden, z=hidden)
