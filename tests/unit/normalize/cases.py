"""What the normaliser tests share: golden cases from JSON, and text of every unpleasant kind."""

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

GOLDEN = Path(__file__).parents[2] / "golden" / "normalize"


def golden(name: str) -> list[Any]:
    return json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))


UNPLEASANT = (
    "",
    " ",
    "\x00",
    "\u200b\u200d\ufeff",
    "😀",
    "👩‍👩‍👧‍👦 accuracy",
    "דיוק (מבחן)",
    "\u202eycarucca\u202c",
    "दक्षता @ ५",
    "İSTANBUL ẞ ǅ ﬀ",
    "e\u0301\u200b\u0301",
    "\ud800",
    "/",
    "///a//",
    "()[]{}",
    "@@@",
    "1 - ",
    "%%%",
    "a" * 10_000,
    "accuracy " * 1_250,
    "7b" * 5_000,
    "(" * 10_000,
    "1-shot-" * 1_000,
    "-test" * 2_000,
    "nano" * 2_500 + "retrieval",
)

WORDS = st.sampled_from((
    "accuracy", "acc", "top", "1", "5", "@", "@10", "error", "rate", "f1", "macro", "micro",
    "test", "val", "(val)", "[x]", "/", "-", "_", "%", "(%)", "map", "ap", "50", "0.5:0.95",
    "mean", "iou", "wer", "std", "drop", "one", "minus", "1-", "score", "nauc", "diff", "r2",
    "p", "30", "mr", "coco", "imagenet", "mmlu", "glue", "5-shot", "zero", "shot", "dev",
    "train", "en", "de", "v2", "7b", "1_6b", "8x7b", "m", "org/name", "resnet", "vit", "bert",
    "gpt-2", "llama", "ours", "detection", "image", "text", "↓", "↑", "common", "voice", "8",
    "0", "nano", "retrieval",
))  # fmt: skip
PHRASES = st.lists(
    st.tuples(WORDS, st.sampled_from([" ", "-", "_", "", "/", " ("])), max_size=8
).map(lambda parts: "".join(word + gap for word, gap in parts))
TEXTS = st.one_of(st.text(max_size=80), PHRASES, st.sampled_from(UNPLEASANT))
