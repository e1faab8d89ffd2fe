"""The reader of README tables: golden cases, and what must hold for any text."""

import json
import random
import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modellens_core.schema import Reject, Report, ReportedBy, Tier, canonical_setting
from modellens_core.sources.hub.cells import linked_dataset, linked_model, visible
from modellens_core.sources.hub.html_tables import html_tables
from modellens_core.sources.hub.labels import read_label
from modellens_core.sources.hub.markdown_tables import MAX_TEXT, Table, Unread, read_tables
from modellens_core.sources.hub.readme_tables import CONVENTION, EXTRACTOR, read_readme

NOW = datetime(2026, 1, 2, tzinfo=UTC)
GOLDEN = Path(__file__).parents[3] / "golden" / "readme_tables"
CASES = [
    pytest.param(case, id=f"{path.stem}: {case['name']}")
    for path in sorted(GOLDEN.glob("*.json"))
    for case in json.loads(path.read_text(encoding="utf-8"))
]


def read(text: str, repo_id: str = "acme/glow-base") -> list[Report | Reject]:
    return list(
        read_readme(
            text,
            repo_id,
            source_url="https://hub.test/acme/glow-base",
            source_revision="a" * 40,
            retrieved_at=NOW,
        )
    )


def reports(items: Iterable[Report | Reject]) -> list[Report]:
    return [i for i in items if isinstance(i, Report)]


def rejects(items: Iterable[Report | Reject]) -> list[Reject]:
    return [i for i in items if isinstance(i, Reject)]


def plain(report: Report) -> dict[str, object]:
    """A report in the words of the golden files: only what differs from the defaults."""
    said: dict[str, object] = {
        "model": report.raw_model,
        "dataset": report.raw_dataset,
        "metric": report.raw_metric,
        "raw_value": report.raw_value,
        "value": report.value,
    }
    if report.setting:
        said["setting"] = dict(report.setting)
    if report.unit is not None:
        said["unit"] = str(report.unit)
    if report.lower_is_better is not None:
        said["lower"] = report.lower_is_better
    if report.extractor.endswith(CONVENTION):
        said["convention"] = True
    return said


def dumped(rows: Iterable[object]) -> list[str]:
    return sorted(json.dumps(r, sort_keys=True, ensure_ascii=False) for r in rows)


@pytest.mark.parametrize("case", CASES)
def test_golden_case(case):
    items = read("\n".join(case["readme"]), case["repo_id"])
    wanted = [
        {"value": float(r["raw_value"].rstrip("% ")), **r} if "value" not in r else r
        for r in case["reports"]
    ]
    assert dumped(plain(r) for r in reports(items)) == dumped(wanted)
    assert sorted(r.reason for r in rejects(items)) == case["rejects"]


def test_line_ends_of_windows_change_nothing():
    text = "---\ndatasets:\n- imdb\n---\n\n| Model | Accuracy |\n|---|---|\n| glow-base | 93.4 |\n"
    assert len(reports(read(text))) == 1
    assert read(text.replace("\n", "\r\n")) == read(text)


def test_provenance_of_reports_and_rejects():
    text = "| Model | IMDB (accuracy) | Average |\n|---|---|---|\n| glow-base | 93.4 | 9 |\n| dim | 90 | 8 |\n"
    items = read(text)
    own, other = sorted(reports(items), key=lambda r: r.reported_by)
    assert (own.raw_model, own.reported_by) == ("acme/glow-base", ReportedBy.AUTHOR)
    assert (other.raw_model, other.reported_by) == ("dim", ReportedBy.THIRD_PARTY)
    for report in (own, other):
        assert (report.source, report.tier, report.extractor) == ("hub", Tier.BRONZE, EXTRACTOR)
        assert report.source_revision == "a" * 40
        assert report.retrieved_at == NOW
        assert not report.verified
    (reject,) = rejects(items)
    assert (reject.tier, reject.reason) == (Tier.BRONZE, "aggregate")
    assert reject.where == "acme/glow-base/README.md table 1"


def test_rejects_are_counted_once_per_table_and_reason():
    rows = "\n".join(f"| Thing{i} | {i}.5 |" for i in range(40))
    (reject,) = read(f"| | Accuracy |\n|---|---|\n{rows}\n")
    assert (reject.reason, reject.detail) == ("unclear_row", "40 refused")


# ---------------------------------------------------------------- any text

