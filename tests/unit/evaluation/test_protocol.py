"""The judge: what methods may see, which lists count, and that no accident of row order pays."""

from dataclasses import replace

import numpy as np
import pytest

from modellens_core.errors import ModelLensError
from modellens_core.evaluation.metrics import METRICS
from modellens_core.evaluation.protocol import GROUPS, evaluate
from modellens_core.evaluation.summary import summarise
from modellens_core.splits.completion import completion
from modellens_core.splits.parts import TEST, TRAIN, VAL, measurable_groups
from modellens_core.splits.problem import Problem
from tests.unit.splits.messy import REPUBLISHED, clean, messy


class Fixed:
    """Scores by a given function of the rows; remembers what it was shown."""

    def __init__(self, name, score, seed=0):
        self.name, self.seed, self._score = name, seed, score

    def fit(self, problem):
        self.problem = problem

    def score(self, rows):
        self.rows = rows
        return self._score(rows)


def knowing(problem: Problem, sign: float = 1.0):
    """A method that knows the truth by heart."""
    features, rows = problem.features, problem.rows
    truth = dict(
        zip(zip(rows.group.tolist(), rows.model.tolist(), strict=True), rows.y, strict=True)
    )
    assert features.n_models
    return lambda asked: np.array(
        [sign * truth[key] for key in zip(asked.group.tolist(), asked.model.tolist(), strict=True)]
    )


@pytest.fixture(scope="module")
def problem() -> Problem:
    features, rows = messy()
    return Problem(features, rows, completion(features, rows, 0), "completion")


def by_method(table, metric):
    return {
        name: table.filter(np.array(table["method"].to_pylist()) == name)[metric].to_numpy()
        for name in set(table["method"].to_pylist())
    }


def test_truth_is_perfect_its_reverse_is_not_and_a_constant_gets_nothing(problem):
    groups = evaluate(
        problem,
        [
            Fixed("truth", knowing(problem)),
            Fixed("reverse", knowing(problem, -1.0)),
            Fixed("constant", lambda rows: np.full(len(rows), 7.0)),
        ],
    ).groups
    tau = by_method(groups, "weighted_tau")
    assert tau["truth"] == pytest.approx(1.0)
    assert tau["reverse"] == pytest.approx(-1.0)
    assert (tau["constant"] == 0.0).all()
    assert (by_method(groups, "top1_regret_z")["truth"] == 0.0).all()
    assert (by_method(groups, "hit_at_1")["truth"] == 1.0).all()


def test_one_row_per_method_seed_and_measurable_list(problem):
    methods = [Fixed("a", lambda r: r.model * 1.0, seed) for seed in (0, 1)]
    groups = evaluate(problem, methods).groups
    test = problem.part(TEST)
    measured = measurable_groups(test)
    assert groups.schema == GROUPS
    assert groups.num_rows == 2 * measured.sum()
    assert set(groups["group_id"].to_pylist()) == set(problem.rows.group_ids[measured].tolist())
    sizes = dict(zip(groups["group_id"].to_pylist(), groups["n_models"].to_pylist(), strict=True))
    n = np.bincount(test.group, minlength=test.n_groups)
    assert sizes == {problem.rows.group_ids[g]: n[g] for g in np.flatnonzero(measured)}


def test_a_method_never_sees_a_hidden_score(problem):
    spy = Fixed("spy", lambda rows: np.zeros(len(rows)))
    evaluate(problem, [spy])
    assert set(spy.problem.parts) == {TRAIN, VAL}
    assert np.isnan(spy.rows.y).all()
    assert np.isnan(spy.rows.z).all()
    pairs = set(zip(spy.problem.rows.group.tolist(), spy.problem.rows.model.tolist(), strict=True))
    asked = set(zip(spy.rows.group.tolist(), spy.rows.model.tolist(), strict=True))
    assert not pairs & asked


def test_validation_can_be_judged_too_and_is_then_hidden(problem):
    spy = Fixed("spy", lambda rows: np.zeros(len(rows)))
    evaluate(problem, [spy], part=VAL)
    assert set(spy.problem.parts) == {TRAIN, TEST}


