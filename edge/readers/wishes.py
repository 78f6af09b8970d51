"""What we ask of a reader: its settings, within what its profile and its capabilities allow."""

import math
from collections.abc import Callable
from typing import Final

from structlog.typing import FilteringBoundLogger

from edge.llrp import control
from edge.profiles import ReaderProfile, region_conflict, region_named
from edge.readers.configuration import Abilities
from edge.readers.model import ReaderSettings
from edge.readers.planner import PlanLimits, sessions_for
from edge.readers.rospec import Radio, choose_powers, session_number, usable_antennas

COARSEST_STEP_CDBM: Final = 25
"""Power tables on record have steps of 0.1 and 0.25 dB; a choice further off than that is told."""


def plan_limits(
    settings: ReaderSettings, profile: ReaderProfile, able: Abilities, *, note: Callable[[str], None]
) -> PlanLimits:
    """Return within what the plan of singulation may choose; `note` gets what the reader can't be asked, in words."""
    open_session, quiet_session = sessions_for(
        settings.session_slot, session_number(profile.inventory.session), settings.session
    )
    select = tuple(bytes.fromhex(prefix) for prefix in settings.select)
    references = tuple((reference.port, bytes.fromhex(reference.epc)) for reference in settings.references)
    if select and len(select) + bool(references) > able.filters:
        note(
            f"takes {able.filters} Select masks an antenna; {len(select)} prefixes"
            f"{' and a reference tag' if references else ''} want one each: all tags are asked"
        )
    turns = able.specs if settings.trigger is None else 1
    return PlanLimits(
        open_session=open_session,
        quiet_session=quiet_session,
        quiet_above=settings.quiet_above,
        select=select,
        references=references,
        filters=able.filters,
        rounds=turns or 2,
    )


def radio_for(
    where: str,
    settings: ReaderSettings,
    profile: ReaderProfile,
    seen: control.Capabilities,
    *,
    extensions: bool,
    note: Callable[[str], None],
    log: FilteringBoundLogger,
) -> Radio:
    """Return antennas, powers, mode and reporting that the reader gets; `note` gets what is not to be had, in words."""
    antennas, absent = usable_antennas(where, settings, seen)
    if absent:
        note(absent)
    if settings.region is not None and (conflict := _region_conflict(settings.region, seen)):
        note(conflict)
    powers = choose_powers(where, settings, antennas, seen, profile)
    caps = dict(settings.power_caps_cdbm)
    for port, power in powers.items():
        dbm = settings.asked_dbm(port)
        if dbm is not None and power.cdbm < min(dbm * 100, caps.get(port, math.inf)) - COARSEST_STEP_CDBM:
            note(f"tx_power_dbm = {dbm:g} is not to be had: {power.cdbm / 100:.2f} dBm is used")
            break
    mode = profile.mode("portal", seen.mode_ids)
    log.info("reader mode", mode=mode.why)
    every_tags = settings.report_every_tags
    return Radio(
        profile=profile,
        antennas=antennas,
        powers=powers,
        mode_id=mode.mode_id,
        extensions=extensions,
        every_tags=profile.reports.every_tags if every_tags is None else every_tags,
    )


def _region_conflict(name: str, seen: control.Capabilities) -> str:
    return region_conflict(
        region_named(name),
        country=seen.country_code,
        standard=seen.communications_standard,
        frequencies_khz=seen.frequencies_khz,
    )
