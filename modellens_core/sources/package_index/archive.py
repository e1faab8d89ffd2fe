"""Reads chosen text files out of a wheel without unpacking it anywhere.

A wheel is a zip from the network: member names, sizes and counts are checked before anything is read,
and what is read is capped, so that a crafted archive costs an error and not a disk or the memory. What
the texts mean is the readers' business.
"""

import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from modellens_core.errors import SourceCorruptError

MAX_MEMBERS = 20_000
MAX_FILE_BYTES = 8 * 2**20
MAX_TOTAL_BYTES = 128 * 2**20


def read_texts(wheel: Path, patterns: Sequence[str]) -> dict[str, str]:
    """Read the members of a wheel whose path fits one of the patterns.

    Args:
        wheel: path of the `.whl` file.
        patterns: shell patterns over the whole member path; `*` also matches `/`.

    Returns:
        Member path to text, sorted by path. Bytes that are not UTF-8 become U+FFFD.

    Raises:
        SourceCorruptError: not a zip, a member fails its checksum, names a place outside the archive, is
            a link, or is larger than a result file can be.
    """
    with _opened(wheel) as archive:
        members = archive.infolist()
        if len(members) > MAX_MEMBERS:
            raise SourceCorruptError(
                f"{wheel.name} holds {len(members):,} files, more than {MAX_MEMBERS:,}; not read"
            )
        for member in members:
            _require_inside(wheel, member)
        wanted = [m for m in members if _is_wanted(m, patterns)]
        _require_small(wheel, wanted)
        texts = {m.filename: _read(archive, m) for m in wanted}
    return dict(sorted(texts.items()))


@contextmanager
def _opened(wheel: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(wheel) as archive:
            yield archive
    # RuntimeError and NotImplementedError: encrypted, or a compression method wheels do not use.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError) as error:
        raise SourceCorruptError(f"{wheel.name} is not a readable wheel: {error}") from error


def _is_wanted(member: zipfile.ZipInfo, patterns: Sequence[str]) -> bool:
    return not member.is_dir() and any(fnmatchcase(member.filename, p) for p in patterns)


def _require_inside(wheel: Path, member: zipfile.ZipInfo) -> None:
    """Refuse the whole archive if one member points elsewhere: nobody builds such a wheel by mistake."""
    name = member.orig_filename
    outside = name.startswith(("/", "\\")) or "\\" in name or ":" in name.split("/", 1)[0]
    if outside or ".." in PurePosixPath(name).parts:
        raise SourceCorruptError(
            f"{wheel.name} names a file outside itself ({name[:80]!r}); not read"
        )
    if stat.S_ISLNK(member.external_attr >> 16):
        raise SourceCorruptError(f"{wheel.name} contains a link ({name[:80]!r}); not read")


def _require_small(wheel: Path, members: Sequence[zipfile.ZipInfo]) -> None:
    for member in members:
        if member.file_size > MAX_FILE_BYTES:
            raise SourceCorruptError(
                f"{wheel.name}: {member.filename[:80]!r} unpacks to {member.file_size:,} bytes; "
                f"at most {MAX_FILE_BYTES:,} are read"
            )
    total = sum(member.file_size for member in members)
    if total > MAX_TOTAL_BYTES:
        raise SourceCorruptError(
            f"{wheel.name}: its result files unpack to {total:,} bytes; "
            f"at most {MAX_TOTAL_BYTES:,} are read"
        )


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> str:
    with archive.open(member) as file:
        # The directory's size can lie; zipfile stops there, and the checksum then fails.
        data = file.read(MAX_FILE_BYTES + 1)
    return data.decode("utf-8", errors="replace")
