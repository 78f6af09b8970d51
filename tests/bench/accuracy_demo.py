"""Share of assets that the central believes to be where the simulator left them, over the whole way of the demo."""

import contextlib
import io

import httpx
from rich.console import Console

from deploy.standalone.demo import SAMPLE, Demo, read_truth
from deploy.standalone.interrupts import Interrupts
from deploy.standalone.judge import CROSSING_KINDS, World
from deploy.standalone.stack import Stack
from deploy.standalone.view import make_view
from tests.bench.figures import ACCURACY, Figure

SECONDS = 45
PEER = "starting places"


class Located(Demo):
    """The demo, which also remembers where the central believes each asset to be at the end."""

    places = None
    url = None

    def _start(self):
        started = super()._start()
        self.url = started[-1]
        return started

    def _settle(self, client):
        last = super()._settle(client)
        found = httpx.get(f"{self.url}/api/v1/assets", params={"limit": 1000}).raise_for_status().json()["assets"]
        self.places = {asset["id"]: asset["location"] for asset in found}
        return last


@ACCURACY.register("demo.location.")
def location_right():
    """Yield the share of assets rightly located, beside the belief that nothing ever moves."""
    with Interrupts() as interrupts, contextlib.ExitStack() as closing:
        stack = Stack(pulse=interrupts.pulse)
        closing.callback(stack.close)
        view = make_view(Console(file=io.StringIO()))
        closing.callback(view.close)
        demo = Located(stack, view, interrupts, SECONDS)
        demo.run()
        crossings = read_truth(stack.run_dir / "truth.json").crossings
    world = World.read(SAMPLE)
    truth = true_places(world, crossings)
    right = share(demo.places, truth)
    unmoved = share(world.places, truth)
    moved = sum(truth[asset] != place for asset, place in world.places.items())
    walks = sum(one["kind"] in CROSSING_KINDS for one in crossings)
    detail = f"{len(truth)} assets, {walks} crossings, {moved} assets not where they began; ratio of wrong ones"
    ratio = (1 - unmoved) / (1 - right) if right < 1 else None
    yield Figure("demo.location.right", right, "share", PEER, unmoved, ratio, detail)


def true_places(world, crossings):
    """Where each asset is by the simulator's truth."""
    places = dict(world.places)
    for one in sorted((one for one in crossings if one["kind"] in CROSSING_KINDS), key=lambda one: one["crossed_at"]):
        inside, outside = world.portals[one["portal"]]
        places[world.assets_by_epc[one["epc"].lower()]] = inside if one["kind"] == "in" else outside
    return places


def share(found, truth):
    """Share of assets that are where they truly are."""
    return sum(found.get(asset) == place for asset, place in truth.items()) / len(truth)
