"""What false alerts the doors' own words bring: exits without leave that doors told last and that were none."""

from simulator.estate.exits import allows, permits_of
from simulator.estate.values import MINUTE

UNSETTLED_US = MINUTE
"""What arrived in the last of these is left out: its alert need not be there."""
OUT = "out"


def misread_exits(record):
    """Count the false incidents of who takes each door's last word for true and knows the register.

    A manifest at a door is one incident, as it is for the central; one in which a true exit without leave was told is
    none of these.
    """
    estate = record.estate
    truth = estate.truth
    permits = permits_of(estate.sheets, estate.acts, truth.start_us)
    accused, guilty = set(), set()
    for opening, group, one in _told(truth, record.end_us - UNSETTLED_US):
        incident = opening.id, group if group.startswith("transfer") else one.passage
        if getattr(one, "authorised", None) is False:
            guilty.add(incident)
        elif _accused(truth.world, opening, one, permits.get(one.asset, ())):
            accused.add(incident)
    return len(accused - guilty)


def _told(truth, until_us):
    """Yield the opening, the manifest's name and the event of all that reached the central."""
    openings = truth.world.openings
    for one in truth.crossings:
        if one.arrived_us is not None and one.arrived_us <= until_us:
            yield openings[one.opening], one.group, one
    for one in truth.visits:
        if one.arrived_us is not None and one.arrived_us <= until_us:
            yield openings[one.portal], "", one


def _accused(world, opening, one, permits):
    """Tell whether the last word has an asset leave what nothing that was recorded by then lets it leave."""
    if one.published not in {"in", OUT}:
        return False
    ends = opening.inside, opening.outside
    left = world.left(*(ends if one.published == OUT else ends[::-1]))
    mine = [it for it in permits if it.holds(one.at_us) and it.recorded_us <= one.at_us]
    return bool(left) and not allows(world, left, mine)
