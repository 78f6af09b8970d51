"""What an access controller tells: badges, and doors that were forced or held open.

`AccessDesk` is the one way in, whoever brings it: `HttpDoor` and `MqttDoor` are the adapters; an input that is wired
to the controller is a reader's or board's and comes as a sensor row. Errors: `AccessError`, whose message says what to
do.
"""

from edge.access.crowd import CrowdedServer, hang_up
from edge.access.desk import AccessCounters, AccessDesk
from edge.access.errors import AccessError, Refusal
from edge.access.events import AccessEvent, parse_events
from edge.access.http import HttpDoor, HttpSettings, token
from edge.access.lines import Lines
from edge.access.mqtt import MqttDoor

__all__ = [
    "AccessCounters",
    "AccessDesk",
    "AccessError",
    "AccessEvent",
    "CrowdedServer",
    "HttpDoor",
    "HttpSettings",
    "Lines",
    "MqttDoor",
    "Refusal",
    "hang_up",
    "parse_events",
    "token",
]
