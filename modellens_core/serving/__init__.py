"""Recommends models for a dataset nobody has measured: `Recommender` and what it returns.

Importing this costs nothing; torch and the encoder load when they are first needed.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modellens_core.serving.answer import Answer, Evidence, Recommendation
    from modellens_core.serving.recommend import Recommender

__all__ = ["Answer", "Evidence", "Recommendation", "Recommender"]


def __getattr__(name: str) -> Any:
    if name == "Recommender":
        from modellens_core.serving.recommend import Recommender

        return Recommender
    if name in __all__:
        from modellens_core.serving import answer

        return getattr(answer, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
