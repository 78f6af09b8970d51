"""Captures come to one-time addresses, are kept within bounds, and are given to those who may have them."""

import asyncio
import hashlib
import os
import time
from base64 import b64encode
from datetime import timedelta

import pytest

from central.application import capturing
from central.domain.captures import Held, beyond, digest_in
from central.domain.commands import unfit
from central.storage.shelf import FolderShelf
from edge.contracts import decode_command
from tests.helpers.central import GATEWAY
from tests.helpers.commanded import NOW, commanding

ORDER = {"by": "p-1", "name": "capture", "args": {"reader": "r1", "seconds": 5}}
FILE = b"\x0a\x0d\x0d\x0a" + bytes(range(256)) * 40


def digest(data=FILE):
    """The header of some bytes."""
    return f"sha-256=:{b64encode(hashlib.sha256(data).digest()).decode()}:"


async def ordered(wire, client, **change):
    """Order a capture; returns its number, and the arguments that the gateway gets."""
    answer = await client.post(f"gateways/{GATEWAY}/commands", json=ORDER | change)
    assert answer.status_code == 201, answer.text
    return answer.json()["command"]["id"], decode_command(wire.told[-1][1]).args


async def send(client, url, data=FILE, *, announced=None, **headers):
    """Send a file as the agent does, without the token."""
    told = {"Content-Digest": digest(data if announced is None else announced), "Authorization": ""} | headers
    return await client.put(url, content=data, headers={key: value for key, value in told.items() if value is not None})


async def state(client, number):
    """What the list says of a capture."""
    return (await client.get(f"captures/{number}")).json()["capture"]["state"]


def result(data=FILE):
    """What a gateway answers."""
    return {"reader": "r1", "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "packets": 9}


async def answered(client, number, wanted):
    """Wait until a capture is in a state."""
    for _ in range(1000):
        if await state(client, number) == wanted:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{await state(client, number)}, not {wanted}")


async def test_a_capture_is_ordered_received_confirmed_and_fetched(one, tmp_path):
    """The address is in the signed command alone; each step is an act; the file is private and comes back whole."""
    async with commanding(one, tmp_path) as (wire, client, _):
        number, args = await ordered(wire, client)
        assert (args["reader"], args["seconds"], args["max_bytes"]) == ("r1", 5, 64 * 1024 * 1024)
        token = args["url"].rpartition("/")[2]
        assert len(token) == 43
        assert await state(client, number) == "awaited"
        assert (await client.get(f"captures/{number}/file", params={"by": "p-1"})).status_code == 404

        assert (await send(client, args["url"])).status_code == 201
        assert await state(client, number) == "unconfirmed"
        wire.reply(name="capture", result=result())
        await answered(client, number, "kept")
        [listed] = (await client.get(f"gateways/{GATEWAY}/captures")).json()["captures"]
        assert (listed["id"], listed["bytes"], listed["sha256"]) == (number, len(FILE), result()["sha256"])
        assert listed["args"] == ORDER["args"]

        got = await client.get(f"captures/{number}/file", params={"by": "p-2"})
        assert (got.content, got.headers["content-type"]) == (FILE, "application/vnd.tcpdump.pcap")
        assert f'filename="{GATEWAY}-{number}.pcapng"' in got.headers["content-disposition"]

        [path] = (tmp_path / "captures").iterdir()
        assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
        acts = await one.sql("SELECT kind, by FROM act WHERE subject = %s ORDER BY id", f"command/{number}")
        assert set(acts[1:]) == {
            ("capture_received", GATEWAY),
            ("command_answered", GATEWAY),
            ("capture_fetched", "p-2"),
        }
        assert acts[0] == ("command_given", "p-1")
        kept = str(await one.sql("SELECT args FROM gateway_command")) + str(await one.sql("SELECT detail FROM act"))
        kept += str((await client.get(f"gateways/{GATEWAY}/commands")).json())
        assert token not in kept
        assert (
            bytes((await one.sql("SELECT token_hash FROM gateway_capture"))[0][0])
            == hashlib.sha256(token.encode()).digest()
        )


async def test_an_address_takes_one_file(one, tmp_path):
    """The same file again is well, since its answer may have been lost; another is refused, and changes nothing."""
    async with commanding(one, tmp_path) as (wire, client, _):
        number, args = await ordered(wire, client)
        assert (await send(client, args["url"])).status_code == 201
        assert (await send(client, args["url"])).status_code == 201
        other = await send(client, args["url"], FILE + b"x")
        assert (other.status_code, "was used" in other.json()["detail"]) == (409, True)
        got = await client.get(f"captures/{number}/file", params={"by": "p-1"})
        assert got.content == FILE
        assert len(list((tmp_path / "captures").iterdir())) == 1


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"data": FILE + b"x", "announced": FILE}, 400, "another hash"),
        ({"Content-Digest": None}, 400, "Content-Digest"),
        ({"Content-Digest": "md5=:AAAA:"}, 400, "Content-Digest"),
        ({"data": b"\x7fELF" + FILE}, 415, "no pcapng"),
        ({"data": b""}, 413, "0 bytes are announced"),
        ({"data": FILE * 200}, 413, "are taken"),
        ({"data": b"\x0a\x0d"}, 201, ""),
    ],
)
async def test_what_isnt_the_file_that_was_promised_is_refused_and_gone(one, tmp_path, change, status, words):
    async with commanding(one, tmp_path, most_bytes=1024 * 1024) as (wire, client, _):
        _, args = await ordered(wire, client)
        answer = await send(client, args["url"], **change)
        assert answer.status_code == status, answer.text
        if status != 201:
            assert words in answer.json()["detail"]
            assert list((tmp_path / "captures").glob("*")) == []
            assert (await send(client, args["url"])).status_code == 201, "the right one may come still"


