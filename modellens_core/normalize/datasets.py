"""Which dataset a name means, which benchmark it belongs to, and what its name says about the setting.

Two answers, for two uses: the id tells datasets apart that give different scores (subset, language and
version stay in it); the family puts together what a hold-out must hold out together. Known benchmarks
lie in `data/datasets.yaml`; others follow the rules here. Split and shots leave the id for the setting; a
configuration that names a part of a suite ("glue" with "cola") enters it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from pydantic import BaseModel, ConfigDict

from modellens_core.normalize.languages import names_language
from modellens_core.normalize.text import claim, clean_text, load_registry, slug, strip_markup

_LINK = re.compile(r"^\[([^\]]+)\]\([^)]*\)$")
_URL = re.compile(
    r"^(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/(?:datasets/)?", re.IGNORECASE
)
_COLLECTION = re.compile(
    r"^(?:mteb|beir)(?:/| )\s*(?=\S)", re.IGNORECASE
)  # a suite's own copies of known sets
_SHOTS = re.compile(r"(?:^|(?<=[-/]))(\d+|zero|one|two|five)-?shots?(?:-learning)?(?=$|[-/])")
_NUMBERS = {"zero": "0", "one": "1", "two": "2", "five": "5"}
_SPLIT = re.compile(
    r"[-/](test-?dev|test-?std|test-?standard|test-?challenge|mini-?val|dev-?test|val2017|val2014|test2017"
    r"|(?:val|valid|validation|dev|test|train|training)(?:-?set|-split)?)$"
)
_SPLIT_NAMES = {"val": "validation", "valid": "validation", "training": "train"}
_VERSION = re.compile(r"v?\d+(?:\.\d+)*[km]?|v\d[\w.]*")
_SHAPE = re.compile(r"\d+x(?:\d+)?|x\d+|\d+(?:way|pct|k)")
_EMBEDDING_TASK = re.compile(
    r"(?<=[^\W_]{2})-?(?:(?:pair|multilabel)-?classification|classification|(?:(?:avt|ava|av|va|at|it|[aitv])2(?:vta|va|vt|av|it|[aitv]))?-?retrieval"
    r"|reranking|clustering(?:-?[ps]2[ps])?|bitext-?mining|hard-?negatives|-sts)(?:-multilingual)?(?:\.v\d+)?$"
)  # suites glue the task to the name: "SIB200ClusteringS2S"
_NANO = re.compile(r"^(?:multilingual)?nano(?=[^\W_]{3})")  # and cut small editions of known sets
_WORD_BREAK = re.compile(r"[-/]|(?<!\d)\.|\.(?!\d)")
_LONGEST_START = 6  # words
_WHOLE = frozenset({"all", "default", "main"})  # configurations that name no part


@dataclass(frozen=True, slots=True)
class Dataset:
    """What a dataset's name says.

    Attributes:
        dataset_id: canonical id; subset, language and version stay in it ("glue/mrpc").
        family: benchmark without subset, language, version, split and shots ("glue").
        setting: `split` and `shots`, where the name says them.
        takes_config: the configuration it was asked with is said by the id, and is no setting.
    """

    dataset_id: str
    family: str
    setting: Mapping[str, str]
    takes_config: bool = False


class _Family(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    starts: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    suite: bool = False
    versioned: bool = False
    own_family: bool = False  # each dataset is a family of its own: a collection, not a benchmark
    part_of: str | None = None  # the family it is held out with
    default_split: str | None = None
    datasets: dict[str, tuple[str, ...]] = {}


class _Registry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    families: dict[str, _Family]
    details: frozenset[str]  # last words of a name that do not make another benchmark


@dataclass(frozen=True, slots=True)
class _Index:
    families: Mapping[str, _Family]
    starts: Mapping[str, str]  # compact words -> family
    whole: Mapping[str, str]  # compact name -> family
    datasets: Mapping[str, tuple[str, str]]  # compact name -> (dataset id, family)
    details: frozenset[str]


@cache
def _index() -> _Index:
    registry = load_registry("datasets", _Registry)
    families = registry.families
    starts: dict[str, str] = {}
    whole: dict[str, str] = {}
    datasets: dict[str, tuple[str, str]] = {}
    for family, entry in families.items():
        names = (*entry.starts, family) if entry.suite else entry.starts
        for name in names:
            claim(starts, _compact(_words(slug(name))), family, "datasets")
        for name in (*entry.whole, family):
            claim(whole, _compact(_words(slug(name))), family, "datasets")
        for dataset_id, names in entry.datasets.items():
            for name in (dataset_id, *names):
                claim(datasets, _compact(_words(slug(name))), (dataset_id, family), "datasets")
    return _Index(families, starts, whole, datasets, registry.details)


def resolve_dataset(raw_dataset: str, config: str | None = None) -> Dataset:
    """Decide which dataset a name means.

    Args:
        raw_dataset: as the source wrote it ("GLUE MRPC", "cais/mmlu", "COCO test-dev"), or an id.
        config: the configuration that the source states beside the name ("cola", "de-en").

    Returns:
        Id, family and setting. Total, and `resolve_dataset(d.dataset_id).dataset_id == d.dataset_id`.
    """
    whole = _resolve(raw_dataset)
    part = slug(config).replace("/", "-") if config and config.strip() else ""
    return _part_of_suite(whole, part) if part else whole


def _resolve(raw_dataset: str) -> Dataset:
    text = strip_markup(clean_text(raw_dataset)).strip().lstrip("#").strip()
    text = _LINK.sub(r"\1", text)
    text = _COLLECTION.sub("", _URL.sub("", text))
    name, setting = _take_setting(slug(text))
    for dataset_id, family in _known(name):
        return _result(dataset_id, family, setting)
    return _result(name, family_by_rule(name), setting)


def _part_of_suite(whole: Dataset, part: str) -> Dataset:
    """The dataset that a configuration names within another; the other itself if it names none."""
    index = _index()
    suite, _, rest = whole.dataset_id.partition("/")
    entry = index.families.get(suite)
    joined = f"{whole.dataset_id}{'-' if rest else '/'}{part}"
    if _compact(_words(joined)) not in index.datasets:
        if entry is None or not entry.suite:
            return whole
        if part in _WHOLE or part == suite or f"-{rest}".endswith(f"-{part}"):
            return replace(whole, takes_config=True)
        if rest and not entry.versioned:
            return whole
    found = _resolve(joined)
    return replace(found, setting={**whole.setting, **found.setting}, takes_config=True)


def is_benchmark(words: Sequence[str]) -> bool:
    """Whether lower-case words are a listed benchmark's name, or how the names of one start."""
    index, key = _index(), _compact(words)
    return key in index.starts or key in index.whole or key in index.datasets


