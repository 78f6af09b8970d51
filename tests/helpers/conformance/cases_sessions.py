"""Items 1 to 3: one client only, keepalives, and ports and streams that are no LLRP."""

import asyncio

from edge.contracts.times import instant_us
from simulator.server.codes import MessageType
from tests.helpers.conformance.bench import DEAD_S, KEEPALIVE_MS, bench, epc, sim_reader, watched
from tests.helpers.conformance.case import case
from tests.helpers.fault_proxy import FaultProxy


@case(
    "1.1",
    "A second client is turned away, and the reader tells the first one (ConnectionAttemptEvent status 4).",
    "another program dials the reader while the agent is in session",
)
async def second_client(seen):
    async with bench() as (reader, agent):
        await agent.connected()
        for _ in range(2):
            stream, writer = await asyncio.open_connection("127.0.0.1", reader.port)
            answer = await asyncio.wait_for(stream.read(), 10)
            writer.close()
        seen.that(answer[-2:] == b"\0\2", "leaves the newcomer to the reader, which turns it away with status 2")
        await agent.until(lambda: agent.told("another client tried to connect"))
        reader.put(1)
        await agent.until_tags(1)
        seen.that(agent.health.state == "connected", "stays in session and goes on reading")
        seen.that(len(agent.said("reader connected")) == 1, "says in the log that another client tried")


async def _turned_away(seen, status):
    async with bench(attempt_status=status) as (reader, agent):
        await agent.until_state("lost")
        seen.that("serves another client" in agent.health.problem, "says that the reader serves another client")
        await asyncio.sleep(0.6)
        seen.that(len(agent.said("reader lost")) == 1, "says so once, however often it tries")
        reader.faults.attempt_status = None
        took_s = await agent.connected()
        seen.that(agent.health.problem == "", "is in session soon after the reader is free")
        seen.took("free to connected", took_s)


@case(
    "1.2",
    "A reader that has a client turns us away with ConnectionAttemptEvent status 2 (client-initiated exists).",
    "every attempt is answered by status 2 and closed, then the reader is free",
)
async def busy_by_client(seen):
    await _turned_away(seen, 2)


@case(
    "1.3",
    "The same with status 1: the reader itself has dialled somebody.",
    "every attempt is answered by status 1 and closed, then the reader is free",
)
async def busy_by_reader(seen):
    await _turned_away(seen, 1)


@case(
    "1.4",
    "A client must stay silent until the reader's first event.",
    "the first event comes half a second late",
)
async def silent_until_greeted(seen):
    async with sim_reader(greeting_delay_s=0.5) as reader, FaultProxy(reader.port) as proxy, watched(proxy.port) as us:
        await us.until(lambda: proxy.connections == 1)
        await asyncio.sleep(0.3)
        seen.that(proxy.up.forwarded == 0, "sends nothing before the first event")
        took_s = await us.connected()
        seen.that(us.health.reconnects == 0, "takes the late event and goes on in the same connection")
        seen.took("event to connected", took_s)


@case(
    "1.5",
    "After a pulled cable the reader keeps the dead session for a while and turns our reconnect away.",
    "the connection is reset, and for 3 s newcomers hear that a client is connected",
)
async def dead_session(seen):
    async with bench(proxied=True, dead_session_s=3.0) as (reader, proxy, agent):
        await agent.connected()
        reader.put(1)
        await agent.until_tags(1)
        last_us = agent.chunks[-1].arrival_us
        proxy.reset()
        await agent.until(lambda: "serves another client" in agent.health.problem)
        took_s = await agent.connected()
        seen.that(proxy.connections > 2, "tries again and again while the reader says that it is taken")
        seen.that(agent.health.reconnects == 1, "is back when the reader gives the dead session up")
        (loss,) = [row for row in agent.losses if row.reason == "reader_disconnected"]
        seen.that(instant_us(loss.from_) >= last_us, "books the outage as a loss from the last sign of life")
        reader.put(2)
        await agent.until_tags(2)
        seen.that(agent.tags() == [epc(1), epc(2)], "reads on")
        seen.took("turned away to back", took_s)


@case(
    "1.6",
    "A reader reboots in the middle of a session: it resets the connection, is away, and has forgotten everything.",
    "power is cut for 1 s; ROSpecs, configuration and Uptime are gone",
)
async def reboot(seen):
    async with bench() as (reader, agent):
        await agent.connected()
        await reader.listener.reboot(1.0)
        seen.that(len(agent.said("reader lost")) >= 1, "calls the reader lost")
        took_s = await agent.until(lambda: agent.health.reconnects == 1)
        seen.that(reader.device.config.keepalive_ms == KEEPALIVE_MS, "sets the reader up anew")
        reader.put(3)
        await agent.until_tags(1)
        seen.that(agent.tags() == [epc(3)], "reads on")
        seen.took("up again to back", took_s)


