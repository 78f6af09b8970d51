"""One estate from its file to its scores."""

import asyncio
import os

import structlog

from simulator.estate import build, committed, digest, load_estate
from tests.accuracy.central.plant import plant
from tests.accuracy.central.play import Player, to_stderr
from tests.accuracy.central.scores import all_scores


class OtherEstateError(Exception):
    """What was played isn't the estate whose hash is kept."""


def measure(name, *, days=None, say=to_stderr):
    """Play an estate, or its first days; return the scores.

    Raises:
        OtherEstateError: the whole of it is to be played, and its hash isn't the one that is kept.
    """
    os.environ.setdefault("NO_COLOR", "1")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    estate = build(load_estate(name))
    if days is None:
        _check(name, digest(estate))  # half a minute, before half an hour is spent
    record = asyncio.run(_played(estate, days, say))
    if record.digest:
        _check(name, record.digest)
    return all_scores(record)


def _check(name, found):
    """See that an estate, by its hash, is the one that is kept."""
    if found != committed(name):
        raise OtherEstateError(
            f"the simulator makes the estate {name} with the hash {found}, but {committed(name)} is kept: take back "
            "what changed simulator/estate or the bytes on the wire, or write a new version "
            "(python -m simulator.estate --write)"
        )


async def _played(estate, days, say):
    async with plant() as one:
        return await Player(estate, one, days=days, say=say).play()
