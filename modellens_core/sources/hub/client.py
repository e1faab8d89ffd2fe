"""Talks to the Hub with the pieces of the genuine client: its session, headers, errors and rate limits.

The client's own listing returns objects that drop parts of `evalResults` and fails on a page with one
malformed entry, so pages are read here as raw JSON. Retries honour the announced rate-limit window. How
fast it may be asked is counted in `throttle.py`; what is asked for belongs in `listing.py` and `readmes.py`.
"""

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

import httpx2
from huggingface_hub.utils import (
    build_hf_headers,
    fix_hf_endpoint_in_url,
    get_session,
    hf_raise_for_status,
    parse_ratelimit_headers,
)
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential,
    wait_random,
)

from modellens_core.config import shown_endpoint
from modellens_core.errors import SourceCorruptError, SourceUnreachableError
from modellens_core.sources.hub.failures import TryAgainError, clear_errors, plainly
from modellens_core.sources.hub.throttle import Throttle

T = TypeVar("T")
PAGE_SIZE = 1000
MAX_TEXT_BYTES = 2_000_000
# What the Hub says about a file; a bare 403 or 404 may be a proxy's, and says nothing.
_ABSENT = {
    "EntryNotFound": "missing",
    "RevisionNotFound": "missing",
    "RepoNotFound": "missing",
    "GatedRepo": "forbidden",
}
_RETRIED = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds, and how often to try.

    The defaults let a Hub that does not answer at all be reported within twenty seconds.
    """

    connect: float = 5.0
    first_answer: float = 8.0  # of the probe
    read: float = 60.0  # between two packets of any other answer
    probes: int = 2
    attempts: int = 6
    first_wait: float = 1.0
    longest_wait: float = 30.0
    longest_window: float = 900.0  # an announced wait beyond this ends the crawl


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file of a repository: its text, or in `outcome` why there is none."""

    outcome: str  # "read", "missing", "forbidden", "too_large", "binary", "refused"
    text: str | None = None
    etag: str | None = None


