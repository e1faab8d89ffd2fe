"""Which wheels are read, and what has to be known to read them: the typed form of `wheels.toml`.

Adding a wheel of a known kind takes one entry in that file. Descriptions of datasets that the wheels
name only by name are in `datasets.toml`. No download and no parsing of results here.
"""

import tomllib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from modellens_core.schema import ReportedBy, Unit

_HERE = Path(__file__).parent

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Platform(_Entry):
    """What to ask pip for when the wheel is built for one platform; any platform can read it."""

    platform: str
    python_version: str
    implementation: str = "cp"
    abi: str


class UnitRule(_Entry):
    """The unit of a column, as the package's tables print it. Names are shell patterns."""

    metric: str = "*"
    dataset: str = "*"
    unit: Unit


class Withheld(_Entry):
    """Scores that are not what they say they are, and why; names are shell patterns."""

    model: str = "*"
    dataset: str = "*"
    metric: str = "*"
    reason: str
    why: str


class ScoreColumn(_Entry):
    """One column of a README table that holds scores."""

    column: str
    dataset: str
    metric: str
    setting: Mapping[str, str] = Field(default_factory=dict)


class TableSpec(_Entry):
    """One README table: the heading it stands under, and what its columns mean."""

    section: str
    task: str
    model_column: str
    params_column: str | None = None  # in millions
    scores: tuple[ScoreColumn, ...]
    setting: Mapping[str, str] = Field(default_factory=dict)


class Wheel(_Entry):
    """One wheel: where it is, that it is the right one, and how to read it."""

    package: str
    version: str
    file: str
    sha256: Sha256
    reader: str
    source: str
    licence: str
    link: str  # page of a result file; "{path}" is its path below the package's own folder
    reported_by: ReportedBy = ReportedBy.OWNER
    platform: Platform | None = None
    units: tuple[UnitRule, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    tables: tuple[TableSpec, ...] = ()

    def unit_of(self, dataset: str, metric: str) -> Unit | None:
        """The unit of a column: the first rule that fits, None if none does."""
        for rule in self.units:
            if fnmatchcase(metric, rule.metric) and fnmatchcase(dataset, rule.dataset):
                return rule.unit
        return None

    def withheld_because(self, model: str, dataset: str, metric: str) -> Withheld | None:
        """The rule that keeps a score out, if any does."""
        for rule in self.withheld:
            named = ((model, rule.model), (dataset, rule.dataset), (metric, rule.metric))
            if all(fnmatchcase(name, pattern) for name, pattern in named):
                return rule
        return None


class KnownDataset(_Entry):
    """What a benchmark is, in our words: the wheels give its name only."""

    names: tuple[str, ...]
    about: str
    modality: str
    languages: tuple[str, ...] = ()


@cache
def wheels() -> tuple[Wheel, ...]:
    """All wheels of the catalogue, sorted by package."""
    entries = tomllib.loads((_HERE / "wheels.toml").read_text(encoding="utf-8"))["wheel"]
    return tuple(sorted((Wheel(**entry) for entry in entries), key=lambda wheel: wheel.package))


@cache
def known_datasets() -> Mapping[str, KnownDataset]:
    """Descriptions by every name under which a dataset occurs in the wheels."""
    entries = tomllib.loads((_HERE / "datasets.toml").read_text(encoding="utf-8"))["dataset"]
    known = (KnownDataset(**entry) for entry in entries)
    return {name: dataset for dataset in known for name in dataset.names}
