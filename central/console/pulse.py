"""The page's own pulse: the server counts seconds into the page, and a script there says so when that stops.

Everything else on a page is drawn by the server, so a server that died can't say that it died.
"""

from collections.abc import Callable
from typing import Final

from nicegui import ui

TICK_S: Final = 1.0
SCRIPT: Final = """// Says in words that the page lost its server, and takes it back once the server counts on.
(() => {
  const LOST_AFTER_MS = 5000;
  const LOOK_EVERY_MS = 500;
  let seen = null;
  let asOf = "";
  let heardAt = performance.now();
  let banner = null;

  function look() {
    const tick = document.querySelector("[data-tick]");
    if (tick === null && seen === null) return; // still loading, or a page without figures
    const count = tick?.dataset.tick ?? null;
    if (count !== null && count !== seen) {
      seen = count;
      asOf = tick.dataset.asOf;
      heardAt = performance.now();
    }
    const cut = window.socket !== undefined && window.socket.connected === false;
    show(cut || performance.now() - heardAt > LOST_AFTER_MS);
  }

  function show(lost) {
    if (lost === (banner !== null)) return;
    document.documentElement.classList.toggle("lost", lost);
    if (!lost) {
      banner.remove();
      banner = null;
      return;
    }
    banner = document.createElement("div");
    banner.className = "lost-banner";
    banner.setAttribute("role", "alert");
    banner.textContent =
      `▲ Not live: this page lost its server at ${new Date().toLocaleTimeString("en-GB")}, ` +
      `what stands here is from ${asOf}. ` +
      "It comes back by itself; if it does not, start stockgate-central console again.";
    document.body.prepend(banner);
  }

  setInterval(look, LOOK_EVERY_MS);
})();
"""


def add_watch() -> None:
    """Put the watching script into the page."""
    ui.add_body_html(f"<script>{SCRIPT}</script>")


def draw_tick(as_of: Callable[[], str]) -> None:
    """Draw the unseen element that changes every second; `as_of` is the time of day of the figures shown."""
    element = ui.element("span").classes("tick")
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        ticks += 1
        element.props["data-tick"] = ticks
        element.props["data-as-of"] = as_of()
        element.update()

    tick()
    ui.timer(TICK_S, tick)
