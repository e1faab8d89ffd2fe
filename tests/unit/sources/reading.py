"""Shared by the tests of the package-index readers: result files, catalogue entries, items by kind."""

import textwrap
from datetime import UTC, datetime

from modellens_core.schema import ModelFact, Reject, Report, canonical_setting
from modellens_core.sources.package_index.parse import read_wheel
from modellens_core.sources.package_index.scores import ResultFile
from tests.fakes.index_server import wheel_entry

WHEN = datetime(2026, 1, 2, tzinfo=UTC)


def file(path, text):
    return ResultFile(path, textwrap.dedent(text), f"https://example.org/{path}", WHEN)


def entry(reader="metafiles", **fields):
    return wheel_entry("zoo", "1.0", b"", reader=reader, **fields)


def read(wheel, *files):
    found = list(read_wheel(wheel, files))
    return {kind: [i for i in found if isinstance(i, kind)] for kind in (Report, ModelFact, Reject)}


def as_row(report):
    return [
        report.raw_model,
        report.raw_dataset,
        report.raw_task,
        report.raw_metric,
        report.raw_value,
        report.value,
        report.unit,
        canonical_setting(report.setting),
    ]
