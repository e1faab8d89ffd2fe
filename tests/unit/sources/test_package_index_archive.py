"""Opening wheels that were made to do harm, or that arrived broken."""

import io
import stat
import zipfile

import pytest

from modellens_core.errors import SourceCorruptError
from modellens_core.sources.package_index import archive
from tests.fakes.index_server import build_wheel

PATTERNS = ("*.yml",)


def write(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content in members:
            wheel.writestr(name, content)
    return path


def test_only_wanted_members_are_read_in_order_and_bad_bytes_do_not_stop(tmp_path):
    data = build_wheel("zoo", "1.0", {"zoo/b.yml": b"caf\xe9", "zoo/a.yml": "é", "zoo/x.py": "1"})
    path = tmp_path / "zoo.whl"
    path.write_bytes(data)
    assert list(archive.read_texts(path, PATTERNS).items()) == [
        ("zoo/a.yml", "é"),
        ("zoo/b.yml", "caf\ufffd"),
    ]


@pytest.mark.parametrize(
    "name",
    ["../evil.yml", "zoo/../../evil.yml", "/etc/evil.yml", "C:/evil.yml", "zoo\\..\\evil.yml"],
)
def test_names_that_lead_outside_condemn_the_wheel(tmp_path, name):
    path = write(tmp_path / "zoo.whl", [("zoo/good.yml", "a: 1"), (name, "b: 2")])
    with pytest.raises(SourceCorruptError, match="outside itself"):
        archive.read_texts(path, PATTERNS)
    assert [p.name for p in tmp_path.iterdir()] == ["zoo.whl"]


def test_links_condemn_the_wheel(tmp_path):
    link = zipfile.ZipInfo("zoo/link.yml")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = write(tmp_path / "zoo.whl", [(link, "/etc/passwd")])
    with pytest.raises(SourceCorruptError, match="link"):
        archive.read_texts(path, PATTERNS)


def test_a_small_file_that_unpacks_to_a_big_one_is_refused(tmp_path):
    bomb = [("zoo/bomb.yml", b"0" * (archive.MAX_FILE_BYTES + 1))]
    path = write(tmp_path / "zoo.whl", bomb)
    assert path.stat().st_size < archive.MAX_FILE_BYTES / 100
    with pytest.raises(SourceCorruptError, match="unpacks to"):
        archive.read_texts(path, PATTERNS)


def test_many_files_are_refused_by_their_sum_and_by_their_count(tmp_path, monkeypatch):
    path = write(tmp_path / "zoo.whl", [(f"zoo/{i}.yml", "x" * 100) for i in range(20)])
    monkeypatch.setattr(archive, "MAX_TOTAL_BYTES", 1999)
    with pytest.raises(SourceCorruptError, match="2,000 bytes"):
        archive.read_texts(path, PATTERNS)
    monkeypatch.setattr(archive, "MAX_MEMBERS", 19)
    with pytest.raises(SourceCorruptError, match="20 files"):
        archive.read_texts(path, PATTERNS)


def test_a_member_whose_size_is_a_lie_is_refused(tmp_path):
    path = write(tmp_path / "zoo.whl", [("zoo/a.yml", b"0" * 5000)])
    data = bytearray(path.read_bytes())
    size = (5000).to_bytes(4, "little")
    lie = (10).to_bytes(4, "little")
    path.write_bytes(bytes(data.replace(size, lie)))
    with pytest.raises(SourceCorruptError, match="not a readable wheel"):
        archive.read_texts(path, PATTERNS)


@pytest.mark.parametrize("keep", [0, 10, 200])
def test_half_a_wheel_is_corrupt(tmp_path, keep):
    path = tmp_path / "zoo.whl"
    path.write_bytes(build_wheel("zoo", "1.0", {"zoo/a.yml": "a: 1"})[:keep])
    with pytest.raises(SourceCorruptError, match="not a readable wheel"):
        archive.read_texts(path, PATTERNS)


def test_flipped_bits_are_noticed(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as wheel:
        wheel.writestr("zoo/a.yml", "score: 91.5")
    path = tmp_path / "zoo.whl"
    path.write_bytes(buffer.getvalue().replace(b"91.5", b"99.9"))
    with pytest.raises(SourceCorruptError, match="not a readable wheel"):
        archive.read_texts(path, PATTERNS)
