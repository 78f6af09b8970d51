"""A scenario heard as the agent hears it, in virtual time: its plan of rounds follows who is there, as in a session."""

import numpy as np

from edge.commissioning.airtime import WALK_MPS, WALK_S, Ways, measure
from edge.commissioning.heard import Reads, stay
from edge.llrp import Frame, control
from edge.llrp.messages import decode_message, encode_message
from edge.llrp.messages.commands import AddROSpec, DeleteROSpec, EnableROSpec, StartROSpec, StopROSpec
from edge.llrp.messages.impinj import ImpinjEnableExtensions
from edge.profiles import match_reader
from edge.readers.configuration import abilities
from edge.readers.model import ReaderSettings
from edge.readers.planner import PlanLimits, Planner, sessions_for
from edge.readers.residents import Residents
from edge.readers.rospec import ROSPEC_ID, Radio, choose_powers, portal_rospec, session_number, starts_itself
from simulator.engine import identity, models
from simulator.runs.client import parsed
from simulator.scenarios.load import load
from simulator.server.codes import MessageType
from simulator.server.device import ReaderDevice
from simulator.server.now import Now
from simulator.server.wire import HEADER, Message
from simulator.world.world import World

PORTS = (1, 2, 3, 4)
UTC_US = 1_700_000_000_000_000
STEP_US = 20_000
LOOK_US = 200_000
"""How often the session lets the plan follow."""


class Planned:
    """One reader of a scenario under the agent's plan.

    Args:
        scenario: with one reader.
        seed: of the world.
        quiet_above: as in the agent's settings; 0 lets all tags answer all the time.
        powers_dbm: highest power by port.
    """

    def __init__(self, scenario, seed, *, quiet_above=30, powers_dbm=()) -> None:
        (part,) = scenario.readers
        made = models(scenario.readers)
        self.world = World(scenario, seed, None, {part.id: made[part.id].traits})
        self.reader, self.now_us = part.id, 0
        self._device = ReaderDevice(made[part.id], identity(0))
        self._number = 0
        self._device.connect(self._now())
        ports = tuple(antenna.port for antenna in part.antennas)
        settings = ReaderSettings(
            id=part.id, host="-", antennas=ports, quiet_above=quiet_above, port_powers_dbm=tuple(powers_dbm)
        )
        self._residents = Residents()
        self._radio, limits = self._learn(settings)
        self._planner = Planner(limits)
        self._start()

    @property
    def plan(self):
        """The plan as it stands."""
        return self._planner.plan

    def hear(self, until_us):
        """Return reads (at_us, antenna, tag number from 0, rssi_cdbm) up to a time."""
        parts = []
        while self.now_us < until_us:
            self.now_us = min(self.now_us + STEP_US, until_us)
            self._device.tick(self._now())
            reads = self.world.advance(self.reader, self.now_us, self._device.radio())
            self._device.inventory.flush()
            self.world.take_crossings(self.now_us)
            if len(reads):
                parts.append(np.stack([reads.at_us, reads.antenna, reads.tag, reads.rssi_cdbm]))
                for row in range(len(reads)):
                    self._residents.note(reads.epc_of(row), int(reads.at_us[row]))
            if self.now_us % LOOK_US == 0:
                self._follow()
        return np.concatenate(parts, axis=1).T if parts else np.zeros((0, 4), np.int64)

    def _follow(self):
        planner, residents = self._planner, self._residents
        if not planner.remembers:
            residents.forget_gone(self.now_us)
        newcomers = residents.newcomers(self.now_us, since_us=planner.newcomers_from_us)
        if planner.step(self.now_us, residents=residents.count(), newcomers=newcomers):
            if planner.counts_anew:
                residents.clear()
            self._ask(StopROSpec(rospec_id=ROSPEC_ID))
            self._ask(DeleteROSpec(rospec_id=ROSPEC_ID))
            self._start()

    def _start(self):
        self._ask(AddROSpec(rospec=portal_rospec(self._radio, self._planner.plan)))
        self._ask(EnableROSpec(rospec_id=ROSPEC_ID))
        if not starts_itself(self._planner.plan, None):
            self._ask(StartROSpec(rospec_id=ROSPEC_ID))

    def _learn(self, settings):
        asked = Message(MessageType.GET_READER_CAPABILITIES, 1, b"\0", 1)
        (answer,) = self._device.receive(asked, self._now())
        word, _, number = HEADER.unpack_from(answer)
        frame = Frame(word & 0x3FF, number, word >> 10 & 7, answer[HEADER.size :], 0)
        seen, able = control.decode_capabilities(frame), abilities(decode_message(frame))
        profile = match_reader(vendor=seen.vendor, model=seen.model, firmware=seen.firmware).profile
        extensions = profile.extensions.handshake != "none"
        if extensions:
            self._ask(ImpinjEnableExtensions())
        open_session, quiet_session = sessions_for(0, session_number(profile.inventory.session), None)
        radio = Radio(
            profile=profile,
            antennas=settings.antennas,
            powers=choose_powers("r", settings, settings.antennas, seen, profile),
            mode_id=profile.mode("portal", seen.mode_ids).mode_id,
            extensions=extensions,
        )
        limits = PlanLimits(
            open_session=open_session,
            quiet_session=quiet_session,
            quiet_above=settings.quiet_above,
            filters=able.filters,
            rounds=able.specs or 2,
        )
        return radio, limits

    def _ask(self, message):
        self._number += 1
        for answer in self._device.receive(parsed(encode_message(message, self._number)), self._now()):
            word, _, number = HEADER.unpack_from(answer)
            said = decode_message(Frame(word & 0x3FF, number, word >> 10 & 7, answer[HEADER.size :], 0))
            status = getattr(said, "llrp_status", None)
            assert status is None or status.status_code == 0, said

    def _now(self):
        return Now(UTC_US + self.now_us, self.now_us)


