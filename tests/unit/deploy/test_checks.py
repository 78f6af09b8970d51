"""What is looked at before anything starts: addresses, and who else uses a data directory."""

import socket

import pytest

from deploy.standalone.checks import check_broker, check_listen, only_user
from deploy.standalone.errors import ConfigurationError, StandaloneError


@pytest.fixture
def taken():
    """A loopback port on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_broker_that_listens_is_taken(taken):
    check_broker(f"mqtt://127.0.0.1:{taken}")


def test_a_dead_broker_is_named():
    with pytest.raises(StandaloneError, match=r"no broker answers at mqtt://127\.0\.0\.1:1 .*leave --mqtt out"):
        check_broker("mqtt://127.0.0.1:1")


@pytest.mark.parametrize(
    "url",
    ["127.0.0.1:1883", "http://127.0.0.1", "mqtt://", "mqtt://h:0", "mqtt://h:99999", "mqtt://u:p@h", "mqtt://h/x"],
)
def test_what_is_no_brokers_address_is_refused_with_an_example(url):
    with pytest.raises(ConfigurationError, match=r"write it like mqtt://127\.0\.0\.1:1883"):
        check_broker(url)


def test_a_password_in_the_brokers_address_is_not_repeated():
    with pytest.raises(ConfigurationError) as caught:
        check_broker("mqtt://user:geheim@127.0.0.1")
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "localhost:0"])
def test_a_free_loopback_address_will_do(listen):
    check_listen(listen)


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "192.0.2.1:80", "8090", "127.0.0.1:http", ""])
def test_an_address_beyond_loopback_or_none_at_all_is_refused(listen):
    with pytest.raises(ConfigurationError, match="write a loopback address"):
        check_listen(listen)


def test_a_port_that_is_taken_or_none_is_refused(taken):
    for port in (taken, 70000):
        with pytest.raises(ConfigurationError, match="choose another port"):
            check_listen(f"127.0.0.1:{port}")


def test_a_second_user_of_a_directory_is_told_who_has_it(tmp_path):
    with (
        only_user(tmp_path),
        pytest.raises(StandaloneError, match=rf"another stockgate up runs on {tmp_path} \(process \d+\)"),
        only_user(tmp_path),
    ):
        pass
    with only_user(tmp_path):
        pass