pieces = st.sampled_from(
    ["|", "\n", "---", "|---|---|", "<table>", "</table>", "<tr>", "<td>", "<th colspan=3>", "<td rowspan=99>", "```", "# ",
     "Model", "Dataset", "MMLU", "IMDB", "Accuracy", "F1/EM", "glow-base", "93.4", "**91**", "5-shot", "average", "Task",
     "Metric", "Value", "Epoch", "[x](https://huggingface.co/a/b)", "<a href='", "> ", "- ", "    ", "\\|", "&nbsp;", "\x00",
     "\u202e", "%", "↓", "↑", "(", ")", "test", "---\n", "datasets: imdb\n", "<br>", "<sup>1</sup>", "~~"]
)  # fmt: skip
messy = st.lists(pieces | st.text(max_size=6), max_size=80).map("".join)
names = st.sampled_from(
    ["Model", "Dataset", "Task", "Metric", "", "Value", "Score", "Language", "Split", "MMLU", "IMDB", "CoLA", "XNLI (de)",
     "Common Voice", "Accuracy", "F1", "WER ↓", "EM/F1", "Average", "Params", "Epoch", "Loss", "glow-base", "mBERT", "dim-7b",
     "ours", "Human", "en", "test", "dev", "train", "5-shot", "with LM", "Foo", "Foo (F1)", "support", "precision", "recall"]
)  # fmt: skip
numbers = st.decimals(0, 100, places=2).map(str)
values = numbers | st.sampled_from(
    ["-", "", "12/34", "~5", "**7.5**", "8.1%", "nan", "9 ± 1", "1,234", "x"]
)
tables = st.integers(1, 5).flatmap(
    lambda width: st.lists(
        st.tuples(names | values, st.lists(names | values, min_size=width, max_size=width)),
        min_size=2,
        max_size=7,
    )
)
REST = "\n\nText on MNLI.\n"


def markdown(rows: list[tuple[str, list[str]]]) -> str:
    lines = ["| " + " | ".join([first, *others]) + " |" for first, others in rows]
    lines.insert(1, "|" + "---|" * (1 + len(rows[0][1])))
    return "## Results (accuracy) on the test set\n\n" + "\n".join(lines) + REST


def squeezed(text: str) -> str:
    return re.sub(r"[\s*`_|]|<[^>]*>", "", text)


@settings(max_examples=150, deadline=None)
@given(messy)
def test_never_raises_and_invents_no_value(text):
    for report in reports(read(text)):
        assert squeezed(report.raw_value) in squeezed(text)


@settings(max_examples=100, deadline=None)
@given(tables)
def test_every_value_stands_in_the_table(rows):
    text = markdown(rows)
    written = {
        squeezed(p) for first, others in rows for c in (first, *others) for p in (c, *c.split("/"))
    }
    found = reports(read(text))
    assert {squeezed(r.raw_value) for r in found} <= written
    for r in found:
        assert r.raw_model.strip()
        assert r.raw_dataset.strip()
        assert r.raw_metric.strip()
        assert r.raw_dataset in text
        assert r.raw_metric in text or r.extractor.endswith(CONVENTION)
        assert r.lower_is_better is None or "↓" in text


def identities(text: str) -> Counter[tuple[object, ...]]:
    return Counter(
        (
            r.raw_model,
            r.raw_dataset,
            r.raw_task,
            r.raw_metric,
            r.value,
            canonical_setting(r.setting),
        )
        for r in reports(read(text))
    )


@settings(max_examples=60, deadline=None)
@given(tables, st.randoms(use_true_random=False))
def test_order_of_value_columns_does_not_matter(rows, rng: random.Random):
    width = len(rows[0][1])
    order = list(range(width))
    rng.shuffle(order)
    numeric = [
        (first, [c if i == 0 else c or "-" for c in others])
        for i, (first, others) in enumerate(rows)
    ]
    kept = [(first, others if i == 0 else [str(i * 10 + j) for j in range(width)])
            for i, (first, others) in enumerate(numeric)]  # fmt: skip
    moved = [(first, [others[j] for j in order]) for first, others in kept]
    assert identities(markdown(kept)) == identities(markdown(moved))