async def test_a_body_is_no_longer_than_announced_and_no_slower_than_bearable(one, tmp_path, monkeypatch):
    """A length that lies, none at all, and a body that stops: refused, and nothing stays."""

    async def parts(*bodies):
        for body in bodies:
            yield body

    async def stops():
        yield FILE
        await asyncio.sleep(30)

    async with commanding(one, tmp_path) as (wire, client, _):
        _, args = await ordered(wire, client)
        head = {"Content-Digest": digest(), "Content-Length": str(len(FILE))}
        more = await client.put(
            args["url"], content=parts(FILE, b"x"), headers=head | {"Content-Length": str(len(FILE))}
        )
        assert (more.status_code, "more comes" in more.json()["detail"]) == (413, True)
        fewer = await client.put(args["url"], content=parts(b"\n\r"), headers=head)
        assert (fewer.status_code, "2 bytes came" in fewer.json()["detail"]) == (400, True)
        assert (await client.put(args["url"], content=parts(FILE))).status_code == 411
        monkeypatch.setattr(capturing, "SILENCE_S", 0.2)  # for this one alone: a busy machine is slow too
        slow = await client.put(args["url"], content=stops(), headers=head | {"Content-Length": str(len(FILE) + 1)})
        assert (slow.status_code, "too slow" in slow.json()["detail"]) == (408, True)
        assert list((tmp_path / "captures").iterdir()) == []


async def test_an_address_expires_and_a_guessed_one_is_none(one, tmp_path):
    clock = [NOW]
    async with commanding(one, tmp_path, clock=clock) as (wire, client, _):
        number, args = await ordered(wire, client)
        assert (await send(client, args["url"][:-1] + ("A" if args["url"][-1] != "A" else "B"))).status_code == 404
        assert (await send(client, "http://127.0.0.1/api/v1/uploads/short")).status_code == 422
        clock[0] += timedelta(seconds=5 + 180 + 1)
        late = await send(client, args["url"])
        assert (late.status_code, "expired" in late.json()["detail"]) == (410, True)
        clock[0] += timedelta(seconds=600)
        assert await state(client, number) == "missing"


async def test_an_answer_that_names_another_hash_or_a_failure_is_shown(one, tmp_path):
    async with commanding(one, tmp_path) as (wire, client, _):
        number, args = await ordered(wire, client)
        await send(client, args["url"])
        wire.reply(name="capture", result=result(FILE + b"x"))
        await answered(client, number, "contradicted")
        refused = await client.get(f"captures/{number}/file", params={"by": "p-1"})
        assert (refused.status_code, "isn't what" in refused.json()["detail"]) == (409, True)

        failed, _ = await ordered(wire, client)
        wire.reply(name="capture", ok=False, problem="the disk is nearly full")
        await answered(client, failed, "failed")
        assert "nearly full" in (await client.get(f"captures/{failed}/file", params={"by": "p-1"})).json()["detail"]


