"""From the configuration to each room's own frozen settings."""

from hashlib import sha256
from pathlib import Path

import msgspec

from edge.config.model import DAY_S, MIB, EdgeConfig
from edge.config.radio import RADIO_KEYS, antenna_powers
from edge.outbox import OutboxSettings
from edge.readers import GpiSettings, ReaderSettings
from edge.uplink import UplinkSettings
from edge.windows import AntennaSettings, PortalSettings, WindowsSettings


def reader_settings(config: EdgeConfig) -> tuple[ReaderSettings, ...]:
    """Build the readers' settings; each inventories the ports that some portal names."""
    built = []
    for reader in config.readers:
        knobs = reader.model_dump(exclude={"gpis", "max_frame_mib"})
        ports = {a.port for portal in config.portals for a in portal.antennas if a.reader == reader.id}
        gpis = tuple(GpiSettings(**gpi.model_dump()) for gpi in reader.gpis)
        size = reader.max_frame_mib * MIB
        caps = tuple((power.port, power.legal.cap_cdbm) for power in antenna_powers(config, reader) if power.legal)
        built.append(
            ReaderSettings(
                **knobs,
                antennas=tuple(sorted(ports)),
                gpis=gpis,
                max_frame_bytes=size,
                power_caps_cdbm=caps,
            )
        )
    return tuple(built)


def windows_settings(config: EdgeConfig) -> WindowsSettings:
    """Build the windows' settings."""
    portals = []
    for portal in config.portals:
        knobs = portal.model_dump(exclude={"antennas", "inside", "outside"})
        antennas = tuple(AntennaSettings(**antenna.model_dump(exclude=RADIO_KEYS)) for antenna in portal.antennas)
        portals.append(PortalSettings(**knobs, antennas=antennas))
    return WindowsSettings(gateway=config.gateway, portals=tuple(portals), **config.windows.model_dump())


def outbox_settings(config: EdgeConfig) -> OutboxSettings:
    """Build the outbox's settings."""
    knobs = config.outbox
    return OutboxSettings(keep_acknowledged_s=knobs.keep_acknowledged_days * DAY_S, max_bytes=knobs.max_mib * MIB)


def uplink_settings(config: EdgeConfig, *, base: Path) -> UplinkSettings:
    """Build the uplink's settings; relative paths start at `base`, the configuration file's directory."""
    knobs = config.mqtt.model_dump()
    for key in ("password_file", "ca_file"):
        knobs[key] = None if knobs[key] is None else base / knobs[key]
    return UplinkSettings(**knobs)


def digest(config: EdgeConfig) -> str:
    """Return 16 hex digits that name the configuration; the birth message carries them."""
    return sha256(msgspec.json.encode(config.model_dump(), order="sorted")).hexdigest()[:16]
