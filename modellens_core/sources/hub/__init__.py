"""The Hugging Face Hub: collecting, and one parser per tier."""

from modellens_core.sources.hub.bronze import parse_hub_bronze
from modellens_core.sources.hub.collect import collect_hub
from modellens_core.sources.hub.facts import parse_hub_models
from modellens_core.sources.hub.gold import parse_hub_gold
from modellens_core.sources.hub.silver import parse_hub_silver

__all__ = [
    "collect_hub",
    "parse_hub_bronze",
    "parse_hub_gold",
    "parse_hub_models",
    "parse_hub_silver",
]
