"""What the Hub says about each model: size, licence, lineage, languages, dates, and one sentence.

Only what is stated is taken: a size from the weights' own count, a release date only after the Hub began
to record them. Sizes read from names, families and unified licences belong in the corpus layer.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from modellens_core.schema import Item, ModelFact
from modellens_core.sources.base import RawTables
from modellens_core.sources.hub.describe import describe
from modellens_core.sources.hub.front_matter import read_front_matter
from modellens_core.sources.hub.raw_tables import SOURCE, Listed, iter_models

FIRST_RECORDED_DAY = date(
    2022, 3, 2
)  # repositories from before the Hub kept dates all carry this one
_PACKED = frozenset({"I8", "U8", "I16", "U16", "I32", "U32", "I64", "F4", "F6_E2M3", "F6_E3M2"})
_ADAPTERS = frozenset({"peft", "adapter-transformers", "adapters"})
_MOST_TAGS = 50
_PLAUSIBLE = 10**15  # parameters, downloads or likes beyond this are a slip


def parse_hub_models(raw: RawTables) -> Iterator[Item]:
    """Yield one fact per listed model."""
    for model in iter_models(raw, with_readmes=True):
        yield _fact(model)


def _fact(model: Listed) -> ModelFact:
    listing = model.listing
    card = model.card_data or _own_metadata(model)
    tags = [t for t in _texts(listing.get("tags")) if t]
    params = _params_b(listing)
    stated_license = _first(card.get("license_name")) if card.get("license") == "other" else None
    return ModelFact(
        source=SOURCE,
        raw_model=model.repo_id,
        params_b=params,
        params_origin="safetensors" if params is not None else None,
        license=stated_license or _first(card.get("license")) or _tagged(tags, "license:"),
        base_model=_base_model(model.repo_id, listing, card, tags),
        architecture=_architecture(listing.get("config")),
        library=_first(listing.get("library_name")) or _first(card.get("library_name")),
        pipeline_tag=_first(listing.get("pipeline_tag")) or _first(card.get("pipeline_tag")),
        languages=_texts(card.get("language", card.get("languages"))),
        tags=tuple(t for t in tags if ":" not in t)[:_MOST_TAGS],
        trained_on=_texts(card.get("datasets")) or tuple(_all_tagged(tags, "dataset:")),
        released_at=_released(listing.get("createdAt")),
        downloads=_count(listing.get("downloads")),
        likes=_count(listing.get("likes")),
        description=describe(model.readme) if model.readme is not None else None,
        url=model.url,
    )


def _own_metadata(model: Listed) -> Mapping[str, Any]:
    return read_front_matter(model.readme).data if model.readme is not None else {}


def _texts(value: object) -> tuple[str, ...]:
    """Texts out of a list or a single text; anything else is left out."""
    values = value if isinstance(value, list) else [value]
    found = (" ".join(v.split()) for v in values if isinstance(v, str))
    return tuple(dict.fromkeys(v for v in found if v))


def _first(value: object) -> str | None:
    return next(iter(_texts(value)), None)


def _all_tagged(tags: list[str], prefix: str) -> Iterator[str]:
    return (t.removeprefix(prefix) for t in tags if t.startswith(prefix))


def _tagged(tags: list[str], prefix: str) -> str | None:
    return next(_all_tagged(tags, prefix), None)


def _base_model(
    repo_id: str, listing: Mapping[str, Any], card: Mapping[str, Any], tags: list[str]
) -> str | None:
    """The first parent that is stated and is not the model itself."""
    related = listing.get("baseModels")
    models = related.get("models") if isinstance(related, dict) else None
    ids = [m.get("id") for m in models if isinstance(m, dict)] if isinstance(models, list) else []
    # "base_model:finetune:org/name" stands beside "base_model:org/name".
    tagged = (t.rpartition(":")[2] for t in _all_tagged(tags, "base_model:"))
    stated = (*_texts(card.get("base_model")), *_texts(ids), *tagged)
    return next((s for s in stated if s.casefold() != repo_id.casefold()), None)


def _architecture(config: object) -> str | None:
    if not isinstance(config, dict):
        return None
    return _first(config.get("architectures")) or _first(config.get("model_type"))


def _params_b(listing: Mapping[str, Any]) -> float | None:
    """Parameters in billions, from the weights' headers.

    None for adapters, whose weights are not the model's, and for packed weights, where one stored
    integer holds several parameters.
    """
    weights = listing.get("safetensors")
    if not isinstance(weights, dict) or listing.get("library_name") in _ADAPTERS:
        return None
    total, parts = _number(weights.get("total")), weights.get("parameters")
    if not 0 < total <= _PLAUSIBLE:
        return None
    packed = [n for kind, n in parts.items() if kind in _PACKED] if isinstance(parts, dict) else []
    # A few integers are position buffers; more of them are packed weights.
    if sum(min(_number(n), _PLAUSIBLE) for n in packed) > 0.01 * total:
        return None
    return total / 1e9


def _released(created: object) -> date | None:
    try:
        day = date.fromisoformat(str(created)[:10])
    except ValueError:
        return None
    return day if day > FIRST_RECORDED_DAY else None


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= _PLAUSIBLE else None


def _number(value: object) -> int | float:
    """A number; 0 for what is none."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0
