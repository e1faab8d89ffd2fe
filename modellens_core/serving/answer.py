"""What a recommendation says: models with their scores and reasons, and how far to trust them.

Plain frozen data, each with a `to_dict` that JSON can hold. How it is computed belongs in `recommend.py`,
how it looks on a terminal in the command line.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, overload


@dataclass(frozen=True, slots=True)
class Evidence:
    """A known score of a recommended model on a dataset near the one described.

    Attributes:
        dataset_id: a dataset near the description with its task; similarity: its cosine to the
            description alone.
        task_id, metric_id, setting: how it was measured; `setting` is JSON.
        score: in the metric's canonical unit (proportions are 0..1).
        lower_is_better: None where nobody says.
        place, place_of: rank among the scores measured alike (1 is best); None without a direction.
        source, source_url: where the score was read; reported_by, verified: who says so.
    """

    dataset_id: str
    similarity: float
    task_id: str
    metric_id: str
    setting: str
    score: float
    lower_is_better: bool | None
    place: int | None
    place_of: int
    source: str
    source_url: str | None
    reported_by: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One model in the list.

    Attributes:
        model_id: canonical id; family: architecture family.
        score: what the list is sorted by; comparable within one answer only. `prior + residual`.
        prior: what size and family alone suggest; residual: what this dataset adds.
        params_b: parameters in billions, None if unknown; license, url: as published, None if unknown.
        evidence: known scores on the nearest datasets, nearest first; may be empty.
    """

    model_id: str
    score: float
    prior: float
    residual: float
    params_b: float | None
    family: str
    license: str | None
    url: str | None
    evidence: tuple[Evidence, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class NearDataset:
    """A known dataset near the one described; similarity is the cosine of their texts."""

    dataset_id: str
    similarity: float
    url: str | None


@dataclass(frozen=True, slots=True)
class Answer(Sequence[Recommendation]):
    """A ranked list, best first, and what it rests on. Iterates over its recommendations.

    Attributes:
        recommendations: best first.
        task_id, metric_id: what was ranked for; task_inferred, metric_inferred: not given, but taken
            from the nearest datasets.
        nearest: the known datasets nearest to the description; nearest_similarity: cosine of the first of
            them, 0 if there is none.
        out_of_domain: that is less than `similarity_floor`, which 95% of the descriptions of known
            datasets reach with datasets of other families (features/domain.py).
        n_candidates: models that were ranked, after filters.
        notes: what the reader should know, one sentence each.
        release: the bundle that answered; encoder_id: who embedded the description.
    """

    recommendations: tuple[Recommendation, ...]
    task_id: str
    metric_id: str
    task_inferred: bool
    metric_inferred: bool
    nearest: tuple[NearDataset, ...]
    nearest_similarity: float
    similarity_floor: float
    out_of_domain: bool
    n_candidates: int
    notes: tuple[str, ...]
    release: str
    encoder_id: str

    def __len__(self) -> int:
        return len(self.recommendations)

    def __iter__(self) -> Iterator[Recommendation]:
        return iter(self.recommendations)

    @overload
    def __getitem__(self, index: int) -> Recommendation: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Recommendation]: ...
    def __getitem__(self, index: int | slice) -> Recommendation | Sequence[Recommendation]:
        return self.recommendations[index]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)
