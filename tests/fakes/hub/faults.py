"""What goes wrong on purpose: error answers, cut and hanging connections, files cut short, rate limits.

A `Fault` strikes the next requests whose path contains its text, a given number of times. `RateLimit`
counts requests in fixed windows and announces itself in the headers that the Hub sends.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """How a request fails."""

    STATUS = "status"  # an error answer
    CUT = "cut"  # half the body, then the connection closes
    HANG = "hang"  # no answer
    SHORT = "short"  # half the file, with a Content-Length that fits the half
    GZIP = "gzip"  # half of a compressed body


@dataclass
class Fault:
    """One planned failure."""

    path: str  # strikes requests whose path and query contain this
    kind: Kind = Kind.STATUS
    status: int = 503
    times: int = 1
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 30.0  # of a hang
    skip: int = 0  # requests that still go well before the first failure


class Faults:
    """All planned failures, in the order they were planned."""

    def __init__(self) -> None:
        self._planned: list[Fault] = []
        self._lock = threading.Lock()

    def plan(self, fault: Fault) -> None:
        """Let a failure happen."""
        with self._lock:
            self._planned.append(fault)

    def clear(self) -> None:
        """Let everything go well from here on."""
        with self._lock:
            self._planned.clear()

    def strike(self, target: str) -> Fault | None:
        """The failure that this request meets, if any."""
        with self._lock:
            for fault in self._planned:
                if fault.path not in target or fault.times <= 0:
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                return fault
        return None


@dataclass
class RateLimit:
    """Requests per fixed window, one count per bucket ("api", "resolvers")."""

    quota: Mapping[str, int] = field(default_factory=dict)
    window: int = 300
    _counts: dict[tuple[str, int], int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, bucket: str) -> tuple[bool, dict[str, str]]:
        """Count one request: whether it is allowed, and the headers that say what is left."""
        quota = self.quota.get(bucket, 1_000_000)
        now = time.time()
        number = int(now // self.window)
        with self._lock:
            used = self._counts.get((bucket, number), 0) + 1
            self._counts[bucket, number] = used
        reset = max(0, int((number + 1) * self.window - now))
        headers = {
            "RateLimit": f'"{bucket}";r={max(0, quota - used)};t={reset}',
            "RateLimit-Policy": f'"fixed window";"{bucket}";q={quota};w={self.window}',
        }
        return used <= quota, headers
