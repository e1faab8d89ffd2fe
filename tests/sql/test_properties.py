"""What holds for every input: unique records, no influence of row order, the same bytes again."""

from datetime import date

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modellens_core.schema import CLOSED, ModelFact, Tier, Unit, staging_tables
from modellens_core.store import sql
from modellens_core.store.lake import Lake
from tests.sql.lakes import corpus_queries, rebuild, report, rows, write_status

reports = st.builds(
    report,
    source=st.sampled_from(["hub", "board"]),
    tier=st.sampled_from(list(Tier)),
    raw_model=st.sampled_from(["o/a", "O/A", "o/b", "o/c", "Ours", "plain model"]),
    raw_dataset=st.sampled_from(["squad", "SQuAD", "glue/mrpc", "mmlu (5-shot)"]),
    raw_task=st.sampled_from([None, "question-answering", "text-classification"]),
    raw_metric=st.sampled_from(["accuracy", "Acc", "wer", "frobnication", "Params"]),
    value=st.sampled_from([0.0, 0.3, 0.912, 1.2, 12.5, 91.2, 130.0]),
    unit=st.sampled_from([None, Unit.PERCENT, Unit.PROPORTION]),
    lower_is_better=st.sampled_from([None, True, False]),
    verified=st.booleans(),
    evaluated_at=st.sampled_from([None, date(2024, 1, 1), date(2025, 1, 1)]),
    setting=st.sampled_from([{}, {"shots": 5}, {"model.precision": "int8"}]),
)
facts = st.builds(
    ModelFact,
    source=st.sampled_from(["hub", "board"]),
    raw_model=st.sampled_from(["o/a", "O/A", "o/d"]),
    params_b=st.sampled_from([None, 1.0, 7.0]),
    params_origin=st.sampled_from(["safetensors", "source"]),
    license=st.sampled_from([None, "mit", "apache-2.0"]),
)


def write_shuffled(lake: Lake, items, seed: int) -> None:
    for name, table in staging_tables(items).items():
        order = np.random.default_rng(seed).permutation(table.num_rows)
        lake.write(f"staging/all/{name}", table.take(order))
    lake.write("staging/all/closed", CLOSED.empty_table())
    write_status(lake, "all", "ok")


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(items=st.lists(st.one_of(reports, facts), min_size=3, max_size=40))
def test_any_reports_give_unique_records_in_any_order(tmp_path_factory, items):
    root = tmp_path_factory.mktemp("any")
    first, second = Lake(root / "1"), Lake(root / "2")
    for seed, lake in enumerate((first, second)):
        write_shuffled(lake, items, seed)
        rebuild(lake)
    broken = {
        check: first.query(sql.load(check)).to_pylist()
        for check in sql.names("checks")
        if sql.header(check, "severity") == "error"
    }
    assert {check: found for check, found in broken.items() if found} == {}
    records = rows(first, "records")
    identity = ("model_id", "dataset_id", "task_id", "metric_id", "setting")
    assert len({tuple(r[c] for c in identity) for r in records}) == len(records)
    assert sum(r["n_reports"] for r in records) == sum(
        r["reject_reason"] is None and r["score"] is not None for r in rows(first, "reports")
    )
    for table in corpus_queries():
        a, b = first.info(f"corpus/{table}"), second.info(f"corpus/{table}")
        assert a.sha256 == b.sha256, table


@pytest.mark.parametrize("table", corpus_queries())
def test_every_table_is_ordered_by_what_identifies_its_rows(table):
    """A SELECT without a total order gives other bytes on another run."""
    last = sql.load(f"corpus/{table}").rstrip().splitlines()[-1]
    assert last.startswith("ORDER BY ")
    assert sql.describe(f"corpus/{table}").startswith("One row per ")
