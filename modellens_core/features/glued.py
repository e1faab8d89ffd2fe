"""Takes scores out of names: "MMLU45", "bert-glue-92", "acc_92.3" say what the ranker is asked for.

A decimal, or a whole number of 10 to 100, behind a metric's or a listed benchmark's name is a score, unless
it belongs to a listed name itself ("CIFAR-10", "SQuAD2.0"), carries letters ("ImageNet-21k", "13B") or
counts something ("cifar-10-40-labels"). Other numbers are versions, years, dimensions and dates. Cleaning whole texts belongs in `leaks.py`.
"""

import re

from modellens_core.normalize.datasets import is_benchmark, is_versioned_benchmark

_WORD = re.compile(r"[^\W\d_]+|\d+(?:[.,]\d+)*")
_SIGNS = re.compile(r"[-_./@+]*")
_LIKE_A_SCORE = re.compile(r"\d+[.,]\d.*|[1-9]\d|100")
_COUNTED = frozenset(
    {"class", "classes", "frame", "frames", "hour", "hours", "image", "images", "label", "labeled"}
    | {"labels", "node", "nodes", "sample", "samples", "shot", "shots", "step", "steps", "task"}
    | {"tasks", "upscaling", "way", "x"}
)
_LONGEST = 5  # words of a benchmark's name
_RESULT_WORD = re.compile(
    r"(?:acc|accuracy|auc|auroc|bleu|bleurt|bertscore|cer|chrf|cider|corr|eer|elo|em|error|err|exact|"
    r"fid|fpr|gleu|hit|hits|iou|kappa|loss|mae|map|mape|match|mcc|meteor|miou|mota|mrr|mse|ndcg|"
    r"pass|pct|pearson|percent|perplexity|pesq|point|points|pp|ppl|ppt|precision|psnr|pt|pts|rate|"
    r"recall|result|results|rmse|rouge|rougel|score|scores|sdr|spearman|spice|ssim|stoi|ter|top|tpr|"
    r"wacc|wer|winrate)s?"
)


def is_result_word(word: str) -> bool:
    """Whether a lower-case word is a metric's name or says "result"."""
    return _RESULT_WORD.fullmatch(word) is not None


def without_glued_scores(name: str) -> str:
    """Remove the numbers of a name that are scores, with the signs before them.

    Args:
        name: one word with everything that holds it together: a model's or a dataset's name.
    """
    kept: list[str] = []  # words and numbers so far, lower case
    pieces: list[str] = []
    end = 0
    for match in _WORD.finditer(name):
        between, word = name[end : match.start()], match.group().lower()
        if not _SIGNS.fullmatch(between):
            kept = []
        end = match.end()
        if _LIKE_A_SCORE.fullmatch(word) and _is_score(kept, word, name[end:].lower()):
            continue
        kept.append(word)
        pieces += [between, match.group()]
    return "".join([*pieces, name[end:]])


def _is_score(before: list[str], number: str, after: str) -> bool:
    follower = _WORD.search(after)
    next_word = follower.group() if follower and _SIGNS.fullmatch(after[: follower.start()]) else ""
    if next_word and next_word[0].isalpha() and not is_result_word(next_word):
        glued = bool(follower and follower.start() == 0)
        starts = not before and is_benchmark([next_word]) and not is_benchmark([number, next_word])
        if glued or next_word in _COUNTED:
            return glued and starts  # "1k" and "7b" are names, "92mmlu" is a score
    if not before:
        return False
    if is_result_word(before[-1]) or before[-2:] == ["f", "1"]:
        return True
    ends = [before[-n:] for n in range(1, min(_LONGEST, len(before)) + 1)]
    if any(is_benchmark([*words, number]) for words in ends):
        return False
    return any(is_benchmark(words) and not is_versioned_benchmark(words) for words in ends)
