"""What a command to blink may switch, and what is said where it may not."""

import pytest

from edge.agent.orders import OnLookers, Orders
from edge.commands import OrderError
from tests.helpers.signals import Lamps, refuse, rule, running, steady_us


async def sink(_chunk):
    """Nobody reads."""


def orders(signals, lamps):
    """The commands of a gateway with one board."""
    return Orders({}, {"b1": lamps}, OnLookers(sink), lender=signals, steady_us=steady_us).by_name()


async def test_a_light_of_the_gate_blinks_and_no_other_relay_of_its_board():
    """Another one may be a door's opener."""
    async with running(rule(1, "light")) as (signals, lamps):
        blink = orders(signals, lamps)["blink"]
        told = {"device": "b1", "output": 1, "seconds": 1}
        assert await blink(told) == told
        assert lamps.pulses(1) == [250, 250]
        with pytest.raises(OrderError, match="output 2 of board b1 is none of"):
            await blink(told | {"output": 2})
        assert lamps.pulses(2) == []


async def test_a_siren_that_sounds_is_not_made_to_blink():
    async with running(rule(2)) as (signals, _):
        lamps = Lamps()
        refuse(signals)
        with pytest.raises(OrderError, match="command blink: output 2 shows an alarm now: wait until it is over"):
            await orders(signals, lamps)["blink"]({"device": "b1", "output": 2, "seconds": 1})
        assert lamps.asked == []
