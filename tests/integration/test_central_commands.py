"""Commands by the central: signed, kept as acts, sent to one gateway, and answered once."""

import asyncio
import json
from datetime import timedelta
from hashlib import sha256

import pytest

import edge.contracts as edge_contracts
from central.application.commanding import Asked
from central.application.errors import NotAllowed, RowsRefused
from central.domain.commands import COMMANDS, MAX_TOML_BYTES, unfit
from central.gate.keys import KeyRing
from edge.contracts import MAX_CONFIGURE_BYTES, check_command, decode_command, topic
from edge.trust import Keyring
from tests.helpers.central import EPC, GATEWAY, until
from tests.helpers.commanded import NOW, commanding

BLINK = {"by": "p-1", "name": "blink", "args": {"device": "r1", "output": 1}}


async def answered(client, number):
    """Wait for a command's answer."""
    async with asyncio.timeout(20):
        while True:
            found = (await client.get(f"commands/{number}")).json()["command"]
            if found["state"] not in {"waiting", "unanswered"}:
                return found
            await asyncio.sleep(0.02)


async def test_a_command_is_signed_kept_sent_and_its_answer_shown(one, tmp_path):
    """The agent's own keyring believes it; giving and answering are acts; a second answer changes nothing."""
    async with commanding(one, tmp_path) as (wire, client, _):
        given = await client.post(f"gateways/{GATEWAY}/commands", json=BLINK)
        assert given.status_code == 201, given.text
        assert given.json()["command"]["state"] == "waiting"
        ((where, payload),) = wire.told
        assert where == topic("hq", GATEWAY, "cmd/blink")
        Keyring.of([KeyRing(tmp_path).signing.line]).check(payload)
        check_command(decode_command(payload), gateway=GATEWAY, now_us=int(NOW.timestamp()) * 1_000_000)

        number = given.json()["command"]["id"]
        wire.reply(result={"device": "r1", "seconds": 3})
        found = await answered(client, number)
        assert (found["state"], found["result"]) == ("done", {"device": "r1", "seconds": 3})
        wire.reply(ok=False, problem="no")
        wire.reply(nonce="0" * 32)
        second = (await client.post(f"gateways/{GATEWAY}/commands", json=BLINK)).json()["command"]["id"]
        wire.reply(ok=False, problem="output 2 is not among its wired ones")
        assert (await answered(client, second))["problem"] == "output 2 is not among its wired ones"
        assert (await answered(client, number))["state"] == "done"

        listed = (await client.get(f"gateways/{GATEWAY}/commands")).json()["commands"]
        assert [one["id"] for one in listed] == [second, number]
        acts = await one.sql("SELECT kind, by, detail FROM act WHERE subject = %s ORDER BY id", f"command/{number}")
        assert [(kind, by) for kind, by, _ in acts] == [("command_given", "p-1"), ("command_answered", GATEWAY)]
        assert acts[0][2]["args"] == BLINK["args"]
        with pytest.raises(RowsRefused, match="as it stands"):
            await one.sql("UPDATE gateway_command SET by = 'p-2' WHERE id = %s", number)


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"name": "explode"}, 422, "there is no command"),
        ({"args": {"device": "r1"}}, 422, "args.output is missing"),
        ({"args": {"device": "r1", "output": 0}}, 422, "whole number from 1 to 65535"),
        ({"args": {"device": "r1", "output": True}}, 422, "whole number"),
        ({"args": {"device": "r1", "output": 1, "x": 1}}, 422, "takes no 'x'"),
        ({"args": {"device": 1.5, "output": 1}}, 422, "Change the request"),
        ({"args": {"device": "x" * 70_000, "output": 1}}, 422, "Change the request"),
        ({"by": "nobody"}, 404, "no active person"),
        ({"name": "reload"}, 422, "takes no 'device'"),
        ({"name": "configure", "args": {}}, 422, "args.toml is missing"),
        ({"name": "configure", "args": {"toml": ""}}, 422, "TOML of at most 65536 bytes"),
        ({"name": "configure", "args": {"toml": "x = "}}, 422, "args.toml is not TOML"),
        ({"name": "configure", "args": {"toml": "x = 1"}}, 422, "is for gateway 'None': give the one of 'hq-east-1'"),
        ({"name": "configure", "args": {"toml": 'gateway = "gw-2"'}}, 422, "is for gateway 'gw-2'"),
        ({"name": "configure", "args": {"toml": "#" + "ü" * 33_000}}, 422, "TOML of at most 65536 bytes"),
    ],
)
async def test_an_unfit_order_is_refused_in_words_and_nothing_is_sent(one, tmp_path, change, status, words):
    async with commanding(one, tmp_path) as (wire, client, _):
        answer = await client.post(f"gateways/{GATEWAY}/commands", json=BLINK | change)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert words in answer.json()["detail"]
        assert wire.told == []
        assert (await client.get(f"gateways/{GATEWAY}/commands")).json()["commands"] == []


async def test_nothing_is_sent_without_token_gateway_or_broker(one, tmp_path):
    async with commanding(one, tmp_path) as (wire, client, _):
        path = f"gateways/{GATEWAY}/commands"
        assert (await client.post(path, json=BLINK, headers={"Authorization": "Bearer x"})).status_code == 401
        assert (await client.post("gateways/strange/commands", json=BLINK)).status_code == 404
        assert (await client.get("gateways/strange/commands")).status_code == 404
        assert (await client.get("commands/999")).status_code == 404
        off = await client.post("gateways/hq-west-1/commands", json=BLINK)
        assert (off.status_code, "is not connected" in off.json()["detail"]) == (409, True)
        wire.connected = False
        away = await client.post(path, json=BLINK)
        assert (away.status_code, "broker is away" in away.json()["detail"]) == (503, True)
        assert wire.told == []


