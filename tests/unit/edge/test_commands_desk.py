"""Commands are believed if signed, carried out once, and answered, whatever comes on their topic."""

import asyncio

import msgspec
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from edge.commands import Desk, Nonces, NoncesError, OrderError, TooSoonError, nonces
from edge.commands.allowance import BURST, PER_S
from edge.contracts import MAX_CONFIGURE_BYTES, MAX_TOML_BYTES, decode_command, decode_reply
from edge.trust import Keyring
from tests.helpers.commands import KEY_LINE, STRANGER, command

NOW_US = 1_800_000_000_000_000
LIMIT_S = 30.0


async def until(condition):
    """Wait until something is so."""
    async with asyncio.timeout(LIMIT_S):
        while not condition():  # noqa: ASYNC110 (what is waited for is no event)
            await asyncio.sleep(0.002)


class Bench:
    """A desk with one order, and what it answered."""

    def __init__(self, folder, keys=(KEY_LINE,), **knobs) -> None:
        self.now_us, self.connected = NOW_US, True
        self.calls, self.replies = [], []
        self.holds = asyncio.Event()
        self.holds.set()
        self.desk = Desk(
            "gw-1",
            Keyring.of(keys),
            Nonces(folder / "used"),
            {"blink": self._blink, "fall": self._fall, "refuse": self._refuse, "hurry": self._hurry},
            publish=self._publish,
            now_us=lambda: self.now_us,
            log=structlog.get_logger("test"),
            late={"configure": self._configure},
            **knobs,
        )

    async def _blink(self, args):
        await self.holds.wait()
        self.calls.append(dict(args))
        return {"done": True}

    async def _configure(self, command):
        self.calls.append(command)
        return None if command.args.get("toml") else {"changed": "nothing"}

    async def _fall(self, args):
        raise ZeroDivisionError

    async def _refuse(self, args):
        raise OrderError("there is no such light: name another")

    async def _hurry(self, args):
        raise TooSoonError("wait a while")

    def _publish(self, channel, payload):
        self.replies.append((channel, decode_reply(payload)))
        return self.connected

    def sign(self, name, **knobs):
        return command(name, now_us=self.now_us, **knobs)

    async def ask(self, payload, channel="cmd/blink"):
        """Hand a message in and return its answer."""
        before = len(self.replies)
        self.desk.take(channel, payload)
        await until(lambda: len(self.replies) > before)
        return self.replies[-1][1]


@pytest.fixture
async def bench(tmp_path):
    made = Bench(tmp_path)
    async with made.desk:
        yield made


async def test_a_signed_command_is_carried_out_and_answered_on_its_reply_topic(bench):
    with structlog.testing.capture_logs() as logs:
        answer = await bench.ask(bench.sign("blink", output=2))
    assert bench.calls == [{"output": 2}]
    assert (answer.ok, answer.problem, answer.result) == (True, "", {"done": True})
    assert bench.replies[-1][0] == "reply/blink"
    [row] = [entry for entry in logs if entry["event"] == "command carried out"]
    assert (row["command"], row["key"], row["nonce"]) == ("blink", "central-a", answer.nonce)


async def test_a_one_time_address_is_handed_on_and_in_no_log(bench):
    with structlog.testing.capture_logs() as logs:
        await bench.ask(bench.sign("blink", url="https://central.example/secret", output=1))
    assert bench.calls == [{"url": "https://central.example/secret", "output": 1}]
    [row] = [entry for entry in logs if entry["event"] == "command carried out"]
    assert row["args"] == {"output": 1}
    assert "secret" not in str(logs)


async def test_an_order_is_broken_off_after_its_own_time(tmp_path, monkeypatch):
    """Most after two minutes; one that was said to take longer, after that."""
    monkeypatch.setattr("edge.commands.desk.LONGEST_S", 0.05)
    bench = Bench(tmp_path, longest_s={"blink": 0.1})
    bench.holds.clear()
    async with bench.desk:
        assert "not over after 0.1 s" in (await bench.ask(bench.sign("blink"))).problem
    short = Bench(tmp_path)
    short.holds.clear()
    async with short.desk:
        assert "not over after 0.05 s" in (await short.ask(short.sign("blink"))).problem


