"""The report says what the numbers say, and shows them."""

import re
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from modellens_core.evaluation import plots
from modellens_core.evaluation.metrics import METRICS
from modellens_core.evaluation.protocol import GROUPS
from modellens_core.evaluation.report import (
    METRIC_NOTES,
    ReportData,
    report_plots,
    report_text,
    verdict,
    write_report,
)
from modellens_core.evaluation.summary import differences, summarise

PNG = b"\x89PNG\r\n\x1a\n"
COUNTS = dict.fromkeys(
    ("rows", "groups", "measurable_groups", "models", "datasets", "dataset_families"), 1234
)


def groups_of(levels: dict[str, float], n_families: int = 12) -> pa.Table:
    """Each method at its level on every family; families differ, methods by a constant."""
    rng = np.random.default_rng(0)
    hardness = rng.normal(0, 0.05, n_families)
    rows = [
        {
            "protocol": "new_datasets", "method": method, "seed": 0, "group_id": f"g{i}",
            "dataset_family": f"f{i}", "dataset_unit": f"f{i}", "task_id": "t", "metric_id": "m",
            "n_models": 5 if i % 2 else 120, "n_known_models": 5,
            **{m.name: level + hardness[i] + 0.01 * rng.normal() for m in METRICS},
        }
        for method, level in levels.items()
        for i in range(n_families)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=GROUPS)


def data(levels: dict[str, float], **more) -> ReportData:
    groups = groups_of(levels, **more)
    return ReportData(
        ours="modellens",
        groups=groups,
        summary=summarise(groups, dict.fromkeys(levels, 0.25)),
        differences=differences(groups, "modellens"),
        manifests={
            "new_datasets": {
                "hash": "abc123", "interactions_hash": "def456", "seed": 7, "builder_version": 1,
                "leaks": {"clone": 0, "alias": 0}, "parts": {"train": COUNTS, "val": COUNTS, "test": COUNTS},
            }
        },
        coverage={"new_datasets": {"size": 0.9, "popularity": 0.1, "model_mean": 1.0}},
        curves={"new_datasets, seed 0": [(0, 0.1), (1, 0.3), (2, 0.2)]},
        corpus_counts={"models": 47000},
        scores={f"metric {i}": np.random.default_rng(i).normal(size=50 + i) for i in range(12)},
        size_prior=(np.linspace(0, 1, 21), ["unknown", *(f"<{i}B" for i in range(20))]),
        notes=("A note.",),
    )  # fmt: skip


LEVELS = {"modellens": 0.5, "random": 0.0, "size": 0.2, "model_mean": 0.5, "model_task_mean": 0.6}


def test_the_first_paragraph_says_plainly_what_is_beaten_and_what_is_not():
    first = report_text(data(LEVELS)).split("\n\n")[1]
    assert first == verdict(data(LEVELS))
    assert "On **new_datasets** (12 lists of 12 dataset families, 1 seed)" in first
    assert "It beats random and size." in first
    assert re.search(r"\*\*does not beat\*\* model_task_mean: it is worse -0\.\d+ \[-", first)
    assert re.search(r"\*\*does not beat\*\* model_mean: the difference is", first)
    assert "no proof" not in first


def test_a_ranker_that_beats_nothing_is_not_praised():
    worst = {"modellens": -0.5, "random": 0.0, "size": 0.2}
    said = verdict(data(worst))
    assert "It beats" not in said
    assert said.count("does not beat") == 2


def test_a_lead_within_its_interval_is_no_win():
    given = data({"modellens": 0.507, "size": 0.5})
    lead = given.differences.to_pylist()[0]
    assert lead["low"] < 0 < lead["mean"]
    assert "**does not beat** size: the difference is +" in verdict(given)
    assert "It beats" not in verdict(given)
    assert report_text(given).count("does not beat it") == 1


CONTROL = "modellens, other text"


def with_control(level: float, known: float = 0.0, **more) -> ReportData:
    given = data({"modellens": 0.5, CONTROL: level, "random": 0.0, "size": 0.6}, **more)
    return replace(given, control=CONTROL, dataset_coverage={"new_datasets": known})


def test_what_the_description_adds_is_said_and_is_no_win():
    said = verdict(with_control(0.48))
    assert re.search(
        r"What the description adds: \+0\.0[12]\d \[\+0\.\d+, \+0\.\d+\], against the same", said
    )
    assert "It beats random." in said
    assert CONTROL not in said
    assert re.search(r"not measurable here\*\*: [+-]0\.00\d \[-", verdict(with_control(0.5)))
    assert CONTROL not in verdict(with_control(0.5))
    assert re.search(r"less than nothing\*\*: -0\.\d+ \[-", verdict(with_control(0.6)))
    known = verdict(with_control(0.48, known=1.0))
    assert "What the description and the learned id add: +" in known
    assert "a random other dataset, without the dataset's id." in known
    assert "description" not in verdict(data(LEVELS))
    few = "no proof, and neither is what the description adds."
    assert few in verdict(with_control(0.4, n_families=4))
    assert few not in verdict(with_control(0.4))
    assert few not in verdict(with_control(0.5, n_families=4))


