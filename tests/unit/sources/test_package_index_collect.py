"""Collecting wheels: the genuine pip against a loopback index, and everything that can go wrong."""

import hashlib
import os
import shutil

import pyarrow as pa
import pytest
import tenacity

from modellens_core.config import Settings
from modellens_core.errors import SourceUnreachableError
from modellens_core.progress import silent
from modellens_core.schema import Report
from modellens_core.sources.base import SourceState
from modellens_core.sources.package_index import (
    catalogue,
    collect,
    collect_package_index,
    download,
    parse_package_index,
)
from tests.fakes.index_server import (
    PackageIndex,
    build_wheel,
    model_zoo_wheel,
    pip_environment,
    serve,
    wheel_entry,
)
from tests.fakes.world import make_world

METAFILE = """\
Models:
  - Name: {name}
    Results:
      - {{Task: Object Detection, Dataset: COCO, Metrics: {{box AP: 40.5}}}}
"""


def zoo(package, version="1.0", **fields):
    files = {f"{package}/.mim/configs/a/metafile.yml": METAFILE.format(name=f"{package}-model")}
    data = build_wheel(package, version, files)
    return wheel_entry(package, version, data, **fields), data


class Rig:
    """An index, the wheels the catalogue lists, and settings with an empty cache."""

    def __init__(self, index, settings, monkeypatch):
        self.index, self.settings, self._monkeypatch = index, settings, monkeypatch

    def catalogue(self, *wheels):
        ordered = tuple(sorted(wheels, key=lambda wheel: wheel.package))
        self._monkeypatch.setattr(catalogue, "wheels", lambda: ordered)

    def offer(self, *pairs):
        for wheel, data in pairs:
            self.index.add(wheel, data)
        self.catalogue(*(wheel for wheel, _ in pairs))

    def collect(self, previous=None, progress=silent):
        collected = collect_package_index(self.settings, previous or {}, progress)
        return collected.tables["files"], {s.part: s for s in collected.statuses}

    def cached(self):
        folder = self.settings.cache_dir / "wheels"
        return sorted(p.name for p in folder.iterdir()) if folder.exists() else []


