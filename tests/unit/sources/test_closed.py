"""What a source no longer says is closed once, and only if it was the source that changed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from modellens_core.schema import CLOSED, Report, Tier, staging_tables
from modellens_core.sources.closed import closed_reports

AT = datetime(2026, 3, 1, tzinfo=UTC)


def report(model, value=90.0, **said):
    usual = {
        "source": "hub", "tier": Tier.SILVER, "raw_model": model, "raw_dataset": "squad",
        "raw_metric": "f1", "raw_value": str(value), "value": value, "extractor": "silver/1",
        "source_url": f"https://hub.test/{model}", "source_revision": "one", "retrieved_at": AT,
    }  # fmt: skip
    return Report(**(usual | said))


def table(*reports):
    return staging_tables(reports)["reports"]


def models(closed):
    return closed["raw_model"].to_pylist()


def test_the_first_reading_closes_nothing():
    closed = closed_reports(table(report("a/a")), None, None, AT)
    assert closed.schema.equals(CLOSED)
    assert closed.num_rows == 0


def test_a_card_that_is_gone_closes_its_reports():
    before = table(report("a/a"), report("b/b"))
    closed = closed_reports(table(report("b/b")), before, None, AT)
    assert models(closed) == ["a/a"]
    assert closed["closed_at"].to_pylist() == [AT]
    assert closed["raw_value"].to_pylist() == ["90.0"]


def test_a_corrected_value_closes_the_old_one():
    before = table(report("a/a", 90.0))
    closed = closed_reports(table(report("a/a", 91.0, source_revision="two")), before, None, AT)
    assert closed["raw_value"].to_pylist() == ["90.0"]


def standing(**revisions):
    """What stands at the addresses of models now; None is gone, an address left out was not looked at."""
    return lambda _urls: {f"https://hub.test/{m}/{m}": r for m, r in revisions.items()}


def test_our_own_reading_closes_nothing():
    before = table(report("a/a", 90.0), report("a/a", 80.0, raw_metric="em"), report("b/b"))
    now = table(report("a/a", 90.0), report("b/b", 91.0, extractor="silver/2"))
    assert closed_reports(now, before, None, AT, standing(a="one", b="one")).num_rows == 0
    assert models(closed_reports(now, before, None, AT, standing(a="one", b="two"))) == ["b/b"]


def test_what_we_no_longer_look_at_is_not_closed():
    before = table(report("a/a"), report("b/b"))
    assert closed_reports(table(report("b/b")), before, None, AT, standing(b="one")).num_rows == 0
    closed = closed_reports(table(report("b/b")), before, None, AT, standing(a=None, b="one"))
    assert models(closed) == ["a/a"]


def test_without_revisions_a_parser_of_another_version_closes_nothing():
    before = table(report("a/a"))
    other = table(report("a/a", 91.0, extractor="silver/2"))
    assert closed_reports(other, before, None, AT).num_rows == 0


def test_when_everything_disappears_everything_is_closed():
    before = table(report("a/a"), report("b/b"))
    assert models(closed_reports(table(), before, None, AT)) == ["a/a", "b/b"]
    gone = closed_reports(table(), before, None, AT, standing(a=None, b=None))
    assert models(gone) == ["a/a", "b/b"]


def test_what_is_closed_stays_closed_since_then_until_it_is_reported_again():
    both, one = table(report("a/a"), report("b/b")), table(report("b/b"))
    closed = closed_reports(one, both, None, AT)
    later = closed_reports(one, one, closed, AT + timedelta(days=1))
    assert later.equals(closed)
    assert closed_reports(both, one, later, AT + timedelta(days=2)).num_rows == 0


def test_a_reading_that_was_stopped_is_repeated_without_double():
    both, one = table(report("a/a"), report("b/b")), table(report("b/b"))
    closed = closed_reports(one, both, None, AT)
    again = closed_reports(one, both, closed, AT + timedelta(hours=1))
    assert again.equals(closed)


@given(st.lists(st.sets(st.sampled_from("abcdef")), min_size=2, max_size=6))
def test_every_report_ever_made_is_open_or_closed(readings):
    """One card per letter; every one of them was looked at."""
    before = closed = None
    seen = set()
    for at, letters in enumerate(readings):
        now = table(*(report(f"{x}/{x}") for x in sorted(letters)))
        gone = standing(**{x: "one" if x in letters else None for x in "abcdef"})
        closed = closed_reports(now, before, closed, AT + timedelta(days=at), gone)
        seen |= letters
        assert set(models(closed)) == {f"{x}/{x}" for x in seen - letters}
        before = now


def test_rows_of_the_same_text_differ_by_their_place():
    moved = replace(report("a/a"), source_url="https://hub.test/other")
    closed = closed_reports(table(moved), table(report("a/a"), moved), None, AT)
    assert closed["source_url"].to_pylist() == ["https://hub.test/a/a"]
