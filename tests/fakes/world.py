"""One small consistent world: models with hidden skills, datasets with hidden needs, true scores.

Every fake tells the same truth: the loopback Hub, the loopback package index and the staged reports all
describe these models and datasets, so a test can follow one score from a README to a recommendation.
The hidden factors are planted: score = size effect + family effect + skill x need + noise, so a ranker
that works must recover them, and one that leaks or inverts must not.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from string import ascii_lowercase
from typing import Any

import numpy as np

from modellens_core.features.featureset import EncoderInfo, FeatureSet, Interactions
from modellens_core.schema import DatasetFact, Item, ModelFact, Report, ReportedBy, Tier, Unit

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FAMILIES = ("unknown", "bert", "llama", "qwen", "vit", "whisper")
ADJECTIVES = ("legal", "medical", "news", "movie", "finance", "travel", "science", "sports")
KINDS = (
    ("sentiment", "text-classification", "accuracy", False, "decides whether a text is positive"),
    ("summaries", "summarization", "rouge-l", False, "asks for a short summary of a long text"),
    ("speech", "automatic-speech-recognition", "wer", True, "transcribes spoken recordings"),
)


@dataclass(frozen=True)
class World:
    """The planted truth: aligned arrays over models (N) and datasets (D)."""

    model_ids: list[str]
    params_b: np.ndarray
    family: np.ndarray
    datasets: list[dict[str, Any]]
    truth: np.ndarray  # [N, D] oriented, standard-normal-like
    observed: np.ndarray  # [N, D] bool

    def score(self, model: int, dataset: int) -> float:
        """The value a source would publish: percent, lower is better for error rates."""
        quality = 1.0 / (1.0 + np.exp(-self.truth[model, dataset]))
        lower = self.datasets[dataset]["lower_is_better"]
        return round(float(100 * (1 - quality) if lower else 100 * quality), 2)

    def items(self, source: str = "hub", tier: Tier = Tier.SILVER) -> list[Item]:
        """The world as staged items of one source."""
        found: list[Item] = [
            ModelFact(
                source=source,
                raw_model=name,
                params_b=float(self.params_b[i]),
                params_origin="safetensors",
                architecture=FAMILIES[self.family[i]],
                pipeline_tag="text-classification",
                languages=("en",),
                released_at=date(2023, 1 + i % 12, 1),
                downloads=1000 * (i + 1),
                license="apache-2.0",
                description=f"A {FAMILIES[self.family[i]]} model for text.",
            )
            for i, name in enumerate(self.model_ids)
        ]
        for j, d in enumerate(self.datasets):
            found.append(
                DatasetFact(
                    source=source,
                    raw_dataset=d["id"],
                    raw_task=d["task"],
                    description=d["description"],
                    languages=("en",),
                )
            )
            found += [
                Report(
                    source=source,
                    tier=tier,
                    raw_model=self.model_ids[i],
                    raw_dataset=d["id"],
                    raw_task=d["task"],
                    raw_metric=d["metric"],
                    raw_value=f"{self.score(i, j)}%",
                    value=self.score(i, j),
                    unit=Unit.PERCENT,
                    lower_is_better=d["lower_is_better"],
                    source_url=f"https://example.org/{self.model_ids[i]}",
                    retrieved_at=NOW,
                    reported_by=ReportedBy.AUTHOR,
                    extractor="world/1",
                )
                for i in np.flatnonzero(self.observed[:, j])
            ]
        return found

    def arrays(self, dim: int = 16, seed: int = 0) -> tuple[FeatureSet, Interactions]:
        """The world as training arrays, without going through the corpus.

        Dataset vectors carry the dataset's need plus noise, so text is informative and not the answer.
        """
        rng = np.random.default_rng(seed)
        needs = np.stack([d["need"] for d in self.datasets])
        mix = rng.normal(size=(needs.shape[1], dim))
        vectors = needs @ mix + 0.1 * rng.normal(size=(len(needs), dim))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        n = len(self.model_ids)
        model_vectors = rng.normal(size=(n, dim))
        model_vectors /= np.linalg.norm(model_vectors, axis=1, keepdims=True)
        tasks = sorted({d["task"] for d in self.datasets})
        metrics = sorted({d["metric"] for d in self.datasets})
        features = FeatureSet(
            model_ids=np.asarray(self.model_ids, dtype=np.str_),
            size_bucket=np.clip(np.round(4 * np.log10(self.params_b) + 8), 1, 20).astype(np.int32),
            log10_params=(np.log10(self.params_b) + 9).astype(np.float32),
            family=self.family.astype(np.int32),
            families=np.asarray(FAMILIES, dtype=np.str_),
            name_tokens=rng.integers(1, 64, size=(n, 3)).astype(np.int32),
            n_name_tokens=64,
            model_vectors=model_vectors.astype(np.float32),
            clone_cluster=np.arange(n, dtype=np.int32),
            released=np.full(n, np.datetime64("2023-01-01")),
            popularity=np.linspace(10, 1000, n).astype(np.float32),
            dataset_ids=np.asarray([d["id"] for d in self.datasets], dtype=np.str_),
            dataset_family=np.asarray([d["family"] for d in self.datasets], dtype=np.str_),
            dataset_vectors=vectors.astype(np.float32),
            task_ids=np.asarray(tasks, dtype=np.str_),
            metric_ids=np.asarray(metrics, dtype=np.str_),
            encoder=EncoderInfo("planted", "0" * 64, dim),
        )
        cols: dict[str, list[np.ndarray]] = {k: [] for k in "gmdtuyz"}
        for j, d in enumerate(self.datasets):
            models = np.flatnonzero(self.observed[:, j])
            y = self.truth[models, j]
            order = np.lexsort((models, -y))
            models, y = models[order], y[order]
            z = (y - y.mean()) / y.std()
            for key, value in zip("gmdtuyz", (
                np.full(len(models), j), models, np.full(len(models), j),
                np.full(len(models), tasks.index(d["task"])),
                np.full(len(models), metrics.index(d["metric"])), y, z,
            ), strict=True):  # fmt: skip
                cols[key].append(value)
        joined = {k: np.concatenate(v) for k, v in cols.items()}
        ints = {k: joined[k].astype(np.int32) for k in "gmdtu"}
        interactions = Interactions(
            group=ints["g"], model=ints["m"], dataset=ints["d"], task=ints["t"], metric=ints["u"],
            y=joined["y"].astype(np.float64), z=joined["z"].astype(np.float64),
            group_ids=features.dataset_ids, group_family=features.dataset_family,
        )  # fmt: skip
        return features, interactions


def make_world(
    n_models: int = 40,
    n_datasets: int = 24,
    density: float = 0.6,
    noise: float = 0.2,
    seed: int = 0,
) -> World:
    """Plant a world.

    What a dataset needs follows from what its description says, its kind of task and its subject, and from
    a part of its own that no description tells. Three datasets of one family share most of it.
    """
    rng = np.random.default_rng(seed)
    told = np.random.default_rng([seed, 10**6])
    by_kind = told.normal(size=(len(KINDS), 3))
    by_subject = told.normal(size=(len(ADJECTIVES), 3))
    family = rng.integers(1, len(FAMILIES), size=n_models)
    params = 10 ** rng.uniform(-1.5, 1.8, size=n_models)
    skill = rng.normal(size=(n_models, 3)) + 0.5 * rng.normal(size=(len(FAMILIES), 3))[family]
    names = [f"org{i % 7}/{FAMILIES[family[i]]}-{params[i]:.2f}b-v{i}" for i in range(n_models)]
    datasets: list[dict[str, Any]] = []
    truth = np.zeros((n_models, n_datasets))
    for j in range(n_datasets):
        k, a = (j // 3) % len(KINDS), (j // 3) % len(ADJECTIVES)
        kind, task, metric, lower, what = KINDS[k]
        adjective = ADJECTIVES[a]
        mark = ascii_lowercase[j // 78] + ascii_lowercase[j // 3 % 26]
        family_name = f"{adjective}{mark}-{kind}"
        own = np.random.default_rng([seed, j // 3]).normal(size=3)
        need = 0.8 * by_kind[k] + 0.4 * by_subject[a] + 0.5 * own + 0.3 * rng.normal(size=3)
        truth[:, j] = (
            0.6 * np.log10(params) + skill @ need / 1.5 + noise * rng.normal(size=n_models)
        )
        datasets.append(
            {
                "id": f"planted/{family_name}-v{j % 3 + 1}", "family": family_name, "task": task,
                "metric": metric, "lower_is_better": lower, "need": need,
                "description": f"A benchmark of {adjective} texts that {what}.",
            }
        )  # fmt: skip
    observed = rng.random((n_models, n_datasets)) < density
    observed[:5] = True
    return World(names, params, family, datasets, truth, observed)