async def test_a_file_is_for_those_who_may_give_commands(one, tmp_path):
    async with commanding(one, tmp_path, roles=("door-keeper",)) as (wire, client, _):
        await one.sql("INSERT INTO role (id, name) VALUES ('door-keeper', 'Door keeper')")
        await one.sql("INSERT INTO role_holder (role, person) VALUES ('door-keeper', 'p-2')")
        number, args = await ordered(wire, client, by="p-2")
        await send(client, args["url"])
        path = f"captures/{number}/file"
        assert (await client.get(path, params={"by": "p-2"})).status_code == 200
        assert (await client.get(path, params={"by": "p-1"})).status_code == 403
        assert (await client.get(path, params={"by": "nobody"})).status_code == 404
        assert (await client.get(path)).status_code == 422
        assert (await client.get(path, params={"by": "p-2"}, headers={"Authorization": ""})).status_code == 401
        assert (await client.get("captures/999")).status_code == 404
        assert (await client.get("gateways/strange/captures")).status_code == 404


async def test_without_an_address_that_gateways_can_reach_nothing_is_ordered(one, tmp_path):
    async with commanding(one, tmp_path, base="") as (wire, client, _):
        answer = await client.post(f"gateways/{GATEWAY}/commands", json=ORDER)
        assert (answer.status_code, "public_url" in answer.json()["detail"]) == (409, True)
        assert wire.told == []


async def test_old_files_go_when_there_are_too_many(one, tmp_path):
    """By size, the oldest first, as an act; what lies there and nobody knows goes too, once it is old."""
    async with commanding(one, tmp_path, most_bytes=2 * len(FILE)) as (wire, client, _):
        numbers = []
        for part in range(3):
            number, args = await ordered(wire, client)
            assert (await send(client, args["url"], FILE[:-1] + bytes([part]))).status_code == 201
            numbers.append(number)
        assert [await state(client, number) for number in numbers] == ["dropped", "unconfirmed", "unconfirmed"]
        gone = await client.get(f"captures/{numbers[0]}/file", params={"by": "p-1"})
        assert (gone.status_code, "deleted since" in gone.json()["detail"]) == (404, True)
        assert len(list((tmp_path / "captures").iterdir())) == 2
        assert await one.sql("SELECT by FROM act WHERE kind = 'capture_dropped'") == [("central",)]
        stray, fresh = (tmp_path / "captures" / name for name in ("7-77.pcapng", "1-1.partial"))
        for path in (stray, fresh):
            path.write_bytes(FILE)
        os.utime(stray, (time.time() - 7200, time.time() - 7200))
        number, args = await ordered(wire, client)
        await send(client, args["url"])
        assert (stray.exists(), fresh.exists()) == (False, True)


async def test_a_disk_that_is_nearly_full_takes_nothing(one, tmp_path):
    async with commanding(one, tmp_path, keep_free_bytes=2**62) as (wire, client, _):
        _, args = await ordered(wire, client)
        assert (await send(client, args["url"])).status_code == 507


async def test_a_folder_that_cant_be_written_is_told(one, tmp_path):
    async with commanding(one, tmp_path) as (wire, client, _):
        (tmp_path / "captures").write_text("a file stands in the way")
        _, args = await ordered(wire, client)
        assert (await send(client, args["url"])).status_code == 507


async def test_a_sheet_that_isnt_kept_leaves_nothing(tmp_path):
    shelf = FolderShelf(tmp_path / "x")
    async with shelf.sheet() as sheet:
        await sheet.write(FILE)
        assert len(list((tmp_path / "x").iterdir())) == 1
    assert list((tmp_path / "x").iterdir()) == []


def test_the_newest_file_stays_whatever_its_size():
    files = [Held(3, 50, "c"), Held(2, 60, "b"), Held(1, 10, "a")]
    assert beyond(files, most_bytes=10) == files[1:]
    assert beyond(files, most_bytes=110) == files[2:]
    assert beyond(files, most_bytes=120) == []
    assert beyond(files, most_bytes=1000, most_files=1) == files[1:]
    assert beyond([], most_bytes=1) == []


def test_a_digest_is_found_among_others():
    assert digest_in(digest()) == digest().removeprefix("sha-256=:").removesuffix(":")
    assert digest_in(f"sha-512=:AAAA:, {digest()}") is not None
    assert digest_in("sha-256=:AAAA:") is None
    assert digest_in("x" + digest()) is None


def test_a_capture_is_of_a_reader_or_a_portal():
    assert unfit("capture", {"reader": "r1"}, gateway="g") == ""
    assert unfit("capture", {"portal": "door", "seconds": 300}, gateway="g") == ""
    assert "either reader or portal" in unfit("capture", {}, gateway="g")
    assert "either reader or portal" in unfit("capture", {"reader": "r1", "portal": "door"}, gateway="g")
    assert "from 1 to 300" in unfit("capture", {"reader": "r1", "seconds": 301}, gateway="g")
    assert "takes no 'url'" in unfit("capture", {"reader": "r1", "url": "https://elsewhere.example"}, gateway="g")
