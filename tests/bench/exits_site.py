"""A site with doors side by side through which tags are carried that may not leave, one every few seconds at each."""

import csv
from dataclasses import dataclass
from pathlib import Path

SITE, GATEWAY = "hq", "hq-east-1"
PREFIX = "3034257bf7194e400000"
APART_M = 60.0
"""From door to door: no reader hears another door's tags."""
FIRST_S, EVERY_S = 6.0, 4.6
RESIDENTS = 20
"""Tags on a shelf in each door's reach, so that a reader is as busy as one with a stockroom behind it."""

READER = """
[[portals]]
id = "{door}"
at = [0.0, {y:.1f}]
inside = "{room}"
outside = "corridor"

[[walls]]
points = [[0.0, {low:.1f}], [0.0, {high:.1f}], [-6.0, {high:.1f}], [-6.0, {low:.1f}], [0.0, {low:.1f}]]

[[shelves]]
id = "shelf-{n}"
portal = "{door}"
at = [-2.6, 1.6]
size = [0.5, 1.8]
levels = 5
material = "wood"
tags = "{first}..{last}"

[[readers]]
id = "r{n}"
model = "impinj/r700"
antennas = [
  {{ port = 1, portal = "{door}", position = [-0.15, 0.9, 1.5], aim = [-1.3, 0.0, 1.0] }},
  {{ port = 2, portal = "{door}", position = [-0.15, -0.9, 1.2], aim = [-1.3, 0.0, 1.0] }},
  {{ port = 3, portal = "{door}", position = [0.15, 0.9, 1.5], aim = [1.3, 0.0, 1.0] }},
  {{ port = 4, portal = "{door}", position = [0.15, -0.9, 1.2], aim = [1.3, 0.0, 1.0] }},
]

[[routes]]
id = "out-{n}"
portal = "{door}"
points = [[-4.8, 0.0], [4.8, 0.0]]
"""
WALK = """
[[walks]]
at_s = {at_s:.2f}
route = "out-{n}"
tags = [{tag}]
speed_mps = {speed_mps:.2f}
"""
AGENT = """
[[portals]]
id = "{door}"
inside = "{room}"
outside = "corridor"
layout = "two-sided"
antennas = [
  {{ reader = "r{n}", port = 1, side = "inside" }}, {{ reader = "r{n}", port = 2, side = "inside" }},
  {{ reader = "r{n}", port = 3, side = "outside" }}, {{ reader = "r{n}", port = 4, side = "outside" }},
]

[[readers]]
id = "r{n}"
host = "{host}"
port = {port}
session = 0
outputs = [{{ output = 1, inverted = false }}]

[[gate.outputs]]
portal = "{door}"
device = "r{n}"
output = 1
kind = "light"
seconds = 1.0
"""


@dataclass(frozen=True)
class ExitsSite:
    """How many doors, and for how long somebody leaves through each every 4.6 s."""

    doors: int
    seconds: float

    @property
    def walks(self):
        """Who goes out: (door from 1, when it sets out, tag), in order of time; doors take turns."""
        rounds = int(self.seconds / EVERY_S)
        return [
            (door + 1, FIRST_S + turn * EVERY_S + door * EVERY_S / self.doors, 1 + turn * self.doors + door)
            for turn in range(rounds)
            for door in range(self.doors)
        ]

    def epc(self, tag):
        """The EPC of a tag, hex."""
        return f"{PREFIX}{tag:04x}"

    def scenario(self):
        """The simulator's scenario, TOML."""
        walks = self.walks
        residents = len(walks) + 1
        text = (
            f'name = "exits"\ndescription = "Exits at {self.doors} doors."\nseed = 71\n\n[tags]\n'
            f'epc_prefix = "{PREFIX}"\nnumber_bytes = 2\ncount = {residents + self.doors * RESIDENTS}\n'
            "loss_db = 6.0\nsensitivity_dbm = -22.0\n"
        )
        for n in range(1, self.doors + 1):
            y, first = (n - 1) * APART_M, residents + (n - 1) * RESIDENTS
            text += READER.format(
                n=n, door=f"door-{n}", room=f"room-{n}", y=y, low=y - 4, high=y + 4, first=first,
                last=first + RESIDENTS - 1,
            )  # fmt: skip
        for door, at_s, tag in walks:
            text += WALK.format(n=door, at_s=at_s, tag=tag, speed_mps=0.9 + 0.1 * (tag % 7))
        return text

    def sheets(self, folder: Path):
        """Write the registry's CSV files: every tag is an asset of a stockroom, and none may leave it."""
        rooms = [(f"room-{n}", f"Stockroom {n}", "zone", "hq", "true", "") for n in range(1, self.doors + 1)]
        places = [
            ("hq-site", "Headquarters", "site", "", "false", ""), ("hq", "Building", "building", "hq-site", "true", ""),
            *rooms, ("corridor", "Corridor", "zone", "hq", "false", ""),
        ]  # fmt: skip
        _write(folder / "locations.csv", "id,name,kind,parent,guarded,owner_role", places)
        doors = [
            (f"door-{n}", f"Door {n}", SITE, GATEWAY, f"room-{n}", "corridor", "alarm")
            for n in range(1, self.doors + 1)
        ]
        _write(folder / "portals.csv", "id,name,site,gateway,inside,outside,mode", doors)
        assets = [(f"LT-{tag:05}", "Laptop", "laptop", f"S{tag:05}", f"room-{door}") for door, _, tag in self.walks]
        _write(folder / "assets.csv", "id,name,class,serial,location", assets)
        _write(folder / "tags.csv", "epc,asset,role", [(self.epc(t), f"LT-{t:05}", "body") for _, _, t in self.walks])

    def config(self, readers, mqtt, trust):
        """The agent's configuration; `trust` is the line that the central prints."""
        text = f'site = "{SITE}"\ngateway = "{GATEWAY}"\n\n[trust]\n{trust}\n\n[mqtt]\nurl = "{mqtt}"\n'
        for n in range(1, self.doors + 1):
            text += AGENT.format(n=n, door=f"door-{n}", room=f"room-{n}", **readers[f"r{n}"])
        return text


def _write(path, head, rows):
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head.split(","))
        writer.writerows(rows)