class HubClient:
    """Counted, rate-limited, retried requests to one Hub. Safe to share between threads."""

    def __init__(self, endpoint: str, token: str | None, patience: Patience | None = None) -> None:
        """Prepare requests; nothing is sent yet.

        Args:
            endpoint: address of the Hub.
            token: access token; None uses the login of the genuine client, if there is one.
            patience: how long to wait.
        """
        self.endpoint = endpoint.rstrip("/")
        self.requests_by_kind: Counter[str] = Counter()
        self._headers = build_hf_headers(token=token, library_name="modellens")
        self._patience = patience or Patience()
        first = self._patience.first_wait
        self._backoff = wait_exponential(first, self._patience.longest_wait) + wait_random(0, first)
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._throttle = Throttle()
        self._etags_fit = False

    @property
    def requests(self) -> int:
        """Requests sent so far, repeated ones too."""
        return sum(self.requests_by_kind.values())

    @property
    def shown(self) -> str:
        """The endpoint, fit for a log."""
        return shown_endpoint(self.endpoint)

    def stop(self) -> None:
        """Let every waiting thread give up."""
        self._stopped.set()

    def probe(self) -> None:
        """Find out quickly whether a Hub answers.

        Raises:
            SourceUnreachableError: nobody answers, or the token is refused.
            SourceCorruptError: something answers that is not a Hub.
        """
        patience = self._patience
        timeout = httpx2.Timeout(patience.first_answer, connect=patience.connect)
        self._get(
            f"{self.endpoint}/api/models", {"limit": 1}, timeout=timeout, attempts=patience.probes
        )

    def pages(
        self, path: str, params: Mapping[str, Any], following: str | None = None
    ) -> Iterator[tuple[list[Any], str | None]]:
        """Read a listing page by page, as raw JSON.

        Args:
            path: of the listing.
            params: of its first page.
            following: go on at this page instead, as an earlier call gave it.

        Yields:
            The rows of a page, and where the next page is below the endpoint; None after the last.

        Raises:
            SourceUnreachableError: a page could not be read after all retries.
            SourceCorruptError: an answer is not a JSON list, or points to another host.
        """
        timeout = httpx2.Timeout(self._patience.read, connect=self._patience.connect)
        url, query = f"{self.endpoint}{path}", dict(params)
        if following is not None:
            url, query = self.endpoint + following, {}
        while True:
            answer, rows = self._get(url, query, timeout=timeout, attempts=self._patience.attempts)
            following = self._following(answer)
            yield rows, following
            if following is None:
                return
            url, query = self.endpoint + following, {}

    def _following(self, answer: httpx2.Response) -> str | None:
        """The next page's address below the endpoint; the token must not follow it anywhere else."""
        link = answer.links.get("next", {}).get("url")
        if link is None:
            return None
        url = fix_hf_endpoint_in_url(
            link, self.endpoint
        )  # mirrors hand on the public Hub's address
        if not url.startswith(f"{self.endpoint}/"):
            raise SourceCorruptError(
                f"the Hub at {self.shown} continues its listing at another address; set HF_ENDPOINT to a Hub"
            )
        return url.removeprefix(self.endpoint)

    def read_text(self, repo_id: str, commit: str, name: str) -> TextFile:
        """Read one text file at one commit.

        Raises:
            RefusedError: this file is refused, without the Hub's own reason.
            SourceUnreachableError: it could not be read after all retries.
        """
        url = f"{self.endpoint}/{quote(repo_id)}/resolve/{quote(commit, safe='')}/{quote(name)}"
        timeout = httpx2.Timeout(self._patience.read, connect=self._patience.connect)
        doubted: set[str] = set()
        with clear_errors(self.shown):
            return self._retrying(
                self._patience.attempts, lambda: self._download(url, timeout, doubted)
            )

    def _download(self, url: str, timeout: httpx2.Timeout, doubted: set[str]) -> TextFile:
        # Uncompressed, the length of a file is checked by its header; half a gzip stream passes for a whole.
        headers = {**self._headers, "Accept-Encoding": "identity"}
        with (
            self._sent("resolvers"),
            get_session().stream("GET", url, headers=headers, timeout=timeout) as answer,
        ):
            if answer.status_code >= 400:
                answer.read()
            self._check(answer, "resolvers")
            if absent := _ABSENT.get(answer.headers.get("X-Error-Code", "")):
                return TextFile(absent)
            hf_raise_for_status(answer)
            packed = "Content-Encoding" in answer.headers
            content = bytearray()
            for chunk in answer.iter_bytes():
                content += chunk
                if len(content) > MAX_TEXT_BYTES:
                    return TextFile("too_large")
        etag = answer.headers.get("ETag", "").removeprefix("W/").strip('"') or None
        digest = hashlib.sha1(
            b"blob %d\0" % len(content) + content, usedforsecurity=False
        ).hexdigest()
        if etag is not None and len(etag) == len(digest):
            self._compare(digest, etag, doubted, certain=packed)
        if b"\0" in content:
            return TextFile("binary", etag=etag)
        return TextFile("read", content.decode("utf-8", "replace"), etag)

    def _compare(self, digest: str, etag: str, doubted: set[str], *, certain: bool) -> None:
        """Refuse a file that was cut short: the Hub's ETag of a text is its git hash.

        A mirror may have ETags of another kind: as long as none has fitted, content that stays the same is
        believed, unless it was compressed, where half a stream passes for a whole.
        """
        if digest == etag:
            self._etags_fit = True
        elif certain or self._etags_fit or digest not in doubted:
            doubted.add(digest)
            raise TryAgainError("content does not fit its ETag")

    def _get(
        self, url: str, params: Mapping[str, Any], *, timeout: httpx2.Timeout, attempts: int
    ) -> tuple[httpx2.Response, list[Any]]:
        """Ask for a JSON list."""

        def send() -> tuple[httpx2.Response, list[Any]]:
            with self._sent("api"):
                answer = get_session().get(
                    url, params=params or None, headers=self._headers, timeout=timeout
                )
            self._check(answer, "api")
            hf_raise_for_status(answer)
            try:
                rows = answer.json()
            except (ValueError, RecursionError):
                rows = None
            # An answer that was damaged on the way may be whole next time.
            if not isinstance(rows, list):
                raise TryAgainError("no JSON list of models", corrupt=True)
            return answer, rows

        with clear_errors(self.shown):
            return self._retrying(attempts, send)

    @contextmanager
    def _sent(self, bucket: str) -> Iterator[None]:
        """Wait for a place and for the bucket's window, count the request, and sort transport failures."""
        with self._throttle.slot(self._stopped):
            while (delay := self._throttle.delay(bucket)) > 0:
                self._sleep(delay)
            self._sleep(0)
            with self._lock:
                self.requests_by_kind[bucket] += 1
            try:
                yield
            except (
                httpx2.TimeoutException,
                httpx2.NetworkError,
                httpx2.RemoteProtocolError,
                httpx2.DecodingError,
            ) as error:
                self._throttle.trouble()
                raise TryAgainError(plainly(error)) from error

    def _check(self, answer: httpx2.Response, bucket: str) -> None:
        """Note what the rate-limit headers announce; raise for answers that may be better next time."""
        announced = parse_ratelimit_headers(answer.headers)
        wait: float | None = None
        if announced is not None:
            seconds = announced.reset_in_seconds + 1.0  # the seconds are rounded down
            self._throttle.announced(bucket, announced.remaining, seconds)
            wait = seconds if announced.remaining == 0 else None
        if wait is None and answer.headers.get("Retry-After", "").isdigit():
            wait = float(answer.headers["Retry-After"]) + 1.0
        if answer.status_code in _RETRIED:
            self._throttle.trouble()
            raise TryAgainError(f"HTTP {answer.status_code}", wait)
        self._throttle.went_well()

    def _retrying(self, attempts: int, send: Callable[[], T]) -> T:
        retrying = Retrying(
            stop=stop_after_attempt(attempts),
            wait=self._wait,
            sleep=self._sleep,
            retry=retry_if_exception_type(TryAgainError),
            reraise=True,
        )
        return retrying(send)

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome is not None else None
        if isinstance(error, TryAgainError) and error.wait is not None:
            return error.wait
        return self._backoff(state)

    def _sleep(self, seconds: float) -> None:
        if seconds > self._patience.longest_window:
            raise SourceUnreachableError(
                f"the Hub at {self.shown} asks to wait {seconds:.0f} s; run again later, or set HF_TOKEN "
                "for a higher rate limit"
            )
        if self._stopped.wait(seconds) if seconds > 0 else self._stopped.is_set():
            raise SourceUnreachableError("reading from the Hub was interrupted; run again")
