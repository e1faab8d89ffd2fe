"""Labels must be read as they are written, and a report may only match what it really says."""

import hashlib
import sys
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from modellens_core.schema import Report, Tier
from tests.bench import golden_tables
from tests.bench.golden_scores import figures, score_card, total
from tests.bench.labels import (
    LEVELS,
    assign,
    parse_cell,
    parse_labels,
    says,
    table_span,
    touches,
)
from tests.bench.spellings import number

OWN = "lab/tiny-net"
DEV = golden_tables.LABELS / "dev.yaml"
README = """# Tiny net

| Model | SST-2 (acc) | Secret set |
|---|---|---|
| tiny-net | 0.91 | 0.5 |
| big-net | 0.95 | 0.6 |

Speed:

| Model | ms | SST-2 (acc) |
|---|---|---|
| tiny-net | 12 | 0.77 |
"""
LABELS = f"""
- repo: {OWN}
  sha256: {"0" * 64}
  line: 3
  tags: [models_in_rows]
  own: {OWN}
  cells: |
    0.91 | {OWN} | SST-2 | accuracy
    0.95 | big-net | SST-2 | accuracy | split=test
    0.5 | {OWN} | ? | accuracy
    ~ 0.6 | big-net | ? | ?
"""


def report(value, model=OWN, dataset="SST-2", metric="accuracy", **other):
    fields = {"raw_value": str(value), "value": number(str(value)), **other}
    return Report(
        source="hub", tier=Tier.BRONZE, raw_model=model, raw_dataset=dataset, raw_metric=metric,
        retrieved_at=datetime(2022, 1, 1, tzinfo=UTC), extractor="test", **fields,
    )  # fmt: skip


def scores(reports, text=README, labels=LABELS):
    """Score reports that vanish with the line of their number."""
    tables = parse_labels(labels)
    return score_card(text, tables, lambda t, _: [r for r in reports if r.raw_value in t])


def counts(scored, level="all"):
    count = total(scored, level)
    return count.found, count.false, count.demanded


class TestParsing:
    def test_all_parts_of_a_cell(self):
        cell = parse_cell(
            "~ 88.3 | a/b ; B | XNLI fr ; xnli/fr | EM | split=test shots=5 convention"
        )
        assert cell.value == "88.3"
        assert cell.model == ("a/b", "B")
        assert cell.dataset == ("XNLI fr", "xnli/fr")
        assert cell.metric == ("EM",)
        assert cell.extras == {"split": "test", "shots": "5"}
        assert cell.optional
        assert cell.convention

    def test_extras_may_be_spread_over_fields_and_hold_blanks(self):
        cell = parse_cell("1 | a | b | WER | decoding=without LM | split=test | convention")
        assert cell.extras == {"decoding": "without LM", "split": "test"}
        assert cell.convention

    def test_convention_may_stand_in_the_metric(self):
        cell = parse_cell("52.1 | a | CoLA | Matthews (convention)")
        assert cell.metric == ("Matthews",)
        assert cell.convention

    def test_what_a_card_does_not_say(self):
        cell = parse_cell("1 | a | ? | accuracy")
        assert not cell.answerable
        assert [level for level in LEVELS if cell.knows(level)] == [
            "value_model",
            "value_model_metric",
        ]

    @pytest.mark.parametrize("line", ["0.5 | a | b", "0.5 | a |  | acc", "high | a | b | acc"])
    def test_a_broken_cell_is_an_error(self, line):
        with pytest.raises(ValueError, match=r"value \| model|could not convert"):
            parse_cell(line)

    def test_an_error_names_the_table(self):
        with pytest.raises(ValueError, match="lab/tiny-net line 3"):
            parse_labels(LABELS.replace("0.91 |", "0.91"))

    def test_a_table_is_labelled_once(self):
        with pytest.raises(ValueError, match="twice"):
            parse_labels(LABELS + LABELS)

    def test_a_table_without_results(self):
        (table,) = parse_labels("[{repo: a/b, sha256: x, line: 1, tags: [log], cells: ''}]")
        assert table.cells == ()
        assert table.own == "a/b"

    @pytest.mark.parametrize(
        ("text", "value"), [("1,234", 1234), ("1,234.5", 1234.5), ("34,8", 34.8), (".194", 0.194)]
    )
    def test_commas(self, text, value):
        assert number(text) == value


