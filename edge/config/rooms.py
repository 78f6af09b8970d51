"""From the configuration to each room's own frozen settings."""

from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from edge.config.model import DAY_S, MIB, EdgeConfig
from edge.config.radio import RADIO_KEYS, antenna_powers
from edge.config.watches import sensor_settings
from edge.config.wiring import WATCH_KEYS, TlsConfig
from edge.outbox import OutboxSettings
from edge.readers import (
    GpiSettings,
    OutputSettings,
    ReaderSettings,
    ReferenceSettings,
    TlsSettings,
    TriggerSettings,
)
from edge.uplink import UplinkSettings
from edge.windows import AntennaSettings, PortalSettings, WindowsSettings

WIRING_KEYS: Final = {"gpis", "tls", "outputs", "references", "trigger", "select"}
"""Keys of a reader that are tables or lists, and built one by one."""


def reader_settings(config: EdgeConfig, *, base: Path = Path()) -> tuple[ReaderSettings, ...]:
    """Build the readers' settings; each inventories the ports that some portal or zone names.

    Relative paths start at `base`, the configuration file's directory.
    """
    built = []
    slots = session_slots(config)
    doors = {antenna.reader for portal in config.portals for antenna in portal.antennas}
    reference_epcs = frozenset(tag.epc for reader in config.readers for tag in reader.references)
    for reader in config.readers:
        knobs = reader.model_dump(exclude=WIRING_KEYS | {"max_frame_mib", "trusted_network"})
        if reader.id not in doors:
            knobs["quiet_above"] = 0  # nobody passes a zone's antennas: there everybody is asked all the time
        gpis = tuple(GpiSettings(**gpi.model_dump(exclude=WATCH_KEYS)) for gpi in reader.gpis)
        size = reader.max_frame_mib * MIB
        powers = list(antenna_powers(config, reader))
        caps = tuple((power.port, power.legal.cap_cdbm) for power in powers if power.legal)
        asked = tuple((power.port, power.asked_dbm) for power in powers if power.asked_dbm is not None)
        built.append(
            ReaderSettings(
                **knobs,
                antennas=config.ports_of(reader.id),
                gpis=gpis,
                tls=None if reader.tls is None else _tls_settings(reader.tls, base),
                outputs=tuple(OutputSettings(**one.model_dump()) for one in reader.outputs),
                references=tuple(ReferenceSettings(**one.model_dump()) for one in reader.references),
                reference_epcs=reference_epcs,
                trigger=None if reader.trigger is None else TriggerSettings(**reader.trigger.model_dump()),
                select=tuple(reader.select),
                session_slot=slots[reader.id],
                max_frame_bytes=size,
                power_caps_cdbm=caps,
                port_powers_dbm=asked,
            )
        )
    return tuple(built)


def session_slots(config: EdgeConfig) -> dict[str, int]:
    """Give readers that share a portal different slots where two suffice, and let all others take turns."""
    slots: dict[str, int] = {}
    for number, reader in enumerate(config.readers):
        beside = {
            slots[antenna.reader]
            for portal in config.portals
            if any(antenna.reader == reader.id for antenna in portal.antennas)
            for antenna in portal.antennas
            if antenna.reader in slots
        }
        free = [slot for slot in (number % 2, 1 - number % 2) if slot not in beside]
        slots[reader.id] = (free or [number % 2])[0]
    return slots


def _tls_settings(tls: TlsConfig, base: Path) -> TlsSettings:
    files = {
        key: None if name is None else base / name
        for key, name in tls.model_dump(include={"ca_file", "certificate_file", "key_file"}).items()
    }
    return TlsSettings(fingerprint=tls.fingerprint, legacy=tls.legacy, **files)


def windows_settings(config: EdgeConfig) -> WindowsSettings:
    """Build the windows' settings."""
    portals = []
    for portal in config.portals:
        knobs = portal.model_dump(exclude={"antennas"})
        antennas = tuple(AntennaSettings(**antenna.model_dump(exclude=RADIO_KEYS)) for antenna in portal.antennas)
        knobs["neighbours"] = tuple(portal.neighbours)
        portals.append(PortalSettings(**knobs, antennas=antennas))
    return WindowsSettings(
        gateway=config.gateway,
        portals=tuple(portals),
        sensors=sensor_settings(config),
        **config.windows.model_dump(),
    )


def outbox_settings(config: EdgeConfig) -> OutboxSettings:
    """Build the outbox's settings."""
    knobs = config.outbox
    return OutboxSettings(keep_acknowledged_s=knobs.keep_acknowledged_days * DAY_S, max_bytes=knobs.max_mib * MIB)


def uplink_settings(config: EdgeConfig, *, base: Path) -> UplinkSettings:
    """Build the uplink's settings; relative paths start at `base`, the configuration file's directory."""
    knobs = config.mqtt.model_dump()
    for key in ("password_file", "ca_file", "certificate_file", "key_file"):
        knobs[key] = None if knobs[key] is None else base / knobs[key]
    return UplinkSettings(**knobs)


def digest(config: EdgeConfig) -> str:
    """Return 16 hex digits that name the configuration; the birth message carries them."""
    return sha256(msgspec.json.encode(config.model_dump(), order="sorted")).hexdigest()[:16]