def test_row_order_is_no_way_to_win(problem):
    """Interactions come best first: scoring by position would be perfect if that order were kept."""
    groups = evaluate(
        problem,
        [
            Fixed("position", lambda rows: -np.arange(len(rows), dtype=float)),
            Fixed("constant", lambda rows: np.zeros(len(rows))),
        ],
    ).groups
    assert by_method(groups, "weighted_tau")["position"].mean() < 0.4
    assert by_method(groups, "paper_tau")["constant"].mean() < 0.4


@pytest.mark.parametrize(
    "bad",
    [
        lambda rows: np.where(np.arange(len(rows)) == 1, np.nan, 0.0),
        lambda rows: np.zeros(len(rows) - 1),
        lambda rows: np.full(len(rows), np.inf),
    ],
)
def test_scores_that_are_not_one_finite_number_per_row_are_refused(problem, bad):
    with pytest.raises(ModelLensError, match="'bad' must return one finite score per row"):
        evaluate(problem, [Fixed("bad", bad)])


def test_a_part_with_nothing_to_measure_is_refused():
    features, rows = clean(20, 6)
    problem = Problem(features, rows, np.full(len(rows), TRAIN), "none")
    with pytest.raises(ModelLensError, match="no test group that can be measured"):
        evaluate(problem, [])


def test_regret_counts_in_standard_deviations_of_the_whole_list():
    features, rows = clean(20, 12)
    problem = Problem(features, rows, np.where(rows.model < 8, TEST, TRAIN), "few")
    groups = evaluate(problem, [Fixed("worst", knowing(problem, -1.0))]).groups
    first = problem.part(TEST)
    first = first.select(first.group == 0)
    assert groups["top1_regret_z"][0].as_py() == pytest.approx(first.z.max() - first.z.min())
    assert groups["top1_regret_raw"][0].as_py() == pytest.approx(first.y.max() - first.y.min())


def test_families_that_the_split_joins_count_as_one():
    features, rows = messy()
    mirror = int(np.flatnonzero(features.dataset_ids == REPUBLISHED)[0])
    parts = np.where(np.isin(rows.dataset, [6, 9, mirror]), TEST, TRAIN)
    groups = evaluate(
        Problem(features, rows, parts, "new_datasets"), [Fixed("a", lambda r: r.model * 1.0)]
    ).groups
    unit_of = dict(
        zip(groups["dataset_family"].to_pylist(), groups["dataset_unit"].to_pylist(), strict=True)
    )
    assert len(unit_of) == 3
    assert unit_of[REPUBLISHED] == unit_of[str(features.dataset_family[6])]
    summary = summarise(groups, {})
    assert set(summary["n_families"].to_pylist()) == {2}


def test_models_without_training_rows_are_counted(problem):
    groups = evaluate(problem, [Fixed("a", lambda r: r.model * 1.0)]).groups
    assert groups["n_known_models"].to_pylist() == groups["n_models"].to_pylist()
    parts = np.where(
        np.isin(problem.rows.model, [0, 7]) & (problem.parts == TRAIN), "unused", problem.parts
    )
    groups = evaluate(replace(problem, parts=parts), [Fixed("a", lambda r: r.model * 1.0)]).groups
    assert sum(groups["n_known_models"].to_pylist()) < sum(groups["n_models"].to_pylist())


def test_metrics_of_short_lists_are_null():
    features, rows = clean(20, 12)
    problem = Problem(features, rows, np.where(rows.model < 5, TEST, TRAIN), "five")
    groups = evaluate(problem, [Fixed("a", lambda r: r.model * 1.0)]).groups
    assert set(groups["n_models"].to_pylist()) == {5}
    defined = {m.name for m in METRICS if groups[m.name].null_count == 0}
    assert {m.name for m in METRICS} - defined == {"hit_at_5", "recall_at_5", "recall_at_10"}
    assert groups["hit_at_5"].null_count == groups.num_rows
