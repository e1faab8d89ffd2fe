"""How each kind of wheel is read: which of its files, and the pure function that reads them.

A reader yields scores and facts in the source's own words; units, refusals and the record shape are
applied to all of them alike in `scores.py`. A new kind of wheel takes one module and one entry here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from modellens_core.sources.package_index.catalogue import Wheel
from modellens_core.sources.package_index.readers import (
    alpaca_eval,
    metafiles,
    open_model_zoo,
    pykeen,
    readme_tables,
    torchvision,
)
from modellens_core.sources.package_index.scores import Found, ResultFile


@dataclass(frozen=True, slots=True)
class Reader:
    """The files of a wheel that carry results, as shell patterns, and what reads them."""

    files: tuple[str, ...]
    read: Callable[[Wheel, Sequence[ResultFile]], Iterator[Found]]


READERS: Mapping[str, Reader] = {
    "alpaca_eval": Reader(alpaca_eval.FILES, alpaca_eval.read),
    "metafiles": Reader(metafiles.FILES, metafiles.read),
    "open_model_zoo": Reader(open_model_zoo.FILES, open_model_zoo.read),
    "pykeen": Reader(pykeen.FILES, pykeen.read),
    "readme_tables": Reader(readme_tables.FILES, readme_tables.read),
    "torchvision": Reader(torchvision.FILES, torchvision.read),
}
