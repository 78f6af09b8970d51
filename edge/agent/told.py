"""What a recorded reader says of itself: a GET_READER_CAPABILITIES_RESPONSE as messages, payload or JSON."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from edge.llrp import Frame, FrameBuffer, LlrpError
from edge.llrp.control import Capabilities, PowerLevel, decode_capabilities, message_name

RESPONSE: Final = "GET_READER_CAPABILITIES_RESPONSE"
_RESPONSE_TYPE: Final = 11
_JSON: Final = ".json"


class ToldError(ValueError):
    """The file holds no reader's capabilities; the message says what it holds or lacks."""


def read_capabilities(path: Path) -> Capabilities:
    """Return the capabilities in a `.bin` (whole messages), `.bytes` (payload alone) or `.json` recording."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ToldError(f"{path}: cannot be read: {error.strerror or error}") from error
    try:
        return _from_json(data) if path.suffix == _JSON else _from_bytes(data)
    except (ToldError, LlrpError) as error:
        raise ToldError(f"{path}: {error}") from error


def _from_bytes(data: bytes) -> Capabilities:
    for frame in _frames(data):
        if message_name(frame) == RESPONSE:
            return decode_capabilities(frame)
    # Recordings of payloads have no header to tell them by.
    return decode_capabilities(Frame(_RESPONSE_TYPE, 0, 1, data, 0))


def _frames(data: bytes) -> Sequence[Frame]:
    buffer = FrameBuffer()
    try:
        buffer.feed(data)
        return buffer.take().others
    except LlrpError:
        return []


def _from_json(data: bytes) -> Capabilities:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ToldError(f"is not JSON: {error}") from error
    told = document.get("ReaderCapabilities", document) if isinstance(document, Mapping) else None
    if not isinstance(told, Mapping) or "GeneralDeviceCapabilities" not in told:
        raise ToldError("has no GeneralDeviceCapabilities: give a recorded GET_READER_CAPABILITIES_RESPONSE")
    try:
        return _capabilities(told)
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
        raise ToldError(f"lacks what a reader must say, or says it in another form: {error!r}") from error


def _capabilities(told: Mapping[str, Any]) -> Capabilities:
    """Read the JSON form of EdgeX's device-rfid-llrp-go, in which readers are recorded; it leaves out what is false."""
    general, llrp = told["GeneralDeviceCapabilities"], told.get("LLRPCapabilities") or {}
    regulatory = told.get("RegulatoryCapabilities") or {}
    band = regulatory.get("UHFBandCapabilities") or {}
    frequencies = band.get("FrequencyInformation") or {}
    hop_tables = frequencies.get("FrequencyHopTables") or []
    fixed = (frequencies.get("FixedFrequencyTable") or {}).get("Frequencies") or []
    modes = (band.get("C1G2RFModes") or {}).get("UHFC1G2RFModeTableEntries") or []
    gpio = general.get("GPIOCapabilities") or {}
    return Capabilities(
        vendor=int(general["DeviceManufacturer"]),
        model=int(general["Model"]),
        firmware=str(general["FirmwareVersion"]),
        antennas=int(general.get("MaxSupportedAntennas", 0)),
        has_utc_clock=bool(general.get("HasUTCClock", False)),
        gpis=int(gpio.get("NumGPIs", 0)),
        max_rospecs=int(llrp.get("MaxROSpecs", 0)),
        holds_events=bool(llrp.get("SupportsEventsAndReportHolding", False)),
        warns_of_buffer=bool(llrp.get("CanReportBufferFillWarning", False)),
        hopping=bool(frequencies.get("Hopping", False)),
        hop_table_ids=tuple(table["HopTableID"] for table in hop_tables),
        power_levels=tuple(
            PowerLevel(level["Index"], level["TransmitPowerValue"]) for level in band.get("TransmitPowerLevels") or []
        ),
        gpos=int(gpio.get("NumGPOs", 0)),
        country_code=int(regulatory.get("CountryCode", 0)),
        communications_standard=int(regulatory.get("CommunicationsStandard", 0)),
        frequencies_khz=tuple(sorted({*fixed, *(khz for table in hop_tables for khz in table["Frequencies"])})),
        mode_ids=tuple(mode["ModeID"] for mode in modes),
    )
