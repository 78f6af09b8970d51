"""The one settings model of the central service: TOML file, then environment, then command line."""

import difflib
import ipaddress
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from central.ingest.link import LinkError, parse_url
from edge.contracts import EpcPrefix


class ConfigError(Exception):
    """Settings that the service can't start with; the message names the setting and what to do."""


class CentralSettings(BaseSettings):
    """Settings of `stockgate-central run`; each can also be given as STOCKGATE_CENTRAL_NAME."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix="STOCKGATE_CENTRAL_", extra="forbid", frozen=True
    )

    dsn: Annotated[str, Field(description="PostgreSQL address (libpq); passwords belong in a passfile.", min_length=1)]
    mqtt: Annotated[str, Field(description="Broker: mqtt://HOST:PORT or mqtts://HOST:PORT.")] = "mqtt://127.0.0.1:1883"
    mqtt_username: Annotated[str | None, Field(description="User at the broker.")] = None
    mqtt_password_file: Annotated[Path | None, Field(description="File with the password at the broker.")] = None
    mqtt_ca_file: Annotated[Path | None, Field(description="CA that signed the broker's certificate.")] = None
    listen: Annotated[str, Field(description="Address of the API; port 0 picks a free one.")] = "127.0.0.1:8080"
    tls_certificate: Annotated[Path | None, Field(description="PEM certificate; needed beyond loopback.")] = None
    tls_key: Annotated[Path | None, Field(description="PEM key of the certificate.")] = None
    data_dir: Annotated[Path, Field(description="Where the token and key files are kept.")] = Path("stockgate-data")
    database_connections: Annotated[int, Field(ge=2, le=100, description="Connections to the database at most.")] = 8
    own_prefixes: Annotated[
        tuple[str, ...],
        Field(
            description="Our own EPCs, each as HEX/BITS like 3034257bf4/38: doors refuse one of them that isn't "
            "registered; other tags that aren't registered are counted and not kept."
        ),
    ] = ()
    gate_life_s: Annotated[
        int, Field(ge=60, le=31_536_000, description="How long a gate snapshot holds; at half of it comes a new one.")
    ] = 86_400
    command_roles: Annotated[
        tuple[str, ...],
        Field(description="Who gives a gateway a command must hold one of these roles; none: whoever may write may."),
    ] = ()
    public_url: Annotated[
        str | None,
        Field(
            description="The API's address as gateways reach it, like https://central.example:8443: captures go there. "
            "Left out: the listener's own, where it names one address."
        ),
    ] = None
    captures_mib: Annotated[
        int, Field(ge=1, le=1_000_000, description="Most disk space for captures; beyond it the oldest go.")
    ] = 1024
    watermark_s: Annotated[float, Field(gt=0, le=60, description="Seconds between repeated watermarks.")] = 2.0

    @field_validator("mqtt")
    @classmethod
    def _broker(cls, value: str) -> str:
        try:
            parse_url(value)
        except LinkError as error:
            raise ValueError(str(error)) from None
        return value

    @field_validator("own_prefixes")
    @classmethod
    def _prefixes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            parse_prefix(text)
        return value

    @field_validator("public_url")
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        return None if value is None else check_public_url(value)

    @model_validator(mode="after")
    def _listener(self) -> "CentralSettings":
        host, _ = split_address(self.listen)
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key go together")
        if not is_loopback(host) and self.tls_certificate is None:
            raise ValueError(
                f"listen {self.listen!r} is reachable from other machines: give tls_certificate and tls_key, "
                "or listen on 127.0.0.1"
            )
        return self


def load(file: Path | None, overrides: dict[str, Any]) -> CentralSettings:
    """Return the settings from a TOML file and the values given on the command line, which win."""
    values = {
        **(_read(file) if file else {}),
        **{name: value for name, value in overrides.items() if value is not None},
    }
    try:
        return CentralSettings(**values)
    except ValidationError as error:
        where = f"{file}: " if file else ""
        raise ConfigError("\n".join(where + _say(one) for one in error.errors())) from None


def parse_prefix(text: str) -> EpcPrefix:
    """Return the prefix written as HEX/BITS."""
    digits, slash, bits = text.partition("/")
    if not slash or not bits.isdigit() or not re.fullmatch(r"([0-9a-f]{2}){1,62}", digits):
        raise ValueError(f"{text!r}: write HEX/BITS in whole lower-case bytes, like 3034257bf4/38")
    count = int(bits)
    if not 4 * len(digits) - 8 < count <= 4 * len(digits) or int(digits, 16) & ((1 << 4 * len(digits) - count) - 1):
        raise ValueError(f"{text!r}: the hex must be as long as its bits, rounded up to a byte with zero bits")
    return EpcPrefix(hex=digits, bits=count)


def split_address(text: str) -> tuple[str, int]:
    """Return host and port of HOST:PORT."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:  # noqa: PLR2004 (TCP's last port)
        raise ValueError(f"listen {text!r}: write HOST:PORT, like 127.0.0.1:8080")
    return host.strip("[]"), int(port)


def check_public_url(text: str) -> str:
    """Return an API's address without a slash at its end; gateways send nothing unencrypted to other machines."""
    example = "write it like https://central.example:8443"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"public_url {text!r}: {error}: {example}") from None
    strange = parts.username or parts.password or parts.query or parts.fragment or not text.isprintable()
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0 or strange:
        raise ValueError(f"public_url {text!r} is no address of a web server: {example}")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError(f"public_url {text!r}: gateways send nothing unencrypted to another machine: {example}")
    return text.rstrip("/")


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches a listener on `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"can't read {file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is no TOML: {error}") from error


def _say(error: Any) -> str:
    name = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, CentralSettings.model_fields, 1)
        return f"unknown setting {name!r}: " + (f"did you mean {near[0]!r}?" if near else "see --help")
    if error["type"] == "missing":
        return f"{name} is missing: give it in the file, as --{name} or as STOCKGATE_CENTRAL_{name.upper()}"
    text = str(error["msg"]).removeprefix("Value error, ")
    return f"{name}: {text}" if name else text
