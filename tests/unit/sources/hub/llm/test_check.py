"""What stands the check and what does not: the table decides, whatever the answer says."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modellens_core.schema import Reject, Report
from modellens_core.sources.hub.bronze import answered_reader
from modellens_core.sources.hub.llm.check import MAX_RESULTS, read_answer
from modellens_core.sources.hub.llm.completion import Outcome, read_completion
from modellens_core.sources.hub.llm.prompt import question_of
from modellens_core.sources.hub.llm.schema import TableAnswer
from modellens_core.sources.hub.markdown_tables import Table
from modellens_core.sources.hub.readme_tables import open_readme, read_readme
from modellens_core.sources.hub.scores import Score
from modellens_core.sources.hub.table_reader import read_table
from tests.fakes.llm_server import honest, row
from tests.unit.sources.hub.llm.tables import NOW, README, REPO, check, said, table_of

GOLDEN = Path(__file__).parents[4] / "golden" / "readme_tables"


def test_an_honest_answer_becomes_scores_own_and_others():
    table, card = table_of(README)
    document = json.loads(question_of(table, card).message)
    scores, reasons = check(README, *honest(document)["results"])
    assert reasons == []
    assert sorted(map(said, scores), key=str) == [
        ("BERT-large", "MRPC", "F1", "89.3"),
        ("BERT-large", "SST-2", "accuracy", "94.9"),
        (None, "MRPC", "F1", "90.1"),
        (None, "SST-2", "accuracy", "94.5"),
    ]


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (row("glow-base", "MRPC", "F1", "99.9"), "llm_value_not_in_table"),
        (row("glow-base", "MRPC", "F1", "0.901"), "llm_value_not_in_table"),
        (row("glow-base", "MRPC", "F1", ""), "llm_value_not_in_table"),
        (row("evil/model", "MRPC", "F1", "90.1"), "llm_model_not_in_table"),
        (row("BERT-large", "MRPC", "F1", "90.1"), "llm_other_model"),  # another row's
        (row(None, "MRPC", "F1", "89.3"), "llm_other_model"),
        (row("BERT", "MRPC", "F1", "90.1"), "llm_other_model"),
        (row("glow-base", "CoLA", "F1", "90.1"), "llm_dataset_not_in_table"),
        (row("glow-base", "SST-2", "F1", "90.1"), "llm_dataset_not_in_table"),  # another column's
        (row("glow-base", "MRPC", "BLEU", "90.1"), "llm_other_metric"),
        (row("glow-base", "MRPC", "wisdom", "90.1"), "llm_other_metric"),
        (row("glow-base", "MRPC", "F1", "90.1", split="test"), "llm_setting_not_in_table"),
        (row("glow-base", "MRPC", "F1", "90.1", notes="5-shot"), "llm_setting_not_in_table"),
        (row("MRPC", "MRPC", "F1", "90.1"), "not_a_model"),
    ],
)
def test_a_row_the_table_does_not_bear_out_is_dropped_and_counted(result, reason):
    scores, reasons = check(README, result)
    assert scores == []
    assert reasons == [reason]


def test_a_repeated_row_counts_once():
    result = row("glow-base", "MRPC", "F1", "90.1")
    scores, reasons = check(README, result, result)
    assert [said(s) for s in scores] == [(None, "MRPC", "F1", "90.1")]
    assert reasons == ["llm_repeated"]


def test_one_cell_cannot_stand_for_two_things():
    text = README.replace("SST-2 (accuracy)", "MRPC (accuracy)")
    both = [row("glow-base", "MRPC", m, "90.1") for m in ("F1", "accuracy")]
    scores, reasons = check(text, *both)
    assert [s.metric for s in scores] == ["F1"]
    assert reasons == ["llm_repeated"]


def test_the_number_is_read_from_the_cell_not_from_the_answer():
    text = README.replace("90.1", "90.1% ± 0.3")
    scores, _ = check(text, row("glow-base", "MRPC", "F1", "90.10"))
    assert scores[0].value.text == "90.1% ± 0.3"
    assert scores[0].unit == "percent"


def test_sizes_and_errors_are_no_scores():
    text = """| Model | MMLU (accuracy) | Params |\n|---|---|---|\n| glow-base | 61.0 | 110 |\n"""
    scores, reasons = check(text, row("glow-base", "MMLU", "accuracy", "110"))
    assert (scores, reasons) == ([], ["llm_not_a_score"])


def test_the_setting_a_label_states_holds_even_if_the_answer_leaves_it_out():
    text = """| Model | MMLU 0-shot | MMLU 5-shot |\n|---|---|---|\n| glow-base | 49.2 | 51.8 |\n"""
    rows = [row("glow-base", "MMLU", None, v) for v in ("49.2", "51.8")]
    scores, reasons = check(text, *rows)
    assert reasons == []
    assert [(s.value.value, s.setting["shots"]) for s in scores] == [(49.2, "0"), (51.8, "5")]


def test_names_may_come_from_around_the_table_but_not_from_other_rows():
    text = "## Results on the IMDB test set\n\n| Method | Acc. |\n|---|---|\n| Ours | 93.4 |\n| BiLSTM | 88.1 |\n"
    rows = [
        row(None, "IMDB", "Accuracy", "93.4", split="test"),
        row("BiLSTM", "IMDB", "Acc", "88.1"),
    ]
    scores, reasons = check(text, *rows)
    assert reasons == []
    assert [said(s) for s in scores] == [
        (None, "IMDB", "Acc", "93.4"),
        ("BiLSTM", "IMDB", "Acc", "88.1"),
    ]
    assert {s.setting["split"] for s in scores} == {"test"}
    assert check(text, row(None, "IMDB", "Acc", "88.1"))[1] == ["llm_other_model"]


@pytest.mark.parametrize(
    ("head", "rows", "result", "reason"),
    [
        ("SQuAD (EM/F1)", "| Dim QA | 80.1/83.2 |", row("Dim QA", "SQuAD", "EM", "83.2"), "llm_other_metric"),
        ("IMDB (accuracy)", "| DeiT | 81.8 |\n| DeiT distilled | 83.4 |",
         row("DeiT", "IMDB", "accuracy", "83.4"), "llm_other_model"),
        ("IMDB (accuracy)", "| glow-13B | 81.8 |\n| BERT-13B | 83.4 |",
         row(None, "IMDB", "accuracy", "81.8"), "llm_other_model"),
        ("CaSum (rouge-1)", "| Dim | 43.9 |", row("Dim", "VilaSum", "rouge-1", "43.9"), "llm_dataset_not_in_table"),
    ],
)  # fmt: skip
def test_near_misses_are_dropped(head, rows, result, reason):
    text = f"| Model | {head} |\n|---|---|\n{rows}\n"
    assert check(text, result, repo_id="acme/glow-34b") == ([], [reason])


def test_a_language_is_no_model_where_the_column_says_language():
    text = "| Language | XNLI (accuracy) |\n|---|---|\n| Bengali | 77.8 |\n"
    assert check(text, row("Bengali", "XNLI", "accuracy", "77.8")) == ([], ["not_a_model"])
    scores, _ = check(text, row(None, "XNLI", "accuracy", "77.8"))
    assert [s.setting for s in scores] == [{"language": "Bengali"}]


def test_values_in_the_wrong_rows_are_dropped_whatever_the_table():
    """Every value of every golden table, moved to another of its rows: none becomes another record."""
    moved = kept = 0
    for path in sorted(GOLDEN.glob("*.json")):
        for case in json.loads(path.read_text("utf-8")):
            card, tables = open_readme("\n".join(case["readme"]), case.get("repo_id", REPO))
            for table in (t for t in tables if isinstance(t, Table)):
                truth = [s for s in read_table(table, card) if isinstance(s, Score)]
                values = [s.value.text for s in truth]
                rows = [
                    row(s.model, s.dataset, None if s.convention else s.metric, v)
                    for s, v in zip(truth, values[1:] + values[:1], strict=True)
                ]
                answer = TableAnswer.model_validate({"results": rows})
                got = {said(s) for s in read_answer(table, card, answer) if isinstance(s, Score)}
                moved += len(rows)
                kept += len(got - {said(s) for s in truth})
    assert moved > 80
    assert kept == 0


def test_the_score_of_one_class_is_never_the_whole_datasets():
    text = "## Results on CoNLL 2003\n\n| Model | F1 | F1 (ORG) |\n|---|---|---|\n| Ours | 91.2 | 88.0 |\n"
    for notes in (None, "ORG"):
        one_class = row(None, "CoNLL 2003", "F1", "88.0", notes=notes)
        assert check(text, one_class) == ([], ["llm_per_class"])
    scores, reasons = check(text, row(None, "CoNLL 2003", "F1", "91.2"))
    assert (len(scores), reasons) == (1, [])


def test_a_copied_card_does_not_own_what_its_table_says():
    text = README.replace("| glow-base | 90.1 | 94.5 |\n", "")
    text = text.replace("BERT-large", "this model")
    assert check(text, row(None, "MRPC", "F1", "89.3"))[0]
    unnamed = text.replace("| Model |", "| Run |").replace("this model", "best")
    copied = check(unnamed, row(None, "MRPC", "F1", "89.3"), repo_id="other/glow-base-GGUF")
    assert copied == ([], ["quantised_copy"])


def test_an_answer_that_never_ends_is_cut():
    many = [row("glow-base", "MRPC", "F1", "1.0")] * (MAX_RESULTS + 5)
    _, reasons = check(README, *many)
    assert reasons.count("llm_value_not_in_table") == MAX_RESULTS
    assert reasons.count("llm_too_many_results") == 1


def conditions(score):
    """What an answer has room for: the split, and one condition more."""
    others = [value for key, value in score.setting.items() if key != "split"]
    return {"split": score.setting.get("split"), "notes": others[0] if len(others) == 1 else None}


def test_true_answers_about_the_golden_tables_stand_the_check():
    """An answer that says just what the deterministic reader found is borne out, or dropped: never bent.

    What is dropped has more conditions than an answer can say, or names a linked repository.
    """
    right, wrong, all_scores = 0, [], 0
    for path in sorted(GOLDEN.glob("*.json")):
        for case in json.loads(path.read_text("utf-8")):
            card, tables = open_readme("\n".join(case["readme"]), case.get("repo_id", REPO))
            for table in (t for t in tables if isinstance(t, Table) and question_of(t, card)):
                truth = {said(s): s for s in read_table(table, card) if isinstance(s, Score)}
                rows = [
                    row(
                        s.model,
                        s.dataset,
                        None if s.convention else s.metric,
                        s.value.text,
                        **conditions(s),
                    )
                    for s in truth.values()
                ]
                answer = TableAnswer.model_validate({"results": rows})
                got = {said(s) for s in read_answer(table, card, answer) if isinstance(s, Score)}
                all_scores += len(truth)
                right += len(got & truth.keys())
                wrong += got - truth.keys()
    assert wrong == []
    assert right >= 0.85 * all_scores


# Whatever the service answers


def read_with(content, text=README):
    """Reports and rejects of a README whose table got this answer."""
    table, card = table_of(text)
    answer = {"answer": content, "model": "m", "prompt_version": "p"}
    read = answered_reader({question_of(table, card).table_hash: answer})
    return list(
        read_readme(text, REPO, source_url=None, source_revision=None, retrieved_at=NOW, read=read)
    )


WORDS = st.sampled_from(
    ["glow-base", "BERT-large", "MRPC", "SST-2", "F1", "accuracy", "evil/model", "CoLA", "test", ""]
)
NUMBERS = st.sampled_from(["90.1", "94.5", "89.3", "94.9", "99.9", "90.1%", "0.901", "1e3"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
RESULTS = st.fixed_dictionaries(
    {
        "model": st.none() | WORDS | st.text(max_size=30),
        "dataset": st.none() | WORDS | st.text(max_size=30),
        "metric": st.none() | WORDS | st.text(max_size=30),
        "value": NUMBERS | st.text(max_size=30),
        "split": st.none() | WORDS,
        "notes": st.none() | WORDS | st.text(max_size=30),
    }
)


@given(st.lists(RESULTS, max_size=8))
@settings(deadline=None)
def test_no_report_carries_a_number_or_a_name_that_is_not_in_the_table(results):
    items = read_with(json.dumps({"results": results}))
    reports = [i for i in items if isinstance(i, Report)]
    for report in reports:
        assert report.raw_value in {"90.1", "94.5", "89.3", "94.9"}
        assert float(report.raw_value) == report.value
        assert report.raw_model in {REPO, "BERT-large"}
        assert report.raw_dataset in {"MRPC", "SST-2"}
        own = report.raw_model == REPO
        assert own == (report.raw_value in {"90.1", "94.5"})
        assert (report.raw_dataset == "MRPC") == (report.raw_value in {"90.1", "89.3"})
        assert report.extractor.startswith("llm:m/p")
    assert len({r.report_id for r in reports}) == len(reports) <= 4
    assert all(isinstance(i, Report | Reject) for i in items)


@given(ANYTHING)
@settings(deadline=None)
def test_any_json_a_service_can_send_is_one_outcome(body):
    assert isinstance(read_completion(body).outcome, Outcome)
    content = json.dumps(body)
    message = {"choices": [{"finish_reason": "stop", "message": {"content": content}}]}
    assert read_completion(message).outcome in {Outcome.WRONG_SHAPE, Outcome.ANSWERED}
    message["choices"][0]["message"]["content"] = body
    assert isinstance(read_completion(message).outcome, Outcome)


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        ('{"results": []}', Outcome.ANSWERED),
        ('{"results": [', Outcome.NOT_JSON),
        ("[" * 100_000, Outcome.NOT_JSON),
        ('{"results": [{"model": "\ud800"}]}', Outcome.WRONG_SHAPE),
        ('{"results": [], "more": 1}', Outcome.WRONG_SHAPE),
        ("1" * 10_000, Outcome.NOT_JSON),
    ],
)
def test_contents(content, outcome):
    choice = {"finish_reason": "stop", "message": {"content": content}}
    assert read_completion({"choices": [choice]}).outcome is outcome


@pytest.mark.parametrize(
    "usage",
    [None, {}, {"prompt_tokens": -1, "completion_tokens": 1}, {"prompt_tokens": True, "completion_tokens": 1},
     {"prompt_tokens": 10**30, "completion_tokens": 1}, "many"],
)  # fmt: skip
def test_a_usage_that_cannot_be_is_unknown(usage):
    assert read_completion({"choices": [], "usage": usage}).usage is None
