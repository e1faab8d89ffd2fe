"""The list of all sources: who is read in which profile, and which staging parts come out of them.

Adding a source takes one module with `collect` and `parse` and one entry here; the graph, the checks,
the summary and the staleness rules follow. Nothing else belongs in this file.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from modellens_core.config import BronzeReader, Profile, Settings
from modellens_core.sources.base import Collect, Enrich, Parse, RawTables
from modellens_core.sources.hub import (
    collect_hub,
    parse_hub_bronze,
    parse_hub_gold,
    parse_hub_models,
    parse_hub_silver,
)
from modellens_core.sources.hub.llm.answers import collect_answers
from modellens_core.sources.hub.raw_tables import revisions
from modellens_core.sources.open_llm_leaderboard import (
    collect_open_llm_leaderboard,
    parse_open_llm_leaderboard,
)
from modellens_core.sources.package_index import collect_package_index, parse_package_index
from modellens_core.sources.papers_with_code import (
    collect_papers_with_code,
    parse_papers_with_code,
)


@dataclass(frozen=True, slots=True)
class StagingPart:
    """One parser over a source's raw tables; writes `staging/<name>/{reports,models,datasets,rejects}`."""

    name: str
    parse: Parse
    about: str
    code: tuple[str, ...]  # files below modellens_core/ whose change makes the part stale


@dataclass(frozen=True, slots=True)
class Enrichment:
    """Further raw tables of a source, asked from somebody else about what the source said.

    Writes `raw/<source>/<table>`, which the staging `part` then reads beside the source's own tables.
    """

    key: str
    about: str
    part: str
    enabled: Callable[[Settings], bool]
    enrich: Enrich
    tables: tuple[str, ...]
    code: tuple[str, ...]
    settings: Callable[[Settings], object]


@dataclass(frozen=True, slots=True)
class Source:
    """One origin; writes `raw/<key>/<table>` and `raw/<key>/status`."""

    key: str
    about: str
    profiles: frozenset[Profile]
    collect: Collect
    tables: tuple[str, ...]
    parts: tuple[StagingPart, ...]
    code: tuple[str, ...]
    settings: Callable[[Settings], object] = lambda _settings: None  # what its result depends on
    streamed: bool = False  # larger than memory: parsers get its tables as datasets
    revisions: Callable[[RawTables, Collection[str]], Mapping[str, str | None]] | None = None
    enrichments: tuple[Enrichment, ...] = ()


_EVERYWHERE = frozenset(Profile)
_LOCAL_FILES = frozenset({Profile.SNAPSHOT})

SOURCES: tuple[Source, ...] = (
    Source(
        key="package_index",
        about="Result files that ship inside wheels on the Python package index (OpenMMLab, AlpacaEval, "
        "...), downloaded with pinned hashes and read without being installed.",
        profiles=frozenset({Profile.QUICKSTART, Profile.FULL}),
        collect=collect_package_index,
        tables=("files",),
        parts=(
            StagingPart(
                "package_index",
                parse_package_index,
                "Scores from model-zoo metafiles and leaderboard files inside wheels.",
                ("sources/package_index", "sources/values.py"),
            ),
        ),
        code=("sources/package_index",),
    ),
    Source(
        key="hub",
        about="The Hugging Face Hub: one expanded listing, and READMEs where tables can be.",
        profiles=_EVERYWHERE,
        collect=collect_hub,
        tables=("models", "readmes"),
        parts=(
            StagingPart(
                "hub_gold",
                parse_hub_gold,
                "Gold tier: `.eval_results/*.yaml`, merged and from open pull requests.",
                ("sources/hub", "sources/values.py"),
            ),
            StagingPart(
                "hub_silver",
                parse_hub_silver,
                "Silver tier: `model-index` metadata of model cards, parsed tolerantly.",
                ("sources/hub", "sources/values.py"),
            ),
            StagingPart(
                "hub_bronze",
                parse_hub_bronze,
                "Bronze tier: result tables in READMEs, read by rules, or from a language model's answers.",
                ("sources/hub", "sources/values.py"),
            ),
            StagingPart(
                "hub_models",
                parse_hub_models,
                "What the Hub says about each model: size, licence, lineage, languages, dates.",
                ("sources/hub",),
            ),
        ),
        code=("sources/hub",),
        settings=lambda s: (s.hub_endpoint_identity, s.hub_max_models, s.hub_read_readmes),
        streamed=True,
        revisions=revisions,
        enrichments=(
            Enrichment(
                key="hub_llm_answers",
                about="What a language model says about the tables of READMEs, checked when they are "
                "parsed. Only with MODELLENS_BRONZE_READER=llm.",
                part="hub_bronze",
                enabled=lambda s: s.bronze_reader is BronzeReader.LLM,
                enrich=collect_answers,
                tables=("llm_answers",),
                code=("sources/hub",),
                settings=lambda s: (s.llm_model, s.openai_service_identity),
            ),
        ),
    ),
    Source(
        key="open_llm_leaderboard",
        about="Open LLM Leaderboard v1 and v2: the final tables of the retired leaderboards.",
        profiles=_LOCAL_FILES,
        collect=collect_open_llm_leaderboard,
        tables=("v1", "v2"),
        parts=(
            StagingPart(
                "open_llm_leaderboard",
                parse_open_llm_leaderboard,
                "Twelve benchmarks under the two leaderboards' fixed protocols.",
                ("sources/open_llm_leaderboard.py", "sources/local.py"),
            ),
        ),
        code=("sources/open_llm_leaderboard.py", "sources/local.py"),
        settings=lambda s: s.snapshot_dir,
    ),
    Source(
        key="papers_with_code",
        about="The Papers-with-Code archive: results as published in papers, up to the site's dump.",
        profiles=_LOCAL_FILES,
        collect=collect_papers_with_code,
        tables=("tables", "datasets"),
        parts=(
            StagingPart(
                "papers_with_code",
                parse_papers_with_code,
                "Published results by task, dataset and metric, with paper links and dates.",
                ("sources/papers_with_code.py", "sources/local.py", "sources/values.py"),
            ),
        ),
        code=("sources/papers_with_code.py", "sources/local.py"),
        settings=lambda s: s.snapshot_dir,
    ),
)


def sources_of(profile: Profile) -> tuple[Source, ...]:
    """The sources a profile reads, in a fixed order."""
    return tuple(s for s in SOURCES if profile in s.profiles)


def enrichments_of(settings: Settings) -> tuple[tuple[Source, Enrichment], ...]:
    """The enrichments that these settings ask for, each with its source."""
    return tuple(
        (s, e) for s in sources_of(settings.profile) for e in s.enrichments if e.enabled(settings)
    )


def raw_keys(settings: Settings) -> tuple[str, ...]:
    """Everything that is collected: keys of sources and of enrichments; `raw/<key>/status` is its state."""
    sources = tuple(s.key for s in sources_of(settings.profile))
    return sources + tuple(e.key for _, e in enrichments_of(settings))
