"""One behavioural suite that every baseline passes, and what is special about each."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from modellens_core.evaluation.metrics import HEADLINE
from modellens_core.evaluation.protocol import evaluate
from modellens_core.evaluation.summary import summarise
from modellens_core.features.featureset import FeatureSet, Interactions
from modellens_core.ranking.baselines import (
    EVIDENCE,
    ConstantBaseline,
    ModelMeanBaseline,
    ModelTaskMeanBaseline,
    PopularityBaseline,
    RandomBaseline,
    SizeBaseline,
    TargetMeans,
    trivial_baselines,
)
from modellens_core.splits.new_datasets import new_datasets
from modellens_core.splits.parts import TEST, TRAIN, all_in
from modellens_core.splits.problem import Problem, blind
from tests.fakes.world import make_world


@pytest.fixture(scope="module")
def problem() -> Problem:
    features, rows = make_world(60, 360, noise=0.3, seed=3).arrays()
    return Problem(features, rows, new_datasets(features, rows, 0), "new_datasets")


def tau(problem: Problem, *methods) -> dict[str, float]:
    judged = evaluate(problem, methods)
    rows = summarise(judged.groups, judged.seconds).to_pylist()
    return {
        r["method"]: r["mean"] for r in rows if r["metric"] == HEADLINE and r["min_models"] == 5
    }


class BaselineBehaviour:
    """What every baseline does; subclasses name one."""

    kind: type
    at_least = 0.0  # top-weighted tau on the planted world, where it is known to work

    @pytest.fixture
    def fitted(self, problem):
        baseline = self.kind()
        baseline.fit(problem.without(TEST))
        return baseline

    @pytest.fixture
    def hidden(self, problem) -> Interactions:
        return blind(problem.part(TEST))

    def test_scores_are_finite_one_per_row(self, fitted, hidden):
        scores = fitted.score(hidden)
        assert scores.shape == (len(hidden),)
        assert scores.dtype == np.float64
        assert np.isfinite(scores).all()

    def test_a_batch_scores_like_single_rows(self, fitted, hidden):
        scores = fitted.score(hidden)
        for i in range(0, len(hidden), 29):
            assert fitted.score(hidden.select(np.arange(len(hidden)) == i)) == scores[i]
        assert len(fitted.score(hidden.select(np.zeros(len(hidden), dtype=bool)))) == 0

    def test_hidden_scores_change_nothing(self, problem, fitted, hidden):
        is_test = problem.parts == TEST
        spoiled = replace(
            problem,
            rows=replace(
                problem.rows,
                y=np.where(is_test, -problem.rows.y, problem.rows.y),
                z=np.where(is_test, 1e3, problem.rows.z),
            ),
        )
        other = self.kind()
        other.fit(spoiled)
        assert (other.score(hidden) == fitted.score(hidden)).all()

    def test_unknown_models_datasets_tasks_and_metrics_are_scored(self, problem, fitted, hidden):
        features = problem.features
        unknown = replace(
            hidden,
            model=np.full_like(hidden.model, features.n_models),
            dataset=np.full_like(hidden.dataset, features.n_datasets),
            task=np.full_like(hidden.task, len(features.task_ids)),
            metric=np.full_like(hidden.metric, len(features.metric_ids)),
        )
        assert np.isfinite(fitted.score(unknown)).all()

    def test_nothing_to_train_on_is_no_error(self, problem, hidden):
        baseline = self.kind()
        baseline.fit(replace(problem, parts=all_in(TEST, len(problem.rows))))
        assert np.isfinite(baseline.score(hidden)).all()

    def test_it_reaches_what_it_should_on_the_planted_world(self, problem):
        assert tau(problem, self.kind())[self.kind().name] >= self.at_least


class TestRandom(BaselineBehaviour):
    kind = RandomBaseline
    at_least = -0.1

    def test_seeds_differ_and_average_out(self, problem, hidden):
        first, second = RandomBaseline(0).score(hidden), RandomBaseline(1).score(hidden)
        assert abs(np.corrcoef(first, second)[0, 1]) < 0.2
        assert abs(tau(problem, *(RandomBaseline(seed) for seed in range(20)))["random"]) < 0.05

    def test_a_model_is_drawn_anew_in_every_list(self, hidden):
        scores = RandomBaseline().score(hidden)
        assert len(np.unique(scores)) == len(scores)


class TestConstant(BaselineBehaviour):
    kind = ConstantBaseline

    def test_it_gets_exactly_what_guessing_gets(self, problem):
        assert tau(problem, ConstantBaseline()) == {"constant": 0.0}


class TestSize(BaselineBehaviour):
    kind = SizeBaseline
    at_least = 0.25

    def test_unknown_sizes_rank_last(self, problem, hidden):
        sizes = problem.features.log10_params.copy()
        sizes[::3] = np.nan
        baseline = SizeBaseline()
        baseline.fit(replace(problem, features=replace(problem.features, log10_params=sizes)))
        scores, unknown = baseline.score(hidden), hidden.model % 3 == 0
        assert scores[unknown].max() < scores[~unknown].min()


class TestPopularity(BaselineBehaviour):
    kind = PopularityBaseline
    at_least = -0.3  # downloads say nothing in the planted world

    def test_downloads_first_then_training_records(self, problem, hidden):
        downloads = np.full(problem.features.n_models, np.nan, dtype=np.float32)
        downloads[:2] = (1.0, 1000.0)
        baseline = PopularityBaseline()
        baseline.fit(replace(problem, features=replace(problem.features, popularity=downloads)))
        by_model = dict(zip(hidden.model.tolist(), baseline.score(hidden).tolist(), strict=True))
        records = np.bincount(problem.train.model, minlength=problem.features.n_models)
        assert by_model[1] > by_model[0] > max(v for m, v in by_model.items() if m > 1)
        rest = sorted(m for m in by_model if m > 1)
        expected = np.sign(np.subtract.outer(records[rest], records[rest]))
        scores = np.array([by_model[m] for m in rest])
        assert (np.sign(np.subtract.outer(scores, scores)) == expected).all()


class TestModelMean(BaselineBehaviour):
    kind = ModelMeanBaseline
    at_least = 0.2  # what tasks need differs: little but size carries over from one to the next

    def test_it_finds_models_that_are_good_at_everything(self):
        problem = by_skill(lambda task: 1.0)
        found = tau(problem, SizeBaseline(), ModelMeanBaseline())
        assert found["model_mean"] > 0.8
        assert found["size"] < 0.3

    def test_new_models_are_ranked_by_size_and_family(self):
        features, rows = make_world(60, 60, density=1.0, seed=3).arrays()
        rng = np.random.default_rng(0)
        effect = 2 * rng.normal(size=len(features.families))[features.family]
        quality = effect + features.log10_params - features.log10_params.mean()
        y = quality[rows.model] + 0.2 * rng.normal(size=len(rows))
        parts = np.where(rows.model % 3 == 0, TEST, TRAIN)
        problem = Problem(features, replace(rows, y=y, z=y), parts, "new_models")
        found = tau(problem, SizeBaseline(), ModelMeanBaseline())
        assert found["model_mean"] > 0.7 > found["size"] > 0.2


class TestModelTaskMean(BaselineBehaviour):
    kind = ModelTaskMeanBaseline
    at_least = 0.5

    def test_it_beats_the_model_mean_where_tasks_differ(self):
        problem = by_skill(lambda task: np.where(task == 0, 1.0, -1.0))
        found = tau(problem, ModelMeanBaseline(), ModelTaskMeanBaseline())
        assert found["model_task_mean"] > 0.8
        assert found["model_mean"] < 0.5

    def test_on_a_task_without_records_it_is_close_to_the_model_mean(self, problem, hidden):
        both = [ModelMeanBaseline(), ModelTaskMeanBaseline()]
        for baseline in both:
            baseline.fit(problem.without(TEST))
        unseen = replace(hidden, task=np.full_like(hidden.task, len(problem.features.task_ids)))
        by_mean, by_task = (baseline.score(unseen) for baseline in both)
        assert np.corrcoef(by_mean, by_task)[0, 1] > 0.99


def by_skill(sign_of_task: Callable[[np.ndarray], np.ndarray | float]) -> Problem:
    """Each model has one skill, whatever its size; each task rewards it or punishes it."""
    features, rows = make_world(30, 60, density=1.0).arrays()
    rng = np.random.default_rng(0)
    skill = rng.normal(size=features.n_models)
    task = (rows.dataset % 2).astype(np.int32)
    y = sign_of_task(task) * skill[rows.model] + 0.2 * rng.normal(size=len(rows))
    parts = np.where(rows.dataset >= 50, TEST, TRAIN)
    return Problem(features, replace(rows, task=task, y=y, z=y), parts, "skill")


def test_target_means_shrink_towards_their_prior():
    means = TargetMeans.of(np.array([7, 3, 7]), np.array([1.0, 4.0, 3.0]))
    found = means.shrunk(np.array([3, 7, 5]), np.array([0.0, 10.0, 10.0]))
    expected = [4 / (1 + EVIDENCE), (4 + 10 * EVIDENCE) / (2 + EVIDENCE), 10.0]
    assert found == pytest.approx(expected)


def test_names_are_distinct_but_for_seeds():
    methods = trivial_baselines((0, 1, 2))
    assert len({(m.name, m.seed) for m in methods}) == len(methods)
    assert len({m.name for m in methods}) == 6


def test_features_are_left_alone():
    features, rows = make_world(20, 30).arrays()
    before = features.log10_params.copy()
    problem = Problem(features, rows, new_datasets(features, rows, 0), "new_datasets")
    evaluate(problem, trivial_baselines((0,)))
    assert isinstance(features, FeatureSet)
    assert (features.log10_params == before).all()
