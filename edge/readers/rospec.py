"""What the session asks of a reader: its ROSpec and its configuration, as fields of LLRP messages. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from edge.llrp.control import Capabilities
from edge.profiles import ReaderProfile
from edge.readers.errors import ReaderRefusedError
from edge.readers.model import ReaderSettings

ROSPEC_ID: Final = 1
"""The session deletes all ROSpecs and adds this one."""
FIXED_CHANNEL_INDEX: Final = 1
"""First entry of the fixed frequency table, where the region doesn't hop."""
OWN_TARI: Final = 0
"""Leaves the length of a data-0 to the mode (the recorded readers hold 0 here)."""
LINK_MONITOR_ON: Final = 1
MISSED_ACKNOWLEDGEMENTS: Final = 2
"""After so many keepalives without acknowledgement the reader drops us, and can be dialled again."""


@dataclass(frozen=True, slots=True)
class PowerChoice:
    """An entry of the reader's power table, with what RFTransmitter wants beside it."""

    index: int
    cdbm: int
    hop_table_id: int
    channel_index: int


def choose_power(where: str, wanted_dbm: float, seen: Capabilities, profile: ReaderProfile) -> PowerChoice:
    """Choose the highest power that is not above `wanted_dbm`, by value: tables come unsorted and with gaps."""
    allowed = [level for level in seen.power_levels if level.cdbm <= round(wanted_dbm * 100)]
    if not allowed:
        lowest = min((level.cdbm for level in seen.power_levels), default=None)
        has = "it lists no powers" if lowest is None else f"its lowest is {lowest / 100:.2f} dBm"
        raise ReaderRefusedError(
            f"{where}: tx_power_dbm = {wanted_dbm:g} can't be set, {has}; raise it or leave it out"
        )
    best = max(allowed, key=lambda level: level.cdbm)
    if seen.hopping:
        channel, table = profile.power.hopping_channel_index, min(seen.hop_table_ids, default=1)
    else:
        channel, table = FIXED_CHANNEL_INDEX, 0
    return PowerChoice(best.index, best.cdbm, table, channel)


def choose_powers(
    where: str, settings: ReaderSettings, antennas: tuple[int, ...], seen: Capabilities, profile: ReaderProfile
) -> dict[int, PowerChoice]:
    """Choose each antenna's power: what is configured, and never above its legal cap; no entry leaves the reader's."""
    caps = dict(settings.power_caps_cdbm)
    chosen = {}
    for port in antennas:
        wanted = [dbm for dbm in (settings.tx_power_dbm, caps[port] / 100 if port in caps else None) if dbm is not None]
        if not wanted:
            continue
        try:
            chosen[port] = choose_power(where, min(wanted), seen, profile)
        except ReaderRefusedError as error:
            if min(wanted) == settings.tx_power_dbm:
                raise
            raise ReaderRefusedError(
                f"{where}: antenna port {port} may legally get {min(wanted):g} dBm, which this reader can't set; "
                "take an antenna of less gain"
            ) from error
    return chosen


def usable_antennas(where: str, settings: ReaderSettings, seen: Capabilities) -> tuple[tuple[int, ...], str]:
    """Return the configured ports that the reader has, and words about those that it hasn't."""
    there = tuple(port for port in settings.antennas if 1 <= port <= seen.antennas)
    absent = ", ".join(str(port) for port in settings.antennas if port not in there)
    if not absent:
        return there, ""
    words = f"{where} has antenna ports 1 to {seen.antennas}, the configuration wants {absent}: correct the portals"
    if not there:
        raise ReaderRefusedError(words)
    return there, words


def rospec(
    antennas: tuple[int, ...],
    profile: ReaderProfile,
    powers: Mapping[int, PowerChoice] | None,
    *,
    extensions: bool,
    every_tags: int,
    mode_id: int | None = None,
) -> dict[str, Any]:
    """Return the ROSpec: all antennas in turn until stopped, a report every so many tags."""
    return {
        "ROSpecID": ROSPEC_ID,
        "Priority": 0,
        "CurrentState": "Disabled",
        "ROBoundarySpec": {
            "ROSpecStartTrigger": {"ROSpecStartTriggerType": "Null"},
            "ROSpecStopTrigger": {"ROSpecStopTriggerType": "Null", "DurationTriggerValue": 0},
        },
        "AISpec": [
            {
                "AntennaID": antennas,
                "AISpecStopTrigger": {"AISpecStopTriggerType": "Null", "DurationTriggerValue": 0},
                "InventoryParameterSpec": [
                    {
                        "InventoryParameterSpecID": 1,
                        "ProtocolID": 1,
                        "AntennaConfiguration": [
                            _antenna(port, profile, (powers or {}).get(port), extensions=extensions, mode_id=mode_id)
                            for port in antennas
                        ],
                    }
                ],
            }
        ],
        "ROReportSpec": _report_spec(profile, extensions=extensions, every_tags=every_tags),
    }


