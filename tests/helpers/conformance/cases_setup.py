"""Item 4: what earlier clients left, what comes in between, and what is refused while a session is set up."""

import asyncio
import struct

from simulator.server.codes import MessageType
from simulator.server.rospec import RoState, parse_rospec
from simulator.server.wire import tlv
from tests.helpers.conformance.bench import bench, sim_reader, watched
from tests.helpers.conformance.case import case


def old_rospec(rospec_id):
    """The body of another client's ROSpec: all antennas until stopped, each read reported with almost nothing."""
    boundary = tlv(178, tlv(179, b"\0") + tlv(182, struct.pack(">BI", 0, 0)))
    ai = tlv(183, struct.pack(">HH", 1, 0) + tlv(184, struct.pack(">BI", 0, 0)) + tlv(186, struct.pack(">HB", 1, 1)))
    report = tlv(237, struct.pack(">BH", 1, 1) + tlv(238, struct.pack(">H", 0x8000)))
    return struct.pack(">IBB", rospec_id, 0, 0) + boundary + ai + report


def leave_rospec(reader, rospec_id=77):
    """Leave a ROSpec of another client in the reader, running."""
    inventory = reader.device.inventory
    inventory.add(parse_rospec(old_rospec(rospec_id), reader.device.model))
    inventory.rospecs[rospec_id] = inventory.rospecs[rospec_id].in_state(RoState.ACTIVE)


@case(
    "4.1",
    "The reader still runs a ROSpec of a client before us, and one may be all it holds.",
    "a foreign ROSpec runs and reports while the agent sets up; the reader holds one",
)
async def leftover_rospec(seen):
    async with sim_reader() as reader:
        leave_rospec(reader)
        async with watched(reader.port) as agent:
            await agent.connected()
            seen.that(list(reader.device.inventory.rospecs) == [1], "deletes it before it adds its own")
            seen.that(agent.health.problem == "", "needs no second try")
            reader.put(1)
            await agent.until_tags(1)
            seen.that(
                agent.reads[0].channel >= 0 and agent.reads[0].last_us > 0, "gets reports with all that it selected"
            )


@case(
    "4.2",
    "A reader that has nothing to delete may refuse to delete it.",
    "DELETE_ROSPEC and DELETE_ACCESSSPEC are answered by status 101",
)
async def nothing_to_delete(seen):
    refused = {MessageType.DELETE_ROSPEC: 101, MessageType.DELETE_ACCESSSPEC: 101}
    async with bench(refused=refused) as (_, agent):
        await agent.connected()
        seen.that(agent.health.problem == "", "goes on")
        seen.that(len(agent.said("nothing deleted")) == 2, "says in the log what was refused")


@case(
    "4.3",
    "Impinj allows one ROSpec and one InventoryParameterSpec an AISpec, Zebra 64 ROSpecs of 16 specs.",
    "the simulated reader refuses more than its capabilities say",
)
async def spec_limits(seen):
    async with bench() as (reader, agent):
        await agent.connected()
        spec = reader.device.inventory.active
        seen.that(spec is not None and len(reader.device.inventory.rospecs) == 1, "uses one ROSpec")
        seen.that(all(ai.inventory_specs <= 1 for ai in spec.aispecs), "with one InventoryParameterSpec an AISpec")


@case(
    "4.4",
    "Events, keepalives and reports come between a request and its response.",
    "before each response come an event, a keepalive, a report and a late response to somebody else's request, and a "
    "foreign ROSpec's reads during set-up",
)
async def interleaved(seen):
    async with sim_reader(interleave=True, stale_responses=True) as reader:
        leave_rospec(reader)
        async with watched(reader.port) as agent:
            while agent.health.state != "connected":
                reader.put(7)
                await asyncio.sleep(0.002)
            seen.that(agent.health.problem == "", "matches responses by message id and is in session at the first try")
            seen.that(len(agent.said("reader lost")) == 0, "takes nothing for an answer that isn't one")
            seen.that(agent.supervisor.counters.bad_messages == 0, "reads everything that came between")


@case(
    "4.5",
    "A slow reader answers each request late.",
    "each answer comes 0.3 s late, over a line of 20 kB/s",
)
async def slow_reader(seen):
    async with bench(proxied=True, answer_delay_s=0.3) as (reader, proxy, agent):
        proxy.down.bytes_per_s = 20_000
        took_s = await agent.connected()
        reader.put(1)
        await agent.until_tags(1)
        seen.that(
            not agent.said("reader lost"), "waits for each answer, loses nothing and is in session at the first try"
        )
        seen.took("dial to connected", took_s)


@case(
    "4.6",
    "A request is refused with an error status.",
    "START_ROSPEC is answered by status 401 (device error), later taken",
)
async def refused_request(seen):
    async with bench(refused={MessageType.START_ROSPEC: 401}) as (reader, agent):
        await agent.until_state("lost")
        seen.that("refused START_ROSPEC: the reader itself failed (LLRP status 401" in agent.health.problem,
                  "names the request and says the status in words")  # fmt: skip
        reader.faults.refused.clear()
        await agent.connected()
        seen.that(list(reader.device.inventory.rospecs) == [1], "begins anew and is in session once it is taken")


@case(
    "4.7",
    "AccessSpecs of a client before us would write to tags that we only want to read.",
    "the reader still holds two of them",
)
async def leftover_accessspecs(seen):
    async with sim_reader() as reader:
        reader.device.accessspecs = {5, 6}
        async with watched(reader.port) as agent:
            await agent.connected()
            seen.that(not reader.device.accessspecs, "deletes them before it begins")
            seen.that(agent.health.problem == "", "and has nothing to complain of")