async def test_a_configuration_goes_out_whole_and_stands_in_log_and_list_by_its_digest(one, tmp_path):
    """As large as one may be, and of letters that JSON has to escape: the gateway can read it."""
    head = f'gateway = "{GATEWAY}"\n#'
    toml = head + '"' * (MAX_TOML_BYTES - len(head))
    async with commanding(one, tmp_path) as (wire, client, _):
        given = await client.post(
            f"gateways/{GATEWAY}/commands", json={"by": "p-1", "name": "configure", "args": {"toml": toml}}
        )
        assert given.status_code == 201, given.text
        ((where, payload),) = wire.told
        assert where == topic("hq", GATEWAY, "cmd/configure")
        assert decode_command(payload, max_bytes=MAX_CONFIGURE_BYTES).args == {"toml": toml}
        Keyring.of([KeyRing(tmp_path).signing.line]).check(payload)
        (listed,) = (await client.get(f"gateways/{GATEWAY}/commands")).json()["commands"]
        brief = f"65536 bytes, sha256 {sha256(toml.encode()).hexdigest()}"
        assert listed["args"] == {"toml": brief}
        assert given.json()["command"]["args"] == {"toml": toml}
        ((detail,),) = await one.sql("SELECT detail FROM act WHERE kind = 'command_given'")
        assert detail["args"] == {"toml": brief}


async def test_only_holders_of_a_configured_role_give_commands(one, tmp_path):
    async with commanding(one, tmp_path, roles=("door-keeper",)) as (wire, client, commander):
        await one.sql("INSERT INTO role (id, name) VALUES ('door-keeper', 'Door keeper')")
        await one.sql("INSERT INTO role_holder (role, person) VALUES ('door-keeper', 'p-2')")
        refused = await client.post(f"gateways/{GATEWAY}/commands", json=BLINK)
        assert (refused.status_code, "door-keeper" in refused.json()["detail"]) == (403, True)
        with pytest.raises(NotAllowed):
            await commander.give(Asked(GATEWAY, "blink", BLINK["args"], "p-1"))
        assert (await client.post(f"gateways/{GATEWAY}/commands", json=BLINK | {"by": "p-2"})).status_code == 201
        assert len(wire.told) == 1


async def test_garbage_on_reply_topics_is_counted_and_ends_nothing(one, tmp_path):
    """Not JSON, oversized, on another gateway's topic, by a name that isn't its topic's: the next answer is taken."""
    async with commanding(one, tmp_path) as (wire, client, commander):
        number = (await client.post(f"gateways/{GATEWAY}/commands", json=BLINK)).json()["command"]["id"]
        for payload in (b"", b"{", b"\xff" * 100, b'{"x":' + b"1" * 70_000 + b"}", json.dumps([1]).encode()):
            wire.deliver(topic("hq", GATEWAY, "reply/blink"), payload)
        wire.reply(where=topic("hq", "hq-west-1", "reply/blink"), ok=False, problem="forged")
        wire.reply(where=topic("hq", GATEWAY, "reply/sweep"), ok=False, problem="forged")
        wire.reply(where="nonsense", ok=False, problem="forged")
        await until(lambda: commander.dropped == 8)
        wire.reply()
        assert (await answered(client, number))["state"] == "done"


async def test_a_command_that_nobody_answers_is_unanswered_after_its_time(one, tmp_path):
    clock = [NOW]
    async with commanding(one, tmp_path, clock=clock) as (_, client, _):
        number = (await client.post(f"gateways/{GATEWAY}/commands", json=BLINK)).json()["command"]["id"]
        clock[0] += timedelta(seconds=COMMANDS["blink"].answer_s + 1)
        assert (await client.get(f"commands/{number}")).json()["command"]["state"] == "unanswered"


async def test_no_asset_is_carried_through_a_door_as_a_test(one, tmp_path):
    """A tag that an asset bears is refused before anything is sent; one that is nobody's goes to the gateway."""
    async with commanding(one, tmp_path) as (wire, client, _):
        test = {"by": "p-1", "name": "test-tag", "args": {"portal": "stockroom-a-door", "epc": EPC, "sound": True}}
        refused = await client.post(f"gateways/{GATEWAY}/commands", json=test)
        assert (refused.status_code, "LT-0001 bears this tag" in refused.json()["detail"]) == (409, True)
        assert wire.told == []
        test["args"] |= {"epc": "e2801160600002"}
        given = await client.post(f"gateways/{GATEWAY}/commands", json=test)
        assert given.status_code == 201, given.text
        assert decode_command(wire.told[0][1]).args == test["args"]
        for wrong in ({"epc": "E2801160600002"}, {"epc": "e2"}, {"sound": 1}, {"portal": ""}, {"seconds": 0}):
            answer = await client.post(f"gateways/{GATEWAY}/commands", json=test | {"args": test["args"] | wrong})
            assert answer.status_code == (201 if wrong == {"epc": "e2"} else 422), wrong


def test_every_command_takes_what_it_says_and_nothing_else():
    assert unfit("survey", {"reader": "r1"}, gateway="g") == ""
    assert unfit("sweep", {"reader": "r1", "seconds": 61}, gateway="g").endswith("give a whole number from 1 to 60")
    broken = unfit("restart-reader", {"reader": "line\nbreak"}, gateway="g")
    assert broken
    assert "line\nbreak" not in broken
    assert unfit("reload", {}, gateway="g") == unfit("configure", {"toml": 'gateway = "g"'}, gateway="g") == ""
    assert edge_contracts.MAX_TOML_BYTES == MAX_TOML_BYTES, "as much as a gateway takes"
