"""Three small elements that every page is made of; text is always escaped by NiceGUI."""

from typing import Final

from nicegui import ui

RECALL_S: Final = 10.0
"""A browser that loads a page on a slow machine gets so long to say what it remembers."""


def box(classes: str, *, role: str | None = None) -> ui.element:
    """A block for other elements; use as a context manager."""
    element = ui.element("div").classes(classes)
    return element.props(f"role={role}") if role else element


def text(content: str, classes: str = "", *, tag: str = "span") -> None:
    """Plain words."""
    label = ui.label(content).classes(classes)
    label.tag = tag


def link(content: str, target: str) -> None:
    """A link to one of our own pages."""
    ui.link(content, target).classes("link")
