"""What the session asks of a reader: its ROSpecs, each for a purpose. Pure.

portal       the rounds of a plan (`edge.readers.planner`), for ever
triggered    the same, for a while after an input has called
count sweep  every tag once, in a session that keeps who has answered quiet
survey       what else is on the air, channel by channel, where the reader can tell
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edge.llrp.control import Capabilities
from edge.llrp.messages import enums
from edge.llrp.messages.configuration import AntennaConfiguration, RFTransmitter
from edge.llrp.messages.impinj import ImpinjInventorySearchMode
from edge.llrp.messages.impinj_enums import ImpinjInventorySearchType, ImpinjPeakRSSIMode, ImpinjRFPhaseAngleMode
from edge.llrp.messages.impinj_reports import (
    ImpinjEnablePeakRSSI,
    ImpinjEnableRFPhaseAngle,
    ImpinjTagReportContentSelector,
)
from edge.llrp.messages.inventory import (
    C1G2Filter,
    C1G2InventoryCommand,
    C1G2RFControl,
    C1G2SingulationControl,
    C1G2TagInventoryMask,
    C1G2TagInventoryStateUnawareFilterAction,
)
from edge.llrp.messages.reports import ROReportSpec, TagReportContentSelector
from edge.llrp.messages.rospec import (
    AISpec,
    AISpecStopTrigger,
    GPITriggerValue,
    InventoryParameterSpec,
    RFSurveySpec,
    RFSurveySpecStopTrigger,
    ROBoundarySpec,
    ROSpec,
    ROSpecStartTrigger,
    ROSpecStopTrigger,
    TagObservationTrigger,
)
from edge.llrp.messages.wire_types import Bits
from edge.profiles import ReaderProfile
from edge.readers.errors import ReaderRefusedError
from edge.readers.model import SESSIONS, ReaderSettings, Session, SweepWish, TriggerSettings
from edge.readers.planner import Plan, Round

if TYPE_CHECKING:
    from edge.llrp.messages.element import Extensions

ROSPEC_ID: Final = 1
"""The session deletes all ROSpecs and adds this one."""
FIXED_CHANNEL_INDEX: Final = 1
"""First entry of the fixed frequency table, where the region doesn't hop."""
OWN_TARI: Final = 0
"""Leaves the length of a data-0 to the mode (the recorded readers hold 0 here)."""
EPC_BANK: Final = 1
EPC_BIT: Final = 32
"""Gen2 memory bank and bit at which the EPC begins, behind StoredCRC and StoredPC."""

_SEARCH: Final = {
    "dual": ImpinjInventorySearchType.DUAL_TARGET,
    "single": ImpinjInventorySearchType.SINGLE_TARGET,
}


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
        asked_dbm = settings.asked_dbm(port)
        wanted = [dbm for dbm in (asked_dbm, caps[port] / 100 if port in caps else None) if dbm is not None]
        if not wanted:
            continue
        try:
            chosen[port] = choose_power(where, min(wanted), seen, profile)
        except ReaderRefusedError as error:
            if min(wanted) == asked_dbm:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Radio:
    """What all rounds of one reader share.

    Attributes:
        antennas: ports to inventory, in this order.
        powers: power of those whose power is set.
        mode_id: reader mode; None leaves the reader's own.
        extensions: whether vendor parameters may be sent.
        every_tags: tag reports a message.
    """

    profile: ReaderProfile
    antennas: tuple[int, ...]
    powers: Mapping[int, PowerChoice]
    mode_id: int | None = None
    extensions: bool = False
    every_tags: int = 1


def portal_rospec(radio: Radio, plan: Plan, trigger: TriggerSettings | None = None) -> ROSpec:
    """Return the ROSpec of a plan: its rounds in turn, for ever, or for a while after an input's call.

    Rounds that take turns begin again by the trigger `Immediate`, since LLRP 1.0.1 has no loop.
    """
    return ROSpec(
        rospec_id=ROSPEC_ID,
        priority=0,
        current_state=enums.ROSpecState.DISABLED,
        ro_boundary_spec=_boundary(plan, trigger),
        specs=tuple(_aispec(radio, one) for one in plan.rounds),
        ro_report_spec=_report_spec(radio),
    )


def starts_itself(plan: Plan, trigger: TriggerSettings | None) -> bool:
    """Whether the plan's ROSpec starts once it is enabled, or when its input calls."""
    return trigger is not None or len(plan.rounds) > 1


