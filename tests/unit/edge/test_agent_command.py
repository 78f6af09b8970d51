"""`stockgate-edge run` with bad input: what, where and what to do, and the right exit code."""

import socket
from pathlib import Path

import pytest
import structlog
import typer

from edge.agent import command
from edge.outbox import SqliteOutbox

CONFIG = """
site = "hq"
gateway = "g1"
[[readers]]
id = "r1"
host = "127.0.0.1"
[[portals]]
id = "door"
inside = "room"
outside = "corridor"
layout = "single"
antennas = [{ reader = "r1", port = 1 }]
[mqtt]
url = "mqtt://127.0.0.1:1"
"""


@pytest.fixture
def config(tmp_path):
    """A sound file."""
    path = tmp_path / "edge.toml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(autouse=True)
def _structlog_as_it_was():
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def _run(capsys, *args, **kwargs):
    with pytest.raises(typer.Exit) as caught:
        command.run(*args, **kwargs)
    return caught.value.exit_code, capsys.readouterr().err


def test_file_that_is_not_there_is_a_usage_error(capsys, tmp_path):
    assert _run(capsys, tmp_path / "edge.toml") == (
        2,
        f"{tmp_path / 'edge.toml'}: cannot be read: No such file or directory\n",
    )


def test_bad_key_is_a_usage_error_with_the_nearest_right_key(capsys, config):
    config.write_text(CONFIG.replace("host =", "hots ="))
    code, said = _run(capsys, config)
    assert code == 2
    assert f"{config}: readers[0].hots: unknown key; did you mean 'host'?" in said


def test_password_file_that_is_not_there_is_a_usage_error(capsys, config):
    """Told before anything is dialled."""
    config.write_text(CONFIG + 'username = "u"\npassword_file = "secret"\n')
    code, said = _run(capsys, config)
    assert code == 2
    assert str(config.parent / "secret") in said


def test_ca_file_of_a_reader_that_is_not_there_is_a_usage_error(capsys, config):
    config.write_text(CONFIG.replace('host = "127.0.0.1"', 'host = "127.0.0.1"\ntls = { ca_file = "ca.pem" }'))
    code, said = _run(capsys, config)
    assert code == 2
    assert f"{config}: reader r1: tls.ca_file {config.parent / 'ca.pem'}: can't be used" in said


def test_metrics_beyond_loopback_are_a_usage_error(capsys, config):
    code, said = _run(capsys, config, metrics="0.0.0.0:9464")
    assert code == 2
    assert "only loopback" in said


def test_data_folder_that_cannot_be_made_is_a_failure_with_a_remedy(capsys, config, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    code, said = _run(capsys, config, data_dir=blocked / "data")
    assert code == 1
    assert "--data-dir" in said


def test_outbox_held_by_another_agent_is_a_failure(capsys, config, tmp_path):
    """Two agents on one folder would give one number to two rows."""
    (tmp_path / "data").mkdir()
    outbox = SqliteOutbox(tmp_path / "data" / "outbox.db")
    try:
        code, said = _run(capsys, config, data_dir=tmp_path / "data")
    finally:
        outbox.close()
    assert code == 1
    assert "outbox.db" in said


def test_metrics_port_in_use_is_a_failure(capsys, config, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, said = _run(capsys, config, data_dir=tmp_path / "d", metrics=f"127.0.0.1:{taken.getsockname()[1]}")
    assert code == 1
    assert "take another port" in said


def test_data_folder_of_the_configuration_starts_at_its_file(capsys, config):
    """`stockgate-edge run` can be started from anywhere."""
    config.write_text(CONFIG + '[agent]\ndata_dir = "rows"\n')
    with socket.create_server(("127.0.0.1", 0)) as taken:
        _run(capsys, config, metrics=f"127.0.0.1:{taken.getsockname()[1]}")
    assert Path(config.parent / "rows" / "outbox.db").exists()
