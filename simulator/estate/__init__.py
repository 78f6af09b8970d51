"""A company's estate over months, event by event: what truly happens, and what gateways and people say of it.

No radio here: doors have a read probability. All of it is a function of a scenario file, its seed with it.
Errors: `EstateError`, for a scenario that can't be played.
"""

from simulator.estate.digest import committed, digest
from simulator.estate.estate import Estate, build
from simulator.estate.model import EstateError, EstateScenario, load_estate, names
from simulator.estate.truth import TrueCrossing, TrueTransfer, Truth
from simulator.estate.values import Act, Envelope, Item, Word

__all__ = [
    "Act",
    "Envelope",
    "Estate",
    "EstateError",
    "EstateScenario",
    "Item",
    "TrueCrossing",
    "TrueTransfer",
    "Truth",
    "Word",
    "build",
    "committed",
    "digest",
    "load_estate",
    "names",
]
