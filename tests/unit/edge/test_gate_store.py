"""The store of gate snapshots: whole or not at all, only what the central signed, and no step back."""

import contextlib
import os
import random
import signal
import subprocess
import sys

import pytest
import structlog
from structlog.testing import capture_logs

from edge.contracts import MAX_PART_BYTES
from edge.gate import GateFiles
from edge.gate.parts import bucket
from edge.gate.snapshot import make_snapshot
from edge.gate.waiting import WaitingParts
from tests.helpers.commands import KEY_LINE, STRANGER
from tests.helpers.gate_messages import (
    NOW,
    SECOND,
    delta,
    digest,
    entry,
    epc,
    give,
    manifest,
    messages,
    parts,
    store,
)

LOG = structlog.get_logger()
NUMBERS = range(200)
EPCS = [epc(number) for number in NUMBERS]
FIRST = [entry(number) for number in NUMBERS if number % 2]


@pytest.fixture
def one(tmp_path):
    """A store that holds generation 1."""
    made = store(tmp_path, LOG)
    give(made, messages(1, FIRST))
    return made


def verdicts(held, number):
    """What a snapshot says of an EPC, as pairs."""
    return [(found.verdict, found.boundary) for found in held.find(bytes.fromhex(epc(number)))]


def test_what_is_counted_holds_already(tmp_path, monkeypatch):
    """Others read the counters while the gate's thread takes what came."""
    made, counted = store(tmp_path, LOG), []

    def making(*words, **more):
        counted.append((made.counters.generations, made.counters.deltas, made.snapshot and made.snapshot.n))
        return make_snapshot(*words, **more)

    monkeypatch.setattr("edge.gate.store.make_snapshot", making)
    give(made, [("gate/delta", delta(1, 1)), *messages(1, FIRST)])
    assert {some[:2] for some in counted} == {(0, 0)}
    assert (made.counters.generations, made.counters.deltas, made.snapshot.n) == (1, 1, 1)
    counted.clear()
    made.take("gate/delta", delta(1, 2))
    assert counted == [(1, 1, 1)]
    assert (made.counters.deltas, made.snapshot.n) == (2, 2)


def test_a_generation_is_held_once_all_of_it_came_in_whatever_order(tmp_path):
    """A broker sends what it retains in any order."""
    some = [*messages(1, FIRST), ("gate/delta", delta(1, 3, [entry(0, "hold", None)], [epc(1)]))]
    found = set()
    for seed in range(6):
        made = store(tmp_path / str(seed), LOG)
        random.Random(seed).shuffle(some)
        for channel, payload in some[:-1]:
            made.take(channel, payload)
        assert made.snapshot is None or "delta" in some[-1][0]
        made.take(*some[-1])
        assert verdicts(made.snapshot, 0) == [("hold", None)]
        assert verdicts(made.snapshot, 1) == []
        assert verdicts(made.snapshot, 3) == [("allow", "stockroom")]
        found.add(digest(made.snapshot, EPCS))
        assert made.counters.refused == {}
    assert len(found) == 1


def test_what_was_held_is_held_after_a_start(one, tmp_path):
    """Digests are verified at the start, and the delta counts."""
    one.take("gate/delta", delta(1, 2, [entry(4)]))
    again = store(tmp_path, LOG)
    assert digest(again.snapshot, EPCS) == digest(one.snapshot, EPCS)
    assert (again.snapshot.generation, again.snapshot.n, again.snapshot.entries) == (1, 2, 101)


