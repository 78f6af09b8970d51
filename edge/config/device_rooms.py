"""From the configuration to the settings of serial readers, smart readers and boards."""

from collections.abc import Sequence
from pathlib import Path

from edge.access import HttpSettings
from edge.config.access import http_settings
from edge.config.devices import InputConfig, SmartReaderConfig
from edge.config.model import EdgeConfig
from edge.config.radio import antenna_powers
from edge.config.wiring import WATCH_KEYS
from edge.profiles import region_named
from edge.readers import GpiSettings
from edge.readers.serial import BoardSettings, SerialSettings
from edge.readers.smart import SmartSettings
from edge.uplink import parse_url


def serial_settings(config: EdgeConfig) -> tuple[SerialSettings, ...]:
    """Build the serial readers' settings; one power serves all antennas of a reader, so the strictest cap holds."""
    built = []
    for reader in config.serial_readers:
        powers = list(antenna_powers(config, reader))
        caps = [power.legal.cap_cdbm for power in powers if power.legal]
        asked = [power.asked_dbm for power in powers if power.asked_dbm is not None]
        channels = () if reader.region is None else region_named(reader.region).band.channels_khz or ()
        built.append(
            SerialSettings(
                **reader.model_dump(exclude={"gpis", "tx_power_dbm"}),
                tx_power_dbm=min(asked, default=reader.tx_power_dbm),
                antennas=_antennas(config, reader.id),
                power_cap_cdbm=min(caps, default=None),
                channels_khz=tuple(channels),
                gpis=_inputs(reader.gpis),
            )
        )
    return tuple(built)


def smart_settings(config: EdgeConfig, *, base: Path) -> tuple[SmartSettings, ...]:
    """Build the smart readers' settings; relative paths start at `base`, the configuration file's directory."""
    return tuple(_smart(config, reader, base) for reader in config.smart_readers)


def board_settings(config: EdgeConfig) -> tuple[BoardSettings, ...]:
    """Build the boards' settings."""
    return tuple(
        BoardSettings(**board.model_dump(exclude={"gpis"}), gpis=_inputs(board.gpis)) for board in config.boards
    )


def _smart(config: EdgeConfig, reader: SmartReaderConfig, base: Path) -> SmartSettings:
    """A broker of its own is asked without user name; at the agent's own we are who the agent is."""
    mqtt = config.mqtt
    ours = reader.mqtt_url is None
    address = parse_url(mqtt.url if reader.mqtt_url is None else reader.mqtt_url)
    return SmartSettings(
        **reader.model_dump(exclude={"gpis", "mqtt_topic", "mqtt_url"}),
        topic=reader.mqtt_topic,
        broker_host=address.host,
        broker_port=address.port,
        tls=address.tls,
        username=mqtt.username if ours else None,
        password_file=base / mqtt.password_file if ours and mqtt.password_file is not None else None,
        ca_file=base / mqtt.ca_file if ours and mqtt.ca_file is not None else None,
        client_id=f"{config.gateway}-{reader.id}-reads",
        antennas=_antennas(config, reader.id),
        gpis=_inputs(reader.gpis),
    )


def access_settings(config: EdgeConfig, *, base: Path) -> tuple[HttpSettings | None, SmartSettings | None]:
    """Build how an access controller's events come in, by HTTP and by MQTT; None for what isn't wanted."""
    http, mqtt = config.access.http, config.access.mqtt
    if mqtt is None:
        return None if http is None else http_settings(http, base=base), None
    own = config.mqtt
    ours = mqtt.url is None
    address = parse_url(own.url if mqtt.url is None else mqtt.url)
    heard = SmartSettings(
        id="access",
        topic=mqtt.topic,
        format="zebra-iotc",
        broker_host=address.host,
        broker_port=address.port,
        tls=address.tls,
        username=own.username if ours else None,
        password_file=base / own.password_file if ours and own.password_file is not None else None,
        ca_file=base / own.ca_file if ours and own.ca_file is not None else None,
        client_id=f"{config.gateway}-access",
        antennas=(),
    )
    return None if http is None else http_settings(http, base=base), heard


def _antennas(config: EdgeConfig, reader: str) -> tuple[int, ...]:
    return config.ports_of(reader)


def _inputs(inputs: Sequence[InputConfig]) -> tuple[GpiSettings, ...]:
    return tuple(GpiSettings(**one.model_dump(exclude=WATCH_KEYS)) for one in inputs)
