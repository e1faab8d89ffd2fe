"""How fast the Hub may be asked: rate-limit windows that all threads share, and as many requests at once as it bears.

The Hub counts requests in fixed windows per kind ("api", "resolvers") and says with every answer how many
are left; what is left is counted down here too, so that threads do not run past the end together. The
number of requests at once grows by one for each round without trouble and halves on trouble (additive
increase, multiplicative decrease). No HTTP here.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

MOST_AT_ONCE = 16
_FIRST_AT_ONCE = 8
_CALM = 1.0  # seconds after a halving in which further trouble is the same trouble


@dataclass
class _Window:
    """What is left of one kind's window, and when (monotonic) the next begins."""

    left: int
    ends_at: float


@dataclass
class Throttle:
    """Shared by all threads that talk to one Hub."""

    _windows: dict[str, _Window] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _allowed: float = float(_FIRST_AT_ONCE)
    _running: int = 0
    _halved_at: float = -_CALM

    @property
    def allowed(self) -> int:
        """Requests that may run at once now."""
        return int(self._allowed)

    @contextmanager
    def slot(self, stopped: threading.Event) -> Iterator[None]:
        """Hold one of the places for requests at once; waits for one, or until `stopped`."""
        with self._changed:
            while self._running >= self.allowed and not stopped.is_set():
                self._changed.wait(timeout=0.5)
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify()

    def delay(self, kind: str) -> float:
        """Seconds to wait before a request of this kind; 0 takes one from what is left of the window."""
        now = time.monotonic()
        with self._changed:
            window = self._windows.get(kind)
            if window is None or now >= window.ends_at:
                self._windows.pop(kind, None)
                return 0.0
            if window.left <= 0:
                return window.ends_at - now
            window.left -= 1
            return 0.0

    def announced(self, kind: str, left: int, seconds: float) -> None:
        """Note what an answer says is left of its window, and how many seconds the window lasts."""
        ends_at = time.monotonic() + seconds
        with self._changed:
            window = self._windows.get(kind)
            same = window is not None and abs(window.ends_at - ends_at) < 2.0
            # Answers overtake each other: within one window the smaller number is the newer one.
            self._windows[kind] = _Window(
                min(left, window.left) if same and window is not None else left, ends_at
            )

    def went_well(self) -> None:
        """Allow a little more at once."""
        with self._changed:
            self._allowed = min(float(MOST_AT_ONCE), self._allowed + 1.0 / self._allowed)
            self._changed.notify()

    def trouble(self) -> None:
        """Halve what is allowed at once; trouble that comes together counts once."""
        now = time.monotonic()
        with self._changed:
            if now - self._halved_at >= _CALM:
                self._allowed = max(1.0, self._allowed / 2)
                self._halved_at = now