def sweep_rospec(radio: Radio, wish: SweepWish, session: Session) -> ROSpec:
    """Return the ROSpec of a count sweep: every tag once, until none has been new for a while or time is over."""
    count = radio.profile.count
    stop = AISpecStopTrigger(
        aispec_stop_trigger_type=enums.AISpecStopTriggerType.TAG_OBSERVATION,
        duration_trigger=0,
        tag_observation_trigger=TagObservationTrigger(
            trigger_type=enums.TagObservationTriggerType.UPON_SEEING_NO_MORE_NEW_TAGS_FOR_TMS_OR_TIMEOUT,
            number_of_tags=0,
            number_of_attempts=0,
            t=wish.silence_ms,
            timeout=wish.timeout_ms,
        ),
    )
    once = Round(session, wish.target, ports=wish.ports)
    return _once(radio, _aispec(radio, once, stop=stop, population=count.tag_population))


def timed_sweep_rospec(radio: Radio, wish: SweepWish, session: Session) -> ROSpec:
    """Return the ROSpec of a count sweep for a reader that can't tell when no tag is new: it ends by time alone."""
    count = radio.profile.count
    once = Round(session, wish.target, duration_ms=wish.timeout_ms, ports=wish.ports)
    return _once(radio, _aispec(radio, once, population=count.tag_population))


def sweep_session(radio: Radio, quieted: Session | None) -> Session:
    """Return the session of a count sweep: the profile's, but never the one that residents are kept quiet in.

    In that one they would go on saying nothing, and nobody would be counted.
    """
    session = session_number(radio.profile.count.session)
    return session if session != quieted else 2 if session == 3 else 3  # noqa: PLR2004 (S2 and S3 remember)


def survey_rospec(antenna: int, *, from_khz: int, to_khz: int, duration_ms: int) -> ROSpec:
    """Return the ROSpec that listens on one antenna, channel by channel, without asking any tag."""
    stop = RFSurveySpecStopTrigger(
        stop_trigger_type=enums.RFSurveySpecStopTriggerType.DURATION, duration_period=duration_ms, n=0
    )
    survey = RFSurveySpec(
        antenna_id=antenna, start_frequency=from_khz, end_frequency=to_khz, rf_survey_spec_stop_trigger=stop
    )
    return ROSpec(
        rospec_id=ROSPEC_ID,
        priority=0,
        current_state=enums.ROSpecState.DISABLED,
        ro_boundary_spec=_started_by_hand(),
        specs=(survey,),
    )


def _once(radio: Radio, spec: AISpec) -> ROSpec:
    return ROSpec(
        rospec_id=ROSPEC_ID,
        priority=0,
        current_state=enums.ROSpecState.DISABLED,
        ro_boundary_spec=_started_by_hand(),
        specs=(spec,),
        ro_report_spec=_report_spec(radio),
    )


def _boundary(plan: Plan, trigger: TriggerSettings | None) -> ROBoundarySpec:
    if trigger is not None:
        call = GPITriggerValue(gpi_port_num=trigger.gpi, gpi_event=trigger.state, timeout=0)
        return ROBoundarySpec(
            rospec_start_trigger=ROSpecStartTrigger(
                rospec_start_trigger_type=enums.ROSpecStartTriggerType.GPI, gpi_trigger_value=call
            ),
            rospec_stop_trigger=ROSpecStopTrigger(
                rospec_stop_trigger_type=enums.ROSpecStopTriggerType.DURATION, duration_trigger_value=trigger.read_ms
            ),
        )
    if starts_itself(plan, None):
        return _started_by(enums.ROSpecStartTriggerType.IMMEDIATE)
    return _started_by_hand()


def _started_by_hand() -> ROBoundarySpec:
    return _started_by(enums.ROSpecStartTriggerType.NULL)


def _started_by(kind: enums.ROSpecStartTriggerType) -> ROBoundarySpec:
    return ROBoundarySpec(
        rospec_start_trigger=ROSpecStartTrigger(rospec_start_trigger_type=kind),
        rospec_stop_trigger=ROSpecStopTrigger(
            rospec_stop_trigger_type=enums.ROSpecStopTriggerType.NULL, duration_trigger_value=0
        ),
    )


