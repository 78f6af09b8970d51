"""Commands from the central's API to an agent and back, over both brokers: real programs, one simulated reader."""

import asyncio
import contextlib
import secrets
from datetime import UTC, datetime, timedelta

import httpx

from central.application.commanding import Asked
from central.gate.commander import make_command
from central.gate.keys import KeyRing
from edge.config import digest, load
from tests.helpers.brokers import free_port
from tests.helpers.central import GATEWAY
from tests.helpers.commanded_agent import CONFIG, PATIENCE_S, Central, composed, feed
from tests.helpers.conformance.bench import sim_reader
from tests.helpers.service import service

BY = "p-1"
QUICK = {"steady_s": 1.0}
SOON_S = 6.0
"""A minute is long for what is never well; what is to be well has the minute, for a busy machine may need it."""
DEAF = """
[[readers]]
id = "r2"
host = "127.0.0.1"
port = {port}
[[portals]]
id = "main-entrance"
inside = "corridor"
outside = "street"
layout = "single"
antennas = [{{ reader = "r2", port = 1 }}]
"""


class Desk:
    """Who orders by the API, and who puts what the API would never send on the broker."""

    def __init__(self, api, token, key, heard, renewal) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self.client = httpx.AsyncClient(base_url=f"{api}/api/v1/", headers=headers, timeout=PATIENCE_S, trust_env=False)
        self.key, self.heard, self.renewal = key, heard, renewal

    async def give(self, name, **args):
        """Give an order and wait until it is answered; return what the API then says of it."""
        body = {"by": BY, "name": name, "args": args}
        async with asyncio.timeout(PATIENCE_S):
            given = await self.client.post(f"gateways/{GATEWAY}/commands", json=body)
            while given.status_code == 409:  # the service hasn't heard of the gateway yet
                await asyncio.sleep(0.1)
                given = await self.client.post(f"gateways/{GATEWAY}/commands", json=body)
            assert given.status_code == 201, given.text
            number = given.json()["command"]["id"]
            while True:
                found = (await self.client.get(f"commands/{number}")).json()["command"]
                if found["state"] not in {"waiting", "unanswered"}:
                    return found
                await asyncio.sleep(0.1)

    def signed(self, name, *, gateway=GATEWAY, old_s=0, **args):
        """Sign an order with the central's key, as one that was given some time ago."""
        now = datetime.now(UTC) - timedelta(seconds=old_s)
        asked = Asked(gateway, name, args, BY)
        return make_command(asked, secrets.token_hex(16), now, now + timedelta(seconds=60), self.key)[0]

    async def refusal(self, payload):
        """Put a `blink` on the gateway's topic and return why it isn't obeyed."""
        answer = await self.heard.ask(payload, "blink")
        assert not answer.ok
        return answer.problem


@contextlib.asynccontextmanager
async def doorway(one, broker, folder):
    """A reader with tags before it, an agent over `door/edge.toml`, and the service as a process of its own."""
    await one.people(BY)
    key = KeyRing(folder / "data").signing
    file = folder / "door" / "edge.toml"
    file.parent.mkdir()
    async with sim_reader() as reader:
        text = CONFIG.format(port=reader.port, url=broker.url, key=key.line).replace("gw-1", GATEWAY)
        file.write_text(text)
        feeding = asyncio.create_task(feed(reader))
        with service(folder, one.dsn, broker.url) as (_, api, token), Central(broker.port, gateway=GATEWAY) as heard:
            async with composed(file.parent, **QUICK) as renewal:
                desk = Desk(api, token, key, heard, renewal)
                await heard.until(lambda: heard.health and heard.health[-1].uplink == "live", "the central is heard")
                await heard.in_session()
                yield desk, file, text
                await desk.client.aclose()
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)


async def test_orders_are_given_by_the_api_and_their_answers_stand_there(one, broker, tmp_path):
    """A light blinks and a session begins anew; what is late, another gateway's or said twice does nothing."""
    async with doorway(one, broker, tmp_path) as (desk, _, _):
        blink = {"device": "r1", "output": 1, "seconds": 1}
        done = await desk.give("blink", **blink)
        assert (done["state"], done["result"]) == ("done", blink)
        wrong = await desk.give("blink", device="r1", output=2)
        assert (wrong["state"], "output 2 is not among" in wrong["problem"]) == ("refused", True)

        anew = await desk.give("restart-reader", reader="r1")
        assert (anew["state"], anew["result"]) == ("done", {"reader": "r1"})
        await desk.heard.until(lambda: desk.heard.health[-1].readers[0].reconnects == 1, "a session begun anew")
        await desk.heard.in_session()

        assert "expired at" in await desk.refusal(desk.signed("blink", old_s=61, **blink))
        assert "is for gateway hq-west-1" in await desk.refusal(desk.signed("blink", gateway="hq-west-1", **blink))
        once = desk.signed("blink", **blink)
        assert (await desk.heard.ask(once, "blink")).ok
        assert "given before" in await desk.refusal(once)

        listed = (await desk.client.get(f"gateways/{GATEWAY}/commands")).json()["commands"]
        assert [one["name"] for one in listed] == ["restart-reader", "blink", "blink"], "its own orders, and no others"


async def test_a_pushed_configuration_is_taken_refused_or_rolled_back_and_the_api_says_which(one, broker, tmp_path):
    """The central then knows the digest of the configuration that runs, by the birth message."""
    async with doorway(one, broker, tmp_path) as (desk, file, text):
        better = text + "[agent]\nheartbeat_s = 0.5\n"
        taken = await desk.give("configure", toml=better)
        assert (taken["state"], taken["args"]) == ("done", {"toml": better}), taken["problem"]
        assert taken["result"]["changed"] == "agent.heartbeat_s: 2.0 -> 0.5"
        assert file.read_text() == better
        assert await known_digest(one, digest(load(file))) == taken["result"]["config"]

        wrong = await desk.give("configure", toml=better.replace("inside =", "insider ="))
        assert (wrong["state"], "portals[0].insider" in wrong["problem"]) == ("refused", True)
        locked = await desk.give("configure", toml=better.partition("[trust]")[0])
        assert f"lacks {desk.key.name}" in locked["problem"]
        desk.renewal._limit_s, minute_s = SOON_S, desk.renewal._limit_s
        unwell = await desk.give("configure", toml=better + DEAF.format(port=free_port()))
        assert (unwell["state"], "rolled back" in unwell["problem"]) == ("refused", True)
        assert "reader r2 is not in session" in unwell["problem"]
        assert file.read_text() == better
        assert await known_digest(one, digest(load(file)))

        lost = await desk.give("configure", toml=better.replace(broker.url, f"mqtt://127.0.0.1:{free_port()}"))
        assert "broker is out of reach" in lost["problem"], "and this is told over the broker that was"
        desk.renewal._limit_s = minute_s

        file.write_text(text)
        again = await desk.give("reload")
        assert (again["state"], again["result"]["changed"]) == ("done", "agent.heartbeat_s: 0.5 -> 2.0")
        assert await known_digest(one, digest(load(file)))
        acts = await one.sql("SELECT kind, count(*) FROM act WHERE kind LIKE 'command_%%' GROUP BY kind ORDER BY kind")
        assert acts == [("command_answered", 6), ("command_given", 6)]


async def known_digest(one, wanted):
    """Wait until the central knows that a gateway runs with a configuration."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            ((known,),) = await one.sql(
                "SELECT birth ->> 'config_digest' FROM gateway_state WHERE gateway = %s", GATEWAY
            )  # fmt: skip
            if known == wanted:
                return known
            await asyncio.sleep(0.1)
