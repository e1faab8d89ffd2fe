"""What is refused and why, and which disagreements are findings rather than rounding."""

from collections import Counter

import pytest

from modellens_core.schema import Reject, Tier, Unit
from modellens_core.store import sql
from tests.sql.lakes import corpus_of, report, rows, write_status


def test_everything_staged_is_a_report_or_a_reject_with_its_reason(tmp_path):
    staged = Reject(
        source="hub", tier=Tier.BRONZE, where="o/r README", reason="aggregate", raw="Avg"
    )
    lake = corpus_of(
        tmp_path,
        staged,
        report(),
        report(raw_model="ours", value=80.0),
        report(raw_metric="Number of params", value=110.0),
        report(raw_metric="f1", unit=Unit.PERCENT, value=130.0),
        report(raw_metric="accuracy", value=2317.0),
        report(raw_metric="wer", unit=Unit.PERCENT, value=130.0),
    )
    rejects = rows(lake, "rejects")
    assert Counter(r["reason"] for r in rejects) == {
        "aggregate": 1, "not_a_model": 1, "not_a_quality_metric": 1, "out_of_range": 2,
    }  # fmt: skip
    assert {r["raw"] for r in rejects if r["reason"] == "out_of_range"} == {"130.0", "2317.0"}
    assert [r["report_id"] for r in rejects if r["reason"] == "aggregate"] == [None]
    # 130 % of words wrong is possible
    assert sorted(r["metric_id"] for r in rows(lake, "records")) == ["accuracy", "wer"]


@pytest.mark.parametrize(
    ("winner", "loser", "tolerance", "conflict"),
    [
        (("91.2", 91.2, Unit.PERCENT), ("91.3", 91.3, Unit.PERCENT), 0.001, False),
        (("91.2", 91.2, Unit.PERCENT), ("91.4", 91.4, Unit.PERCENT), 0.001, True),
        (("91.25", 91.25, Unit.PERCENT), ("0.9130", 0.913, Unit.PROPORTION), 0.001, False),
        (("91.25", 91.25, Unit.PERCENT), ("91", 91.0, Unit.PERCENT), 0.005, False),
        (("91.6", 91.6, Unit.PERCENT), ("91", 91.0, Unit.PERCENT), 0.005, True),
        (("92.1%", 92.1, Unit.PERCENT), ("0.9", 0.9, Unit.PROPORTION), 0.05, False),
        (("91.20 (±0.3)", 91.2, Unit.PERCENT), ("91.35", 91.35, Unit.PERCENT), 0.001, True),
    ],
)
def test_a_conflict_is_more_than_rounding(tmp_path, winner, loser, tolerance, conflict):
    won = report(tier=Tier.GOLD, raw_value=winner[0], value=winner[1], unit=winner[2])
    lost = report(raw_value=loser[0], value=loser[1], unit=loser[2])
    lake = corpus_of(tmp_path, won, lost)
    (record,) = rows(lake, "records")
    assert record["n_reports"] == 2
    found = rows(lake, "conflicts")
    assert len(found) == conflict
    if found:
        assert (found[0]["winner_report_id"], found[0]["loser_report_id"]) == (
            won.report_id,
            lost.report_id,
        )
        assert found[0]["spread"] == pytest.approx(record["spread"])
        assert found[0]["tolerance"] == pytest.approx(tolerance)


def test_scores_on_a_scale_of_their_own_conflict_by_their_last_digit(tmp_path):
    def perplexity(text, **said):
        return report(raw_metric="perplexity", raw_value=text, value=float(text), **said)

    lake = corpus_of(
        tmp_path, perplexity("18.2", tier=Tier.GOLD), perplexity("18.24"), perplexity("18.4")
    )
    assert [c["loser_raw_value"] for c in rows(lake, "conflicts")] == ["18.4"]


def test_sources_say_what_came_of_them_and_how_they_fared(tmp_path):
    lake = corpus_of(
        tmp_path,
        report(),
        report(raw_model="o/x", raw_metric="frobnication"),
        board=[report(source="board_v1", tier=Tier.LEADERBOARD)],
    )
    write_status(lake, "board", "partial", rows=7, detail="one column is gone")
    write_status(lake, "silent", "unreachable", detail="no answer")
    lake.write_query("corpus/sources", sql.load("corpus/sources"))
    assert [r["source"] for r in rows(lake, "sources")] == ["board_v1", "hub", "silent"]
    found = {r["source"]: r for r in rows(lake, "sources")}
    assert (found["board_v1"]["state"], found["board_v1"]["n_read"]) == ("partial", 7)
    assert (found["hub"]["n_reports"], found["hub"]["n_records"]) == (2, 1)
    assert found["hub"]["n_unknown_direction"] == 1
    assert found["silent"]["state"] == "unreachable"
    assert found["silent"]["detail"] == "all: no answer"
