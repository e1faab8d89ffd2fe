"""Refuses what nobody can answer, before weights are loaded: each mistake is one line that says what to do.

Shapes and ranges of arguments only. Whether a task or metric is known is asked in `context.py`, how limits
choose models in `candidates.py`.
"""

import math
from collections import Counter
from collections.abc import Sequence
from numbers import Integral

from modellens_core.errors import ModelLensError
from modellens_core.features.text import compose_query_text
from modellens_core.serving.candidates import Filters

_WRITE = (
    "write a sentence or two on what your data are and what a model should do with them, for example "
    "'customer reviews in German, to be sorted by sentiment'"
)


def require_description(text: str) -> None:
    """Raises ModelLensError where a description holds no words of any script."""
    if not text.strip():
        raise ModelLensError(f"the description is empty: {_WRITE}")
    if not any(map(str.isalpha, compose_query_text(text, None))):
        raise ModelLensError(
            "the description holds no words a text encoder can use (numbers, emoji, links, tables and code "
            f"do not count): {_WRITE}"
        )


def require_models(models: Sequence[str]) -> None:
    """Raises ModelLensError for one string, empty names and names that occur twice."""
    if isinstance(models, str):
        raise ModelLensError(f"models is the text {models!r}; give a list of names: [{models!r}]")
    if any(not name.strip() for name in models):
        raise ModelLensError("a model name is empty; give names such as 'org/name'")
    twice = [name for name, n in Counter(name.strip() for name in models).items() if n > 1]
    if twice:
        raise ModelLensError(f"models names {', '.join(twice)} more than once; name each once")


def require_named(kind: str, name: str | None) -> None:
    """Raises ModelLensError where a task or metric is given as an empty text."""
    if name is not None and not name.strip():
        raise ModelLensError(f"{kind} is empty; name one, or leave it out to have it inferred")


def require_length(top: object) -> None:
    """Raises ModelLensError for a list without room for a model."""
    if isinstance(top, bool) or not isinstance(top, Integral) or int(top) < 1:
        raise ModelLensError(f"top is {top}; ask for at least one model, in whole numbers")


def require_limits(limits: Filters) -> None:
    """Raises ModelLensError for a limit that excludes nothing, or that nothing can be compared with."""
    _require_size("max_params_b", limits.max_params_b, "above 0", least=math.ulp(0.0))
    _require_size("min_params_b", limits.min_params_b, "0 or more", least=0.0)
    licence, families = limits.license, limits.families
    licences = [licence] if isinstance(licence, str) else licence
    if licences is not None and (not licences or any(not name.strip() for name in licences)):
        raise ModelLensError(
            "license is empty; give part of a licence's name such as 'apache', or leave it out for any"
        )
    if isinstance(families, str):
        raise ModelLensError(
            f"families is the text {families!r}; give a list of names: [{families!r}]"
        )
    if families is not None and (not families or any(not name.strip() for name in families)):
        raise ModelLensError("families is empty; name some, or leave it out for all")


def _require_size(name: str, size: float | None, allowed: str, *, least: float) -> None:
    if size is not None and not (math.isfinite(size) and size >= least):
        raise ModelLensError(
            f"{name} is {size:g}; give a size in billions of parameters, {allowed}, or leave it out for no limit"
        )
