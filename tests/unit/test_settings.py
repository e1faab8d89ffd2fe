"""What settings say of themselves: an address never with its user, password or path."""

import pytest

from modellens_core.config import load_settings, shown_endpoint

ODD = "an address that is not http://host"


@pytest.mark.parametrize(
    ("endpoint", "shown"),
    [
        ("https://huggingface.co", "https://huggingface.co"),
        ("https://mirror.example.org/hub/", "https://mirror.example.org"),
        ("http://user:secret@127.0.0.1:9/t/secret?token=secret", "http://127.0.0.1:9"),
        ("http://user:sec@ret@host.example.org", "http://host.example.org"),
        ("http://[::1]:9", "http://[::1]:9"),
        ("http://user:sec/ret@host", ODD),
        ("http://user:12/secret@host", ODD),
        ("http://[secret", ODD),
        ("user:secret@host", ODD),
        ("secret", ODD),
        ("", ODD),
    ],
)
def test_an_endpoint_is_shown_without_user_password_and_path(endpoint, shown):
    assert shown_endpoint(endpoint) == shown


def test_what_is_kept_of_a_hub_does_not_hold_its_password():
    def identity(endpoint):
        return load_settings(hub_endpoint=endpoint).hub_endpoint_identity

    assert (
        identity("https://user:secret@mirror.example.org/hub") == "https://mirror.example.org/hub"
    )
    assert identity("https://mirror.example.org/hub") == "https://mirror.example.org/hub"
    assert identity("http://user:secret@127.0.0.1:9") == "loopback"


def test_settings_that_are_printed_show_no_address_with_a_password():
    service = "https://user:secret@service.example.org/v1"
    assert "secret" not in repr(load_settings(hub_endpoint=service, openai_base_url=service))