@case(
    "2.1",
    "Keepalives must be asked for, and each must be acknowledged.",
    "the simulated reader sends them only as asked, and counts unacknowledged ones",
)
async def keepalives_acknowledged(seen):
    async with bench() as (reader, agent):
        await agent.connected()
        seen.that(reader.device.config.keepalive_ms == KEEPALIVE_MS, "asks for keepalives of the configured period")
        await asyncio.sleep(3 * KEEPALIVE_MS / 1000)
        seen.that(reader.device._unacknowledged <= 1, "acknowledges each")
        seen.that(not agent.said("reader lost"), "stays in session on keepalives alone")


@case(
    "2.2",
    "Two missed keepalives mean a dead reader.",
    f"keepalives of {KEEPALIVE_MS} ms stop, and nothing else comes",
)
async def missed_keepalives(seen):
    async with bench(no_keepalives=True) as (_, agent):
        await agent.connected()
        took_s = await agent.until_state("lost")
        seen.that(
            f"sent nothing for {DEAD_S:g} s though keepalives are on" in agent.health.problem, "calls the reader dead"
        )
        seen.that(took_s < 10, "does so after two and a half periods")
        seen.took("last sign of life to lost", took_s)


@case(
    "2.3",
    "An Impinj reader does nothing about missed acknowledgements unless its link monitor is on.",
    "the agent's bytes are swallowed between the two (half-open), the reader's still come",
)
async def link_monitor(seen):
    async with bench(proxied=True) as (reader, proxy, agent):
        await agent.connected()
        seen.that(reader.device.config.link_down_after == 2, "turns the link monitor on")
        proxy.up.swallow = True
        took_s = await agent.until_state("lost")
        seen.that("the reader said that it closes the connection" in agent.health.problem, "hears the reader hang up")
        proxy.up.swallow = False
        await agent.connected()
        seen.that(agent.health.reconnects == 1, "dials again and is back")
        seen.took("half-open to lost", took_s)


@case(
    "2.4",
    "A reader whose cable is cut answers no dial at all.",
    "the port takes no connection and refuses none, as if nothing were there; the timeout is 0.5 s",
)
async def dial_timeout(seen):
    async with sim_reader() as reader, FaultProxy(reader.port) as proxy:
        await proxy.cut_cable()
        async with watched(proxy.port, connect_timeout_s=0.5) as agent:
            took_s = await agent.until_state("lost")
            seen.that("does not answer within 0.5 s: check power, cable and address" in agent.health.problem,
                      "gives up after the configured time and says what to check")  # fmt: skip
            seen.took("dial to lost", took_s)
            await proxy.mend_cable()
            await agent.connected()
            seen.that(len(agent.said("reader lost")) == 1, "connects when the cable is back, having told the loss once")


@case(
    "2.5",
    "A request may never be answered.",
    "the reader takes ADD_ROSPEC and says nothing, though keepalives go on; the timeout is 0.5 s",
)
async def request_timeout(seen):
    async with bench(knobs={"request_timeout_s": 0.5}, deaf=frozenset({MessageType.ADD_ROSPEC})) as (reader, agent):
        await agent.until_state("lost")
        seen.that("did not answer ADD_ROSPEC within 0.5 s" in agent.health.problem, "names the request and gives up")
        reader.faults.deaf = frozenset()
        await agent.connected()
        seen.that(agent.health.problem == "", "begins a new session, and is in session when it is answered")


@case(
    "2.6",
    "A cable is cut without a word to either end (no FIN, no RST).",
    "the proxy stops forwarding both ways until the agent has noticed, and a second longer",
)
async def silent_cut(seen):
    async with bench(proxied=True, knobs={"connect_timeout_s": 0.5}) as (reader, proxy, agent):
        await agent.connected()
        reader.put(1)
        await agent.until_tags(1)
        await proxy.cut_cable()
        took_s = await agent.until_state("lost")
        seen.that(
            f"sent nothing for {DEAD_S:g} s" in agent.said("reader lost")[0]["problem"], "notices by missing keepalives"
        )
        seen.took("cut to lost", took_s)
        await asyncio.sleep(1)
        await proxy.mend_cable()
        took_s = await agent.until(lambda: agent.health.reconnects == 1)
        await agent.until(lambda: any(row.reason == "reader_disconnected" for row in agent.losses))
        seen.that(len([row for row in agent.losses if row.reason == "reader_disconnected"]) == 1,
                  "is back after mending, with one loss that spans the outage")  # fmt: skip
        seen.took("mended to back", took_s)