def is_versioned_benchmark(words: Sequence[str]) -> bool:
    """Whether a number behind these words is a version of the benchmark: "common_voice_8"."""
    family = _index().starts.get(_compact(words))
    return family is not None and _index().families[family].versioned


def _known(name: str) -> Iterator[tuple[str, str]]:
    """Id and family of a slug that names a listed benchmark, the surest reading first."""
    index = _index()
    bare = name.partition("/")[2] if name.count("/") == 1 else ""  # without an organisation
    yield from _exactly(name)
    suite = index.starts.get(_compact(_words(name.partition("/")[0])), "")
    if bare and suite and index.families[suite].suite:
        yield _inside(suite, _words(bare), name), suite
    if bare:
        yield from _exactly(bare)
    for part in filter(None, (bare, name)):
        for family, rest in _start(part):
            yield _inside(family, rest, part), family
        without = _without_task(part)
        for family, _ in _start(without) if without != part else ():
            yield part, family  # the task is part of what the name means: the id keeps it


def _start(name: str) -> Iterator[tuple[str, list[str]]]:
    """Family that a name starts with (the longest start first), and the words after it."""
    starts = _index().starts
    words = _words(name)
    for length in range(min(_LONGEST_START, len(words)), 0, -1):
        family = starts.get(_compact(words[:length]))
        if family is not None:
            yield family, words[length:]


def _exactly(name: str) -> Iterator[tuple[str, str]]:
    index = _index()
    key = _compact(_words(name))
    if key in index.datasets:
        yield index.datasets[key]
    if key in index.whole:
        family = index.whole[key]
        yield (family if key == _compact(_words(family)) else name), family


def _result(dataset_id: str, family: str, setting: dict[str, str]) -> Dataset:
    entry = _index().families.get(family)
    if entry is not None and entry.default_split == setting.get("split"):
        setting.pop("split", None)
    if entry is not None and entry.own_family:
        family = dataset_id
    elif entry is not None and entry.part_of is not None:
        family = entry.part_of
    return Dataset(dataset_id, family, setting)


def _inside(family: str, rest: list[str], name: str) -> str:
    """Id of a name that starts like a family: "mmlu/anatomy" in a suite, else the name itself."""
    entry = _index().families[family]
    if entry.versioned and rest and rest[0].isdigit():
        has_minor = len(rest) > 1 and rest[1].isdigit()
        rest = [f"{rest[0]}.{rest[1] if has_minor else 0}", *rest[1 + has_minor :]]
    if not entry.suite:
        return name
    return f"{family}/{'-'.join(rest)}" if rest else family


def _take_setting(name: str) -> tuple[str, dict[str, str]]:
    """Take shots and split off a slug; what is left is never empty."""
    setting: dict[str, str] = {}
    while match := _SHOTS.search(name):
        rest = f"{name[: match.start()]}-{name[match.end() :]}"
        if not rest.strip("-/"):
            break
        setting["shots"] = str(int(_NUMBERS.get(match[1], match[1])))
        name = slug(rest)
    splits: list[str] = []
    while match := _SPLIT.search(name):
        said = re.sub(r"-?(?:set|split)$", "", match[1])
        splits.insert(0, _SPLIT_NAMES.get(said, said))
        name = slug(name[: match.start()])
    if splits:
        setting["split"] = "-".join(splits)
    return name, setting


def _words(name: str) -> list[str]:
    return [word for word in _WORD_BREAK.split(name) if word]


def _compact(words: Sequence[str]) -> str:
    return "".join(words)


def _without_task(name: str) -> str:
    """Drop the embedding task glued to a name's first word, and "nano" before it."""
    first, slash, rest = name.partition("-")
    while (once := _EMBEDDING_TASK.sub("", first)) != first:
        first = _NANO.sub("", once)
    return first + slash + rest


def family_by_rule(name: str) -> str:
    """Family of an unlisted dataset: its slug without organisation, version, language, split and task.

    Args:
        name: a slug.
    """
    name = name.rsplit("/", 1)[-1] if name.count("/") == 1 else name.split("/", 1)[0]
    name = _EMBEDDING_TASK.sub("", _without_task(name))
    words = _words(name)
    while len(words) > 1 and _is_detail(words[-1]):
        words.pop()
    return slug("-".join(words))


def _is_detail(word: str) -> bool:
    return (
        word in _index().details
        or names_language(word)
        or _VERSION.fullmatch(word) is not None
        or _SHAPE.fullmatch(word) is not None
    )
