"""Impinj R700's IoT device interface: payload bytes in, values out.

An event is `{timestamp, hostname, eventType, …Event}` with every field optional, as the reader's presets switch them
on: so an absent one is no fault, except where a tag has no EPC. What presets smooth (`reportingIntervalSeconds` above
0) or MQTT loses can't be told from the payload.
"""

import base64
import binascii
from typing import Final

from edge.readers.errors import MalformedError
from edge.readers.sightings import Sighting
from edge.readers.smart.documents import Event, checked_epc, epc_hex, instant_us, number, parse, section, text, whole
from edge.readers.smart.model import InputEvent, Parsed

MOST_TURNS_DEG: Final = 36_000
_TRANSITIONS: Final = {"low-to-high": True, "high-to-low": False}


def read(payload: bytes) -> Parsed:
    """Return what a payload brought; never raises."""
    return parse(payload, _take)


def _take(event: Event, parsed: Parsed) -> None:
    tag, gpi = section(event, "tagInventoryEvent"), section(event, "gpiTransitionEvent")
    if tag is not None:
        parsed.sightings.append(_sighting(event, tag))
    elif gpi is not None:
        parsed.inputs.append(_input(event, gpi))
    else:
        parsed.others += 1


def _sighting(event: Event, tag: Event) -> Sighting:
    last_us = instant_us(tag, "lastSeenTime")
    return Sighting(
        _epc(tag),
        antenna=whole(tag, "antennaPort", 1, 65535) or 0,
        rssi_cdbm=whole(tag, "peakRssiCdbm", -32767, 32767),
        phase_deg=number(tag, "phaseAngle", -MOST_TURNS_DEG, MOST_TURNS_DEG),
        frequency_khz=whole(tag, "frequency", 1, 10_000_000),
        last_us=instant_us(event, "timestamp") if last_us is None else last_us,
    )


def _epc(tag: Event) -> bytes:
    if (words := text(tag, "epcHex")) is not None:
        return epc_hex(words, "epcHex")
    if (words := text(tag, "epc")) is None:
        raise MalformedError("a tag has neither epcHex nor epc: switch one on in the reader's preset")
    try:
        padded = words.replace("-", "+").replace("_", "/") + "=" * (-len(words) % 4)
        return checked_epc(base64.b64decode(padded, validate=True), "epc")
    except (binascii.Error, ValueError) as error:
        raise MalformedError("epc is not base64url") from error


def _input(event: Event, gpi: Event) -> InputEvent:
    number_of, transition = whole(gpi, "gpi", 1, 65535), text(gpi, "transition")
    if number_of is None or transition not in _TRANSITIONS:
        raise MalformedError(f"a gpiTransitionEvent names input {number_of} and transition {transition!r}")
    return InputEvent(number_of, _TRANSITIONS[transition], instant_us(event, "timestamp"))
