"""What the text around a table says about all of its values: dataset, metric, split, shots, model.

Looks from near to far (caption, heading over all columns, corner, paragraph before, section titles,
front matter, the repository's name) and stops at the first place that says anything; if that place
says two things, nothing is taken.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from modellens_core.sources.hub.card_names import Card, Named, card_dataset, comparable
from modellens_core.sources.hub.labels import Label, Mention, all_shots, read_label, read_prose
from modellens_core.sources.hub.markdown_tables import Table
from modellens_core.sources.hub.mentioned import named_datasets
from modellens_core.sources.hub.table_layout import Layout
from modellens_core.sources.hub.vocabulary import Benchmark, benchmark, has_family, tokens

_PRETRAINED = re.compile(r"\bpretrained=([^,\s)]+)")
_FEWSHOT = re.compile(r"num_fewshot[:=]\s*(\d{1,3})")
_SPLIT = re.compile(
    r"\b(test|dev|development|validation|valid)[- ]"
    r"(?:sets?|splits?|data|datasets?|results?|portions?|partitions?|scores?|samples?|corpus)\b"
    r"|\bon (?:the )?(test|dev|validation)\b",
    re.IGNORECASE,
)
_OWN_DATA = re.compile(
    r"\b(?:our|own|custom|internal|private|in-house|proprietary)\b[^.\n]{0,25}"
    r"\b(?:datasets?|data|corpus|corpora|benchmarks?|test|dev|validation)\b",
    re.IGNORECASE,
)
_MAX_TITLE: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What holds for every value of a table that says nothing else itself.

    Attributes:
        metrics: one, or several that are written as a pair ("EM/F1").
        near: whether the text near the table names `dataset`.
        about: the benchmarks that the sentence with `metrics` speaks of; they are about no others.
        named: every metric the surroundings mention at all.
        model: whose results these are, if the text says so.
        not_own: why values without a model's name may not be taken for this card's model, or None.
    """

    metrics: tuple[Mention, ...] = ()
    about: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    dataset: str | None = None
    known: Benchmark | None = None
    near: bool = False
    split: str | None = None
    shots: str | None = None
    language: str | None = None
    model: Named | None = None
    not_own: str | None = None


def look_around(table: Table, layout: Layout, card: Card) -> Surroundings:
    """Collect what the surroundings of a table say about its values."""
    corner = [
        c.title
        for c in layout.columns
        if c.role not in {"value", "excluded", "ignored"} and c.heads
    ][:1]
    inner = list(reversed(table.headings))
    near = [t for t in (table.caption, layout.title, *corner, table.before) if t]
    places = [read_prose(t) for t in (*near, *inner)]
    dataset, known = _dataset(places, table)
    said_near = dataset is not None
    suites = known is not None and known.suite
    if suites or not (dataset or table.datasets or any(p.benchmarks for p in places)):
        texts = [*near, *inner[:1], table.section, *inner[1:]]
        named = _named_dataset(texts)
        listed = next((d for t in texts if (d := card_dataset(t, card))), None)
        if named is not None:
            dataset, known, said_near = named, None, False
        elif listed is not None and not suites:
            dataset, known = _no_suite(listed, _known(listed))
    if dataset is None and not any(p.benchmarks for p in places) and not table.datasets:
        dataset, known = _card_dataset(table, card)
    metrics, about = _metrics(places)
    spoken_of = frozenset(m.name for p in (*places, read_prose(table.section)) for m in p.metrics)
    beside = {m.name for m in read_prose(table.section).metrics} - {m.name for m in metrics}
    if any(read_prose(table.before).metrics) and beside:
        metrics = ()  # the section speaks of others, too
    model, not_own = _model(table, layout, card)
    shots = _FEWSHOT.search(table.before)
    return Surroundings(
        metrics=metrics,
        about=about,
        named=spoken_of,
        dataset=dataset,
        known=known,
        near=said_near,
        split=None if layout.harness else _single(_splits(t) for t in (*near, *inner[:1])),
        shots=shots[1] if shots else _single(all_shots(t) for t in (*near, *inner)),
        language=card.language,
        model=model,
        not_own=not_own,
    )


