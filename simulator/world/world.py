"""A whole scenario as a source of reads: the same scenario, seed and radio commands give the same reads."""

from collections.abc import Mapping
from functools import partial
from typing import Final, NamedTuple

import numpy as np

from simulator.scenarios.errors import ScenarioError
from simulator.scenarios.model import Scenario
from simulator.world.air import AirReader, meet
from simulator.world.doors import doors
from simulator.world.movements import Movements, lasts_s, limit_us
from simulator.world.scene import Antennas, Floats, Ints, Scene
from simulator.world.scenes import WINDOW_US, Window, surroundings
from simulator.world.schedule import Schedule, frames
from simulator.world.sensors import Sensors
from simulator.world.stands import antennas_of, still_tags, walls_of
from simulator.world.tags import epc_table, one_sided, tags
from simulator.world.tracks import Tracks
from simulator.world.traffic import Traffic
from simulator.world.values import Crossing, InputChange, RadioState, ReaderTraits, Reads

_SURROUNDINGS: Final = 3
_READERS: Final = 4
"""What the seed's words are for, beside those of `tags.py`."""


class Way(NamedTuple):
    """Where somebody goes, for who draws it.

    Attributes:
        group: the walk's name.
        at_us: (n,).
        place: (n, 3) metres on the site, of the foot of what counts as the carrier.
        tags: (t,) indices of the tags that are carried.
    """

    group: str
    at_us: Ints
    place: Floats
    tags: tuple[int, ...]


