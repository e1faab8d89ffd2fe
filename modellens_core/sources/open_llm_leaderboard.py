"""The final tables of the Open LLM Leaderboard, v1 and v2: twelve benchmarks under two fixed protocols.

What belongs here: which column is which benchmark, metric and number of shots (as the leaderboard
documents them), and which fields describe the model. v2 publishes each score twice: "X Raw" from 0 to 1,
and "X" rescaled so that guessing is 0; only the first is a measurement. The average is an aggregate of
the others and is refused. How names and directions are unified is decided in the corpus layer.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from modellens_core.config import PUBLIC_HUB, Settings
from modellens_core.progress import Progress
from modellens_core.schema import Item, ModelFact, Reject, Report, ReportedBy, Tier, Unit
from modellens_core.sources.base import Collected, RawTables
from modellens_core.sources.local import LocalFile, collect_files, read_parquet

SOURCE = "open_llm_leaderboard"
EXTRACTOR = "open_llm_leaderboard/1"
TASK = "text-generation"
AVERAGE = "Average ⬆️"


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One score column: what was measured, and how."""

    column: str
    dataset: str
    metric: str
    shots: int
    zero_is_missing: bool = False


@dataclass(frozen=True, slots=True)
class Edition:
    """One version of the leaderboard."""

    name: str  # source and protocol
    url: str
    unit: Unit
    benchmarks: tuple[Benchmark, ...]
    derived: tuple[str, ...] = ()  # columns computed from others

    @property
    def required(self) -> tuple[str, ...]:
        """Columns without which the table cannot be read."""
        return ("fullname", "Precision", *(b.column for b in self.benchmarks))


V1 = Edition(
    name="open_llm_leaderboard_v1",
    url=f"{PUBLIC_HUB}/datasets/open-llm-leaderboard-old/contents",
    unit=Unit.PERCENT,
    benchmarks=(
        Benchmark("ARC", "ai2_arc", "acc_norm", 25),
        Benchmark("HellaSwag", "hellaswag", "acc_norm", 10),
        Benchmark("MMLU", "cais/mmlu", "acc", 5),
        # NaN results were exported as 0; a real mc2 is never near it (random models reach 40).
        Benchmark("TruthfulQA", "truthful_qa", "mc2", 0, zero_is_missing=True),
        Benchmark("Winogrande", "winogrande", "acc", 5),
        Benchmark("GSM8K", "gsm8k", "exact_match", 5),
    ),
)
V2 = Edition(
    name="open_llm_leaderboard_v2",
    url=f"{PUBLIC_HUB}/datasets/open-llm-leaderboard/contents",
    unit=Unit.PROPORTION,
    benchmarks=(
        Benchmark("IFEval Raw", "HuggingFaceH4/ifeval", "strict_acc", 0),
        Benchmark("BBH Raw", "BBH", "acc_norm", 3),
        Benchmark("MATH Lvl 5 Raw", "MATH Lvl 5", "exact_match", 4),
        Benchmark("GPQA Raw", "Idavidrein/gpqa", "acc_norm", 0),
        Benchmark("MUSR Raw", "TAUR-Lab/MuSR", "acc_norm", 0),
        Benchmark("MMLU-PRO Raw", "TIGER-Lab/MMLU-Pro", "acc", 5),
    ),
    derived=("IFEval", "BBH", "MATH Lvl 5", "GPQA", "MUSR", "MMLU-PRO"),
)

_FACTS_V1 = ("Architecture", "#Params (B)", "MoE", "Flagged", "Merged")
_FACTS_V2 = (
    *_FACTS_V1, "Type", "Weight type", "Hub License", "Hub ❤️", "Base Model", "Upload To Hub Date",
    "Submission Date",
)  # fmt: skip

FILES: Mapping[str, LocalFile] = {
    "v1": LocalFile(
        "open_llm_leaderboard/contents-v1.parquet", read_parquet, V1.required, _FACTS_V1
    ),
    "v2": LocalFile("open_llm_leaderboard/contents.parquet", read_parquet, V2.required, _FACTS_V2),
}


def collect_open_llm_leaderboard(
    settings: Settings, previous: RawTables, progress: Progress
) -> Collected:
    """Read both tables as they are, plus file, hash and modification time."""
    return collect_files(SOURCE, FILES, settings, previous, progress)