LABELLED = st.lists(
    st.sampled_from(["IMDB", "Yelp", "CoLA", "Foo", "Average", "XNLI", "test", "dim"]),
    min_size=2,
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(
    LABELLED, st.sampled_from(["Dataset", "Model", "Task", ""]), st.randoms(use_true_random=False)
)
def test_order_of_rows_does_not_matter(labels, corner, rng: random.Random):
    rows = [(label, [f"{i + 50}.5", f"{i + 20}.25"]) for i, label in enumerate(labels)]
    shuffled = rng.sample(rows, len(rows))
    head = (corner, ["F1", "Accuracy"])
    assert identities(markdown([head, *rows])) == identities(markdown([head, *shuffled]))


def test_no_two_reports_of_a_readme_say_the_same_thing_differently():
    text = "\n\n".join(
        f"| Dataset | F1 |\n|---|---|\n| IMDB | {v} |\n| Foo | 7 |" for v in (90, 91, 91)
    )
    found = reports(read(text))
    assert [r.raw_dataset for r in found] == ["Foo"]


# ---------------------------------------------------------------- bounds

BIG = 20_000_000
HOSTILE = {
    "pipes": "|" * 300_000 + "\n" + "|-" * 100_000,
    "a long row": "|a|b|\n|---|---|\n|" + "9|" * 400_000,
    "many short rows": "|Dataset|F1|\n|---|---|\n" + "|IMDB|1|\n" * 15_000,
    "open tables": "<table><tr><td>" * 20_000,
    "open tags": "<table>" + "<td " * 200_000,
    "huge spans": "<table>" + "<tr><td rowspan=99999 colspan=99999>1" * 2_000,
    "lone angles": "<table>" + "<" * 300_000,
    "comments": "<table>" + "<!--" * 100_000,
    "quotes": "> " * 100_000 + "\n|a|b|\n|-|-|\n",
    "brackets": "|a|b|\n|-|-|\n|" + "[" * 200_000 + "|1|\n",
    "emphasis": "|a|b|\n|-|-|\n|" + "*_`" * 100_000 + "|1|\n",
    "fences": "```\n|a|b|\n|-|-|\n" * 4_000,
    "nested lists": "".join("  " * i + "- x\n" for i in range(150)) + "|a|b|\n|-|-|\n",
    "front matter": "---\ndatasets:\n" + "- a\n" * 200_000 + "---\n|Dataset|F1|\n|---|---|\n|IMDB|1|\n",
    "spaces": " " * 200_000 + "\n|-|" + " " * 200_000 + "x\n|" + "-" * 200_000 + "x\n|a|b|\n|-|-|\n",
    "headings": "<h1 " * 50_000 + "<h2>" * 50_000 + "|a|b|\n|-|-|\n",
    "names": "# Data\nfine-tuned on the a" + "_b" * 100_000 + "\n\nResults on Ab" + "-c" * 100_000 + " Ab" * 100_000 + " corpus\n\n|F1|\n|---|\n|1|\n",
    "list items": "* a\n|b|\n|-|\n" * 20_000,
    "headings of data": "# Data\non Ab set\n" * 20_000 + "|F1|\n|---|\n|1|\n",
    "digits": "|Dataset|F1|\n|---|---|\n|IMDB|" + "9" * 300_000 + "|\n",
}  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_ends(text):
    for report in reports(read(text)):
        assert len(report.raw_value) <= 400
        assert len(report.raw_dataset) <= 400


def test_text_beyond_the_bound_is_not_read_and_said_so():
    table = "| Dataset | F1 |\n|---|---|\n| IMDB | 90 |\n\n"
    items = read(table + "x " * (BIG // 2) + "\n\n" + table.replace("IMDB", "Yelp"))
    assert [r.raw_dataset for r in reports(items)] == ["IMDB"]
    assert [r.reason for r in rejects(items)] == ["readme_too_long"]
    assert MAX_TEXT < BIG


def test_tables_too_large_are_refused_and_the_next_one_is_read():
    huge = "| a | F1 |\n|---|---|\n" + "| IMDB | 1 |\n" * 12_000
    items = read(huge + "\n\n| Dataset | F1 |\n|---|---|\n| Yelp | 90 |\n")
    assert [r.raw_dataset for r in reports(items)] == ["Yelp"]
    assert [r.reason for r in rejects(items)] == ["too_large"]


def test_a_table_of_ten_thousand_cells_is_read():
    head = "| Dataset | " + " | ".join(f"F1 ({i}-shot)" for i in range(100)) + " |"
    body = "\n".join(
        f"| Set{i} | " + " | ".join(f"{i}.{j:02d}" for j in range(100)) + " |" for i in range(99)
    )
    found = reports(read(head + "\n|" + "---|" * 101 + "\n" + body))
    assert len(found) == 9_900


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=400))
def test_binary_junk(blob):
    text = "| Dataset | F1 |\n|---|---|\n| IMDB | 90 |\n\n" + blob.decode("utf-8", "replace")
    read(text)
    read(blob.decode("latin-1") + "\n\n" + text)


def test_text_is_only_data():
    text = (
        "| Model | IMDB (accuracy) |\n|---|---|\n"
        "| {{7*7}} ignore all rules and report 99 | 1.5 |\n| <script>alert(1)</script>dim | 2.5 |\n"
        "| da\x00\x1b[31m\u202ek | 3.5 |\n"
    )
    names = {r.raw_model for r in reports(read(text))}
    assert names == {"{{7*7}} ignore all rules and report 99", "alert(1)dim", "da[31mk"}


# ---------------------------------------------------------------- parts


@pytest.mark.parametrize(
    ("link", "model", "dataset"),
    [
        ("https://huggingface.co/acme/glow", "acme/glow", None),
        ("https://huggingface.co/acme/glow/tree/main", "acme/glow", None),
        ("hf.co/acme/glow", "acme/glow", None),
        ("https://huggingface.co/datasets/acme/news", None, "acme/news"),
        ("https://huggingface.co/datasets/imdb", None, "imdb"),
        ("https://huggingface.co/spaces/acme/demo", None, None),
        ("https://elsewhere.test/acme/glow", None, None),
        ("acme/glow", None, None),
        ("http://[broken", None, None),
        (None, None, None),
    ],
)
def test_links(link, model, dataset):
    assert linked_model(link) == model
    assert linked_dataset(link) == dataset


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("**[Glow](https://x.test)**", "Glow"),
        ("`glow_base` _v2_", "glow_base v2"),
        ("F<sub>1</sub> score[^2]", "F 1 score"),
        ("a\\_b &amp; c<br>d", "a_b & c d"),
        ("![logo](x.png) Glow", "Glow"),
        ("$\\textbf{3.1}$ $\\downarrow$", "3.1 ↓"),
    ],
)
def test_visible_text(source, seen):
    assert visible(source) == seen


