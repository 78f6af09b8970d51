"""All the way from the API to the agent and back: a capture, fetched and replayed, and a guard's test of the door."""

import asyncio
import contextlib
import hashlib
import subprocess
import time

import httpx

from central.gate.keys import KeyRing
from edge.llrp.capture import CaptureReader
from tests.helpers.brokers import Nats
from tests.helpers.central import EPC, GATEWAY
from tests.helpers.commanded_agent import CONFIG, PATIENCE_S, PROGRAM, agent, feed
from tests.helpers.conformance.bench import epc, sim_reader
from tests.helpers.service import service


async def until(found):
    """Ask until the answer is yes, and return it."""
    deadline = time.monotonic() + PATIENCE_S
    while not (told := await found()):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    return told


async def test_a_door_is_recorded_and_tested_from_the_centre_and_the_file_replays(dsn, one, tmp_path):
    await one.people("p-1")
    broker = Nats(tmp_path)
    broker.start()
    with contextlib.ExitStack() as stack:
        stack.callback(broker.stop)
        _, api, token = await asyncio.to_thread(stack.enter_context, service(tmp_path, dsn, broker.url))
        async with (
            sim_reader() as reader,
            httpx.AsyncClient(
                base_url=f"{api}/api/v1/", headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE_S
            ) as client,
        ):
            key = KeyRing(tmp_path / "data").signing.line
            (tmp_path / "edge.toml").write_text(
                CONFIG.format(port=reader.port, url=broker.url, key=key).replace("gw-1", GATEWAY)
            )
            feeding = asyncio.create_task(feed(reader))
            try:
                async with agent(tmp_path, "--record", tmp_path / "all.pcapng", data="edge-data"):
                    view = await _captured(client)
                    assert view["state"] == "kept", view
                    told = await _tested(client, epc(3).hex())
                    assert (told["problem"], told["state"]) == ("", "done")
                    assert told["result"]["antenna r1/2 reads"] > told["result"]["antenna r1/1 reads"] == 0
                    assert told["result"]["antenna r1/2 best cdbm"] == -5500
                    assert (await _ordered_test(client, EPC)).status_code == 409, "an asset is no test"
            finally:
                feeding.cancel()
                await asyncio.gather(feeding, return_exceptions=True)
            got = await client.get(f"captures/{view['id']}/file", params={"by": "p-1"})
        left = sorted(path.name for path in (tmp_path / "edge-data").iterdir())
        assert not [name for name in left if "tmp" in name or "pcap" in name], left
        assert view["sha256"] == hashlib.sha256(got.content).hexdigest() == view["result"]["sha256"]
        capture = CaptureReader()
        assert len(list(capture.feed(got.content))) == view["result"]["packets"]
        capture.finish()
        (tmp_path / "fetched.pcapng").write_bytes(got.content)
        for name in ("fetched.pcapng", "all.pcapng"):
            words = [PROGRAM, "replay", tmp_path / name, "--config", tmp_path / "edge.toml"]
            replayed = await asyncio.to_thread(
                subprocess.run, list(map(str, words)), capture_output=True, text=True, timeout=PATIENCE_S
            )
            assert replayed.returncode == 0, replayed.stderr
            assert " reads" in replayed.stderr, replayed.stderr


def _ordered_test(client, tag):
    args = {"portal": "stockroom-a-door", "epc": tag, "seconds": 2}
    return client.post("gateways/hq-east-1/commands", json={"by": "p-1", "name": "test-tag", "args": args})


async def _tested(client, tag):
    """Test the door with a tag, again while the gate has no snapshot yet, and return the answered command."""

    async def tested():
        number = (await _ordered_test(client, tag)).json()["command"]["id"]

        async def ended():
            found = (await client.get(f"commands/{number}")).json()["command"]
            return found if found["state"] != "waiting" else None

        command = await until(ended)
        return None if "no snapshot" in command["problem"] else command

    return await until(tested)


async def _captured(client):
    """Order a capture once the gateway is there and its reader in session, and wait until it isn't on its way."""
    order = {"by": "p-1", "name": "capture", "args": {"portal": "stockroom-a-door", "seconds": 3}}

    async def ordered():
        answer = await client.post("gateways/hq-east-1/commands", json=order)
        if answer.status_code != 201:
            assert answer.status_code == 409, answer.text
            return None
        number = answer.json()["command"]["id"]

        async def ended():
            found = (await client.get(f"captures/{number}")).json()["capture"]
            return found if found["state"] not in {"awaited", "unconfirmed"} else None

        view = await until(ended)
        return None if "not connected" in (view["problem"] or "") else view

    return await until(ordered)
