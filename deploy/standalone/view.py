"""What the person at the terminal sees: a live picture, or plain lines where there is no terminal."""

import time
from collections.abc import Callable
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from deploy.standalone.central_client import AlertLine, Snapshot

# A log that is read later wants the changes, not every moment.
PLAIN_EVERY_S = 1.0


class View(Protocol):
    """Shows progress; `say` is for what happens once, `show` for figures that change."""

    def say(self, line: str) -> None:
        """Tell one thing."""

    def show(self, snapshot: Snapshot) -> None:
        """Show the newest figures."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class PlainView:
    """At most one line of figures a second, and only when they changed."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._shown: str | None = None
        self._shown_at = float("-inf")
        self._alerts: set[tuple[int, str]] = set()
        self._told: dict[int, int] = {}  # alert, assets that were told
        self._before: dict[int, int] = {}  # alert, assets at the last look
        self._readers: set[tuple[str, str, str]] = set()

    def say(self, line: str) -> None:
        """Tell one thing."""
        self._print(line)

    def show(self, snapshot: Snapshot) -> None:
        """Print what changed: every new or reworded alert, every reader's state, and the figures once a second."""
        for reader in snapshot.readers:
            if reader not in self._readers:
                self._print(f"reader {reader_line(reader)}")
        self._readers = set(snapshot.readers)
        for alert in reversed(snapshot.newest_alerts):
            self._show_alert(alert)
        line = figures_line(snapshot)
        now = self._clock()
        if line != self._shown and now - self._shown_at >= PLAIN_EVERY_S:
            self._shown, self._shown_at = line, now
            self._print(line)

    def close(self) -> None:
        """Leave the terminal as it was."""

    def _show_alert(self, alert: AlertLine) -> None:
        """Print an alert when it is new or its reason changes, and again once no more assets join it.

        Its time may still shift until the passage ends: that alone is no news.
        """
        grown = alert.assets > self._told.get(alert.id, 0) and alert.assets == self._before.get(alert.id)
        self._before[alert.id] = alert.assets
        if (alert.id, alert.reason) not in self._alerts or grown:
            self._alerts.add((alert.id, alert.reason))
            self._told[alert.id] = alert.assets
            self._print(f"ALERT {alert.text}")

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class LiveView:
    """One picture that is drawn anew in place."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lines: list[str] = []
        self._live = Live(console=console, refresh_per_second=4, transient=False)
        self._live.start()

    def say(self, line: str) -> None:
        """Tell one thing, above the picture."""
        self._console.print(line, markup=False, highlight=False)

    def show(self, snapshot: Snapshot) -> None:
        """Draw the figures."""
        self._live.update(picture(snapshot))

    def close(self) -> None:
        """Leave the last picture on the screen."""
        self._live.stop()


def make_view(console: Console) -> View:
    """Choose by whether somebody watches."""
    return LiveView(console) if console.is_terminal else PlainView(console)


def reader_line(reader: tuple[str, str, str]) -> str:
    """One reader: name, state, and what is wrong with it."""
    name, state, problem = reader
    return f"{name} {state}: {problem}" if problem else f"{name} {state}"


def figures_line(snapshot: Snapshot) -> str:
    """All figures in one line."""
    counts = "  ".join(f"{location} {count}" for location, count in snapshot.counts.items())
    return (
        f"reads {snapshot.reads:,}  movements {snapshot.movements}  alerts {snapshot.alerts}  "
        f"pending {snapshot.pending}  uplink {snapshot.uplink}  | {counts}"
    )


def picture(snapshot: Snapshot) -> Group:
    """All figures as panels: numbers first, then alerts."""
    numbers = Table.grid(padding=(0, 4))
    for _ in range(4):
        numbers.add_column(justify="right")
    figures = {
        "tag reads": snapshot.reads,
        "movements": snapshot.movements,
        "alerts": snapshot.alerts,
        "on their way": snapshot.pending,
    }
    numbers.add_row(*(Text(f"{value:,}", style="bold") for value in figures.values()))
    numbers.add_row(*(Text(name, style="dim") for name in figures))
    places = Table("Location", "Assets", box=None, header_style="dim", pad_edge=False)
    places.columns[1].justify = "right"
    for location, count in snapshot.counts.items():
        places.add_row(location, str(count))
    readers = [Text(f"reader {reader_line(one)}", style="yellow" if one[2] else "dim") for one in snapshot.readers]
    lines = "\n".join(alert.text for alert in snapshot.newest_alerts)
    alerts = Text(lines or "No alert yet: an exit without permission will stand here.")
    border = "red" if snapshot.newest_alerts else "dim"
    return Group(
        numbers,
        Text(f"uplink: {snapshot.uplink}", style="dim"),
        *(readers or [Text("readers: not heard yet", style="dim")]),
        Panel(places, title="Where assets are", title_align="left", border_style="dim"),
        Panel(alerts, title="Alerts, newest first", title_align="left", border_style=border),
    )
