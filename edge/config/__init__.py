"""The agent's configuration: one TOML file, one model, and each room's settings built from it.

Errors: `ConfigError`, whose message has one line a problem: file, key path, what is wrong and what would be right.
"""

from edge.config.counting import door_sensors, presence_settings, sweep_settings
from edge.config.device_rooms import access_settings, board_settings, serial_settings, smart_settings
from edge.config.gate_rooms import output_rules
from edge.config.load import ConfigError, document_of, load, parse
from edge.config.model import (
    AgentConfig,
    EdgeConfig,
    LogConfig,
    MqttConfig,
    OutboxConfig,
    PortalConfig,
    ReaderConfig,
    WindowsConfig,
)
from edge.config.rooms import digest, outbox_settings, reader_settings, uplink_settings, windows_settings
from edge.config.watches import AlarmInput, alarm_inputs

__all__ = [
    "AgentConfig",
    "AlarmInput",
    "ConfigError",
    "EdgeConfig",
    "LogConfig",
    "MqttConfig",
    "OutboxConfig",
    "PortalConfig",
    "ReaderConfig",
    "WindowsConfig",
    "access_settings",
    "alarm_inputs",
    "board_settings",
    "digest",
    "document_of",
    "door_sensors",
    "load",
    "outbox_settings",
    "output_rules",
    "parse",
    "presence_settings",
    "reader_settings",
    "serial_settings",
    "smart_settings",
    "sweep_settings",
    "uplink_settings",
    "windows_settings",
]
