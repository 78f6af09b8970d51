"""The contracts as JSON Schema (draft 2020-12) and one AsyncAPI 3.0 document, made from the types themselves.

`make docs` writes them to docs/contracts/; a test says when they are no longer current.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

import msgspec

from edge.contracts import topics
from edge.contracts.codec import MAX_ENVELOPE_BYTES, MAX_ENVELOPE_ROWS, MAX_MESSAGE_BYTES
from edge.contracts.commands import Command, Reply
from edge.contracts.gate import MAX_DELTA_BYTES, MAX_MANIFEST_BYTES, MAX_PART_BYTES, GateDelta, GateManifest
from edge.contracts.retained import Health, State, Watermark
from edge.contracts.rows import Envelope, Row

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
MESSAGES: Final[Mapping[str, Any]] = {
    "row": Row,
    "envelope": Envelope,
    "watermark": Watermark,
    "state": State,
    "health": Health,
    "gate-manifest": GateManifest,
    "gate-delta": GateDelta,
    "command": Command,
    "reply": Reply,
}


class _Channel(NamedTuple):
    """One topic: who publishes what on it, and how."""

    name: str
    topic: str
    sender: Literal["edge", "central"]
    message: str
    delivery: Literal["QoS 0", "QoS 1", "QoS 1, retained"]
    max_bytes: int
    summary: str


_ONCE: Final = "QoS 1"
_KEPT: Final = "QoS 1, retained"
_CHANNELS: Final = (
    _Channel("movement", topics.MOVEMENT, "edge", "envelope", _ONCE, MAX_ENVELOPE_BYTES, "Movements, gaps and losses."),
    _Channel("presence", topics.PRESENCE, "edge", "envelope", _ONCE, MAX_ENVELOPE_BYTES, "What zones heard."),
    _Channel("health", topics.HEALTH, "edge", "health", "QoS 0", MAX_MESSAGE_BYTES, "Heartbeat; the newest wins."),
    _Channel("state", topics.STATE, "edge", "state", _KEPT, MAX_MESSAGE_BYTES, "Birth message, and will."),
    _Channel("watermark", topics.WATERMARK, "central", "watermark", _KEPT, MAX_MESSAGE_BYTES, "What is committed."),
    _Channel("manifest", topics.GATE_MANIFEST, "central", "gate-manifest", _KEPT, MAX_MANIFEST_BYTES, "The snapshot."),
    _Channel(
        "part", f"{topics.GATE_PART}/{{part}}", "central", "gate-part", _KEPT, MAX_PART_BYTES, "One of 512 parts."
    ),
    _Channel("delta", topics.GATE_DELTA, "central", "gate-delta", _KEPT, MAX_DELTA_BYTES, "Changes to the manifest."),
    _Channel("command", f"{topics.CMD}/{{name}}", "central", "command", _ONCE, MAX_MESSAGE_BYTES, "An order."),
    _Channel("reply", f"{topics.REPLY}/{{name}}", "edge", "reply", _ONCE, MAX_MESSAGE_BYTES, "Its answer."),
)

_PARAMETERS: Final = {
    "site": {"description": "Site id: 1 to 40 of a-z, 0-9 and -."},
    "gateway": {"description": "Gateway id, unique over all sites: 1 to 40 of a-z, 0-9 and -."},
    "part": {"description": "0 to 511: the first nine bits of SHA-256 over the EPC's bytes."},
    "name": {"description": "The command's name."},
}


def json_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of each message by its name."""
    return {name: _json_schema(name, kind) for name, kind in MESSAGES.items()}


def asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI 3.0 document; payloads refer to the schema files beside it."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Stockgate",
            "version": f"{topics.MAJOR}.0.0",
            "description": "Between a gateway (edge) and the central, on MQTT 3.1.1. The topic says who speaks.",
            "license": {"name": "GPL-3.0-or-later"},
        },
        "defaultContentType": "application/json",
        "channels": {channel.name: _channel(channel) for channel in _CHANNELS},
        "operations": {f"{channel.sender}-{channel.name}": _operation(channel) for channel in _CHANNELS},
        "components": {"messages": {name: _message(name) for name in [*MESSAGES, "gate-part"] if name != "row"}},
    }


def _json_schema(name: str, kind: Any) -> dict[str, Any]:
    (schema,), definitions = msgspec.json.schema_components((kind,), ref_template="#/$defs/{name}")
    if kind is Envelope:
        (row,), rows = msgspec.json.schema_components((Row,), ref_template="#/$defs/{name}")
        definitions = {**definitions, **rows, "Row": row}
        definitions["Envelope"]["properties"]["events"] = {
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_ENVELOPE_ROWS,
            "items": {"$ref": "#/$defs/Row"},
        }
    return {"$schema": DRAFT, "$id": f"urn:stockgate:v{topics.MAJOR}:{name}", **schema, "$defs": definitions}


def _channel(channel: _Channel) -> dict[str, Any]:
    address = f"{topics.ROOT}/{{site}}/{{gateway}}/{channel.topic}"
    return {
        "address": address,
        "summary": channel.summary,
        "parameters": {name: text for name, text in _PARAMETERS.items() if f"{{{name}}}" in address},
        "messages": {channel.message: {"$ref": f"#/components/messages/{channel.message}"}},
    }


def _operation(channel: _Channel) -> dict[str, Any]:
    qos, retain = int(channel.delivery[4]), channel.delivery == _KEPT
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{channel.name}"},
        "summary": f"Sent by the {channel.sender}, {channel.delivery}, at most {channel.max_bytes} bytes.",
        "bindings": {"mqtt": {"qos": qos, "retain": retain, "bindingVersion": "0.2.0"}},
    }


def _message(name: str) -> dict[str, Any]:
    if name == "gate-part":
        return {
            "name": name,
            "contentType": "application/octet-stream",
            "summary": "Packed entries; the layout stands in edge/contracts/gate.py.",
        }
    return {
        "name": name,
        "contentType": "application/json",
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"./{name}.json"},
        },
    }
