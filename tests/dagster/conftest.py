"""A throw-away profile: its own home, no network, no keys."""

import pytest

from modellens_core.config import load_settings


@pytest.fixture
def settings(tmp_path):
    return load_settings(
        profile="quickstart", home=tmp_path, encoder="hashing", hub_endpoint="http://127.0.0.1:9"
    )
