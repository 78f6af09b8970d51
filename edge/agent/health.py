"""Birth message, will and heartbeat: what the agent says of itself."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec import UNSET

from edge.config import EdgeConfig, digest
from edge.contracts import PortalBirth, ReaderBirth, ReaderHealth, State, StreamHealth, ZoneBirth
from edge.outbox import OutboxStats

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")
_MAX_TEXT: Final = 500


@dataclass(frozen=True, slots=True)
class Identity:
    """This start of the agent: `boot` is new at every start, `version` is the program's."""

    gateway: str
    boot: str
    version: str
    started_us: int


def birth(config: EdgeConfig, me: Identity) -> State:
    """Return the retained message that the central compares with its registry."""
    return State(
        online=True,
        boot=me.boot,
        version=me.version,
        config_digest=digest(config),
        portals=[PortalBirth(id=p.id, inside=p.inside, outside=p.outside, layout=p.layout) for p in config.portals],
        zones=[
            *(ZoneBirth(id=zone.id, location=zone.location) for zone in config.zones),
            *(ZoneBirth(id=sweep.id, location=sweep.location) for sweep in config.sweeps),
        ]
        or UNSET,
        readers=[
            *(ReaderBirth(id=reader.id, profile=reader.profile) for reader in config.readers),
            *(ReaderBirth(id=reader.id, profile=f"serial/{reader.protocol}") for reader in config.serial_readers),
            *(ReaderBirth(id=reader.id, profile=f"mqtt/{reader.format}") for reader in config.smart_readers),
        ],
    )


def stream_health(stats: OutboxStats, *, now_us: int, held: int = 0, dropped: int = 0) -> StreamHealth:
    """Return a stream's figures; `held` and `dropped` are rows that the outbox itself could not take."""
    oldest_us = now_us if stats.oldest_us is None else stats.oldest_us
    return StreamHealth(
        stream=stats.stream,
        epoch=stats.epoch,
        written=stats.written,
        pending=stats.pending + held,
        oldest_s=max(now_us - oldest_us, 0) / 1e6,
        dropped=stats.dropped + dropped,
    )


def reader_health(readers: Iterable[ReaderHealth]) -> list[ReaderHealth]:
    """Return the readers' reports with texts that the contract allows."""
    return [
        msgspec.structs.replace(
            reader,
            problem=plain_text(reader.problem),
            firmware=plain_text(reader.firmware),
            profile=plain_text(reader.profile),
            antennas=[
                msgspec.structs.replace(antenna, reason=plain_text(antenna.reason)) for antenna in reader.antennas
            ],
        )
        for reader in readers
    ]


def plain_text(text: str) -> str:
    """Return a text of one line and at most 500 characters, as the contract's `Text` wants it."""
    return _CONTROL.sub(" ", text)[:_MAX_TEXT]