def test_the_control_is_in_the_tables_and_called_one_but_not_among_the_baselines():
    given = with_control(0.48)
    text = report_text(given)
    assert f"| metric | lists | families | modellens | {CONTROL} | random |" in text
    assert f"`{CONTROL}` is a control, not a baseline. What the description adds: +" in text
    assert f"| {CONTROL} | +" not in text
    bare = replace(
        given,
        summary=given.summary.filter(pc.field("method") != CONTROL),
        groups=given.groups.filter(pc.field("method") != CONTROL),
    )
    assert report_plots(given) == report_plots(bare)


def test_the_served_ranker_is_said_to_be_untested():
    assert "it is itself never tested" in report_text(data(LEVELS))


def test_few_families_are_pointed_out():
    assert "With 4 families a bootstrap interval is too narrow" in verdict(
        data(LEVELS, n_families=4)
    )


def test_being_ahead_of_a_baseline_that_knows_nothing_is_called_little():
    levels = {"modellens": 0.5, "size": 0.2, "popularity": 0.1}
    said = (
        "Being ahead of popularity says little: known of the ranked models are downloads for 10%."
    )
    assert said in verdict(data(levels))
    assert "says little" not in verdict(data({"modellens": 0.5, "size": 0.2}))
    assert "says little" not in verdict(data({"modellens": 0.0, "popularity": 0.2}))
    assert "know of the ranked models: size of 90% (`size`), downloads of 10%" in report_text(
        data(levels)
    )


def test_a_small_validation_part_is_pointed_out():
    given = data(LEVELS)
    manifest = given.manifests["new_datasets"]
    few = {**COUNTS, "dataset_families": 3, "measurable_groups": 7}
    small = {"new_datasets": {**manifest, "parts": {**manifest["parts"], "val": few}}}
    said = "stopped on 7 validation lists of 3 dataset families"
    assert said in verdict(replace(given, manifests=small))
    assert "validation" not in verdict(given)


def test_every_method_and_metric_is_in_the_tables_with_its_interval():
    given = data(LEVELS)
    text = report_text(given)
    for least in (5, 10):
        assert f"### Lists of at least {least} models" in text
    assert "| metric | lists | families | modellens | random | size |" in text
    for row in given.summary.to_pylist():
        cell = f"{row['mean']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
        assert cell in text
    for name in METRIC_NOTES:
        assert f"| {name} | " in text
        assert f"- `{name}`: " in text
    assert set(METRIC_NOTES) == set(given.summary["metric"].to_pylist())


def test_origin_and_rules_are_stated():
    text = report_text(data(LEVELS))
    for said in (
        "Split seed 7", "`abc123`", "`def456`", "leaks found by the audit: 0", "| models | 47,000 |",
        "count as one dataset family", "Test lists were used for this report only", "- A note.", "| train | 1,234 |",
    ):  # fmt: skip
        assert said in text


def test_tables_are_well_formed():
    lines = report_text(data(LEVELS)).splitlines()
    for i, line in enumerate(lines):
        if re.fullmatch(r"\|[-:|]+\|", line):
            width = line.count("|")
            assert lines[i - 1].count("|") == width
            for row in lines[i + 1 :]:
                if not row.startswith("|"):
                    break
                assert row.count("|") == width


def test_every_picture_exists_and_none_is_left_over(tmp_path):
    path = write_report(tmp_path / "out", data(LEVELS))
    shown = set(re.findall(r"!\[[^\]]+\]\(([^)]+)\)", path.read_text("utf-8")))
    assert {p.name for p in path.parent.iterdir()} == shown | {"report.md"}
    assert all((path.parent / name).read_bytes().startswith(PNG) for name in shown)


def test_what_is_not_known_is_not_shown(tmp_path):
    bare = replace(data(LEVELS), curves={}, scores={}, size_prior=None, notes=())
    path = write_report(tmp_path, bare)
    shown = set(re.findall(r"\(([^)]+\.png)\)", path.read_text("utf-8")))
    assert shown == {"tau-new_datasets.png", "size-new_datasets.png"} == set(report_plots(bare))


def test_equal_numbers_give_equal_files(tmp_path):
    for name in ("a", "b"):
        write_report(tmp_path / name, data(LEVELS))
    files = sorted(p.name for p in (tmp_path / "a").iterdir())
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize(
    "png",
    [
        lambda: plots.validation_curves({}),
        lambda: plots.validation_curves({"one point": [(0, 0.2)], "none": []}),
        lambda: plots.score_distributions({"constant": np.ones(3)}),
        lambda: plots.tau_by_method(data(LEVELS).summary, "absent", "modellens"),
        lambda: plots.tau_by_group_size(groups_of({"a": 0.1}, n_families=1), "new_datasets", "b"),
    ],
)
def test_plots_bear_little_data(png):
    assert png().startswith(PNG)
