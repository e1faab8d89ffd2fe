"""Coverage counts what a baseline has to go on, row by row."""

from dataclasses import replace

import numpy as np
import pytest

from modellens_core.evaluation.coverage import NEEDS, coverage, dataset_coverage
from modellens_core.ranking.baselines import trivial_baselines
from modellens_core.splits.parts import TEST, TRAIN
from modellens_core.splits.problem import Problem
from tests.fakes.world import make_world


def problem_of() -> Problem:
    """Ten models in twelve full lists; the lists of the last task are hidden."""
    features, rows = make_world(10, 12, density=1.0).arrays()
    features = replace(
        features,
        log10_params=np.where(np.arange(10) < 4, np.nan, features.log10_params),
        popularity=np.full(10, np.nan, dtype=np.float32),
    )
    return Problem(features, rows, np.where(rows.task == 2, TEST, TRAIN), "planted")


def test_shares_of_rows():
    found = coverage(problem_of())
    assert found == {
        "size": pytest.approx(0.6), "popularity": 0.0, "model_mean": 1.0, "model_task_mean": 0.0,
    }  # fmt: skip


def test_a_model_without_training_rows_is_not_known():
    problem = problem_of()
    hidden = replace(problem, parts=np.where(problem.rows.model == 0, TEST, problem.parts))
    assert coverage(hidden)["model_mean"] < 1.0


def test_datasets_are_known_by_their_training_rows():
    problem = problem_of()
    assert dataset_coverage(problem) == 0.0
    rows = problem.rows
    hidden = replace(problem, parts=np.where(rows.model < 5, TEST, problem.parts))
    partly, wholly = ((rows.model < 5) & (rows.task != 2)).sum(), (rows.task == 2).sum()
    assert dataset_coverage(hidden) == pytest.approx(partly / (partly + wholly))


def test_lists_too_short_to_judge_do_not_count():
    problem = problem_of()
    short = (problem.parts == TEST) & (problem.rows.dataset % 2 == 0) & (problem.rows.model > 3)
    fewer = replace(problem, rows=problem.rows.select(~short), parts=problem.parts[~short])
    assert coverage(fewer)["size"] == pytest.approx(0.6)


def test_it_speaks_of_baselines_that_exist():
    assert set(NEEDS) <= {b.name for b in trivial_baselines((0,))}
    assert set(coverage(problem_of())) == set(NEEDS)
