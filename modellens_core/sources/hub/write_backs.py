"""Results that a leaderboard's bot wrote back into model cards.

They are the leaderboard's own numbers, so they carry its protocol and its names for benchmark and metric,
and meet the rows of its table as duplicates. The second edition wrote rescaled values for most
benchmarks: those are no measurements and are refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from modellens_core.schema import Unit

NAME = "Open LLM Leaderboard"
V1 = "open_llm_leaderboard_v1"
V2 = "open_llm_leaderboard_v2"

# What the bot called a benchmark, as (dataset, metric) of the leaderboard's table; None: a rescaled value.
_V1: Mapping[str, tuple[str, str] | None] = {
    "ai2_arc": ("ai2_arc", "acc_norm"),
    "hellaswag": ("hellaswag", "acc_norm"),
    "cais/mmlu": ("cais/mmlu", "acc"),
    "truthful_qa": ("truthful_qa", "mc2"),
    "winogrande": ("winogrande", "acc"),
    "gsm8k": ("gsm8k", "exact_match"),
    "drop": ("drop", "f1"),
}
_V2: Mapping[str, tuple[str, str] | None] = {
    "huggingfaceh4/ifeval": ("HuggingFaceH4/ifeval", "strict_acc"),
    "hendrycks/competition_math": ("MATH Lvl 5", "exact_match"),
    "lighteval/math-hard": ("MATH Lvl 5", "exact_match"),
    "bbh": None,
    "suzgunmirac/bigbench-hard": None,
    "idavidrein/gpqa": None,
    "taur-lab/musr": None,
    "tiger-lab/mmlu-pro": None,
}


@dataclass(frozen=True, slots=True)
class WriteBack:
    """A leaderboard's number in a card.

    Attributes:
        protocol: the leaderboard's edition.
        rescaled: the value is no measurement.
        dataset: benchmark in the words of the leaderboard's table; None if it is not in there.
        metric: metric in the words of that table; None if the benchmark is not in there.
        unit: percent where the bot wrote it; people who copied a result file kept its proportions.
    """

    protocol: str
    rescaled: bool = False
    dataset: str | None = None
    metric: str | None = None
    unit: Unit | None = None


def read_write_back(source: object, dataset: object) -> WriteBack | None:
    """Recognise a leaderboard's result by its source; None for every other result.

    Args:
        source: `model-index[].results[].source`.
        dataset: `model-index[].results[].dataset`.
    """
    if not isinstance(source, dict) or not isinstance(dataset, dict):
        return None
    name = str(source.get("name") or "")
    if not name.startswith(NAME):
        return None
    benchmark = str(dataset.get("type") or "").casefold()
    protocol = _edition(str(source.get("url") or ""), benchmark)
    table = _V1 if protocol == V1 else _V2
    known = table.get(benchmark)
    if known is None:
        return WriteBack(protocol, rescaled=benchmark in table)
    unit = Unit.PERCENT if name == NAME else None
    return WriteBack(protocol, dataset=known[0], metric=known[1], unit=unit)


def _edition(url: str, benchmark: str) -> str:
    """The first edition lived in another namespace; result files tell by the benchmark alone."""
    if "HuggingFaceH4/open_llm_leaderboard" in url or "open-llm-leaderboard-old" in url:
        return V1
    return V1 if benchmark in _V1 and benchmark not in _V2 else V2
