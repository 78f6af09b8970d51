"""What the trial's programs are given: a crowd that passes one antenna, and a door through which assets are carried."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.exits_site import AGENT, GATEWAY, SITE, ExitsSite

__all__ = ["GATEWAY", "REARM_S", "TrialSite"]

REARM_S: Final = (14_400, 14_000)
"""What a reload changes to and fro: it builds every part anew and no event comes of it."""
PASSES: Final = 20
DOOR_READER: Final = "r1"
CROWD_LOCATIONS: Final = "hall,Hall,zone,,false,\nyard,Yard,exterior,,false,\n"
EDGE: Final = """site = "{site}"
gateway = "{gateway}"
[trust]
{trust}
[mqtt]
url = "{url}"
[windows]
rearm_s = {rearm_s}
[[readers]]
id = "crowd"
host = "127.0.0.1"
port = {port}
[[portals]]
id = "crowd-gate"
inside = "hall"
outside = "yard"
layout = "single"
antennas = [{{ reader = "crowd", port = 1 }}]
"""
CENTRAL: Final = """# No asset bears one of these tags, yet they are ours: an agent with a gate tells no foreign ones.
own_prefixes = ["3034257bf7194e41/64"]
"""
CROWD: Final = """name = "crowd-{rate}"
description = "{rate} passes a second at one antenna; each EPC is new."
quiet_end_s = 2.0
[tags]
epc_prefix = "3034257bf7194e41"
number_bytes = 4
[[portals]]
id = "crowd-gate"
layout = "single"
[[readers]]
id = "crowd"
antennas = [{{ port = 1, portal = "crowd-gate", position = [0.0, 0.0, 2.0], aim = [0.0, 0.0, 0.0] }}]
[crowd]
reader = "crowd"
portal = "crowd-gate"
passes_per_s = {rate}.0
reads_per_pass = 10
pass_s = 0.5
"""


@dataclass(frozen=True)
class TrialSite:
    """A crowd of `rate` passes a second, and one door that an asset without leave goes out of every 4.6 s."""

    rate: int
    seconds: float

    @property
    def door(self) -> ExitsSite:
        """The door, with who goes out of it and when."""
        return ExitsSite(1, self.seconds)

    @property
    def walks(self) -> int:
        """How many go out in all."""
        return len(self.door.walks)

    def sheets(self, folder: Path) -> None:
        """Write the registry's sheets."""
        self.door.sheets(folder)
        with (folder / "locations.csv").open("a") as file:
            file.write(CROWD_LOCATIONS)
        with (folder / "portals.csv").open("a") as file:
            file.write(f"crowd-gate,Gate,{SITE},{GATEWAY},hall,yard,notify\n")

    def passes(self, path: Path, turn: int) -> None:
        """Write a sheet that lets some of those out who go out next; `turn` by turn they are others."""
        rows = (
            f"P-{turn}-{number},LT-{(37 * turn + number) % self.walks + 1:05},room-1,2020-01-01T00:00:00Z,,soak\n"
            for number in range(PASSES)
        )
        path.write_text("id,asset,boundary,valid_from,valid_to,reason\n" + "".join(rows))

    def central(self) -> str:
        """Return the centre's settings."""
        return CENTRAL

    def crowd(self) -> str:
        """Return the scenario of the crowd's reader."""
        return CROWD.format(rate=self.rate)

    def config(self, *, crowd_port: int, door_port: int, url: str, trust: str, turn: int = 0) -> str:
        """Return the agent's configuration; `turn` by turn it is another one that does the same."""
        text = EDGE.format(
            site=SITE, gateway=GATEWAY, trust=trust, url=url, port=crowd_port, rearm_s=REARM_S[turn % len(REARM_S)]
        )  # fmt: skip
        return text + AGENT.format(n=1, door="door-1", room="room-1", host="127.0.0.1", port=door_port)