class World:
    """Tags, walkers, doors and antennas of one scenario.

    Args:
        seconds: ends the scenario then, whatever it says itself.
        traits: the radio of each reader by its name.

    Raises:
        ScenarioError: something in the scenario can't happen.
    """

    def __init__(
        self, scenario: Scenario, seed: int, seconds: float | None, traits: Mapping[str, ReaderTraits]
    ) -> None:
        self._scenario = scenario
        self._seconds = lasts_s(scenario, seconds)
        self._frames = frames(scenario)
        self._tags = tags(scenario, seed)
        self._doors = doors(scenario, self._frames)
        self._seed = seed
        self._limit_us = limit_us(scenario, seconds)
        self._schedule, self._traffic = self._sources()
        self._refuse_late_walks(seconds)
        self._movements = Movements(scenario, self._schedule, self._traffic, self._doors)
        self._tracks = Tracks(scenario, self._frames, self._tags.dead)
        self._sensors = Sensors(scenario, self._frames, self._doors)
        self._movements.watch(self._tracks.walked)
        self._movements.watch(self._sensors.walked)
        self._movements.follow(self._sensors.until)
        self._still = still_tags(scenario, self._frames, seed)
        self._epcs = [scenario.epc(number) for number in range(1, scenario.tags.count + 1)]
        self._windows = self._made_windows(seed)
        self._portals = self._ports_of_portals()
        self._passed_us = dict.fromkeys(self._windows, 0)
        self._readers = self._air(seed, traits)

    @property
    def residents(self) -> list[bytes]:
        """EPCs of tags in range that never move."""
        return [self._epcs[index] for index in self._still.tag]

    @property
    def ends_us(self) -> int | None:
        """The limit that was given, or the quiet end after the last walk of a scenario that doesn't repeat."""
        if self._seconds is not None:
            return round(1e6 * self._seconds)
        if self._schedule.endless:
            return None
        return self._schedule.last_end_us + round(1e6 * self._scenario.quiet_end_s)

    @property
    def left_out_walks(self) -> int:
        """Walks so far that don't take place, as they would end after the begin of the quiet end."""
        return self._schedule.left_out

    @property
    def left_out_trips(self) -> int:
        """Trips of the day so far that didn't begin: each would have gone through a doorway that isn't its own."""
        return 0 if self._traffic is None else self._traffic.left_out

    def advance(self, reader: str, until_us: int, radio: RadioState | None) -> Reads:
        """Reads of one reader up to a time; none after the end."""
        end_us = self.ends_us
        until_us = until_us if end_us is None else min(until_us, end_us)
        reads = self._readers[reader].advance(until_us, radio)
        self._passed_us[reader] = until_us
        if len(reads):
            for portal, ports in self._portals[reader]:
                mine = slice(None) if ports is None else np.isin(reads.antenna, ports)
                self._tracks.heard(portal, reads.at_us[mine], reads.tag[mine])
        return reads

    def take_crossings(self, until_us: int) -> list[Crossing]:
        """True visits that ended since the last call, once it is sure how; at the end of the world all of them."""
        self._movements.until(until_us)
        self._movements.forget(min(self._passed_us.values()))
        return self._tracks.take(until_us, over=self.ends_us is not None and until_us >= self.ends_us)

    def take_inputs(self, until_us: int) -> list[InputChange]:
        """Changes of readers' inputs since the last call, in order."""
        self._movements.until(until_us)
        return self._sensors.take(until_us)

    def scene(self, reader: str, begin_us: int, end_us: int) -> Scene:
        """What a reader can hear from one time to another, and longer; the tags that lie throughout come first."""
        window = self._windows[reader]
        made = window.made(begin_us, end_us)
        if made is not None:
            return made
        end_us = max(end_us, begin_us + WINDOW_US)
        self._movements.until(end_us)
        return window.make(begin_us, end_us, self._movements.going, self._movements.lying)

    def antennas(self, reader: str) -> Antennas:
        """A reader's antennas."""
        return self._windows[reader].antennas

    def tracks(self, begin_us: int, end_us: int) -> list[Way]:
        """Ways of all that is under way between two times, by their starts; however far the world itself has come."""
        schedule, traffic = self._sources()
        walks = [*schedule.until(end_us), *([] if traffic is None else traffic.until(end_us))]
        return [
            Way(walk.group, walk.middle.at_us, walk.middle.place, tuple(tag - 1 for tag in walk.tags))
            for walk in sorted(walks, key=lambda walk: walk.start_us)
            if walk.end_us >= begin_us and walk.start_us <= end_us
        ]

    def _sources(self) -> tuple[Schedule, Traffic | None]:
        """Walks and trips from their beginning on."""
        schedule = Schedule(self._scenario, self._seed, self._limit_us)
        day = self._scenario.traffic
        if day is None:
            return schedule, None
        return schedule, Traffic(self._scenario, day, self._frames, self._seed, self._limit_us)

    def _refuse_late_walks(self, seconds: float | None) -> None:
        """A scenario that says itself how long it lasts has room for its walks."""
        own_s = self._scenario.seconds
        if own_s is None or seconds is not None or self._scenario.cycle_s:
            return
        last_s, quiet_s = self._schedule.last_end_us / 1e6, self._scenario.quiet_end_s
        if last_s > own_s - quiet_s:
            raise ScenarioError(
                f"scenario {self._scenario.name}: its last walk ends at {last_s:.1f} s, but it lasts {own_s:g} s, of "
                f"which the last {quiet_s:g} s are quiet: raise seconds or lower quiet_end_s"
            )

    def _made_windows(self, seed: int) -> dict[str, Window]:
        rng = np.random.default_rng([seed, _SURROUNDINGS])
        walls = walls_of(self._scenario, self._frames)
        stands = (surroundings(self._scenario), self._tags, walls, self._still)
        return {
            reader.id: Window(
                antennas_of(reader, self._frames, rng), stands, self._doors.values(), one_sided(self._scenario)
            )
            for reader in self._scenario.readers
        }

    def _ports_of_portals(self) -> dict[str, list[tuple[str, list[int] | None]]]:
        """For each reader the portals that it serves, with the ports of each; None is all."""
        found: dict[str, list[tuple[str, list[int] | None]]] = {}
        for reader in self._scenario.readers:
            ports: dict[str, list[int]] = {}
            for part in reader.antennas:
                ports.setdefault(part.portal, []).append(part.port)
            found[reader.id] = [(portal, mine if len(ports) > 1 else None) for portal, mine in ports.items()]
        return found

    def _air(self, seed: int, traits: Mapping[str, ReaderTraits]) -> dict[str, AirReader]:
        epc = epc_table(self._scenario)
        epc_bytes = np.full(len(epc), epc.shape[1], dtype=np.int64)
        readers = {
            reader.id: AirReader(
                self.antennas(reader.id),
                traits[reader.id],
                seed=int(np.random.SeedSequence([seed, _READERS, index]).generate_state(1)[0]),
                scene_of=partial(self.scene, reader.id),
                epc=epc,
                epc_bytes=epc_bytes,
                power_dbm=reader.power_dbm,
            )
            for index, reader in enumerate(self._scenario.readers)
        }
        meet(list(readers.values()), surroundings(self._scenario), walls_of(self._scenario, self._frames))
        return readers