class TestSpan:
    def test_pipe_table_ends_at_the_first_line_without_pipe(self):
        assert table_span(README.split("\n"), 3) == range(2, 6)

    def test_html_table_ends_at_its_own_closing_tag(self):
        lines = ["<table>", "<tr><td><table>", "</table></td></tr>", "</table>", "after"]
        assert table_span(lines, 1) == range(4)
        assert table_span(lines, 2) == range(1, 3)
        assert table_span(["<table>", "never closed"], 1) == range(2)

    @pytest.mark.parametrize("line", [0, 1, 99])
    def test_no_table_there(self, line):
        with pytest.raises(ValueError, match="line"):
            table_span(README.split("\n"), line)


class TestMatching:
    @pytest.mark.parametrize(
        ("said", "label", "same"),
        [
            ("BERT-base_uncased", "bert-base-uncased", True),
            ("google/bert-base", "BERT base", True),
            ("google/bert-base", "google/bert-base", True),
            ("google/bert-base", "other/bert-base", False),
            ("bert-base", "bert-large", False),
            ("33B", "LLaMA 33B", False),
            ("B", "a/x ; B", True),
        ],
    )
    def test_model(self, said, label, same):
        cell = parse_cell(f"1 | {label} | SST-2 | acc")
        assert says(report(1, model=said), cell, "value_model") is same

    @pytest.mark.parametrize(
        ("said", "setting", "label", "same"),
        [
            ("sst2", {}, "SST-2", True),
            ("Common Voice", {"language": "Turkish"}, "Common Voice (tr)", True),
            ("Common Voice Turkish test set", {}, "Common Voice (tr)", True),
            ("Common Voice", {}, "Common Voice (tr)", False),
            ("Common Voice German", {}, "Common Voice (tr)", False),
            ("GSM-8K (8-shot, CoT)", {}, "GSM8K", True),
            ("SQuAD 2.0", {}, "SQuAD", False),
            ("MyCorpus news", {}, "MyCorpus", False),
            ("XNLI fr", {}, "MNLI ; XNLI", True),
            ("French", {}, "XNLI fr", False),
        ],
    )
    def test_dataset(self, said, setting, label, same):
        cell = parse_cell(f"1 | {OWN} | {label} | acc")
        item = report(1, dataset=said, setting=setting)
        assert says(item, cell, "value_model_dataset") is same

    @pytest.mark.parametrize(
        ("said", "label", "same"),
        [
            ("Acc.", "accuracy", True),
            ("word error rate", "WER", True),
            ("Valid WER", "WER | split=validation", True),
            ("Valid WER", "WER", False),
            ("macro F1", "F1", False),
            ("이해가능성", "understandability ; 이해가능성", True),
        ],
    )
    def test_metric(self, said, label, same):
        cell = parse_cell(f"1 | {OWN} | SST-2 | {label}")
        assert says(report(1, metric=said), cell, "value_model_metric") is same

    def test_value_as_written(self):
        assert says(report("34,8"), parse_cell(f"34.8 | {OWN} | SST-2 | acc"), "all")
        assert not says(report(0.348), parse_cell(f"34.8 | {OWN} | SST-2 | acc"), "all")

    def test_an_unknown_matches_nothing_or_anything(self):
        cell = parse_cell(f"1 | {OWN} | ? | acc")
        assert not says(report(1), cell, "all")
        assert touches(report(1), cell, "all")
        assert not touches(report(1, metric="WER"), cell, "all")

    def test_as_many_pairs_as_possible(self):
        cells = [
            parse_cell(f"1 | {OWN} | SST-2 ; MNLI | acc"),
            parse_cell(f"1 | {OWN} | SST-2 | acc"),
        ]
        assert assign(cells, [report(1), report(1, dataset="MNLI")], "all") == {0: 1, 1: 0}


