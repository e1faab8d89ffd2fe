"""Reports that a source no longer makes: closed with the time this was noticed, never forgotten.

A report is closed when its source was read again and says it no more: the repository is gone, the card was
rewritten, the value was corrected. That our own reading changed, or that we no longer look there, is
something else and closes nothing. What counts as one report is its `report_id` (`schema.py`).
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from modellens_core.schema import CLOSED

# Where reports stood, to the revision that stands there now: None if there is nothing any more. A place that
# is left out was not looked at.
Revisions = Callable[[Collection[str]], Mapping[str, str | None]]


def closed_reports(
    now: pa.Table,
    before: pa.Table | None,
    closed: pa.Table | None,
    at: datetime,
    revisions: Revisions | None = None,
) -> pa.Table:
    """Add what disappeared to the reports that are closed already.

    Args:
        now: the reports of this reading.
        before: those of the reading before it; None the first time.
        closed: what was closed up to then; None the first time.
        at: when this reading was made, in UTC.
        revisions: of a source that has them; without it, what is missing is gone.

    Returns:
        A table of schema `CLOSED`, sorted by report; what is reported again is closed no more.
    """
    earlier = CLOSED.empty_table() if closed is None else closed
    earlier = earlier.filter(pc.invert(pc.is_in(earlier["report_id"], now["report_id"])))
    gone = now.slice(0, 0) if before is None else _gone(now, before, revisions)
    gone = gone.filter(pc.invert(pc.is_in(gone["report_id"], earlier["report_id"])))
    times = pa.array([at] * gone.num_rows, CLOSED.field("closed_at").type)
    found = pa.concat_tables([earlier, gone.append_column(CLOSED.field("closed_at"), times)])
    return found.sort_by("report_id")


def _gone(now: pa.Table, before: pa.Table, revisions: Revisions | None) -> pa.Table:
    """Rows of `before` that the source, and not our reading, has dropped."""
    gone = before.filter(pc.invert(pc.is_in(before["report_id"], now["report_id"])))
    if revisions is None:
        # A parser of another version reads the same text differently; of an empty reading none is known.
        readers = pc.unique(now["extractor"])
        return gone.filter(pc.is_in(gone["extractor"], readers)) if len(readers) else gone
    places = list(
        zip(*(gone[c].to_pylist() for c in ("source_url", "source_revision")), strict=True)
    )
    present = revisions({url for url, _ in places if url is not None})
    changed = [url in present and present[url] != revision for url, revision in places]
    return gone.filter(pa.array(changed, pa.bool_()))