def parse_open_llm_leaderboard(raw: RawTables) -> Iterator[Item]:
    """Yield one report per model, precision and benchmark, facts about the models, and rejects."""
    for table, edition in (("v1", V1), ("v2", V2)):
        if table not in raw or not raw[table].num_rows:
            continue
        yield from _refuse_derived(edition, set(raw[table].column_names))
        for row in raw[table].to_pylist():
            yield _facts(row, edition)
            yield from _scores(row, edition)


def _refuse_derived(edition: Edition, columns: set[str]) -> Iterator[Reject]:
    reasons = {AVERAGE: "aggregate", **dict.fromkeys(edition.derived, "rescaled_copy")}
    for column, reason in reasons.items():
        if column in columns:
            yield Reject(
                source=edition.name, tier=Tier.LEADERBOARD, where=f"column {column}", reason=reason,
                detail="computed from the other columns; the whole column is left out",
            )  # fmt: skip


def _scores(row: Mapping[str, Any], edition: Edition) -> Iterator[Item]:
    for benchmark in edition.benchmarks:
        value = row[benchmark.column]
        if value is None:
            continue
        where = f"{row['fullname']} ({row['Precision']}), column {benchmark.column}"
        if not math.isfinite(value) or (benchmark.zero_is_missing and value == 0):
            yield Reject(
                source=edition.name, tier=Tier.LEADERBOARD, where=where, reason="missing_value",
                detail="a failed run was exported as a number", raw=repr(value),
            )  # fmt: skip
            continue
        yield Report(
            source=edition.name,
            tier=Tier.LEADERBOARD,
            raw_model=row["fullname"],
            raw_dataset=benchmark.dataset,
            raw_task=TASK,
            raw_metric=benchmark.metric,
            raw_value=repr(value),
            value=value,
            unit=edition.unit,
            lower_is_better=False,
            setting={
                "protocol": edition.name,
                "shots": benchmark.shots,
                "model.precision": row["Precision"],
            },
            source_url=edition.url,
            source_revision=row["_sha256"],
            retrieved_at=row["_retrieved_at"],
            evaluated_at=_date(row.get("Submission Date")),
            reported_by=ReportedBy.OWNER,
            extractor=EXTRACTOR,
        )


def _facts(row: Mapping[str, Any], edition: Edition) -> ModelFact:
    name = row["fullname"]
    params = row.get("#Params (B)")
    known = params is not None and math.isfinite(params) and params > 0
    base = str(row.get("Base Model") or "")
    return ModelFact(
        source=edition.name,
        raw_model=name,
        params_b=params if known else None,
        params_origin="source" if known else None,
        license=row.get("Hub License"),
        base_model=_base_model(base, name),
        architecture=_architecture(row.get("Architecture")),
        pipeline_tag=TASK,
        tags=tuple(_tags(row)),
        released_at=_date(row.get("Upload To Hub Date")),
        likes=row.get("Hub ❤️"),
        url=f"{PUBLIC_HUB}/{name}",
    )


def _tags(row: Mapping[str, Any]) -> Iterator[str]:
    if row.get("Flagged"):
        yield "flagged"  # by the leaderboard's community, mostly for contamination
    if row.get("Merged") or str(row.get("Base Model") or "").endswith("(Merge)"):
        yield "merge"
    if row.get("MoE"):
        yield "moe"
    if row.get("Weight type") in {"Adapter", "Delta"}:
        yield str(row["Weight type"]).lower()
    # "🔶 fine-tuned on domain-specific datasets": the symbol is decoration.
    _, _, kind = str(row.get("Type") or "").partition(" ")
    if kind and kind != "other":
        yield kind


def _base_model(stated: str, name: str) -> str | None:
    """The parent's id; the column repeats the model itself where there is none."""
    base = stated.removesuffix("(Merge)").strip()
    return None if base.casefold() in {"", "removed", "unknown", name.casefold()} else base


def _architecture(stated: str | None) -> str | None:
    return None if stated in {None, "", "?", "Unknown"} else stated


def _date(stated: str | None) -> date | None:
    """A date written as text, with or without a time of day; None for any other text."""
    try:
        return date.fromisoformat((stated or "")[:10])
    except ValueError:
        return None
