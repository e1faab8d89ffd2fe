"""What the names in a `model-index` say: which dataset, which metric, and under which setting.

People put the split into the metric ("Test WER"), the configuration into the dataset's name ("Common
Voice tr") or into `args`, and the real metric into the name beside a general type ("rouge", "Rouge1").
Names are taken apart here only as far as the parts are clear; what they mean in the end is decided in the
corpus layer. Walking over the structure belongs in `silver.py`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Setting = dict[str, Any]

_DATASET_ID = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[\w.-]+)?")
# Loader names, placeholders and tasks: they stand in the place of a dataset's id without being one.
_NO_DATASET = re.compile(
    r"(?:json|csv|text|parquet|arrow|audiofolder|imagefolder|generator|custom|unknown|other|private|none"
    r"|null|n/?a|dataset|datasets|new_dataset|my_dataset|voice|default|fill-mask|translation"
    r"|summarization|\S+-(?:classification|generation|answering|recognition|similarity))",
    re.IGNORECASE,
)
_NOTHING = frozenset({"", "none", "null", "n/a", "unknown"})
_NO_CONFIG = _NOTHING | {"default", "plain_text"}
_NO_METRIC = frozenset({"", "unknown", "other", "custom", "none", "null", "metric", "n/a"})
_COLLECTIONS = frozenset({"mteb", "beir"})  # "MTEB ArguAna" is the dataset "arguana"
_SHOTS = re.compile(r"\(?\b(\d{1,3})[- ]?shots?\b\)?", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:[.@][^\W_]+)*")
_SPLITS = {
    "test": "test", "testing": "test", "dev": "validation", "development": "validation",
    "val": "validation", "valid": "validation", "validation": "validation", "train": "train",
    "training": "train",
}  # fmt: skip
_FILLERS = frozenset(
    {
        "score",
        "scores",
        "value",
        "metric",
        "rate",
        "the",
        "with",
        "on",
        "eval",
        "evaluation",
        "mean",
    }
)
_SPELLED_OUT = {
    "wer": "word error", "cer": "character char error", "acc": "accuracy", "accuracy": "acc",
    "acc_norm": "normalized normalised accuracy", "matthews_correlation": "mcc coefficient", "mcc": "matthews correlation",
    "f1": "f", "f_score": "f1", "f-score": "f1", "exact_match": "em", "em": "exact match", "map": "average precision",
    "pearsonr": "pearson correlation", "spearmanr": "spearman correlation", "perplexity": "ppl", "bleu": "sacrebleu",
}  # fmt: skip
_AVERAGES = frozenset({"macro", "micro", "weighted", "binary", "samples", "averaged", "avg"})
_VARIANT = re.compile(r"@?k?\d{1,4}|l|lsum")


@dataclass(frozen=True, slots=True)
class NamedDataset:
    """A dataset as a card names it.

    Attributes:
        raw: its Hub id where one is given, else its name.
        name: the human name, if it is another text than `raw`.
        setting: configuration, split, shots.
        is_id: whether `raw` looks like a Hub id.
    """

    raw: str
    name: str | None
    setting: Setting = field(default_factory=dict)
    is_id: bool = False


def text_of(value: object) -> str:
    """A scalar as one line of text; empty for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return " ".join(str(value).split())


