"""The metrics of a ranking, one module each, and the list of those that are reported.

Every metric takes true and predicted scores of B lists of M models, `[B, M]` each, and returns `[B]`.
How lists are cut from a corpus and how values are averaged belongs in `protocol.py` and `summary.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from modellens_core.evaluation.metrics.hit import hit_at_k
from modellens_core.evaluation.metrics.mrr import mrr
from modellens_core.evaluation.metrics.ndcg import ndcg_at_k, ndcg_over_random
from modellens_core.evaluation.metrics.paper_tau import paper_tau
from modellens_core.evaluation.metrics.recall import recall_at_k
from modellens_core.evaluation.metrics.runs import FloatArray
from modellens_core.evaluation.metrics.tau_b import tau_b
from modellens_core.evaluation.metrics.top1_regret import top1_regret
from modellens_core.evaluation.metrics.weighted_tau import weighted_tau


@dataclass(frozen=True, slots=True)
class Metric:
    """One reported number per list."""

    name: str
    of: Callable[[FloatArray, FloatArray], FloatArray]
    higher_is_better: bool = True
    uses_z: bool = False  # the truth is z, standardised within the whole group, instead of y


HEADLINE = "weighted_tau"

METRICS: tuple[Metric, ...] = (
    Metric("weighted_tau", weighted_tau),
    Metric("tau_b", tau_b),
    Metric("top1_regret_z", top1_regret, higher_is_better=False, uses_z=True),
    Metric("top1_regret_raw", top1_regret, higher_is_better=False),
    Metric("hit_at_1", partial(hit_at_k, k=1)),
    Metric("hit_at_5", partial(hit_at_k, k=5)),
    Metric("recall_at_5", partial(recall_at_k, k=5)),
    Metric("recall_at_10", partial(recall_at_k, k=10)),
    Metric("ndcg_at_10", partial(ndcg_at_k, k=10)),
    Metric("ndcg_at_10_over_random", partial(ndcg_over_random, k=10)),
    Metric("mrr", mrr),
    Metric("paper_tau", paper_tau),
)
