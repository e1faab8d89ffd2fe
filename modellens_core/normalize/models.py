"""Which model a name means (being written; signatures are final)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelName:
    """A model id and its parts."""

    model_id: str
    org: str | None
    name: str
    variant: Mapping[str, str]  # what the name says about quantisation and effort; still part of the id


def resolve_model(raw_model: str, repository_ids: Mapping[str, str]) -> ModelName | None:
    """Decide which model a name means; None if it names none ("ours", "-").

    Args:
        raw_model: as the source wrote it.
        repository_ids: casefolded repository id -> its spelling on the Hub.
    """
    raise NotImplementedError


def canonical_spellings(raw_models: Iterable[str]) -> dict[str, str]:
    """Raw name -> one spelling per model; pass that spelling to `resolve_model`. Order-independent."""
    raise NotImplementedError
