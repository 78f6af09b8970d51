"""How an access controller's events are let in, and the rooms' settings built from it."""

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

from pydantic import Field

from edge.access import HttpSettings
from edge.access.desk import CONTROLLER
from edge.config.section import Section
from edge.readers import split_address
from edge.uplink import UplinkError, parse_url


class AccessHttpConfig(Section):
    """A controller that posts: `POST /access-events` with a token."""

    listen: str = Field(max_length=80, description="Our `address:port`; beyond this machine only with a certificate.")
    token_file: str = Field(
        min_length=1,
        description="File, readable by its owner alone, whose first line the controller sends; read anew each time.",
    )
    certificate_file: str | None = Field(
        default=None, min_length=1, description="Our certificate, PEM, for TLS; it may hold the key too."
    )
    key_file: str | None = Field(default=None, min_length=1, description="The certificate's key, PEM.")


class AccessMqttConfig(Section):
    """A controller that publishes."""

    topic: str = Field(
        min_length=1,
        max_length=1_000,
        pattern=r"^(\+|[^+#/\x00-\x1f]*)(/(\+|[^+#/\x00-\x1f]*))*$",
        description="The topic that it publishes to; `+` stands for one whole level.",
    )
    url: str | None = Field(
        default=None,
        description="Its broker, without user or password; left out: the agent's own, with its user and password.",
    )


class AccessConfig(Section):
    """What an access controller tells: badges, and doors that were forced or held open."""

    http: AccessHttpConfig | None = Field(default=None, description="Where it may post; left out: nowhere.")
    mqtt: AccessMqttConfig | None = Field(default=None, description="Where it publishes; left out: nowhere.")


def access_problems(access: AccessConfig, devices: dict[str, str]) -> Iterator[str]:
    """Yield each problem as one line that begins with its place; `devices` are ids by their places."""
    if access.http is not None:
        yield from _http_problems(access.http)
    if access.mqtt is not None and access.mqtt.url is not None:
        try:
            parse_url(access.mqtt.url)
        except UplinkError as error:
            yield f"access.mqtt.url: {error}"
    for place, name in devices.items():
        if name == CONTROLLER:
            yield f"{place}.id: {CONTROLLER!r} is what the access controller is called in events: take another name"


def http_settings(http: AccessHttpConfig, *, base: Path) -> HttpSettings:
    """Build the adapter's settings; relative paths start at `base`."""
    host, port = split_address(http.listen)
    return HttpSettings(
        host=host,
        port=port,
        token_file=base / http.token_file,
        certificate_file=None if http.certificate_file is None else base / http.certificate_file,
        key_file=None if http.key_file is None else base / http.key_file,
    )


def _http_problems(http: AccessHttpConfig) -> Iterator[str]:
    place = "access.http"
    if http.key_file is not None and http.certificate_file is None:
        yield f"{place}.certificate_file: is missing, since key_file is set: set both or neither"
    try:
        host, port = split_address(http.listen)
        address = ip_address(host)
    except ValueError as error:
        yield f"{place}.listen: {error}: write it like 127.0.0.1:8077"
        return
    if port == 0:
        yield f"{place}.listen: port 0 is another one at each start: give the port that the controller posts to"
    if not address.is_loopback and http.certificate_file is None:
        yield (
            f"{place}.listen: {http.listen} can be reached from the network, where token and badges would be read by "
            f"anybody: set certificate_file, or listen on 127.0.0.1:{port} behind a proxy of yours"
        )
