"""Which dataset a name means (being written; signatures are final)."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset with its benchmark family and what its name says about the evaluation setting."""

    dataset_id: str
    family: str
    setting: Mapping[str, str]  # of "split", "shots", ...


def resolve_dataset(raw_dataset: str) -> Dataset:
    """Decide which dataset a name means. Total."""
    raise NotImplementedError
