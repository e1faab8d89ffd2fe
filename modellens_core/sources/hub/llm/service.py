"""Which service is asked, and how its failures are told to a user.

No message built here quotes a server's words, an address with credentials, or a key.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from modellens_core.config import Settings, require_llm_service

if TYPE_CHECKING:
    import openai

PUBLIC_API = "https://api.openai.com/v1"
_NO_KEY = "none"  # servers of one's own ask for no key, but the client does


class StopAskingError(Exception):
    """No further question to this service can succeed; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Service:
    """An OpenAI-compatible service.

    Attributes:
        api_key: sent with every request.
        base_url: its address, possibly with credentials.
        timeout: seconds without an answer after which a request is given up.
    """

    api_key: SecretStr
    base_url: str = field(repr=False)
    timeout: float = 180.0

    @staticmethod
    def of(settings: Settings) -> "Service":
        """The service that the settings name.

        Raises:
            ConfigError: they name none.
        """
        require_llm_service(settings)
        key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else ""
        # A key copied with its line end would make an illegal header.
        return Service(SecretStr(key.strip() or _NO_KEY), settings.openai_base_url or PUBLIC_API)

    @property
    def host(self) -> str:
        """Where it is, without credentials or query."""
        parts = urlsplit(self.base_url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.hostname}{port}{parts.path.rstrip('/')}"

    def client(self, max_retries: int) -> "openai.OpenAI":
        """The genuine client."""
        import openai

        return openai.OpenAI(
            api_key=self.api_key.get_secret_value(),
            base_url=self.base_url,
            timeout=openai.Timeout(self.timeout, connect=5.0),
            max_retries=max_retries,
        )

    def explain(self, error: Exception) -> str:
        """One line on what went wrong and what to do."""
        import openai

        if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            return f"{self.host} refused the key; check OPENAI_API_KEY"
        if is_out_of_quota(error):
            return f"the quota at {self.host} is used up; raise it there and run again"
        if isinstance(error, openai.RateLimitError):
            return f"{self.host} limits the rate; run again later"
        if isinstance(error, openai.NotFoundError):
            return f"{self.host} does not know the model; check MODELLENS_LLM_MODEL and OPENAI_BASE_URL"
        if isinstance(error, openai.APIStatusError):
            return f"{self.host} answered {error.status_code}; check OPENAI_BASE_URL and MODELLENS_LLM_MODEL"
        late = isinstance(error, openai.APITimeoutError)
        what = "did not answer in time" if late else "is unreachable"
        return f"{self.host} {what}; check OPENAI_BASE_URL and run again"


def is_out_of_quota(error: Exception) -> bool:
    """Whether a 429 means that nothing is left to spend, which no waiting mends."""
    import openai

    return isinstance(error, openai.RateLimitError) and error.code == "insufficient_quota"
