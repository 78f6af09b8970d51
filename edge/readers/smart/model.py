"""Settings of a smart reader, and what its payloads bring."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from edge.readers.model import GpiSettings
from edge.readers.sightings import Sighting

SmartFormat = Literal["impinj-iot", "zebra-iotc"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartSettings:
    """One reader that publishes its reads to a broker by itself.

    Attributes:
        id: name in configuration, events and health.
        topic: the one topic that this reader publishes reads to; no wildcards, for numbers in it are the reader's own.
        format: what its payloads are.
        broker_host: host of the broker.
        broker_port: its port.
        tls: whether it speaks TLS.
        username: user name at the broker, if it wants one.
        password_file: its first line is the password; read at every connection.
        ca_file: certificates to trust under TLS; the system's where None.
        client_id: our name at the broker, unlike any other's.
        antennas: ports to take reads of; a reader that leaves the port out is taken at its word if there is only one.
        keepalive_s: MQTT keepalive.
        connect_timeout_s: longest wait for the connection in all its steps.
        silence_s: after so long without a message the reader may be dead, and health says so; 0 = never.
        backoff_base_s: the first retry waits between 0 and this; each further one up to twice as long.
        backoff_max_s: longest wait between two tries.
        gpis: inputs of the reader that are wired, where its events tell of them.
    """

    id: str
    topic: str
    format: SmartFormat
    broker_host: str
    broker_port: int = 1883
    tls: bool = False
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    client_id: str = ""
    antennas: tuple[int, ...]
    keepalive_s: int = 15
    connect_timeout_s: float = 10.0
    silence_s: float = 60.0
    backoff_base_s: float = 0.5
    backoff_max_s: float = 30.0
    gpis: tuple[GpiSettings, ...] = ()

    @property
    def address(self) -> str:
        """Topic and broker, for people."""
        return f"{self.topic} on {self.broker_host}:{self.broker_port}"


class InputEvent(NamedTuple):
    """An input of the reader that changed; `at_us` is the reader's UTC, None where it doesn't say."""

    number: int
    state: bool
    at_us: int | None


@dataclass(slots=True)
class Parsed:
    """What one payload brought.

    Attributes:
        sightings: tags, in the payload's order.
        inputs: inputs that changed.
        numbers: the reader's own running numbers of its events, where it has them.
        malformed: events that can't be read; all else of the payload is in the other fields.
        problem: what is wrong with the first of those, in words.
        others: events of kinds that bring neither tags nor inputs.
    """

    sightings: list[Sighting] = field(default_factory=list)
    inputs: list[InputEvent] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    malformed: int = 0
    problem: str = ""
    others: int = 0
