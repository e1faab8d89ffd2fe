"""What a run clears away before it starts: what killed runs left half done, and what nothing reads any more.

Called under the profile's lock, and when no run of Dagster's UI is at work: then nothing half done belongs to
anyone alive. Broken tables are `damage.py`'s.
"""

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from assets.training import seeds_of, training_dir
from modellens_core.config import Settings
from modellens_core.sources.registry import sources_of
from modellens_core.splits.freeze import PROTOCOLS
from modellens_core.store.lake import unfinished

DAY_SECONDS = 86_400
_SEED = re.compile(r"seed-(\d+)")


def clear_away(settings: Settings) -> list[Path]:
    """Remove all of it; returns what was removed."""
    found = [
        *_left_by_kills(settings),
        *_seeds_not_configured(settings),
        *_parts_of_no_source(settings),
    ]
    for path in found:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return found


def _left_by_kills(settings: Settings) -> Iterator[Path]:
    # Dagster's own storage is not ours to sweep.
    for folder in (settings.lake_dir, settings.report_dir, settings.bundle_dir):
        yield from unfinished(folder)
    yield from unfinished(settings.state_dir, deep=False)
    # The cache is shared with other profiles, whose runs this lock does not hold back.
    before = time.time() - DAY_SECONDS
    yield from (p for p in unfinished(settings.cache_dir) if p.stat().st_mtime < before)


def _seeds_not_configured(settings: Settings) -> Iterator[Path]:
    # Nothing is lost: with the seeds of before, training would start anew.
    for protocol in PROTOCOLS:
        for folder in training_dir(settings, protocol).glob("seed-*"):
            seed = _SEED.fullmatch(folder.name)
            if seed and int(seed[1]) not in seeds_of(protocol, settings):
                yield folder


def _parts_of_no_source(settings: Settings) -> Iterator[Path]:
    # SQL reads all parts as one table, so a part without a parser would stay in the corpus for good. What a
    # source once said (raw) is kept: it may be wanted again.
    known = {part.name for source in sources_of(settings.profile) for part in source.parts}
    for folder in (settings.lake_dir / "staging").glob("*"):
        if folder.is_dir() and folder.name not in known:
            yield folder
