"""Broker addresses, secrets, and what can't work is refused before anything is dialled."""

import pytest

from edge.uplink import UplinkSettings, UplinkSettingsError, parse_url


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mqtt://broker.example", ("broker.example", 1883, False)),
        ("mqtts://broker.example/", ("broker.example", 8883, True)),
        ("mqtt://[::1]:1", ("::1", 1, False)),
    ],
)
def test_a_url_gives_host_port_and_tls(url, address):
    assert parse_url(url) == address


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("broker:1883", "neither mqtt:// nor mqtts://"),
        ("http://broker", "neither mqtt:// nor mqtts://"),
        ("mqtt://", "no host and port"),
        ("mqtt://broker:99999", "write it like"),
        ("mqtt://broker:0", "no host and port"),
        ("mqtt://broker/path", "no host and port"),
        ("mqtt://me:secret@broker", "username and password_file"),
        ("mqtt://[::1", "write it like"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_with_what_to_write(url, words):
    with pytest.raises(UplinkSettingsError, match=words) as caught:
        UplinkSettings(url=url)
    assert "secret" not in str(caught.value)


def test_the_first_line_of_the_password_file_is_the_password(tmp_path):
    file = tmp_path / "secret"
    file.write_text("s3cret with spaces \r\nsecond line\n")
    assert UplinkSettings(url="mqtt://x", username="u", password_file=file).password() == "s3cret with spaces "
    assert UplinkSettings(url="mqtt://x", username="u").password() is None


def test_a_password_file_that_cannot_be_used_is_named(tmp_path):
    missing = UplinkSettings(url="mqtt://x", username="u", password_file=tmp_path / "missing")
    with pytest.raises(UplinkSettingsError, match="missing"):
        missing.password()
    (tmp_path / "empty").write_text("\nsecond")
    with pytest.raises(UplinkSettingsError, match="first line is empty"):
        UplinkSettings(url="mqtt://x", username="u", password_file=tmp_path / "empty").password()
    with pytest.raises(UplinkSettingsError, match="username is not"):
        UplinkSettings(url="mqtt://x", password_file=tmp_path / "empty")