@pytest.fixture
def rig(tmp_path, monkeypatch):
    for name in [n for n in os.environ if n.startswith("PIP_") or n.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(download, "RETRY_WAIT", tenacity.wait_none())
    monkeypatch.setattr(download, "TRIES", 2)
    with serve(PackageIndex()) as index:
        for name, value in pip_environment(index.url, str(tmp_path / "pip")).items():
            monkeypatch.setenv(name, value)
        yield Rig(index, Settings(home=tmp_path / "home"), monkeypatch)


def test_the_planted_world_arrives_through_pip_whole(rig):
    world = make_world(n_models=6, n_datasets=3)
    rig.offer(model_zoo_wheel(world))
    files, statuses = rig.collect()
    reports = [i for i in parse_package_index({"files": files}) if isinstance(i, Report)]
    said = {(r.raw_model, r.raw_dataset, r.raw_value) for r in reports}
    planted = [i for i in world.items() if isinstance(i, Report)]
    assert said == {(r.raw_model, r.raw_dataset, r.raw_value) for r in planted}
    assert statuses["planted-zoo"].state is SourceState.OK
    assert files["url"].to_pylist() == ["https://example.org/planted-zoo/configs/all/metafile.yml"]


def test_a_second_collection_needs_no_network_and_is_identical(rig, monkeypatch):
    rig.offer(zoo("one"))
    first, _ = rig.collect()
    asked = rig.index.requests.total()
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple/")
    second, statuses = rig.collect({"files": first})
    assert second.equals(first)
    assert rig.index.requests.total() == asked
    assert {s.requests for s in statuses.values()} == {0}
    assert first["retrieved_at"].type == pa.timestamp("us", tz="UTC")


def test_other_bytes_than_pinned_are_corrupt_and_never_cached(rig):
    wheel, data = zoo("tampered")
    liar, more = zoo("tampered-and-lying")  # its page lists the pinned hash
    rig.offer((wheel, data + b"\0"), (liar, more + b"\0"), zoo("sound"))
    rig.index.listed_hash[liar.file] = liar.sha256
    files, statuses = rig.collect()
    assert statuses["tampered"].state is SourceState.CORRUPT
    assert statuses["tampered-and-lying"].state is SourceState.CORRUPT
    assert "SHA-256" in statuses["tampered"].detail
    assert "\n" not in statuses["tampered"].detail
    assert statuses["sound"].state is SourceState.OK
    assert set(files["package"].to_pylist()) == {"sound"}
    assert len(rig.cached()) == 1


def test_a_body_that_breaks_off_is_tried_again_and_never_cached(rig):
    wheel, data = zoo("cut")
    rig.offer((wheel, data))
    rig.index.truncate.add(wheel.file)
    _, statuses = rig.collect()
    assert statuses["cut"].state in {SourceState.UNREACHABLE, SourceState.CORRUPT}
    assert rig.cached() == []
    rig.index.truncate.clear()
    files, statuses = rig.collect()
    assert statuses["cut"].state is SourceState.OK
    assert files.num_rows == 1


def test_a_short_outage_is_ridden_out(rig):
    wheel, data = zoo("flaky")
    rig.offer((wheel, data))
    rig.index.failures[wheel.file] = 2  # the first pip asks twice
    files, statuses = rig.collect()
    assert statuses["flaky"].state is SourceState.OK
    assert statuses["flaky"].requests == 2
    assert files.num_rows == 1


def test_a_missing_wheel_does_not_stop_the_others(rig):
    absent, _ = zoo("absent")
    present, data = zoo("present")
    rig.index.add(present, data)
    rig.catalogue(absent, present)
    seen = []
    files, statuses = rig.collect(progress=lambda label, done, total: seen.append((done, total)))
    assert seen == [(0, 2), (1, 2), (2, 2)]
    assert statuses["absent"].state is SourceState.UNREACHABLE
    assert absent.file in statuses["absent"].detail
    assert statuses["present"].state is SourceState.OK
    assert files.num_rows == 1


def test_when_the_index_is_down_the_last_rows_stay_and_no_secret_is_told(rig, monkeypatch):
    rig.offer(zoo("one"))
    first, _ = rig.collect()
    shutil.rmtree(rig.settings.cache_dir)
    monkeypatch.setenv("PIP_INDEX_URL", "http://someone:hunter2@127.0.0.1:9/simple/")
    second, statuses = rig.collect({"files": first})
    assert second.equals(first)
    assert {s.state for s in statuses.values()} == {SourceState.UNREACHABLE}
    assert all(s.rows == 1 and "network" in s.detail for s in statuses.values())
    assert not any("hunter2" in s.detail or "\n" in s.detail for s in statuses.values())


def test_once_the_index_is_down_the_other_wheels_do_not_wait_through_all_retries(rig, monkeypatch):
    tries = {}

    def unreachable(wheel, cache, asked):
        tries[wheel.package] = asked
        raise SourceUnreachableError("the package index did not answer")

    monkeypatch.setattr(download, "fetch", unreachable)
    monkeypatch.setattr(collect, "DOWNLOADS_AT_ONCE", 1)
    rig.offer(zoo("a"), zoo("b"), zoo("c"))
    rig.collect()
    assert tries == {"a": 2, "b": 1, "c": 1}


def test_a_damaged_cache_entry_is_fetched_anew(rig):
    wheel, data = zoo("one")
    rig.offer((wheel, data))
    first, _ = rig.collect()
    cached = rig.settings.cache_dir / "wheels" / wheel.sha256 / wheel.file
    cached.write_bytes(b"half a wheel")
    second, statuses = rig.collect()
    assert statuses["one"].requests == 1
    assert second.drop(["retrieved_at"]).equals(first.drop(["retrieved_at"]))
    assert hashlib.sha256(cached.read_bytes()).hexdigest() == wheel.sha256


def test_rows_of_the_last_version_stay_while_the_new_one_cannot_be_had(rig):
    rig.offer(zoo("one", "1.0"))
    first, _ = rig.collect()
    newer, _ = zoo("one", "2.0")
    rig.catalogue(newer)
    second, statuses = rig.collect({"files": first})
    assert second.equals(first)
    assert statuses["one"].state is SourceState.UNREACHABLE
    report = next(i for i in parse_package_index({"files": second}) if isinstance(i, Report))
    assert report.source_revision == "one==1.0"


def test_a_wheel_without_result_files_is_reported(rig):
    data = build_wheel("empty", "1.0", {"empty/__init__.py": "raise SystemExit('executed')"})
    rig.offer((wheel_entry("empty", "1.0", data), data))
    files, statuses = rig.collect()
    assert statuses["empty"].state is SourceState.CORRUPT
    assert files.num_rows == 0


@pytest.mark.parametrize(
    ("output", "error", "says"),
    [
        ("/usr/bin/python: No module named pip", "SourceUnreachableError", "ensurepip"),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n  Got  abc",
            "SourceCorruptError",
            "another SHA-256",
        ),
        (
            "WARNING: Retrying (Retry(total=0)) after NewConnectionError\nERROR: No matching distribution",
            "_TransientError",
            "did not answer",
        ),
        (
            "ERROR: No matching distribution found for zoo==1.0",
            "SourceUnreachableError",
            "does not offer",
        ),
        ("ERROR: disk quota exceeded\n", "SourceUnreachableError", "disk quota exceeded"),
        ("", "SourceUnreachableError", "no output"),
    ],
)
def test_what_pip_said_becomes_one_line_that_helps(output, error, says):
    wheel, _ = zoo("zoo")
    explained = download.explain(wheel, output)
    assert type(explained).__name__ == error
    assert says in str(explained)
    assert "\n" not in str(explained)


def test_credentials_and_tokens_are_removed_from_the_last_line():
    line = download.last_line(
        "Looking in indexes: https://a:b@host\n"
        "ERROR: 403 for url: https://user:hunter2@host/simple/zoo/?token=abc123 (denied)\n\n"
    )
    assert line == "403 for url: https://host/simple/zoo/ (denied)"
