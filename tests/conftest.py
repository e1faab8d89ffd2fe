"""What holds for the whole suite: nothing of this machine comes in, and nothing of a test stays.

No variable, no `.env`, no network but loopback, in the tests' process and in those they start. What one part
of the suite needs beyond that belongs in its own conftest.
"""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from pipelines.environment import quiet
from tests.loopback_only import sitecustomize as guard

# A property is judged by what it finds, not by how busy the machine is.
settings.register_profile("modellens", deadline=None, print_blob=True)
settings.load_profile("modellens")

ROOT = Path(__file__).parents[1]
FOREIGN = ("MODELLENS_", "HF_", "OPENAI_", "PIP_", "DAGSTER_")

# Here and not in a fixture: libraries read their variables when a test module imports them.
for name in list(os.environ):
    if name.startswith(FOREIGN) or name.upper().endswith("_PROXY"):
        del os.environ[name]
quiet()


@pytest.fixture(scope="session", autouse=True)
def nothing_of_this_machine(tmp_path_factory):
    """Leave the folder of the developer's `.env`, and guard the processes that tests start as well."""
    folder = tmp_path_factory.mktemp("nowhere")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "tests/loopback_only"), str(ROOT)]))
        patch.setenv(guard.RECORD, str(tmp_path_factory.mktemp("guard") / "refused.txt"))
        patch.chdir(folder)
        yield


@pytest.fixture(autouse=True)
def environment_as_before():
    """The command line prepares its process for Dagster by setting variables; a test process goes on."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def refused():
    """What was refused since this was last called, by this process and those it started."""
    record = Path(os.environ[guard.RECORD])

    def lines():
        found = record.read_text().splitlines() if record.exists() else []
        record.unlink(missing_ok=True)
        return found

    return lines


@pytest.fixture(autouse=True)
def nothing_left_this_machine(refused):
    """Fail a test whose code was refused a connection and went on as if the network were down."""
    yield
    found = refused()
    assert not found, f"not hermetic: {found}"