def test_a_generation_reuses_the_parts_that_did_not_change(one, tmp_path):
    """Only what changed is sent; what is mapped already goes into the new block."""
    old = one.snapshot
    changed = [*FIRST, entry(2)]
    before, after = parts(1, FIRST), parts(2, changed)
    index = bucket(bytes.fromhex(epc(2)))
    packed = {**before, index: after[index]}
    one.take(f"gate/part/{index}", packed[index])
    one.take("gate/manifest", manifest(2, dict(sorted(packed.items()))))
    assert verdicts(one.snapshot, 2) == [("allow", "stockroom")]
    assert verdicts(old, 2) == []
    assert digest(store(tmp_path, LOG).snapshot, EPCS) == digest(one.snapshot, EPCS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["manifest", "parts-2"]


def test_the_same_messages_again_are_redelivered_and_refuse_nothing(one):
    """A broker sends what it retains at each connection."""
    one.take("gate/delta", delta(1, 1))
    before = one.snapshot
    give(one, [*messages(1, FIRST), ("gate/delta", delta(1, 1))])
    assert one.snapshot is before
    assert one.counters.refused == {}
    assert one.counters.redelivered == len(parts(1, FIRST)) + 2


def test_a_replayed_snapshot_is_refused(one, tmp_path):
    """Counters only rise, over restarts too; so do those of deltas."""
    give(one, messages(3, FIRST[:3], issued_us=NOW + SECOND))
    one.take("gate/delta", delta(3, 5, removed=[epc(1)]))
    for held in (one, store(tmp_path, LOG)):
        before = digest(held.snapshot, EPCS)
        with capture_logs() as logs:
            give(held, messages(1, FIRST))
            give(held, messages(2, FIRST))
            held.take("gate/manifest", manifest(3, parts(3, FIRST)))
            held.take("gate/delta", delta(3, 4))
            held.take("gate/delta", delta(3, 5))
            held.take("gate/delta", delta(2, 9))
        assert digest(held.snapshot, EPCS) == before
        assert held.counters.refused["replayed"] == 6
        assert [line["why"] for line in logs if line["event"].startswith("gate message")].count("replayed") == 1


def test_an_unsigned_snapshot_is_refused(tmp_path):
    """So is a stranger's, and one whose content was changed after signing, and another gateway's."""
    made, packed = store(tmp_path, LOG), parts(1, FIRST)
    good = manifest(1, packed)
    give(made, [(f"gate/part/{index}", one) for index, one in packed.items()])
    unsigned = good[: good.index(b',"signature"')] + b',"v":1}'
    for bad in (unsigned, good.replace(b'"alarm"', b'"observe"'), manifest(1, packed, key=STRANGER)):
        made.take("gate/manifest", bad)
    made.take("gate/delta", delta(1, 1, key=STRANGER))
    made.take("gate/manifest", manifest(1, packed, gateway="gw-2"))
    assert made.snapshot is None
    assert made.counters.refused == {"untrusted": 4, "misaddressed": 1}
    made.take("gate/manifest", good)
    assert made.snapshot is not None


def test_garbage_on_the_gate_topics_is_refused_and_told_once(one):
    """Nothing of it changes what is held."""
    before, rng = digest(one.snapshot, EPCS), random.Random(5)
    with capture_logs() as logs:
        for _ in range(50):
            for channel in ("gate/manifest", "gate/delta", "gate/part/7"):
                one.take(channel, rng.randbytes(rng.randrange(1, 400)))
        for channel in ("gate/part/512", "gate/part/-1", "gate/part/x", "gate/part/٣"):
            one.take(channel, b"SGP1")
        one.take("gate/manifest", b"")
        one.take("gate/part/7", b"")
    assert digest(one.snapshot, EPCS) == before
    assert one.counters.refused == {"unreadable": 155}
    assert len([line for line in logs if line["log_level"] == "warning"]) == 1


def test_oversized_parts_are_refused(one):
    """So are manifests and deltas beyond their bounds."""
    before = digest(one.snapshot, EPCS)
    one.take("gate/part/3", b"SGP1" + bytes(MAX_PART_BYTES))
    one.take("gate/manifest", b" " * (128 * 1024 + 1))
    one.take("gate/delta", b" " * (64 * 1024 + 1))
    assert one.counters.refused == {"oversized": 3}
    assert digest(one.snapshot, EPCS) == before


def test_parts_that_no_manifest_names_are_bounded(tmp_path):
    """One an index waits, however many are sent."""
    made = store(tmp_path, LOG)
    for generation in range(1, 20):
        give(made, list(messages(generation, FIRST))[:-1])
    assert len(made._waiting) == len(parts(1, FIRST))
    assert made.counters.refused == {"unwanted": 18 * len(parts(1, FIRST))}
    made.take("gate/manifest", manifest(19, parts(19, FIRST)))
    assert made.snapshot.generation == 19
    assert len(made._waiting) == 0


def stray(index, generation=2**32 - 1, size=20):
    """What looks like a part, of a generation that never comes."""
    return f"gate/part/{index}", b"SGP1" + generation.to_bytes(4) + index.to_bytes(2) + bytes(size - 10)


def test_strays_of_a_generation_to_come_go_once_a_manifest_is_held_and_are_counted(one):
    """They were kept until the next restart, and the manifest was asked for all that time."""
    one.take("gate/delta", delta(1, 1))
    assert one.lacking == []
    give(one, [stray(index) for index in range(512)])
    assert one.lacking == ["gate/manifest", "gate/delta"], "they may be true"
    give(one, [*messages(2, FIRST), ("gate/delta", delta(2, 1))])
    assert one.lacking == []
    assert len(one._waiting) == 0
    assert one.counters.refused == {"unwanted": 512}
    assert one.snapshot.generation == 2


def test_strays_go_after_a_while_and_parts_that_the_manifest_wants_stay(tmp_path):
    """However long the last of them takes."""
    made, packed = store(tmp_path, LOG), parts(1, FIRST)
    last = max(packed)
    give(made, [("gate/manifest", manifest(1, packed))])
    give(made, [(f"gate/part/{index}", part) for index, part in packed.items() if index != last])
    made.take(*stray(last))
    made.forget_strays()
    assert made.counters.refused == {}
    made.forget_strays()
    assert made.counters.refused == {"unwanted": 1}
    assert made.coming == (1, 1)
    made.take(f"gate/part/{last}", packed[last])
    assert made.snapshot.generation == 1


def test_a_true_part_that_was_let_go_lacks_once_its_manifest_comes(one):
    packed = parts(2, [entry(number) for number in NUMBERS])
    index = next(iter(packed))
    one.take(f"gate/part/{index}", packed[index])
    one.forget_strays()
    one.forget_strays()
    give(one, [(f"gate/part/{number}", part) for number, part in packed.items() if number != index])
    one.take("gate/manifest", manifest(2, packed))
    assert one.lacking == [f"gate/part/{index}"]
    one.take(f"gate/part/{index}", packed[index])
    assert one.snapshot.generation == 2


def test_what_waits_is_bounded_beside_what_the_manifest_wants():
    """The oldest strays go first; what is wanted never does."""
    gone = []
    waiting = WaitingParts(lambda index, _: gone.append(index), most_bytes=100)
    for index in range(10):
        waiting.put(index, "stray", bytes(20), {})
    assert (gone, waiting.size_bytes) == ([0, 1, 2, 3, 4], 100)
    for index in range(10):
        waiting.put(index, "wanted", bytes(20), dict.fromkeys(range(10), "wanted"))
    assert (gone, waiting.size_bytes) == (list(range(10)), 200)


def test_a_redelivered_part_leaves_nothing_to_ask_for(one):
    """It left an empty place, for which the manifest was asked again."""
    one.take("gate/delta", delta(1, 1))
    give(one, messages(1, FIRST))
    assert one.lacking == []


def test_garbage_does_not_push_out_a_part_that_the_manifest_wants(tmp_path):
    """What looks like a part of a later generation waits beside it."""
    made, packed = store(tmp_path, LOG), parts(1, FIRST)
    give(made, [("gate/manifest", manifest(1, packed))])
    indexes = list(packed)
    for index in indexes[:-1]:
        made.take(f"gate/part/{index}", packed[index])
        made.take(f"gate/part/{index}", b"SGP1" + (9).to_bytes(4) + index.to_bytes(2) + bytes(6))
    made.take(f"gate/part/{indexes[-1]}", packed[indexes[-1]])
    assert made.snapshot.generation == 1


def test_a_generation_whose_part_can_not_be_read_displaces_nothing(one):
    """A digest that was signed says nothing of the part's sense."""
    packed = dict(parts(2, FIRST))
    index, payload = next(iter(packed.items()))
    packed[index] = payload[:-1]
    give(one, [(f"gate/part/{number}", part) for number, part in packed.items()])
    one.take("gate/manifest", manifest(2, packed))
    assert one.snapshot.generation == 1
    assert one.counters.refused == {"unreadable": 1}
    give(one, messages(3, FIRST))
    assert one.snapshot.generation == 3


@pytest.mark.parametrize("name", ["parts-1", "delta", "manifest"])
@pytest.mark.parametrize("damage", ["cut", "flip", "gone", "empty"])
def test_damaged_files_are_told_and_made_good_by_what_the_broker_retains(one, tmp_path, name, damage):
    """Never is something held that isn't what was signed, and an older snapshot stays refused."""
    retained = [*messages(1, FIRST), ("gate/delta", delta(1, 4, [entry(0)]))]
    give(one, retained)
    whole, file = digest(one.snapshot, EPCS), tmp_path / name
    payload = bytearray(file.read_bytes())
    payload[len(payload) // 2] ^= 1
    file.write_bytes({"flip": payload, "cut": payload[: len(payload) // 2]}.get(damage, b""))
    if damage == "gone":
        file.unlink()
    with capture_logs() as logs:
        again = store(tmp_path, LOG)
    if name == "delta":
        assert (again.snapshot.generation, again.snapshot.n, again.snapshot.lacks_delta) == (1, 0, True)
        assert [line["lost"] for line in logs] == [[1, 4]]
        assert "gate/delta" in again.lacking
        again.take("gate/delta", delta(1, 3))
        assert again.counters.refused == {"replayed": 1}, "an older one isn't what was lost"
    else:
        assert again.snapshot is None
        assert logs or (name, damage) == ("manifest", "gone")
    give(again, retained)
    assert digest(again.snapshot, EPCS) == whole
    assert digest(store(tmp_path, LOG).snapshot, EPCS) == whole


def test_a_block_that_the_card_does_not_give_is_asked_for_again(one, tmp_path, monkeypatch):
    """It was mapped unread: the first look-up then ended the process by a signal, at every start."""
    (tmp_path / "parts-1").unlink()
    (tmp_path / "parts-1").symlink_to("/proc/self/mem")  # whose first page gives an error of input and output
    monkeypatch.setattr("edge.gate.disk.mmap.mmap", lambda *_, **__: pytest.fail("it was mapped unread"))
    with capture_logs() as logs:
        again = store(tmp_path, LOG)
    monkeypatch.undo()
    assert again.snapshot is None
    assert any("kept gate snapshot is damaged" in line["event"] for line in logs)
    (tmp_path / "parts-1").unlink()
    give(again, messages(1, FIRST))
    assert digest(again.snapshot, EPCS) == digest(one.snapshot, EPCS)


def test_a_damaged_note_of_the_last_delta_costs_nothing_where_the_delta_is_whole(one, tmp_path):
    one.take("gate/delta", delta(1, 4, [entry(0)]))
    for damage in (b"", b"4", b"1 x", b"\xff\xff"):
        (tmp_path / "counters").write_bytes(damage)
        assert store(tmp_path, LOG).snapshot.n == 4
    (tmp_path / "delta").unlink()
    assert store(tmp_path, LOG).snapshot.lacks_delta, "there was one, whichever"


def test_a_new_generation_ends_the_doubt_about_a_lost_delta(one, tmp_path):
    one.take("gate/delta", delta(1, 4, [entry(0)]))
    (tmp_path / "delta").unlink()
    again = store(tmp_path, LOG)
    give(again, messages(2, FIRST))
    assert not again.snapshot.lacks_delta
    assert not store(tmp_path, LOG).snapshot.lacks_delta


def test_a_delta_of_a_later_generation_than_the_kept_manifest_says_that_the_manifest_is_old(one, tmp_path):
    """As after a disk that was full for a while: what is newest on it doesn't belong together."""
    old = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    give(one, [*messages(2, FIRST), ("gate/delta", delta(2, 1))])
    for name, payload in old.items():
        (tmp_path / name).write_bytes(payload)
    again = store(tmp_path, LOG)
    assert (again.snapshot.generation, again.snapshot.lacks_delta) == (1, True)
    give(again, [*messages(2, FIRST), ("gate/delta", delta(2, 1))])
    assert (again.snapshot.generation, again.snapshot.n, again.snapshot.lacks_delta) == (2, 1, False)


def test_a_full_disk_holds_the_new_snapshot_until_the_next_start(one, tmp_path):
    """A permission that was taken back must not stand since a disk is full."""

    class FullDisk(GateFiles):
        def _write(self, name, pieces):
            raise OSError(28, "No space left on device", name)

    full = store(tmp_path, LOG, files=FullDisk(tmp_path))
    with capture_logs() as logs:
        full.take("gate/delta", delta(1, 1, [entry(1, "hold", None)]))
        give(full, messages(2, FIRST[5:]))
    assert full.snapshot.generation == 2
    assert verdicts(full.snapshot, 1) == []
    assert full.counters.disk_failures == 2
    assert len([line for line in logs if line["log_level"] == "error"]) == 1
    assert store(tmp_path, LOG).snapshot.generation == 1


class Killed(BaseException):
    """The agent ended there."""


@pytest.mark.parametrize("writes", range(5))
def test_a_kill_while_a_generation_is_written_never_leaves_it_without_its_delta(one, tmp_path, writes):
    """The delta may have come before the manifest: without it, what it takes back would be allowed."""
    done = []

    class Mortal(GateFiles):
        def _write(self, name, pieces):
            if len(done) == writes:
                raise Killed
            super()._write(name, pieces)
            done.append(name)

    one.take("gate/delta", delta(1, 1, [entry(1, "hold", None)]))
    mortal, retained = store(tmp_path, LOG, files=Mortal(tmp_path)), [*messages(2, FIRST)]
    taken_back = ("gate/delta", delta(2, 1, [entry(1, "hold", None)]))
    with contextlib.suppress(Killed):
        give(mortal, [taken_back, *retained])
    assert done == ["parts-2", "delta", "counters", "manifest"][:writes]
    again = store(tmp_path, LOG).snapshot
    assert again.generation == (2 if writes > 3 else 1)
    assert again.lacks_delta == (writes in {2, 3})
    assert again.n == (0 if again.lacks_delta else 1)
    last = store(tmp_path, LOG)
    give(last, [*retained, taken_back])
    assert (last.snapshot.generation, last.snapshot.n, last.snapshot.lacks_delta) == (2, 1, False)


CHILD = """
import sys
from pathlib import Path
import structlog
from tests.helpers.gate_messages import delta, entry, give, messages, store
structlog.configure(logger_factory=structlog.WriteLoggerFactory(sys.stderr))
held = store(Path(sys.argv[1]), structlog.get_logger())
first = 1 if held.snapshot is None else held.snapshot.generation + 1
print("begun", flush=True)
for generation in range(first, first + 10_000):
    give(held, messages(generation, [entry(number) for number in range(generation % 7, 200, 7)]))
    held.take("gate/delta", delta(generation, 1, [entry(generation % 200, "hold", None)]))
    print(generation, flush=True)
"""


def test_a_kill_at_any_point_leaves_one_whole_generation(tmp_path):
    """What was acknowledged is there or something newer, whole, and its hash is that of its generation."""
    rng, newest = random.Random(7), 0
    for _ in range(6):
        with subprocess.Popen([sys.executable, "-c", CHILD, tmp_path], stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout.readline() == "begun\n"
            for _ in range(rng.randrange(1, 12)):
                newest = int(child.stdout.readline())
            os.kill(child.pid, signal.SIGKILL)
            newest = max([newest, *map(int, child.stdout.read().split("\n")[:-1])])
        held = store(tmp_path, LOG).snapshot
        assert newest <= held.generation <= newest + 1
        expected = store(tmp_path / "expected" / str(held.generation), LOG)
        some = [entry(number) for number in range(held.generation % 7, 200, 7)]
        give(expected, messages(held.generation, some))
        if held.n:
            expected.take("gate/delta", delta(held.generation, 1, [entry(held.generation % 200, "hold", None)]))
        assert digest(held, EPCS) == digest(expected.snapshot, EPCS)


def test_counters_survive_an_orderly_stop_and_the_signed_time_too(one, tmp_path):
    """The last signed time is the newest message's."""
    one.take("gate/delta", delta(1, 1, issued_us=NOW + 5 * SECOND))
    assert store(tmp_path, LOG).snapshot.signed_us == NOW + 5 * SECOND


def test_no_key_that_signed_what_is_kept_means_that_nothing_is_held(one, tmp_path):
    """Whoever was taken out of the configuration isn't believed for what he said before."""
    again = store(tmp_path, LOG, key_line=KEY_LINE.replace("central-a", "central-b"))
    assert one.snapshot is not None
    assert again.snapshot is None
    assert again.counters.refused == {"untrusted": 1}
