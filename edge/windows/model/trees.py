"""The fitted decisions as they stand in the weights file: trees by name, read once.

Errors: `WindowsError` where the file isn't what this version reads.
"""

import json
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge.windows.evidence import together
from edge.windows.model import kernels
from edge.windows.settings import WindowsError

Floats = NDArray[np.float64]
SCHEMA: Final = 1
UNIT: Final = 65536
FILE: Final = "weights.npz"


@dataclass(frozen=True, slots=True)
class Trees:
    """One decision's boosted trees; see `kernels.walk`.

    Attributes:
        classes: names, in the order of the sums.
        base: (classes,) what the sums begin with, in 1/65536.
    """

    classes: tuple[str, ...]
    base: NDArray[np.int64]
    roots: NDArray[np.int32]
    feature: NDArray[np.int16]
    threshold: NDArray[np.float32]
    below: NDArray[np.int32]
    leaf: NDArray[np.int32]

    forest: kernels.Forest = field(init=False)

    def __post_init__(self) -> None:
        """Lay the nodes out as they are walked."""
        nodes = np.zeros(len(self.feature), np.int64)
        places = nodes.view(np.int16).reshape(-1, 4)
        bars, leaves = nodes.view(np.float32).reshape(-1, 2), nodes.view(np.int32).reshape(-1, 2)
        ends = self.feature < 0
        places[:, 0] = self.feature
        places[:, 1] = np.where(ends, 0, self.below - np.arange(len(nodes)))
        bars[:, 1] = self.threshold
        leaves[ends, 1] = self.leaf[ends]
        object.__setattr__(self, "forest", (self.base, self.roots, places, bars, leaves))

    def odds(self, x: Floats) -> Floats:
        """Return (classes,) log-odds, each against the mean of all."""
        odds = np.empty(len(self.base))
        kernels.ask(x, self.forest, odds)
        return odds


def shares(odds: Floats) -> Floats:
    """Return probabilities of log-odds, to a millionth."""
    told: Floats = kernels.shares(odds)
    return told


@cache
def model(name: str) -> Trees:
    """Return the trees of that name.

    Raises:
        WindowsError: the weights file is of another version, or has no such trees.
    """
    held, told = _file()
    if name not in told["models"]:
        raise WindowsError(f"{FILE} has no model {name!r}: make it anew with `{told['command']}`")
    parts = {part: held[f"{name}.{part}"] for part in ("base", "roots", "feature", "threshold", "below", "leaf")}
    return Trees(tuple(told["models"][name]["classes"]), **parts)


def about() -> dict[str, Any]:
    """Return what the weights file says of itself: command, doors, examples, and which set was frozen then."""
    return dict(_file()[1])


@cache
def _file() -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    payload = files(__package__).joinpath(FILE).read_bytes()
    with np.load(BytesIO(payload)) as held:
        arrays = {name: held[name] for name in held.files}
    told = json.loads(arrays.pop("about").tobytes())
    if told.get("schema") != SCHEMA:
        raise WindowsError(f"{FILE} has schema {told.get('schema')!r}, this version reads {SCHEMA}: run `make fit`")
    if told.get("features") != together.digest():
        raise WindowsError(f"{FILE} was fitted to other features than this version measures: run `make fit`")
    return arrays, told
