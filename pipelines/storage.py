"""Trouble with the disk below Dagster's records and our own state, said in one line with what to do.

A full disk and one that is read-only show as SQLite's errors or the system's, wherever a run or a look happens
to be. Wrong data in the lake is `damage.py`'s.
"""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from modellens_core.config import Settings
from modellens_core.errors import ModelLensError

_DISK = {
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO,
}  # fmt: skip
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class StorageError(ModelLensError):
    """The disk takes or gives nothing."""


@contextmanager
def clear_disk_errors(settings: Settings) -> Iterator[None]:
    """Turn what SQLite and the system say of the disk into one line; everything else passes.

    Raises:
        StorageError: the state folder cannot be used.
    """
    try:
        yield
    except Exception as error:
        line = _explained(error, settings)
        if line is None:
            raise
        raise StorageError(line) from None


def _explained(error: Exception, settings: Settings) -> str | None:
    remedy = (
        "free space on that disk and see that you may write to it, or set MODELLENS_HOME to another folder; "
        "nothing finished is lost"
    )
    # SQLAlchemy, through which Dagster asks SQLite, wraps its errors.
    cause = getattr(error, "orig", error)
    if isinstance(cause, sqlite3.Error):
        # An extended code holds the plain one in its last byte.
        if getattr(cause, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
            remedy = "move that folder away: the next run begins its records anew and builds everything again"
        return f"the records of runs in {settings.dagster_dir} cannot be used ({cause}); {remedy}"
    if isinstance(error, OSError) and error.errno in _DISK:
        place = error.filename or settings.state_dir
        return f"{place} cannot be used ({error.strerror}); {remedy}"
    return None