def _metrics(places: Sequence[Label]) -> tuple[tuple[Mention, ...], frozenset[str]]:
    """The metrics of the nearest place that names any, and the benchmarks it names beside them."""
    for place in places:
        if place.metrics:
            about = frozenset(b.name for b in place.benchmarks)
            single = len(place.metrics) == 1 or _paired(place)
            return (place.metrics if single else ()), about
    return (), frozenset()


def _paired(place: Label) -> bool:
    """Whether all the metrics a text mentions are written as one pair: "PSNR/SSIM"."""
    pair = r"\s?/\s?".join(re.escape(m.written) for m in place.metrics)
    return re.search(pair, place.text) is not None


def _splits(text: str) -> frozenset[str]:
    """The evaluation splits a sentence speaks of: "on the test set", "dev results"."""
    words = {(m[1] or m[2]).lower() for m in _SPLIT.finditer(text)}
    return frozenset("test" if w == "test" else "validation" for w in words)


def _single(places: Iterable[frozenset[str]]) -> str | None:
    """What the first place that says anything says, if it says one thing."""
    said = next((p for p in places if p), frozenset[str]())
    return next(iter(said)) if len(said) == 1 else None


def _dataset(places: Sequence[Label], table: Table) -> tuple[str | None, Benchmark | None]:
    """The dataset of the nearest place that names any, if it names one."""
    for place in places:
        found: list[tuple[str, Benchmark | None]] = [
            (b.written, benchmark(b.name)) for b in place.benchmarks
        ]
        if place.text == table.before and table.datasets:
            linked = [(d, _known(d)) for d in table.datasets]
            found = linked if len(found) <= 1 else found
        if found:
            return found[0] if len(found) == 1 else (None, None)
    return None, None


def _named_dataset(texts: Sequence[str]) -> str | None:
    """The dataset that the nearest text names which names any, if it names one."""
    names = next((n for n in map(named_datasets, texts) if n), ())
    return names[0] if len(names) == 1 else None


def _card_dataset(table: Table, card: Card) -> tuple[str | None, Benchmark | None]:
    """The one dataset of the front matter, of the repository's name, of its results, or of its sections."""
    if _OWN_DATA.search(table.section):
        return None, None
    if len(card.datasets) == 1 and not set(card.datasets[0]) & set(" ,"):
        return _no_suite(card.datasets[0], _known(card.datasets[0]))
    if not card.datasets and card.named is not None:
        return _no_suite(card.named.written, benchmark(card.named.name))
    described = () if card.datasets or card.described is None else (card.described,)
    others = card.indexed or described
    return _no_suite(others[0], _known(others[0])) if len(others) == 1 else (None, None)


def _no_suite(name: str, known: Benchmark | None) -> tuple[str | None, Benchmark | None]:
    """A suite in a card's metadata does not say which of its parts was measured."""
    return (None, None) if known is not None and known.suite else (name, known)


def _known(name: str) -> Benchmark | None:
    found = read_label(name.rpartition("/")[2].replace("_", " ")).benchmarks
    return benchmark(found[0].name) if len(found) == 1 else None


def _model(table: Table, layout: Layout, card: Card) -> tuple[Named | None, str | None]:
    loaded = _PRETRAINED.search(table.before)
    if loaded is not None:
        name = loaded[1]
        if comparable(name.rpartition("/")[2]) == card.key:
            return Named(None), None
        if re.fullmatch(r"\w[\w.-]*/[\w.-]+", name):
            return Named(name), None
        return None, "other_model_context"
    titles = [t for t in (layout.title, table.caption, *table.headings[-1:]) if t]
    if len(table.before) <= _MAX_TITLE and table.before:
        titles.append(table.before)
    own = {t for t in tokens(card.repo_id) if len(t) > 2}
    for title in titles:
        rest = read_prose(title).rest
        if rest and has_family(rest) and not own & set(tokens(title)):
            return None, "other_model_context"
    return None, card.copied
