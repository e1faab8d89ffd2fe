"""Training configuration: one YAML file per recipe, with overrides, checked key by key.

`configs/default.yaml` is what ModelLens ships with; `configs/paper.yaml` holds the constants of arXiv
2605.07075. A `TrainConfig` says everything about a run but its data and its seed. Paths, protocols and
seeds are arguments of `run.py`, not configuration.
"""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from modellens_core.errors import ConfigError
from modellens_core.ranking.config import Count, NonNegative, Positive, RankerConfig, Share

CONFIG_DIR = Path(__file__).with_name("configs")


@dataclass(frozen=True, slots=True)
class Feed:
    """How an epoch is cut into steps.

    Attributes:
        lists_per_step: groups per step; the epoch ends when every group was a list once.
        min_steps: a smaller corpus is passed over again until its epoch has so many steps.
        list_cap: at most so many models of a group, drawn anew each epoch; None: all.
        pairs_per_step: (better, worse) pairs per step.
        pair_balance: a group of M models is drawn for pairs in proportion to M ** pair_balance: 1 makes
            every anchor equally likely (the paper), 0 every group.
    """

    lists_per_step: Count
    min_steps: Count
    list_cap: Annotated[int, Field(ge=2)] | None
    pairs_per_step: Annotated[int, Field(ge=0)]
    pair_balance: NonNegative


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Everything about a training run but its data and its seed.

    Attributes:
        name: of the recipe, for reports.
        ranker: shape and regularisation of the network.
        feed: how an epoch is cut into steps.
        listwise, pairwise, pointwise: weights of the three losses.
        z_clip: bound on |z| as regression target; None: as it is.
        learning_rate, weight_decay: of AdamW; clip_norm: bound on the gradient's global norm.
        average_decay: decay per step of the running average of the weights, which is what is validated
            and kept; None: the weights themselves.
        max_epochs: upper bound; patience: epochs without a better validation value before it stops.
    """

    name: str
    ranker: RankerConfig
    feed: Feed
    listwise: NonNegative
    pairwise: NonNegative
    pointwise: NonNegative
    z_clip: Positive | None
    learning_rate: Positive
    weight_decay: NonNegative
    clip_norm: Positive
    average_decay: Share | None
    max_epochs: Count
    patience: Count

    def to_dict(self) -> dict[str, Any]:
        """Nested plain values, as in the YAML file."""
        return asdict(self)


_ADAPTER = TypeAdapter(TrainConfig)


def config_names() -> list[str]:
    """Recipes that ship with ModelLens, sorted."""
    return sorted(path.stem for path in CONFIG_DIR.glob("*.yaml"))


def load_config(source: str | Path, overrides: Mapping[str, object] | None = None) -> TrainConfig:
    """Read a recipe.

    Args:
        source: a shipped recipe's name ("default", "paper") or the path of a YAML file.
        overrides: dotted key to value, for example `{"ranker.hidden": 64, "max_epochs": 3}`.

    Raises:
        ConfigError: no such recipe; a key is unknown or missing; a value is not usable.
    """
    path = CONFIG_DIR / f"{source}.yaml" if str(source) in config_names() else Path(source)
    if not path.is_file():
        raise ConfigError(
            f"no training config {str(source)!r}: give one of {', '.join(config_names())}, "
            "or the path of a YAML file"
        )
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        line = str(error).replace("\n", " ")
        raise ConfigError(f"training config {path.name} is not YAML: {line}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"training config {path.name} must hold keys and values")
    for key, value in (overrides or {}).items():
        _set(values, key.split("."), value, key)
    return config_from_dict(values)


def config_from_dict(values: Mapping[str, Any]) -> TrainConfig:
    """Build a config from nested plain values, naming what is wrong with them.

    Raises:
        ConfigError: a key is unknown or missing; a value is not usable.
    """
    for prefix, kind in (("", TrainConfig), ("ranker", RankerConfig), ("feed", Feed)):
        part = values.get(prefix, {}) if prefix else values
        known = [field.name for field in fields(kind)]
        for key in part if isinstance(part, Mapping) else ():
            if key not in known:
                raise _unknown(f"{prefix}.{key}" if prefix else str(key), _all_keys())
    try:
        return _ADAPTER.validate_python(dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"training config key {where!r}: {first['msg']}") from None


def parse_override(text: str) -> tuple[str, object]:
    """Read `key=value` from a command line; the value is YAML (`0.1`, `null`, `true`).

    Raises:
        ConfigError: there is no `=`, or the value is not YAML.
    """
    key, equals, value = text.partition("=")
    if not equals:
        raise ConfigError(f"--set takes key=value, got {text!r}; for example --set max_epochs=3")
    try:
        return key.strip(), yaml.safe_load(value)
    except yaml.YAMLError:
        raise ConfigError(f"--set {key.strip()}: {value!r} is not a YAML value") from None


def _set(values: dict[str, Any], path: list[str], value: object, key: str) -> None:
    for part in path[:-1]:
        inner = values.get(part)
        if not isinstance(inner, dict):
            raise _unknown(key, _all_keys())
        values = inner
    values[path[-1]] = value


def _all_keys() -> list[str]:
    top = [field.name for field in fields(TrainConfig)]
    ranker = [f"ranker.{field.name}" for field in fields(RankerConfig)]
    return top + ranker + [f"feed.{field.name}" for field in fields(Feed)]


def _unknown(key: str, known: Iterable[str]) -> ConfigError:
    names = list(known)
    near = difflib.get_close_matches(key, names, n=3, cutoff=0.5)
    # A key given without its section is the likeliest slip.
    last = key.rpartition(".")[2]
    near += [name for name in names if name.rpartition(".")[2] == last and name not in near]
    hint = f"did you mean {', '.join(near)}?" if near else f"known keys: {', '.join(names)}"
    return ConfigError(f"training config key {key!r} is unknown; {hint}")
