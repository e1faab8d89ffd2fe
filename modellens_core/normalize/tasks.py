"""Which task a name means (being written; signatures are final)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Task:
    """A task of the taxonomy, or a slug of an unknown name; task_id "unknown" when nothing was said."""

    task_id: str
    modality: str


def resolve_task(raw_task: str | None) -> Task:
    """Decide which task a name means. Total."""
    raise NotImplementedError
