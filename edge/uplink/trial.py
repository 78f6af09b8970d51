"""One try at the broker, step by step, for whoever wants to know which step fails; the agent's own session lives on."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal, NamedTuple

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from edge.uplink.own_certificate import tls_context
from edge.uplink.settings import BrokerAddress, UplinkSettings, parse_url

Step = Literal["name", "network", "tls", "mqtt", ""]
NO_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_EOF_WHILE_READING"})
HUNG_UP: Final = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
"""Which of them depends on how the connection ended and on OpenSSL's version."""
PLAIN: Final = "write mqtt:// in the URL, or give the broker's TLS port (8883)"


class Tried(NamedTuple):
    """The step that failed (empty where none did), what happened, and what to do."""

    step: Step = ""
    what: str = ""
    do: str = ""


def try_broker(settings: UplinkSettings, *, client_id: str, timeout_s: float) -> Tried:
    """Find the broker's address, connect, shake hands and be greeted; blocks for a few times `timeout_s` at most.

    Args:
        settings: as the agent has them; a file of theirs that can't be used raises `UplinkSettingsError`.
        client_id: another than the agent's own, whose session the broker would end.
        timeout_s: longest wait for each step.
    """
    address = parse_url(settings.url)
    context = tls_context(settings) if address.tls else None
    try:
        socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError as error:
        what = f"the name {address.host} is not known here ({error.strerror or error})"
        return Tried("name", what, "check the URL, and this machine's DNS (resolvectl status)")
    try:
        with socket.create_connection((address.host, address.port), timeout_s) as line:
            if context is not None and (trouble := _shake_hands(line, context, address)).step:
                return trouble
    except TimeoutError:
        what = f"no answer within {timeout_s:g} s"
        return Tried("network", what, "check the cable, the address, and the firewalls between here and there")
    except OSError as error:
        what = f"can't be reached ({error.strerror or error})"
        return Tried("network", what, "see that it runs and listens at this port, and that nothing between blocks it")
    return _greet(settings, address, context, client_id, timeout_s)


def _shake_hands(line: socket.socket, context: ssl.SSLContext, address: BrokerAddress) -> Tried:
    try:
        with context.wrap_socket(line, server_hostname=address.host):
            return Tried()
    except ssl.SSLCertVerificationError as error:
        do = "give the authority that signed it (ca_file); if it has expired, renew it; if the name differs, mend url"
        return Tried("tls", f"its certificate is not believed: {error.verify_message}", do)
    except ssl.SSLError as error:
        if error.reason in NO_TLS or isinstance(error, HUNG_UP):
            return Tried("tls", f"what answers there speaks no TLS ({error.reason or 'it hangs up'})", PLAIN)
        do = "it may want a certificate of ours: certificate_file and key_file"
        return Tried("tls", f"the TLS handshake fails: {error.reason or error}", do)
    except OSError as error:
        why = "it stays silent" if isinstance(error, TimeoutError) else "it hangs up"
        return Tried("tls", f"what answers there speaks no TLS ({why})", PLAIN)


class _Greeting:
    """What the broker says, as paho's thread hears it."""

    def __init__(self) -> None:
        self.heard = threading.Event()
        self.refused = ""
        self.ended = ""

    def connected(self, _client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        self.refused = str(code) if code.is_failure else ""
        self.heard.set()

    def lost(self, _client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        if not self.heard.is_set():
            self.ended = str(code)
            self.heard.set()


def _greet(
    settings: UplinkSettings, address: BrokerAddress, context: ssl.SSLContext | None, client_id: str, timeout_s: float
) -> Tried:
    greeting = _Greeting()
    try:
        with _client(settings, context, client_id, timeout_s, greeting) as client:
            client.connect(address.host, address.port, settings.keepalive_s)
            client.loop_start()
            heard = greeting.heard.wait(timeout_s)
    except (OSError, ValueError) as error:
        return Tried("mqtt", f"the connection is lost at once ({error})", "look at the broker's log")
    wants = " It may want a certificate of ours: certificate_file and key_file." if context is not None else ""
    if not heard or greeting.ended:
        what = f"ends the connection ({greeting.ended})" if heard else f"does not greet us within {timeout_s:g} s"
        return Tried("mqtt", f"{what}: is it an MQTT broker?", f"look at the broker's log.{wants}")
    if greeting.refused:
        do = "check username, password file and the broker's access rules"
        return Tried("mqtt", f"refuses us: {greeting.refused}", do)
    return Tried()


@contextmanager
def _client(
    settings: UplinkSettings, context: ssl.SSLContext | None, client_id: str, timeout_s: float, greeting: _Greeting
) -> Iterator[paho.Client]:
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=True,
        protocol=paho.MQTTv311,
        reconnect_on_failure=False,
    )
    client.connect_timeout = timeout_s
    client.on_connect, client.on_disconnect = greeting.connected, greeting.lost
    if settings.username is not None:
        client.username_pw_set(settings.username, settings.password())
    if context is not None:
        client.tls_set_context(context)
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()
        client.on_connect = client.on_disconnect = None