def with_walks(scenario, starts_s, *, tags, route="out", speed_mps=1.5):
    """Return a scenario whose only walks take one route at those times, in turn out and in."""
    walk = next(one for one in scenario.walks if one.route == route)
    walks = tuple(
        walk.model_copy(
            update={
                "id": f"walk-{n}", "at_s": at_s, "tags": (tag,), "speed_mps": speed_mps, "route": route,
                "reverse": n % 2 == 1, "lies": "never",
            }
        )
        for n, (at_s, tag) in enumerate(zip(starts_s, tags, strict=True), 1)
    )  # fmt: skip
    return scenario.model_copy(update={"walks": walks})


def reads_of(rows):
    """Return rows that `Planned.hear` gave as a survey's columns."""
    return Reads(*(rows[:, column] for column in range(4)), np.ones(len(rows), np.int64))


def airtime(name, seed, *, listen_s=20.0, walks=8):
    """Return what a survey says of a built-in scenario, and per plan what walkers at 1.5 m/s truly got within 3 m.

    The survey listens while nobody walks and all tags answer; then the walkers go through one by one, under that plan
    and, in another run, under the agent's own.
    """
    starts_s = [60.0 + 12.0 * n for n in range(walks)]
    scenario = with_walks(load(name), starts_s, tags=range(1, walks + 1))
    half_us, route_s = round(5e5 * WALK_S), 9.6 / WALK_MPS
    truth = {}
    for quiet_above in (0, 30):
        planned = Planned(scenario, seed, quiet_above=quiet_above)
        rows = planned.hear(round(1e6 * (starts_s[-1] + 10.0)))
        if quiet_above == 0:
            calm = reads_of(rows[rows[:, 0] < listen_s * 1e6])
        middles_us = [round(1e6 * (at_s + route_s / 2)) for at_s in starts_s]
        truth[quiet_above] = [
            int(((rows[:, 2] == tag) & (abs(rows[:, 0] - middle_us) <= half_us)).sum())
            for tag, middle_us in enumerate(middles_us)
        ]
    ways = Ways(quiet_above=30, takes_turns=True, masks=2)
    air = measure("r1", calm, stay(calm, PORTS, listen_s), PORTS, ways)
    return air, truth[0], truth[30]
