"""How large a model is, as its name states it, and the size bucket of a parameter count.

Only what a name says outright counts: "7b", "350M", "8x7B" of a known mixture. Where a name states two
sizes, or the number may be active parameters, training data or a context length, there is no answer.
"""

import math
import re

from modellens_core.normalize.text import fold

_SIZE = re.compile(
    r"(?<![^\W_])(?<![\d.])"  # not inside a word or number
    r"(?P<word>[a-z]{3,})?"  # "falcon7b"; one letter means something else: "a22b" active, "s34b" samples
    r"(?P<number>\d+(?:\.\d+)?|(?<!\d[_.])\d_\d+(?=b))(?P<unit>[bm])(?P<tenth>\d)?(?![^\W_])"
    r"(?!\.\d)(?![-_ ]?(?:tokens?|toks?|samples?|images?|imgs?|frames?|steps?|examples?|database|context|ctx)\b)"
)
_MIXTURE = re.compile(r"(?<![\d.])(?P<experts>\d{1,3})x(?P<size>\d+(?:\.\d+)?)b(?![^\W_])")
_EXPERTS_AFTER = re.compile(r"(?<![^\W_])(?P<size>\d+)b[-_ ](?P<experts>\d+)e(?![^\W_])")
_LAST_WORD = re.compile(r"([a-z]+)[^a-z0-9]*$")

# Words before a number that make it the size of the training data.
_DATA_WORDS = frozenset({
    "laion", "data", "samples", "jft", "ig", "igb", "dfn", "yfcc", "cc", "webli", "lvd",
    "merged", "metaclip", "commonpool", "datacomp", "seen", "flops", "tokens", "images", "step",
    "steps", "ctx", "context", "mim", "hashtags", "token", "pile", "sports", "cap", "grit",
    "meg", "ssld", "eva", "webface", "full", "kinetics", "imagenet",
})  # fmt: skip
# Depths and variants of these are written like sizes: "ResNet-152b", "VGG8B", "YOLO26m".
_NOT_BY_SIZE = re.compile(r"resnet|vgg|vovnet|replknet|mobilenet|yolo|gan")
# Total parameters of mixtures named by (experts, size of one): attention and embeddings are shared.
_MIXTURES = {
    (2, 7.0): 12.9, (3, 7.0): 18.5, (4, 7.0): 24.2, (8, 7.0): 46.7, (8, 22.0): 140.6,
    (2, 8.0): 13.7, (4, 8.0): 24.9, (8, 8.0): 47.5, (2, 10.7): 19.2, (4, 10.7): 36.1,
}  # fmt: skip
# Models named by active size and number of experts ("17B-16E").
_ACTIVE_MIXTURES = {(17.0, 16): 109.0, (17.0, 128): 400.0}

_YEARS = frozenset(str(year) for year in range(1950, 2050))
_CONTEXT = "1m"  # "Qwen2.5-Instruct-1M": a million tokens

_FIRST_EXPONENT = -3.0  # 1 million, in billions
_STEP = 0.3  # a factor of 2 per bucket
_BUCKETS = 20


def params_from_name(name: str) -> float | None:
    """Parameters that a model's name states.

    Args:
        name: model id or display name; an organisation before "/" is not read.

    Returns:
        Total parameters in billions; None if the name states none, or more than one. Total function.
    """
    text = fold(name[:400])
    text = text.partition("/")[2] or text
    if match := _EXPERTS_AFTER.search(text):
        return _ACTIVE_MIXTURES.get((float(match["size"]), int(match["experts"])))
    if match := _MIXTURE.search(text):
        return _MIXTURES.get((int(match["experts"]), float(match["size"])))
    if _NOT_BY_SIZE.search(text):
        return None
    found: dict[str, set[float]] = {"b": set(), "m": set()}
    data_until = -2
    for match in _SIZE.finditer(text):
        before = match["word"] or _word_before(text[: match.start()])
        if before in _DATA_WORDS or match.start() - 1 == data_until:  # "laion2B-39B"
            data_until = match.end()
        elif match[0] != _CONTEXT:
            found[match["unit"]].add(_value(match))
    sizes = found["b"] or found["m"]  # "7B-1M" is a context of a million
    size = sizes.pop() if len(sizes) == 1 else math.nan
    return size if size > 0 else None


def _value(match: re.Match[str]) -> float:
    whole, underscore, rest = match["number"].partition("_")
    if underscore:
        # "-1_6b" is 1.6, "llama-3_8b" is version 3 of 8; "-2_7b" may be either
        return {"0": float(f"0.{rest}"), "1": float(f"1.{rest}"), "2": math.nan}.get(
            whole, float(rest)
        )
    if whole.startswith("0") and "." not in whole:
        return math.nan  # "06B"
    if whole in _YEARS:
        return math.nan  # "[2018b]"
    number = whole
    if match["tenth"] and "." not in number and match["unit"] == "b":
        number = f"{number}.{match['tenth']}"  # "1b7"
    return float(number) / (1.0 if match["unit"] == "b" else 1000.0)


def _word_before(text: str) -> str:
    match = _LAST_WORD.search(text[-40:])
    return match[1] if match else ""


def size_bucket(params_b: float | None) -> int:
    """Put a parameter count into one of 21 buckets.

    Args:
        params_b: parameters in billions.

    Returns:
        0 for unknown (None, not finite, not positive); else 1..20. Bucket k holds sizes from
        10^(0.3 (k-1)) million up to 10^(0.3 k) million, about a factor of two: 1 starts at 1 million,
        20 ends at 1 trillion; smaller and larger sizes fall into the first and the last.
    """
    if params_b is None or not math.isfinite(params_b) or params_b <= 0:
        return 0
    steps = (math.log10(params_b) - _FIRST_EXPONENT) / _STEP
    return min(max(math.floor(round(steps, 9)) + 1, 1), _BUCKETS)


def _human(exponent: float) -> str:
    millions = float(f"{10.0 ** (exponent - _FIRST_EXPONENT):.2g}")
    unit, scale = next(pair for pair in (("T", 1e6), ("B", 1e3), ("M", 1.0)) if millions >= pair[1])
    return f"{millions / scale:g}{unit}"


SIZE_BUCKETS: tuple[str, ...] = (
    "unknown",
    *(
        f"{_human(_FIRST_EXPONENT + _STEP * k)}-{_human(_FIRST_EXPONENT + _STEP * (k + 1))}"
        for k in range(_BUCKETS)
    ),
)
