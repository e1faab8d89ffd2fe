"""What holds for the whole suite: how properties are judged, and that no test leaves variables behind."""

import os

import pytest
from hypothesis import settings

# A property is judged by what it finds, not by how busy the machine is.
settings.register_profile("modellens", deadline=None, print_blob=True)
settings.load_profile("modellens")


@pytest.fixture(autouse=True)
def environment_as_before():
    """The command line prepares its process for Dagster by setting variables; a test process goes on."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
