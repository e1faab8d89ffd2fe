"""What one run may spend, in tokens and in dollars, and the prices that dollars are counted by.

Before a request its upper bound is set aside; afterwards the bound is replaced by what it really took.
So what was spent and what may yet be spent together never exceed the limit. Money is counted in whole
billionths of a dollar: sums are exact.
"""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from modellens_core.errors import ConfigError

MODELS_FILE: Final = Path(__file__).with_name("models.yaml")
_NANO: Final = 1_000_000_000
_MILLION: Final = 1_000_000


class LanguageModel(BaseModel):
    """One entry of `models.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: float = Field(ge=0, allow_inf_nan=False)  # dollars per million tokens
    output: float = Field(ge=0, allow_inf_nan=False)
    batch: float = Field(default=1.0, ge=0, le=1)
    options: dict[str, Any] = {}

    def nano(self, prompt: int, completion: int, *, batch: bool = False) -> int:
        """Cost of a request in billionths of a dollar, rounded up."""
        factor = self.batch if batch else 1.0
        dollars = (prompt * self.input + completion * self.output) * factor / _MILLION
        return -int(-dollars * _NANO // 1)


_ENTRIES = TypeAdapter(dict[str, LanguageModel])


def language_model(name: str, file: Path | None) -> LanguageModel:
    """Price and options of a model.

    Args:
        name: as the service knows it.
        file: entries of the user, which replace ours.

    Raises:
        ConfigError: nobody said what the model costs, or the file cannot be read.
    """
    known = _entries(MODELS_FILE) | (_entries(file) if file is not None else {})
    if name not in known:
        raise ConfigError(
            f"the price of MODELLENS_LLM_MODEL={name} is not known, so no budget can hold: choose one of "
            f"{', '.join(sorted(known))}, or write `{name}: {{input: 0, output: 0}}` (dollars per million "
            "tokens) into a YAML file and name it in MODELLENS_LLM_MODELS_FILE"
        )
    return known[name]


def _entries(file: Path) -> dict[str, LanguageModel]:
    try:
        return _ENTRIES.validate_python(yaml.safe_load(file.read_text("utf-8")) or {})
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise ConfigError(
            f"MODELLENS_LLM_MODELS_FILE={file} cannot be read ({type(error).__name__}); "
            f"write it like {MODELS_FILE}"
        ) from None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that a service says a request took."""

    prompt: int
    completion: int


@dataclass(slots=True, eq=False)
class Reservation:
    """What was set aside for one request."""

    tokens: int
    nano: int


@dataclass(slots=True)
class Budget:
    """The limits of one run, and what is spent and set aside of them. Safe between threads."""

    max_tokens: int
    max_dollars: float
    model: LanguageModel
    batch: bool = False
    tokens: int = 0
    nano: int = 0
    _held: set[Reservation] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def dollars(self) -> float:
        """What was spent."""
        return self.nano / _NANO

    def used_up(self) -> str:
        """One line for the user, once nothing more fits."""
        return (
            f"the budget of this run ({self.max_tokens:,} tokens, ${self.max_dollars:g}) is used up; run "
            "again to go on, or raise MODELLENS_LLM_MAX_TOKENS and MODELLENS_LLM_MAX_DOLLARS"
        )

    def reserve(self, prompt: int, completion: int) -> Reservation | None:
        """Set the upper bound of a request aside; None if it may not be spent any more."""
        wanted = Reservation(
            prompt + completion, self.model.nano(prompt, completion, batch=self.batch)
        )
        with self._lock:
            tokens = self.tokens + sum(r.tokens for r in self._held) + wanted.tokens
            nano = self.nano + sum(r.nano for r in self._held) + wanted.nano
            if tokens > self.max_tokens or nano > int(self.max_dollars * _NANO):
                return None
            self._held.add(wanted)
            return wanted

    def settle(self, reserved: Reservation, usage: Usage | None) -> float:
        """Replace a reservation by what the request took; all of it where nobody knows (None).

        Returns:
            The request's cost in dollars.
        """
        tokens, nano = reserved.tokens, reserved.nano
        if usage is not None:
            tokens = usage.prompt + usage.completion
            nano = self.model.nano(usage.prompt, usage.completion, batch=self.batch)
        with self._lock:
            self._held.discard(reserved)
            self.tokens += tokens
            self.nano += nano
        return nano / _NANO

    def release(self, reserved: Reservation) -> None:
        """Give a reservation back: the request was not served."""
        with self._lock:
            self._held.discard(reserved)
