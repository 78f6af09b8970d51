"""What the agent asks of a reader, in process: its own plan of rounds, driven by what was read, as radio commands."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from edge.llrp import TagBatch
from edge.readers.hearing import Heard
from edge.readers.planner import PlanLimits, Planner, Round, sessions_for
from edge.readers.residents import Residents
from edge.readers.rospec import session_number
from simulator.scenarios.space import ReaderPart
from simulator.server.inventory import Radio
from simulator.server.model import IMPINJ, ReaderModel
from simulator.server.profiles import model_of, profile_named
from simulator.world.command import DUAL_TARGET, EPC_POINTER_BITS, SINGLE_TARGET, AirCommand, Select

if TYPE_CHECKING:
    from edge.profiles import ReaderProfile

LOOK_US: Final = 200_000
"""The agent looks at its plan five times a second."""
REPLAN_US: Final = 50_000
"""A plan is changed by stopping and adding a ROSpec, meanwhile the radio is silent (ADR 9)."""
UNSELECT_OTHERS, ADD = 0, 1
"""Actions of the first and of further Select filters (LLRP 1.0.1, 15.2.1.2.1.1.1)."""


@dataclass
class Asking:
    """One reader's agent: `until_us` is when its radio next does something else, which `step` then decides."""

    reader: ReaderPart
    slot: int
    quiet_above: int = 30
    until_us: int = 0
    plan_changes: int = 0
    _residents: Residents = field(default_factory=Residents)
    _round: int = -1
    _round_ends_us: int = 0
    _next_look_us: int = LOOK_US
    _radios: dict[Round, Radio] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ports = tuple(sorted(antenna.port for antenna in self.reader.antennas))
        self.model: ReaderModel = model_of(self.reader.model, self.reader.region, ports=max(self.ports))
        self._profile: ReaderProfile = profile_named(self.reader.model)
        own = session_number(self._profile.inventory.session)
        open_session, quiet_session = sessions_for(self.slot, own, None)
        self._planner = Planner(
            PlanLimits(
                open_session=open_session,
                quiet_session=quiet_session,
                quiet_above=self.quiet_above,
                filters=self.model.max_filters,
                rounds=self.model.max_specs_a_rospec or 2,
            )
        )

    @property
    def reports_phase(self) -> bool:
        """Whether the agent asks this reader for phase; of Zebra's it doesn't."""
        return self._profile.extensions.phase == "impinj" and self.model.manufacturer == IMPINJ

    def hear(self, batch: TagBatch, epoch_us: int) -> None:
        """Take what was reported; its times count from an epoch before the scenario's own."""
        at_us = batch.last_us - epoch_us
        columns = (batch.epc, batch.epc_bits, batch.antenna, batch.rssi_cdbm, batch.seen_count, at_us)
        self._residents.hear(Heard(*columns))

    def step(self, now_us: int) -> Radio | None:
        """Return what the radio does from now until `until_us`; None while the plan is replaced."""
        if now_us >= self._next_look_us:
            self._next_look_us += LOOK_US
            if self._looks(now_us):
                self._round, self._round_ends_us = -1, now_us + REPLAN_US
                self.until_us = self._round_ends_us
                return None
        rounds = self._planner.plan.rounds
        if now_us >= self._round_ends_us or self._round < 0:
            self._round = (self._round + 1) % len(rounds)
            lasts_us = 1000 * rounds[self._round].duration_ms
            self._round_ends_us = now_us + lasts_us if lasts_us else 1 << 62
        self.until_us = min(self._round_ends_us, self._next_look_us)
        return self._radio(rounds[self._round])

    def _looks(self, now_us: int) -> bool:
        """Let the plan follow who is there; return whether it became another one."""
        if not self._planner.remembers:
            self._residents.forget_gone(now_us)
        newcomers = self._residents.newcomers(now_us, since_us=self._planner.newcomers_from_us)
        if not self._planner.step(now_us, residents=self._residents.count(), newcomers=newcomers):
            return False
        if self._planner.counts_anew:
            self._residents.clear()
        self.plan_changes += 1
        return True

    def _radio(self, one: Round) -> Radio:
        if one not in self._radios:
            if len(self._radios) > 64:
                self._radios.clear()
            ports = tuple(port for port in self.ports if not one.ports or port in one.ports)
            self._radios[one] = Radio(ports, {}, {port: self._command(one, port) for port in ports})
        return self._radios[one]

    def _command(self, one: Round, port: int) -> AirCommand:
        listed = {mode.id: mode for mode in self.model.modes}
        mode = next((listed[number] for number in self._profile.modes.portal if number in listed), None)
        search = {"dual": DUAL_TARGET, "single": SINGLE_TARGET}[one.target]
        return AirCommand(
            mode=None if mode is None else mode.id,
            timing=None if mode is None else mode.timing,
            session=one.session,
            population=self._profile.inventory.tag_population,
            filters=tuple(
                Select(EPC_POINTER_BITS, 8 * len(mask), mask, ADD if number else UNSELECT_OTHERS)
                for number, mask in enumerate(one.masks_at(port))
            ),
            search_mode=search if self._profile.inventory.search_mode is not None else None,
        )
