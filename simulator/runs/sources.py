"""Who plays a scenario: its readers' models, and the world or the load that they hear."""

from dataclasses import dataclass

from simulator.engine import identity, models
from simulator.scenarios.model import Scenario
from simulator.server.model import ReaderModel
from simulator.world.crowd import Crowd
from simulator.world.values import Source
from simulator.world.world import World


@dataclass(frozen=True, slots=True)
class Cast:
    """A scenario with all that plays in it, by the ids of its readers."""

    scenario: Scenario
    seed: int
    models: dict[str, ReaderModel]
    identities: dict[str, bytes]
    source: Source

    def left_out(self) -> str | None:
        """What of the scenario didn't take place, in words; known when it was played."""
        count = self.source.left_out_walks if isinstance(self.source, World) else 0
        if not count:
            return None
        quiet_s = self.scenario.quiet_end_s
        walks = "1 walk doesn't" if count == 1 else f"{count:,} walks don't"
        return f"{walks} end before the last {quiet_s:g} s, which are quiet, and are left out: play longer"


def cast(scenario: Scenario, seed: int | None = None, seconds: float | None = None) -> Cast:
    """Return who plays a scenario.

    Args:
        scenario: what is played.
        seed: of everything random; the scenario's own where None.
        seconds: end it after so many seconds of its own time.
    """
    number = scenario.seed if seed is None else seed
    played = models(scenario.readers)
    identities = {reader.id: identity(index) for index, reader in enumerate(scenario.readers)}
    return Cast(scenario, number, played, identities, _source(scenario, number, seconds, played))


def _source(scenario: Scenario, seed: int, seconds: float | None, played: dict[str, ReaderModel]) -> Source:
    if scenario.crowd is not None:
        return Crowd(scenario, scenario.crowd, seconds, played[scenario.crowd.reader].frequencies_khz)
    return World(scenario, seed, seconds, {name: model.traits for name, model in played.items()})
