"""Settings: every wrong one is named with what to do."""

import pytest

from central.config import CentralSettings, ConfigError, load, split_address


def write(tmp_path, text):
    file = tmp_path / "central.toml"
    file.write_text(text)
    return file


def test_the_command_line_wins_over_the_file(tmp_path):
    file = write(tmp_path, 'dsn = "dbname=a"\nlisten = "127.0.0.1:9000"\n')
    settings = load(file, {"dsn": "dbname=b", "listen": None})
    assert (settings.dsn, settings.listen) == ("dbname=b", "127.0.0.1:9000")


def test_the_environment_fills_what_nobody_gave(monkeypatch):
    monkeypatch.setenv("STOCKGATE_CENTRAL_DSN", "dbname=e")
    assert load(None, {}).dsn == "dbname=e"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('dns = "x"\ndsn = "x"', "unknown setting 'dns': did you mean 'dsn'?"),
        ('listen = "127.0.0.1:80"', "dsn is missing: give it in the file, as --dsn or as STOCKGATE_CENTRAL_DSN"),
        ('dsn = "x"\nlisten = "0.0.0.0:80"', "reachable from other machines"),
        ('dsn = "x"\nlisten = "example.org:80"', "reachable from other machines"),
        ('dsn = "x"\nlisten = "8080"', "write HOST:PORT"),
        ('dsn = "x"\nmqtt = "http://a"', "write mqtt://HOST:PORT"),
        ('dsn = "x"\nmqtt = "mqtt://me@a"', "put it in `username`"),
        ('dsn = "x"\ntls_key = "k"', "go together"),
        ("dsn = ", "is no TOML"),
    ],
)
def test_a_wrong_setting_is_named_with_what_to_do(tmp_path, text, expected):
    with pytest.raises(ConfigError, match=expected.replace("?", r"\?")) as told:
        load(write(tmp_path, text), {})
    assert "central.toml" in str(told.value)


@pytest.mark.parametrize("listen", ["localhost:1", "127.3.2.1:1", "[::1]:1"])
def test_loopback_needs_no_tls(listen):
    assert CentralSettings(dsn="x", listen=listen).listen == listen


def test_another_address_is_taken_with_tls(tmp_path):
    settings = CentralSettings(dsn="x", listen="0.0.0.0:443", tls_certificate=tmp_path / "c", tls_key=tmp_path / "k")
    assert split_address(settings.listen) == ("0.0.0.0", 443)


def test_every_setting_is_described():
    assert all(field.description for field in CentralSettings.model_fields.values())
