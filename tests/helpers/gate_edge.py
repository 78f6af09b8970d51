"""The gate's half of an agent, with its real uplink: what comes over a broker is verified and kept on disk."""

import asyncio
import contextlib
import random

import structlog

from edge.contracts import State
from edge.gate import CHANNELS, GateFiles, GateKeeper, GateStore, asking
from edge.outbox import MemoryOutbox
from edge.trust import Keyring
from edge.uplink import Forwarder, PahoMqtt, UplinkSettings


@contextlib.asynccontextmanager
async def gate_edge(url, folder, key_lines, gateway, *, site="hq", log=None, left_out=(), quiet_s=15.0):
    """A keeper that a broker feeds, which leaves some channels out at first; it ends in order."""
    lost = set(left_out)

    def take(channel, payload):
        if channel in lost:
            lost.remove(channel)
        else:
            keeper.take(channel, payload)

    log = log or structlog.get_logger("edge")
    files = GateFiles(folder)
    store = GateStore(gateway, Keyring.of(key_lines), files, log=log)
    await asyncio.to_thread(store.load)
    settings = UplinkSettings(url=url, drain_s=0.2, reconnect_max_s=0.5)
    with GateKeeper(store, files, log=log) as keeper:
        uplink = Forwarder(
            MemoryOutbox(),
            PahoMqtt(settings),
            site=site,
            gateway=gateway,
            birth=State(online=True, boot="b", version="0"),
            settings=settings,
            rng=random.Random(1),
            inbound=dict.fromkeys(CHANNELS, take),
            log=log,
        )
        task = asyncio.create_task(uplink.run())
        try:
            async with asking(keeper, uplink.ask_again, log=log, quiet_s=quiet_s):
                yield keeper
        finally:
            uplink.stop()
            await task
