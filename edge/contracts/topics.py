"""MQTT topics `stockgate/v1/{site}/{gateway}/…`: the topic is the identity of who speaks."""

import re
from typing import Final, NamedTuple

from edge.contracts.errors import ContractError

MAJOR: Final = 1
ROOT: Final = f"stockgate/v{MAJOR}"
GATEWAY_PATTERN: Final = re.compile(r"[a-z0-9-]{1,40}")
SITE_PATTERN: Final = re.compile(r"[a-z0-9-]{1,40}")

MOVEMENT: Final = "movement"
PRESENCE: Final = "presence"
HEALTH: Final = "health"
STATE: Final = "state"
WATERMARK: Final = "watermark"
GATE_MANIFEST: Final = "gate/manifest"
GATE_PART: Final = "gate/part"
GATE_DELTA: Final = "gate/delta"
CMD: Final = "cmd"
REPLY: Final = "reply"


class Topic(NamedTuple):
    """A topic taken apart."""

    site: str
    gateway: str
    channel: str


def topic(site: str, gateway: str, channel: str) -> str:
    """Return the topic of a gateway's channel; ids that can't stand in a topic are refused."""
    if not SITE_PATTERN.fullmatch(site):
        raise ContractError(f"site {site!r}: use 1 to 40 of a-z, 0-9 and -")
    if not GATEWAY_PATTERN.fullmatch(gateway):
        raise ContractError(f"gateway {gateway!r}: use 1 to 40 of a-z, 0-9 and -")
    return f"{ROOT}/{site}/{gateway}/{channel}"


def parse_topic(text: str) -> Topic:
    """Take a topic apart; a topic that isn't ours raises `ContractError`."""
    parts = text.split("/", 4)
    if len(parts) != 5 or "/".join(parts[:2]) != ROOT:  # noqa: PLR2004 (root has two parts, then site, gateway, channel)
        raise ContractError(f"topic {text!r} is not {ROOT}/SITE/GATEWAY/CHANNEL")
    site, gateway, channel = parts[2:]
    if not SITE_PATTERN.fullmatch(site) or not GATEWAY_PATTERN.fullmatch(gateway):
        raise ContractError(f"topic {text!r}: site and gateway are 1 to 40 of a-z, 0-9 and -")
    return Topic(site, gateway, channel)
