"""How a portal may behave now, as `status` tells it."""

from edge.agent.at_the_door import PortalMode, counts, portal_modes
from edge.contracts import instant
from edge.gate.snapshot import Door, Quiet, Snapshot

HOUR_US = 3_600_000_000


def held(*quiet):
    """A snapshot that names one door, usually in alarm."""
    door = Door(out=(), into=(), mode="alarm", quiet=quiet, trusts_stale=False, person=False)
    return Snapshot(
        generation=1, n=0, signed_us=0, expires_us=HOUR_US, doors={"door": door}, prefixes=(), parts={}, changed={}
    )


def modes(snapshot, now_us):
    """What is told of the door."""
    return list(portal_modes(snapshot, ["door"], now_us))


def test_a_muted_portal_says_what_it_else_is_and_until_when():
    snapshot = held(Quiet("observe", 0, HOUR_US), Quiet("notify", 0, 2 * HOUR_US))
    assert modes(snapshot, 5) == [PortalMode(portal="door", mode="observe", usual="alarm", until=instant(HOUR_US))]
    later = PortalMode(portal="door", mode="notify", usual="alarm", until=instant(2 * HOUR_US))
    assert modes(snapshot, HOUR_US) == [later]
    assert modes(snapshot, 2 * HOUR_US) == [PortalMode(portal="door", mode="alarm", usual="alarm")]


def test_a_portal_that_no_snapshot_names_only_notifies():
    unknown = PortalMode(portal="door", mode="notify", usual="notify", known=False)
    assert modes(None, 0) == [unknown]
    assert not next(portal_modes(held(), ["other"], 0)).known


def test_counts_are_said_with_the_most_first():
    assert counts({"a": 1, "c": 5, "b": 5}) == "b 5, c 5, a 1"
    assert counts({}) == ""