async def test_a_replayed_command_is_refused_also_after_a_restart(bench, tmp_path):
    once = bench.sign("blink")
    assert (await bench.ask(once)).ok
    assert "given before" in (await bench.ask(once)).problem
    again = Bench(tmp_path)
    async with again.desk:
        assert "given before" in (await again.ask(once)).problem
    assert len(bench.calls) == 1
    assert not again.calls
    assert again.desk.counters.refused == {"replayed": 1}


async def test_a_command_that_comes_too_soon_is_refused_in_words_and_counted(bench):
    answer = await bench.ask(bench.sign("hurry"), "cmd/hurry")
    assert (answer.ok, answer.problem) == (False, "wait a while")
    assert (bench.desk.counters.refused, bench.desk.counters.failed) == ({"too-soon": 1}, 0)


async def test_a_full_disk_is_no_replay(bench, tmp_path, monkeypatch):
    """The command was never given before, and its giver must not look for who has copied it."""

    def full(_file, _text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(nonces, "_append", full)
    answer = await bench.ask(bench.sign("blink"))
    assert "it can't be noted that the command was used" in answer.problem
    assert "No space left on device), so it is not carried out: free or mend the disk" in answer.problem
    assert bench.desk.counters.refused == {"unnoted": 1}
    assert not bench.calls


async def test_the_same_command_twice_at_once_is_carried_out_once(bench):
    once = bench.sign("blink")
    bench.desk.take("cmd/blink", once)
    await bench.ask(once)
    await until(lambda: len(bench.replies) == 2)
    assert len(bench.calls) == 1
    assert sorted(reply.ok for _, reply in bench.replies) == [False, True]


@pytest.mark.parametrize(
    ("knobs", "words", "why"),
    [
        ({"key": None}, "isn't signed", "untrusted"),
        ({"key": STRANGER}, "isn't so", "untrusted"),
        ({"gateway": "gw-2"}, "is for gateway gw-2", "unfit"),
        ({"valid_s": 61}, "at most 60", "unfit"),
    ],
)
async def test_a_command_that_is_not_ours_to_obey_is_answered_with_why(bench, knobs, words, why):
    answer = await bench.ask(bench.sign("blink", **knobs))
    assert words in answer.problem
    assert bench.desk.counters.refused == {why: 1}
    assert not bench.calls


async def test_a_command_that_a_broker_held_up_is_refused(bench):
    late = bench.sign("blink", valid_s=10)
    bench.now_us += 10_000_000
    assert "expired" in (await bench.ask(late)).problem
    assert not bench.calls


async def test_a_command_on_the_topic_of_another_is_refused(bench):
    """A broker's access list may let somebody on one topic only: a name in the payload must not get round it."""
    assert "came on cmd/survey" in (await bench.ask(bench.sign("blink"), channel="cmd/survey")).problem
    assert not bench.calls


async def test_without_keys_nobody_is_believed(tmp_path):
    bench = Bench(tmp_path, keys=())
    async with bench.desk:
        assert "isn't among the central's keys (none)" in (await bench.ask(bench.sign("blink"))).problem
    assert not bench.calls


async def test_an_unknown_command_is_told_which_there_are(bench):
    answer = await bench.ask(bench.sign("open-door"), channel="cmd/open-door")
    assert "has no command open-door; it has: blink, configure, fall, hurry, refuse" in answer.problem


async def test_what_an_order_says_or_how_it_fails_is_the_answer_and_ends_nothing(bench):
    assert (await bench.ask(bench.sign("refuse"), "cmd/refuse")).problem == "there is no such light: name another"
    assert "ZeroDivisionError" in (await bench.ask(bench.sign("fall"), "cmd/fall")).problem
    assert (await bench.ask(bench.sign("blink"))).ok
    assert (bench.desk.counters.done, bench.desk.counters.failed) == (1, 2)


async def test_a_flood_of_commands_is_bounded(bench):
    bench.holds.clear()
    for _ in range(8):
        bench.desk.take("cmd/blink", bench.sign("blink"))
    assert "8 commands are being carried out" in (await bench.ask(bench.sign("blink"))).problem
    bench.holds.set()
    await until(lambda: len(bench.calls) == 8)


async def test_a_flood_of_what_is_refused_is_answered_within_bounds_and_logged_once(tmp_path):
    """Answers stood in the way of an alarm's row, and one line each pushed all else out of the log."""
    now_s = [0.0]
    bench = Bench(tmp_path, now_s=lambda: now_s[0])
    unsigned, replayed = msgspec.json.decode(bench.sign("blink")), bench.sign("blink")
    del unsigned["signature"]
    async with bench.desk:
        assert (await bench.ask(replayed)).ok
        bench.replies.clear()
        with structlog.testing.capture_logs() as logs:
            for _ in range(300):
                bench.desk.take("cmd/blink", msgspec.json.encode(unsigned))
            assert len(bench.replies) == BURST
            now_s[0] += 2 / PER_S
            bench.connected = False
            for _ in range(5):
                bench.desk.take("cmd/blink", replayed)
            await until(lambda: bench.desk.counters.refused.get("replayed") == 5)
    assert len(bench.replies) == BURST + 2
    assert bench.desk.counters.refused == {"untrusted": 300, "replayed": 5}
    assert bench.desk.counters.unanswered == 300 - BURST + 5
    assert [one["event"] for one in logs] == ["command refused; more of this kind are only counted"] * 2


async def test_a_command_that_cannot_be_noted_as_used_is_not_carried_out(tmp_path):
    """On a full or read-only disk a replay could not be told apart."""
    (tmp_path / "used").mkdir()
    bench = Bench(tmp_path)
    async with bench.desk:
        answer = await bench.ask(bench.sign("blink"))
    assert "can't be noted" in answer.problem
    assert not bench.calls


async def test_an_answer_that_nobody_hears_is_counted(bench):
    bench.connected = False
    await bench.ask(bench.sign("blink"))
    assert bench.desk.counters.unanswered == 1


async def test_an_oversized_command_is_refused_counted_and_logged_once(bench):
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            bench.desk.take("cmd/blink", bench.sign("blink", text="x" * 70_000))
    assert bench.desk.counters.refused == {"unreadable": 3}
    assert len(logs) == 1
    assert not bench.replies


async def test_a_configuration_may_be_larger_than_other_commands_on_its_own_topic_alone(bench):
    """64 KiB of TOML, each of whose letters JSON has to escape; beyond that it is refused as others are."""
    full, over = (bench.sign("configure", toml='"' * size) for size in (MAX_TOML_BYTES, MAX_CONFIGURE_BYTES // 2))
    bench.desk.take("cmd/configure", full)
    await until(lambda: bench.calls)
    assert bench.calls[0].args["toml"] == '"' * MAX_TOML_BYTES
    with structlog.testing.capture_logs() as logs:
        bench.desk.take("cmd/blink", full)
        bench.desk.take("cmd/configure", over)
    assert bench.desk.counters.refused == {"unreadable": 2}
    assert (len(logs), len(bench.replies)) == (1, 0)


async def test_a_late_order_is_answered_by_whichever_desk_is_there_then(bench, tmp_path):
    """Or at once, where there is nothing to wait for; it is carried out once all the same."""
    order = bench.sign("configure", toml="x")
    bench.desk.take("cmd/configure", order)
    await until(lambda: bench.calls)
    assert not bench.replies
    again = Bench(tmp_path)
    assert again.desk.answer("configure", decode_command(order).nonce, problem="", result={"changed": "x"})
    assert again.replies[-1][1].result == {"changed": "x"}
    again.connected = False
    assert not again.desk.answer("configure", decode_command(order).nonce, problem="", result={})
    assert (again.desk.counters.done, again.desk.counters.unanswered) == (1, 0)
    assert "given before" in (await bench.ask(order, "cmd/configure")).problem
    assert (await bench.ask(bench.sign("configure"), "cmd/configure")).result == {"changed": "nothing"}


async def test_what_is_under_way_when_the_agent_stops_is_answered_and_nothing_is_begun(bench):
    bench.holds.clear()
    bench.desk.take("cmd/blink", bench.sign("blink"))
    await asyncio.sleep(0)
    await bench.desk.close()
    assert "was broken off" in bench.replies[-1][1].problem
    assert "stops or begins anew" in (await bench.ask(bench.sign("blink"))).problem
    assert not bench.calls


@given(payload=st.binary(max_size=400) | st.recursive(st.none() | st.text(), st.lists).map(msgspec.json.encode))
async def test_garbage_is_counted_and_raises_nothing(payload, tmp_path_factory):
    bench = Bench(tmp_path_factory.getbasetemp())
    bench.desk.take("cmd/blink", payload)
    assert bench.desk.counters.refused == {"unreadable": 1}


def test_a_torn_line_loses_no_other_nonce(tmp_path):
    """The power went while a line was written: its command was not carried out, and the next line stands by itself."""
    file = tmp_path / "used"
    Nonces(file).use("a" * 32, 100, now_us=50)
    with file.open("a") as stream:
        stream.write("b" * 20)
    Nonces(file).use("c" * 32, 100, now_us=50)
    opened = Nonces(file)
    for used in ("a" * 32, "c" * 32):
        with pytest.raises(NoncesError, match="given before"):
            opened.use(used, 100, now_us=50)
    opened.use("b" * 32, 100, now_us=50)


def test_forgotten_nonces_stay_refused_even_if_the_clock_is_set_back(tmp_path):
    """The file stays small; what expired no later than the forgotten ones is refused by its age."""
    file = tmp_path / "used"
    nonces = Nonces(file, most=8)
    for number in range(100):
        nonces.use(f"{number:032x}", 1000 + number, now_us=50)
    assert len(file.read_text().split("\n")) < 20
    opened = Nonces(file, most=8)
    for number in range(100):
        with pytest.raises(NoncesError):
            opened.use(f"{number:032x}", 1000 + number, now_us=50)
    opened.use("f" * 32, 2000, now_us=50)


SPOILT = [
    b"%032x 17\n" % 1 + b"a" * 32 + b" " + b"9" * 5_000 + b"\n",
    b"floor 999999999999999999\n",
    b"fl\xefor 100\n",
]


@pytest.mark.parametrize("spoilt", SPOILT, ids=["number", "floor", "letters"])
def test_a_damaged_file_of_nonces_is_set_aside_and_lets_no_replay_in(tmp_path, spoilt):
    """Neither is every command refused for ever, nor is one taken that may have been carried out before."""
    file, now_us = tmp_path / "used", 1_000_000_000
    file.write_bytes(spoilt)
    opened = Nonces(file)
    latest_us = now_us + 2 * nonces.MAX_VALIDITY_US
    for _ in range(2):
        with pytest.raises(NoncesError, match=r"was damaged and is set aside, .*: give a new one in two minutes"):
            opened.use("a" * 32, latest_us, now_us=now_us)
    with pytest.raises(NoncesError, match="older than what is remembered"):
        Nonces(file).use("a" * 32, latest_us, now_us=now_us)
    opened.use("a" * 32, latest_us + 1, now_us=now_us)
    with pytest.raises(NoncesError, match="given before"):
        Nonces(file).use("a" * 32, latest_us + 1, now_us=now_us)
    assert (tmp_path / f"used.damaged-{now_us}").read_bytes() == spoilt