def name_dataset(dataset: Mapping[str, Any], repo_id: str) -> NamedDataset:
    """Read `results[].dataset`.

    Args:
        dataset: the mapping as written, possibly empty.
        repo_id: the card's repository. A result without any dataset was measured on one that nobody
            else can name: it gets a name of its own, so that it is never compared with another's.
    """
    stated = text_of(dataset.get("type")) or text_of(dataset.get("id"))
    name = text_of(dataset.get("name"))
    is_id = bool(_DATASET_ID.fullmatch(stated)) and not _NO_DATASET.fullmatch(stated)
    raw = stated if is_id else name
    if not raw:
        raw = text_of(dataset.get("url")) or f"{repo_id} unnamed evaluation set"
    setting = _dataset_setting(dataset)
    if shots := _SHOTS.search(name):
        setting.setdefault("shots", int(shots[1]))
    silent = not any(text_of(dataset.get(k)) for k in ("config", "args"))
    if is_id and silent and "config" not in setting:
        # "Common Voice tr" beside "common_voice": the one word more is the configuration.
        known = {w.lower() for w in _WORD.findall(raw.replace("_", " "))}
        words = _WORD.findall(_SHOTS.sub("", name))
        more = [w for w in words if w.lower() not in known | _COLLECTIONS]
        if len(more) == 1 < len(words) and any(w.lower() in known for w in words):
            setting["config"] = more[0]
    if str(setting.get("config", "")).lower() == raw.rpartition("/")[2].lower():
        del setting["config"]
    return NamedDataset(raw, name if name and name != raw else None, setting, is_id)


def _dataset_setting(dataset: Mapping[str, Any]) -> Setting:
    setting: Setting = {}
    args = dataset.get("args")
    if isinstance(args, dict):
        for key, value in args.items():
            label = {"num_few_shot": "shots", "lang": "language", "name": "config"}.get(
                key, str(key)
            )
            if text := text_of(value):
                setting[label] = text
    elif isinstance(args, Sequence) and not isinstance(args, str):
        setting["config"] = ",".join(filter(None, map(text_of, args)))
    else:
        setting["config"] = text_of(args)
    for key in ("config", "split"):
        if text := text_of(dataset.get(key)):
            setting[key] = text
    # Part of a run's identity, but groups across dataset revisions are still comparable.
    setting["model.dataset_revision"] = text_of(dataset.get("revision"))
    return {
        k: v for k, v in setting.items() if v and not (k == "config" and v.lower() in _NO_CONFIG)
    }


def name_metric(metric: Mapping[str, Any]) -> tuple[str, Setting]:
    """Read which metric an entry of `metrics[]` reports.

    Returns:
        The metric (empty if none is named) and what its name says beyond it: a split, or other words
        under `metric_name`.
    """
    stated, name = text_of(metric.get("type")), text_of(metric.get("name"))
    if stated.lower() in _NO_METRIC:
        stated, name = name, ""
    setting: Setting = {}
    if args := _short_args(metric.get("args")):
        setting["metric_args"] = args
    if config := text_of(metric.get("config")):
        setting["metric_config"] = config
    if not name:
        return stated, setting
    known = {w.lower() for w in _WORD.findall(stated.replace("_", " "))}
    known |= set(_SPELLED_OUT.get(stated.lower(), "").split()) | _FILLERS
    more = []
    for word in _WORD.findall(name.replace("_", " ")):
        if split := _SPLITS.get(word.lower()):
            setting["split"] = split
        elif word.lower() not in known:
            more.append(word)
    rest = [w.lower() for w in more]
    if _is_variant(stated, rest) or (rest and set(rest) <= _AVERAGES):
        kept = [w for w in name.split() if w.lower() not in _SPLITS]
        return " ".join(kept), setting
    if rest and "".join(rest) != "".join(_WORD.findall(stated.lower().replace("_", " "))):
        setting["metric_name"] = " ".join(rest)
    return stated, setting


def _is_variant(stated: str, rest: Sequence[str]) -> bool:
    """Whether the name is a sharper form of a general type: "rouge" and "Rouge1", "accuracy" and "@5"."""
    return len(rest) == 1 and bool(_VARIANT.fullmatch(rest[0].removeprefix(stated.lower())))


def _short_args(args: object) -> str:
    """Arguments of the metric ("macro"); long lists are training parameters in the wrong place."""
    if isinstance(args, dict) and len(args) <= 3:
        return ",".join(f"{k}={text_of(v)}" for k, v in sorted(args.items()) if text_of(v))
    return text_of(args)