def reader_config(
    settings: ReaderSettings, profile: ReaderProfile, seen: Capabilities, *, extensions: bool
) -> dict[str, Any]:
    """Return SET_READER_CONFIG: keepalives on, the events that we read on and the others off."""
    fields: dict[str, Any] = {
        "ResetToFactoryDefaults": False,
        "ReaderEventNotificationSpec": {
            "EventNotificationState": {
                "HoppingEvent": False,
                "GPIEvent": bool(settings.gpis),
                "ROSpecEvent": False,
                "ReportBufferFillWarning": seen.warns_of_buffer,
                "ReaderExceptionEvent": True,
                "RFSurveyEvent": False,
                "AISpecEvent": False,
                "AISpecEventWithSingulation": False,
                "AntennaEvent": True,
            }
        },
        **keepalive_only(settings),
    }
    if settings.gpis:
        fields["GPIPortCurrentState"] = [
            {"GPIPortNum": gpi.port, "GPIConfig": True, "GPIState": 0} for gpi in settings.gpis
        ]
    if seen.holds_events:
        fields["EventsAndReports"] = {"HoldEventsAndReportsUponReconnect": False}
    if extensions and profile.extensions.link_monitor:
        fields["ImpinjLinkMonitorConfiguration"] = {
            "LinkMonitorMode": LINK_MONITOR_ON,
            "LinkDownThreshold": MISSED_ACKNOWLEDGEMENTS,
        }
    return fields


def keepalive_only(settings: ReaderSettings) -> dict[str, Any]:
    """Return the least SET_READER_CONFIG, for a reader that refuses the rest of ours."""
    return {"KeepaliveSpec": {"KeepaliveTriggerType": 1, "TimeInterval": settings.keepalive_ms}}


def _antenna(
    port: int, profile: ReaderProfile, power: PowerChoice | None, *, extensions: bool, mode_id: int | None
) -> dict[str, Any]:
    inventory = profile.inventory
    command: dict[str, Any] = {
        "TagInventoryStateAware": False,
        "C1G2SingulationControl": {
            "Session": inventory.session,
            "TagPopulation": inventory.tag_population,
            "TagTransitTime": 0,
        },
    }
    if mode_id is not None:
        command["C1G2RFControl"] = {"ModeIndex": mode_id, "Tari": OWN_TARI}
    if extensions and inventory.search_mode is not None:
        command["ImpinjInventorySearchMode"] = {"InventorySearchMode": inventory.search_mode}
    antenna: dict[str, Any] = {"AntennaID": port, "C1G2InventoryCommand": [command]}
    if power is not None:
        antenna["RFTransmitter"] = {
            "HopTableId": power.hop_table_id,
            "ChannelIndex": power.channel_index,
            "TransmitPower": power.index,
        }
    return antenna


def _report_spec(profile: ReaderProfile, *, extensions: bool, every_tags: int) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "ROReportTrigger": "Upon_N_Tags_Or_End_Of_AISpec",
        "N": every_tags,
        "TagReportContentSelector": {
            "EnableROSpecID": True,
            "EnableAntennaID": True,
            "EnableChannelIndex": True,
            "EnablePeakRSSI": True,
            "EnableFirstSeenTimestamp": True,
            "EnableLastSeenTimestamp": True,
            "EnableTagSeenCount": True,
        },
    }
    if extensions and profile.extensions.phase == "impinj":
        spec["ImpinjTagReportContentSelector"] = {
            "ImpinjEnableRFPhaseAngle": {"RFPhaseAngleMode": 1},
            "ImpinjEnablePeakRSSI": {"PeakRSSIMode": 1},
        }
    return spec