@case(
    "2.7",
    "A busy reader may leave keepalives out while reports flow.",
    f"reports every 100 ms, no keepalives of {KEEPALIVE_MS} ms, for three seconds",
)
async def reports_for_keepalives(seen):
    async with bench(no_keepalives=True) as (reader, agent):
        await agent.connected()
        for tag in range(30):
            reader.put(tag)
            await asyncio.sleep(0.1)
        seen.that(not agent.said("reader lost"), "takes every message for a sign of life")
        seen.that(agent.tags() == [epc(tag) for tag in range(30)], "and reads on")


@case(
    "3.1",
    "A port that answers may not speak LLRP (`a55a00098d01...`).",
    "the port sends these bytes in place of the first event",
)
async def other_protocol(seen):
    garbage = bytes.fromhex("a55a00098d01000000")
    async with bench(greeting="bytes", greeting_bytes=garbage) as (_, agent):
        took_s = await agent.until_state("lost")
        seen.that("is this an LLRP reader's port?" in agent.health.problem, "asks whether this is a reader's port")
        seen.that("a5 5a 00 09" in agent.health.problem, "shows the bytes")
        seen.that(agent.said("reader lost")[0]["cause"] == "NotAnLlrpReaderError", "does so at once")
        seen.took("dial to lost", took_s)


@case(
    "3.2",
    "A port may take the connection and say nothing.",
    "no first event comes; the timeout is 0.5 s",
)
async def no_greeting(seen):
    async with bench(greeting="none", knobs={"connect_timeout_s": 0.5}) as (_, agent):
        took_s = await agent.until_state("lost")
        seen.that(
            "sends no LLRP greeting within 0.5 s" in agent.health.problem, "stops waiting after the configured time"
        )
        seen.took("dial to lost", took_s)


@case(
    "3.3",
    "Bytes that are no LLRP turn up in the middle of a stream.",
    "the proxy inserts eight bytes of garbage between two messages",
)
async def garbage_inserted(seen):
    async with bench(proxied=True) as (reader, proxy, agent):
        await agent.connected()
        reader.put(1)
        await agent.until_tags(1)
        proxy.down.insert(b"\xff\xfe" * 4)
        reader.put(2)
        await agent.until(lambda: agent.said("reader lost"))
        seen.that("no LLRP message header" in agent.said("reader lost")[0]["problem"], "says where the stream broke")
        await agent.until(lambda: agent.health.reconnects == 1)
        reader.put(3)
        await agent.until_tags(2)
        seen.that(agent.tags() == [epc(1), epc(3)], "keeps what was whole, and begins a new connection")


@case(
    "3.4",
    "Bytes of a stream are lost, so that nothing behind them is in step.",
    "the proxy loses three bytes of a report",
)
async def bytes_lost(seen):
    async with bench(proxied=True) as (reader, proxy, agent):
        await agent.connected()
        proxy.down.lose(3)
        for tag in range(5):
            reader.put(tag)
            await asyncio.sleep(0.02)
        await agent.until(lambda: agent.health.reconnects == 1)
        reader.put(9)
        await agent.until(lambda: agent.reads and agent.reads[-1].epc == epc(9))
        strangers = [read.epc for read in agent.reads if read.epc not in [epc(tag) for tag in range(10)]]
        seen.that(not strangers, "reads nothing out of bytes that are out of step")
        seen.that(agent.health.reconnects == 1, "begins a new connection")


@case(
    "3.5",
    "TCP cuts messages anywhere, and joins them.",
    "the reader's bytes come one by one, at random places, and many messages in one piece",
)
async def cut_stream(seen):
    for how in ("bytes", "split", "merged"):
        async with bench(proxied=True) as (reader, proxy, agent):
            if how == "merged":
                proxy.down.merge_s = 0.05
            else:
                proxy.down.cut = how
            await agent.connected()
            for tag in range(30):
                reader.put(tag)
            await agent.until_tags(30)
            assert agent.tags() == [epc(tag) for tag in range(30)], how
            assert agent.health.lost_reports == 0, how
    seen.that(condition=True, words="takes each read once and in order in all three")
