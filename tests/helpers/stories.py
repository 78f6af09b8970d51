"""A small world of two sites, and the words by which a story is told in it."""

from datetime import UTC, datetime, timedelta

from central.domain.places import Location, Places, Portal
from central.domain.story import Act, Crossing, Due, Heard, Routes, Told, World, fold

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday
TREE = {
    "north": ("region", None, False), "south": ("region", None, False),
    "hq-site": ("site", "north", False), "hq": ("building", "hq-site", True), "stock-a": ("zone", "hq", True),
    "stock-b": ("zone", "hq", True), "corridor": ("zone", "hq", False), "shelf": ("zone", "stock-a", False),
    "branch-site": ("site", "south", False), "branch": ("building", "branch-site", True),
    "stock-c": ("zone", "branch", True), "hall": ("zone", "branch", False),
    "near-site": ("site", "north", False), "near": ("building", "near-site", True),
    "street": ("exterior", None, False), "road": ("exterior", None, False),
}  # fmt: skip
DOORS = {
    "door-a": ("stock-a", "corridor"), "door-b": ("stock-b", "corridor"), "entrance": ("corridor", "street"),
    "gate": ("corridor", "street"), "door-c": ("stock-c", "hall"), "lobby": ("hall", "road"),
    "near-door": ("near", "street"),
}  # fmt: skip
PLACES = Places({name: Location(name, name, kind, parent, guarded) for name, (kind, parent, guarded) in TREE.items()})
PORTALS = {name: Portal(name, name, "gw", inside, outside, "notify") for name, (inside, outside) in DOORS.items()}


def weekdays(start, business_days, location):
    """Count Mondays to Fridays: what the due dates of these tests need of a calendar."""
    at = start
    while business_days:
        at += timedelta(days=1)
        business_days -= at.weekday() < 5
    return Due(at, f"weekdays/{location}")


WORLD = World(PLACES, PORTALS, weekdays, owner_roles={"stock-a": "stockroom_keeper", "north": "north_admin"})
ROUTES = Routes(WORLD)


def at(hours):
    """Instant that many hours after the start."""
    return START + timedelta(hours=hours)


def cross(hours, portal, kind, *, confidence=0.97, seq=None, synced=True, epoch="e1"):
    """One final crossing."""
    origin, destination = PORTALS[portal].crossing(kind)
    number = round(hours * 3600) + 1 if seq is None else seq
    passage = f"{epoch}/{number}"
    return Crossing(at(hours), "gw", epoch, number, passage, portal, origin, destination, confidence, None, synced)


def heard(hours, location, *, lasts_h=1.0, epc="e", **how):
    """A tag heard in a place: at the end of a round that lasted so long."""
    return Heard(at(hours), location, epc, at(hours - lasts_h), at(hours), **how)


def act(hours, kind, *, subject=None, location=None, number=None, **detail):
    """One act."""
    return Act(at(hours), round(hours * 100) if number is None else number, kind, subject, location, detail)


def approved(hours, origin, destination, *, subject="T-1", until=48.0, **detail):
    """Approval of a transfer."""
    told = {"from": origin, "to": destination, "sender": "ann", "receiver": "bob", "until": at(until).isoformat()}
    return act(hours, "transfer_approved", subject=subject, **told | detail)


def told(*items, permits=(), world=WORLD, routes=ROUTES):
    """Story of an asset."""
    crossings, acts, hearings = (
        tuple(one for one in items if isinstance(one, kind)) for kind in (Crossing, Act, Heard)
    )
    return fold(Told(crossings, acts, permits, heard=hearings), world, routes)


def categories(story):
    """Categories of a story's findings, sorted."""
    return sorted(one.category for one in story.findings)
