"""What the Hub settings mean for the collection: which Hub it is, and how often everything is listed."""

import pytest

from modellens_core.config import Settings, load_settings
from modellens_core.errors import ConfigError


@pytest.mark.parametrize(
    ("endpoint", "identity"),
    [
        ("https://huggingface.co", "https://huggingface.co"),
        ("https://huggingface.co/", "https://huggingface.co"),
        ("https://user:secret@mirror.example/hub/", "https://mirror.example/hub"),
        ("https://localhost.example.org", "https://localhost.example.org"),
        ("http://127.0.0.1.example.org", "http://127.0.0.1.example.org"),
        ("http://user:secret@127.0.0.1:8080", "loopback"),
        ("http://localhost:1/", "loopback"),
        ("http://[::1]:8080", "loopback"),
    ],
)
def test_a_hub_is_known_by_its_address_alone(endpoint, identity):
    settings = Settings(_env_file=None, hub_endpoint=endpoint)
    assert settings.hub_endpoint_identity == identity


@pytest.mark.parametrize("days", [-1, 36_501, 99_999_999_999])
def test_days_between_full_listings_are_bounded(days):
    with pytest.raises(ConfigError, match="MODELLENS_HUB_FULL_LISTING_DAYS"):
        load_settings(hub_full_listing_days=days)