class TestScores:
    def test_all_right(self):
        right = [report(0.91), report(0.95, model="big-net")]
        assert counts(scores(right)) == (2, 0, 2)

    def test_missed_and_wrong(self):
        scored = scores([report(0.95, model="big-net", dataset="MNLI")])
        assert counts(scored) == (0, 1, 2)
        assert counts(scored, "value_model") == (1, 0, 2)
        assert scored[0].missed == [
            f"0.91 | {OWN} | SST-2 | accuracy",
            "0.95 | big-net | SST-2 | accuracy",
        ]
        assert scored[0].false == ["0.95 | big-net | MNLI | accuracy"]

    def test_one_report_finds_one_cell_and_a_second_is_false(self):
        twice = [report(0.91), report(0.91, setting={"split": "test"})]
        assert counts(scores(twice)) == (1, 1, 2)

    def test_what_the_card_does_not_say_must_be_refused(self):
        scored = scores([report(0.5, dataset="Secret set")])
        assert counts(scored) == (0, 1, 2)
        assert counts(scored, "value_model") == (0, 0, 2)  # cannot be judged there

    def test_an_optional_cell_is_neither_demanded_nor_punished(self):
        assert counts(scores([report(0.6, model="big-net", dataset="Secret set")])) == (0, 0, 2)
        assert counts(scores([report(0.6, dataset="Secret set")])) == (0, 1, 2)  # another model

    def test_reports_of_other_tables_do_not_count(self):
        assert counts(scores([report(0.77)])) == (0, 0, 2)

    def test_a_report_that_stays_without_the_table_comes_from_elsewhere(self):
        tables = parse_labels(LABELS)
        scored = score_card(
            README, tables, lambda *_: [report(0.95, model="tiny-net", dataset="?")]
        )
        assert counts(scored) == (0, 0, 2)

    def test_a_table_without_results_and_the_means_over_tables(self):
        empty = f"""
- repo: {OWN}
  sha256: {"0" * 64}
  line: 10
  tags: [speed]
  cells: ""
"""
        scored = scores([report(0.91), report(12, metric="ms")], labels=LABELS + empty)
        result = figures(scored)
        every = result["levels"]["all"]
        assert (every["precision"], every["recall"]) == (0.5, 0.5)
        assert (every["macro_precision"], every["macro_recall"]) == (0.5, 0.5)
        assert result["by_tag"]["speed"]["precision"] == 0
        assert result["by_tag"]["speed"]["recall"] is None
        assert result["tables_without_results"] == {"tables": 1, "with_a_report": 1}
        assert result["cells"] == {"demanded": 2, "optional": 1, "not_said": 1}


class TestCommand:
    def cards(self, folder: Path) -> Path:
        path = folder / f"models/{OWN}/README.md"
        path.parent.mkdir(parents=True)
        path.write_text(README, encoding="utf-8")
        return folder

    def test_cards_from_a_folder_and_from_a_tar_file(self, tmp_path):
        folder = self.cards(tmp_path / "cards")
        with tarfile.open(tmp_path / "cards.tar.xz", "w:xz") as archive:
            archive.add(folder / "models", "models")
        for origin in (folder, tmp_path / "cards.tar.xz"):
            found = golden_tables.read_cards(origin, [OWN, "lab/absent"])
            assert found == {OWN: README.encode()}

    def test_another_version_of_a_card_is_not_scored(self):
        tables = parse_labels(LABELS)
        cards = {OWN: README.encode()}
        assert golden_tables.measure(tables, cards, lambda *_: [])[1] == [OWN]
        right = LABELS.replace("0" * 64, hashlib.sha256(cards[OWN]).hexdigest())
        scored, other = golden_tables.measure(parse_labels(right), cards, lambda *_: [])
        assert len(scored) == 1
        assert other == []

    def test_the_held_out_part_cannot_be_looked_at(self, monkeypatch, capsys):
        monkeypatch.setattr(sys, "argv", ["golden_tables", "--part", "held_out", "--show", "3"])
        with pytest.raises(SystemExit):
            golden_tables.main()
        assert "refused" in capsys.readouterr().err

    def test_absent_cards_are_skipped_with_a_word(self, monkeypatch, capsys, tmp_path):
        monkeypatch.setattr(sys, "argv", ["golden_tables", "--cards", str(tmp_path / "none")])
        golden_tables.main()
        assert "skipped: no cards" in capsys.readouterr().out

    def test_printing(self, capsys):
        scored = scores([report(0.91), report(0.5)])
        golden_tables.show(Console(width=160), {**figures(scored)}, "title")
        golden_tables.show_worst(Console(width=160), scored, 1)
        printed = capsys.readouterr().out
        assert "value model dataset" in printed
        assert "missed 0.95 | big-net | SST-2 | accuracy" in printed


def test_development_labels_are_whole_and_keep_to_their_part():
    tables = parse_labels(DEV.read_text(encoding="utf-8"))
    assert len(tables) >= 84
    for table in tables:
        assert hashlib.sha256(table.repo.encode()).hexdigest()[0] not in "cdef"
        assert len(table.sha256) == 64
        assert table.own == table.repo
        results = not {"no_results", "log"} & set(table.tags)
        assert bool(table.cells) is results, table.repo
