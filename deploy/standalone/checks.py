"""Looks at addresses, and at who else uses a directory, before anything is started."""

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from deploy.standalone.errors import ConfigurationError, StandaloneError

LOOPBACK = {"127.0.0.1": socket.AF_INET, "localhost": socket.AF_INET, "::1": socket.AF_INET6}
MQTT_PORTS = {"mqtt": 1883, "mqtts": 8883}
CONNECT_S = 5.0


def check_broker(url: str) -> None:
    """Look whether a broker's address can be right and somebody listens there.

    Raises:
        ConfigurationError: it is no broker's URL.
        StandaloneError: nobody listens there.
    """
    host, port = _broker_address(url)
    try:
        socket.create_connection((host, port), timeout=CONNECT_S).close()
    except OSError as error:
        raise StandaloneError(
            f"no broker answers at {url} ({error.strerror or error}): start it, or leave --mqtt out to use our own"
        ) from error


def check_listen(listen: str) -> None:
    """Look whether the console may and can listen at HOST:PORT.

    Raises:
        ConfigurationError: not an address, not a loopback one, or taken.
    """
    host, _, port = listen.rpartition(":")
    family = LOOPBACK.get(host.strip("[]"))
    if family is None or not port.isdecimal():
        raise ConfigurationError(f"--listen {listen}: write a loopback address, as 127.0.0.1:8090 or [::1]:8090")
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), int(port)))
        except (OSError, OverflowError) as error:
            raise ConfigurationError(f"--listen {listen}: {error}; choose another port") from error


@contextlib.contextmanager
def only_user(data_dir: Path) -> Iterator[None]:
    """Keep a second `stockgate up` out of this data directory; the kernel lets go when we die.

    Raises:
        StandaloneError: another one runs on it.
    """
    try:
        file = (data_dir / "up.lock").open("a+")
    except OSError as error:
        raise ConfigurationError(
            f"{data_dir} can't be written to ({error.strerror}): name another with --data-dir"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise StandaloneError(
                f"another stockgate up runs on {data_dir} (process {file.read().strip() or 'unknown'}): "
                "stop it, or name another directory with --data-dir"
            ) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _broker_address(url: str) -> tuple[str, int]:
    example = "write it like mqtt://127.0.0.1:1883"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigurationError(f"--mqtt {url}: {error}: {example}") from error
    if parts.scheme not in MQTT_PORTS or not parts.hostname or port == 0:
        raise ConfigurationError(f"--mqtt {url}: this is no broker's address: {example}")
    if "@" in parts.netloc or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ConfigurationError(f"--mqtt: only host and port may stand in the broker's URL: {example}")
    return parts.hostname, port or MQTT_PORTS[parts.scheme]
