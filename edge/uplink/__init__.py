"""The way up: an MQTT port, its paho adapter, and the forwarder. `errors` draws the error tree."""

from edge.uplink.errors import ConnectError, UplinkError, UplinkSettingsError
from edge.uplink.forwarder import Forwarder
from edge.uplink.own_certificate import KeptPair, runs_out, tls_context
from edge.uplink.paho_mqtt import PahoMqtt
from edge.uplink.port import Message, MqttPort, MqttSession
from edge.uplink.pump import UplinkCounters
from edge.uplink.settings import UplinkSettings, parse_url
from edge.uplink.states import UplinkEvent, UplinkState
from edge.uplink.trial import Tried, try_broker

__all__ = [
    "ConnectError",
    "Forwarder",
    "KeptPair",
    "Message",
    "MqttPort",
    "MqttSession",
    "PahoMqtt",
    "Tried",
    "UplinkCounters",
    "UplinkError",
    "UplinkEvent",
    "UplinkSettings",
    "UplinkSettingsError",
    "UplinkState",
    "parse_url",
    "runs_out",
    "tls_context",
    "try_broker",
]