def _aispec(
    radio: Radio, one: Round, *, stop: AISpecStopTrigger | None = None, population: int | None = None
) -> AISpec:
    kind = enums.AISpecStopTriggerType.DURATION if one.duration_ms else enums.AISpecStopTriggerType.NULL
    tags = radio.profile.inventory.tag_population if population is None else population
    ports = tuple(port for port in radio.antennas if not one.ports or port in one.ports)
    return AISpec(
        antenna_ids=ports,
        aispec_stop_trigger=stop or AISpecStopTrigger(aispec_stop_trigger_type=kind, duration_trigger=one.duration_ms),
        inventory_parameter_specs=(
            InventoryParameterSpec(
                inventory_parameter_spec_id=1,
                protocol_id=enums.AirProtocols.EPCGLOBAL_CLASS1_GEN2,
                antenna_configurations=tuple(_antenna(port, radio, one, tags) for port in ports),
            ),
        ),
    )


def _antenna(port: int, radio: Radio, one: Round, population: int) -> AntennaConfiguration:
    power = radio.powers.get(port)
    transmitter = None
    if power is not None:
        transmitter = RFTransmitter(
            hop_table_id=power.hop_table_id, channel_index=power.channel_index, transmit_power=power.index
        )
    custom: Extensions = ()
    if radio.extensions and radio.profile.inventory.search_mode is not None:
        custom = (ImpinjInventorySearchMode(inventory_search_mode=_SEARCH[one.target]),)
    mode = None if radio.mode_id is None else C1G2RFControl(mode_index=radio.mode_id, tari=OWN_TARI)
    command = C1G2InventoryCommand(
        tag_inventory_state_aware=False,
        c1g2_filters=select_filters(one.masks_at(port)),
        c1g2_rf_control=mode,
        c1g2_singulation_control=C1G2SingulationControl(
            session=one.session, tag_population=population, tag_transit_time=0
        ),
        custom=custom,
    )
    return AntennaConfiguration(antenna_id=port, rf_transmitter=transmitter, inventory_commands=(command,))


def select_filters(masks: Sequence[bytes]) -> tuple[C1G2Filter, ...]:
    """Return Select commands that leave tags in the round whose EPC begins with one of the masks.

    The first one decides about all tags, each further one only adds tags (Gen2 Select, actions as in LLRP 1.0.1,
    table of C1G2TagInventoryStateUnawareFilterAction).
    """
    actions = (enums.C1G2StateUnawareAction.SELECT_UNSELECT, enums.C1G2StateUnawareAction.SELECT_DONOTHING)
    return tuple(
        C1G2Filter(
            t=enums.C1G2TruncateAction.DO_NOT_TRUNCATE,
            c1g2_tag_inventory_mask=C1G2TagInventoryMask(
                mb=EPC_BANK, pointer=EPC_BIT, tag_mask=Bits(8 * len(mask), mask)
            ),
            c1g2_tag_inventory_state_unaware_filter_action=C1G2TagInventoryStateUnawareFilterAction(
                action=actions[min(number, 1)]
            ),
        )
        for number, mask in enumerate(masks)
    )


def session_number(number: int) -> Session:
    """Return a number as the session that it names."""
    for session in SESSIONS:
        if session == number:
            return session
    raise ValueError(f"Gen2 has sessions 0 to 3, not {number}")


def _report_spec(radio: Radio) -> ROReportSpec:
    custom: Extensions = ()
    if radio.extensions and radio.profile.extensions.phase == "impinj":
        custom = (
            ImpinjTagReportContentSelector(
                impinj_enable_rf_phase_angle=ImpinjEnableRFPhaseAngle(
                    rf_phase_angle_mode=ImpinjRFPhaseAngleMode.ENABLED
                ),
                impinj_enable_peak_rssi=ImpinjEnablePeakRSSI(peak_rssi_mode=ImpinjPeakRSSIMode.ENABLED),
            ),
        )
    return ROReportSpec(
        ro_report_trigger=enums.ROReportTriggerType.UPON_N_TAGS_OR_END_OF_AISPEC,
        n=radio.every_tags,
        tag_report_content_selector=TagReportContentSelector(
            enable_rospec_id=True,
            enable_spec_index=False,
            enable_inventory_parameter_spec_id=False,
            enable_antenna_id=True,
            enable_channel_index=True,
            enable_peak_rssi=True,
            enable_first_seen_timestamp=True,
            enable_last_seen_timestamp=True,
            enable_tag_seen_count=True,
            enable_access_spec_id=False,
        ),
        custom=custom,
    )
