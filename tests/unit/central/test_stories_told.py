"""Telling many stories leaves the loop to others in between."""

import asyncio

from central.application import stories
from central.application.stories import Known, fold_again
from tests.helpers.stories import ROUTES, WORLD, act


class Log:
    """A transaction that knows one act of each asset; its own calls never wait."""

    def __init__(self) -> None:
        self.stories = self

    async def known(self, assets):
        return {asset: Known(acts=(act(0, "placed", location="stock-a"),)) for asset in assets}

    async def authorisations(self, assets):
        return dict.fromkeys(assets, ())


async def test_others_have_their_turn_between_stories(monkeypatch):
    monkeypatch.setattr(stories, "TOLD_AT_ONCE", 2)
    turns = 0

    async def beat():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beating = asyncio.create_task(beat())
    told = await fold_again(Log(), WORLD, ROUTES, dict.fromkeys(map(str, range(10)), 0))
    beating.cancel()
    assert (len(told), {one.story.belief.place for one in told}) == (10, {"stock-a"})
    assert turns == 5
