"""Small elements that every page is made of; text is always escaped by NiceGUI."""

from collections.abc import Callable
from typing import Final

from nicegui import ui

RECALL_S: Final = 10.0
"""A browser that loads a page on a slow machine gets so long to say what it remembers."""
PULSE_EVERY_S: Final = 0.5
LONG: Final = 24
"""Characters that a link may have on one line; ids have up to 80."""
FIELD: Final = "dense outlined dark color=grey-4"
"""How a field for words looks."""
PAGES: Final = {
    "/": "Board",
    "/alerts": "Alerts",
    "/in-transit": "In transit",
    "/exceptions": "Exceptions",
    "/counts": "Counts",
    "/books": "Books",
    "/portals": "Doors",
}


def box(classes: str, *, role: str | None = None) -> ui.element:
    """A block for other elements; use as a context manager."""
    element = ui.element("div").classes(classes)
    return element.props(f"role={role}") if role else element


def text(content: str, classes: str = "", *, tag: str = "span") -> None:
    """Plain words."""
    label = ui.label(content).classes(classes)
    label.tag = tag


def cell(content: str, classes: str, role: str = "cell") -> None:
    """A cell of a table that is drawn without one."""
    ui.label(content).classes(classes).props(f"role={role}").tag = "span"


def link(content: str, target: str) -> None:
    """A link to one of our own pages; a long one is broken where there is no room for it."""
    ui.link(content, target).classes("link long" if len(content) > LONG else "link")


def failed(error: Exception, thing: str, missing: bool) -> None:  # noqa: FBT001 (it reads well where it is called)
    """Say in words that a page can't show its thing: because there is none, or because nobody answers."""
    title = f"There is no such {thing}" if missing else f"This {thing} can't be shown now"
    text(title, "section-title", tag="h1")
    with box("empty" if missing else "notice", role="alert"):
        text(str(error))
        if not missing:
            text("Load the page again in a moment.", "fact")


def nav(here: str) -> None:
    """Links to the console's pages; the one that is open is no link."""
    with box("nav", role="navigation"):
        for path, name in PAGES.items():
            if path == here:
                ui.label(name).classes("here").props("aria-current=page").tag = "span"
            else:
                link(name, path)


def header(title: str, here: str, pulse: Callable[[], str]) -> None:
    """The head of a page: its name, the way to the others, and as of when it is (`pulse`, asked twice a second)."""
    with box("header"):
        text(title, "brand", tag="h1")
        nav(here)
        label = ui.label(pulse()).classes("pulse")
    ui.timer(PULSE_EVERY_S, lambda: label.set_text(pulse()))
