"""How long work tells its caller where it is, without knowing who listens.

A terminal bar, a Dagster log line and a silent test are the caller's choice; the library only reports.
"""

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Called often and cheaply; implementations throttle themselves."""

    def __call__(self, label: str, done: int, total: int | None) -> None:
        """Report that `done` of `total` steps of `label` are finished (`total` None: unknown)."""


def silent(label: str, done: int, total: int | None) -> None:
    """Report to nobody."""


def track(items: Iterable[T], label: str, total: int | None, progress: Progress) -> Iterator[T]:
    """Yield `items`, reporting each one finished."""
    progress(label, 0, total)
    for done, item in enumerate(items, start=1):
        yield item
        progress(label, done, total)
