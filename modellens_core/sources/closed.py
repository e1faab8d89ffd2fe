"""Reports that a source no longer makes: closed with the time this was noticed, never forgotten.

A report is closed when its source was read again and says it no more: the repository is gone, the card was
rewritten, the value was corrected. That our own reading changed is something else and closes nothing.
What counts as one report is its `report_id` (`schema.py`).
"""

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from modellens_core.schema import CLOSED


def closed_reports(
    now: pa.Table, before: pa.Table | None, closed: pa.Table | None, at: datetime
) -> pa.Table:
    """Add what disappeared to the reports that are closed already.

    Args:
        now: the reports of this reading.
        before: those of the reading before it; None the first time.
        closed: what was closed up to then; None the first time.
        at: when this reading was made, in UTC.

    Returns:
        A table of schema `CLOSED`, sorted by report; what is reported again is closed no more.
    """
    earlier = CLOSED.empty_table() if closed is None else closed
    earlier = earlier.filter(pc.invert(pc.is_in(earlier["report_id"], now["report_id"])))
    gone = now.slice(0, 0) if before is None else _gone(now, before)
    gone = gone.filter(pc.invert(pc.is_in(gone["report_id"], earlier["report_id"])))
    times = pa.array([at] * gone.num_rows, CLOSED.field("closed_at").type)
    found = pa.concat_tables([earlier, gone.append_column(CLOSED.field("closed_at"), times)])
    return found.sort_by("report_id")


def _gone(now: pa.Table, before: pa.Table) -> pa.Table:
    """Rows of `before` that the source, and not our reading, has dropped."""
    gone = before.filter(pc.invert(pc.is_in(before["report_id"], now["report_id"])))
    # A parser of another version reads the same text differently.
    gone = gone.filter(pc.is_in(gone["extractor"], pc.unique(now["extractor"])))
    # The very revision it was read from is still the source's.
    same = set(zip(*(now[c].to_pylist() for c in ("source_url", "source_revision")), strict=True))
    places = zip(*(gone[c].to_pylist() for c in ("source_url", "source_revision")), strict=True)
    changed = [place[1] is None or place not in same for place in places]
    return gone.filter(pa.array(changed, pa.bool_()))
