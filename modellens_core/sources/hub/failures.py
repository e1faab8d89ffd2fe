"""What can go wrong on the way to the Hub, and what is said about it: one line, no address, no token.

Whether a failure is tried again is decided in `client.py`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

from modellens_core.errors import SourceCorruptError, SourceUnreachableError


class TryAgainError(Exception):
    """A request failed in a way that may pass.

    Attributes:
        wait: what the server asked for, in seconds.
        corrupt: something answered, but not as a Hub does.
    """

    def __init__(self, reason: str, wait: float | None = None, *, corrupt: bool = False) -> None:
        super().__init__(reason)
        self.wait = wait
        self.corrupt = corrupt


class RefusedError(SourceUnreachableError):
    """The Hub, or what stands before it, refuses this one request: asking again will not help.

    Attributes:
        status: of the HTTP answer; None if the request could not even be sent.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@contextmanager
def clear_errors(hub: str) -> Iterator[None]:
    """Turn the genuine client's exceptions into one line that says what to do.

    Args:
        hub: the Hub's address, fit for a log.

    Raises:
        RefusedError: this request is refused, and others may not be.
        SourceUnreachableError: instead of whatever else the client raised.
        SourceCorruptError: what answers is no Hub, or its answers are damaged on the way.
    """
    try:
        yield
    except OfflineModeIsEnabled:
        raise SourceUnreachableError(
            "HF_HUB_OFFLINE is set, so the Hub is not asked; unset it to read from the Hub"
        ) from None
    except HfHubHTTPError as error:
        status = error.response.status_code
        message = f"the Hub at {hub} refused the request (HTTP {status}); " + (
            "renew HF_TOKEN or unset it" if status in {401, 403} else "check HF_ENDPOINT"
        )
        # A token is refused for everything, and so is all that a broken server is asked.
        if status == 401 or status >= 500:
            raise SourceUnreachableError(message) from None
        raise RefusedError(message, status) from None
    except (httpx2.InvalidURL, httpx2.TooManyRedirects) as error:
        raise RefusedError(
            f"the Hub at {hub} cannot be asked ({plainly(error)}); check HF_ENDPOINT"
        ) from None
    except (TryAgainError, httpx2.TransportError) as error:
        if isinstance(error, TryAgainError) and error.corrupt:
            raise SourceCorruptError(
                f"{hub} answers, but not like a Hub ({error}); check HF_ENDPOINT"
            ) from None
        reason = str(error) if isinstance(error, TryAgainError) else plainly(error)
        raise SourceUnreachableError(
            f"the Hub at {hub} does not answer ({reason}); check the network, or set "
            "HF_ENDPOINT to a Hub that can be reached"
        ) from None


def plainly(error: Exception) -> str:
    """What happened, without addresses or headers."""
    kinds = {
        httpx2.ConnectTimeout: "no connection in time",
        httpx2.ConnectError: "no connection",
        httpx2.TimeoutException: "no answer in time",
        httpx2.RemoteProtocolError: "connection cut",
        httpx2.ReadError: "connection cut",
        httpx2.DecodingError: "compressed answer damaged",
        httpx2.UnsupportedProtocol: "not an http address",
        httpx2.InvalidURL: "no address, or too long for one",
        httpx2.TooManyRedirects: "it redirects in a circle",
    }
    named = (text for kind, text in kinds.items() if isinstance(error, kind))
    return next(named, type(error).__name__)
