"""Each stay is measured by its own cohort: what is carried goes home, what lies beside it doesn't."""

from datetime import UTC, datetime

from central.application.staying import Begun, Staying, measure_places, measure_stays
from central.domain.presence.leaving import Usual
from central.domain.story.stays import Leaving, Stay, curve

NOW = datetime(2026, 3, 2, tzinfo=UTC)
DESKTOPS = [Stay(f"D-{number}", 2000.0, ended=False) for number in range(30)]
LAPTOPS = [Stay(f"L-{number}", 8.0 + number / 10, ended=True) for number in range(10)]


class Kept:
    """A transaction's part that keeps what it is given."""

    def __init__(self, begun=()) -> None:
        self.places, self.patience, self._begun = {}, {}, begun

    async def stays(self, since, now, most):
        return {("floor", "arrived"): DESKTOPS, ("floor", "carried"): LAPTOPS}

    async def leavings(self, since):
        return {"floor": [Leaving(100, 200, 40.0)]}

    async def keep_staying(self, found, now):
        self.places = {(one.location, one.cohort): one for one in found}

    async def staying(self):
        return self.places

    async def forget_patience(self):
        self.patience = {}

    async def begun(self, since, limit):
        return self._begun

    async def keep_patience(self, found):
        self.patience = {one.asset: hours for one, hours in found}


async def test_a_new_laptop_is_doubted_after_a_laptops_day_and_a_desktop_is_not():
    work = Kept(
        [Begun("L-new", "floor", NOW, carried=True, own_h=()), Begun("D-new", "floor", NOW, carried=False, own_h=())]
    )
    assert await measure_places(work, NOW) == 1
    assert await measure_stays(work, NOW) == 2
    assert work.patience["L-new"] < 9.0
    assert work.patience["D-new"] > 100.0


def test_one_curve_for_both_would_believe_the_laptop_there_all_night():
    """Ten carried ones that all left within nine hours, among thirty that stay: thirteen hours later."""
    apart, mixed = curve(LAPTOPS), curve([*LAPTOPS, *DESKTOPS])
    since, night = NOW.replace(hour=9), NOW.replace(hour=22)
    assert Usual((), apart, 0.15, carried=True).still(since, since, night) < 0.05
    assert Usual((), mixed, 0.15, carried=True).still(since, since, night) > 0.9
    assert Usual((), curve(DESKTOPS), 0.15).still(since, since, night) == 1.0


def test_a_place_where_nothing_was_measured_gives_a_new_one_the_longest_patience():
    nothing = Staying("", "arrived", curve([]), 0.1)
    assert nothing.patience_h > 24.0