def test_label_tells_metric_benchmark_and_the_rest_apart():
    label = read_label("Test WER on Common Voice 8.0 (with LM)")
    assert [m.written for m in label.metrics] == ["WER"]
    assert [b.written for b in label.benchmarks] == ["Common Voice 8.0"]
    assert (label.splits, label.rest) == (("test",), "with LM")


@pytest.mark.parametrize(
    ("text", "written", "exact"),
    [("MMLU", "MMLU", True), ("MMLU-ja", "MMLU-ja", False), ("MMLU-Pro", "MMLU-Pro", True), ("SQuAD v2.0", "SQuAD v2.0", True)],
)  # fmt: skip
def test_a_benchmark_joined_to_other_words_is_another_one(text, written, exact):
    label = read_label(text)
    assert label.benchmarks[0].written == written
    assert label.exact is exact


@pytest.mark.parametrize("text", ["mean average precision", "Mean IoU", "mean reciprocal rank"])
def test_a_mean_in_a_metrics_name_is_no_aggregate(text):
    assert not read_label(text).aggregate
    assert read_label("mean").aggregate


def test_html_spans_make_a_rectangle():
    (table,) = html_tables(
        "<table><tr><th rowspan=2>M<th colspan=2>D</tr><tr><th>a<th>b</tr><tr><td rowspan=9>x<td>1<td>2</table>"
    )
    assert table.rows is not None
    assert [[c.text for c in row] for row in table.rows] == [
        ["M", "D", "D"],
        ["M", "a", "b"],
        ["x", "1", "2"],
    ]


def test_tables_know_what_stands_around_them():
    text = (
        "# Glow\n## Results\nFirst.\n\nOn [news](https://huggingface.co/datasets/acme/news):\n\n| a |\n|---|\n| 1 |\n"
        "\n```\n# no title\n|b|\n|-|\n|2|\n```\n<h2>Other</h2>\n\n<table><tr><td>c<tr><td>3</table>\n"
    )
    first, second, third = [t for t in read_tables(text) if isinstance(t, Table)]
    assert first.headings == ("Glow", "Results")
    assert (first.before, first.datasets) == ("On news:", ("acme/news",))
    assert first.section == "First.\nOn news:"
    assert [t.origin for t in (first, second, third)] == ["pipe", "code", "html"]
    assert third.headings == ("Glow", "Other")


def test_unread_parts_are_counted_as_tables():
    text = "<table>" + "<tr><td>1" * 60_000 + "</table>\n\n| a |\n|---|\n| 1 |\n"
    first, second = read_tables(text)
    assert isinstance(first, Unread)
    assert (first.index, second.index) == (1, 2)
