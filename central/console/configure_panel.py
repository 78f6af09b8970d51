"""Another configuration for a gateway: pasted or taken from a file, and sent as an order."""

from collections.abc import Awaitable, Callable
from typing import Final

from nicegui import events, ui

from central.console.elements import FIELD, box, text
from central.domain.commands import MAX_TOML_BYTES

HOW: Final = (
    "The gateway checks it, runs with it on trial, and goes back to the one before if it isn't well within a minute: a "
    "reader or door that worked is dark, or broker or central is out of reach. It never takes one for another gateway, "
    "or one without the key that signed it."
)


class ConfigurePanel:
    """The field for a whole configuration, folded away until somebody wants it.

    Args:
        gateway: whose it is.
        send: gives the order with the text; tells whether it went out.
    """

    def __init__(self, gateway: str, send: Callable[[str], Awaitable[bool]]) -> None:
        self._gateway, self._send = gateway, send

    def draw(self) -> None:
        """Draw the folded field, the choice of a file, and the button."""
        with ui.element("details").classes("configure"):
            text(f"Another configuration for {self._gateway}", tag="summary")
            text(HOW, "dim")
            self._toml = ui.textarea("edge.toml, all of it").props(f"{FIELD} rows=12 spellcheck=false")
            with box("choice"):
                self._picked = ui.upload(
                    label="or take a file", auto_upload=True, max_files=1, max_file_size=MAX_TOML_BYTES,
                    on_upload=self._take, on_rejected=self._too_large,
                )  # fmt: skip
                self._picked.props("dark flat accept=.toml,.txt")
                button = ui.button("Send it to the gateway", on_click=self._give)
                button.props("unelevated no-caps color=none").classes("verdict")

    async def _take(self, event: events.UploadEventArguments) -> None:
        """Show a file's text before it is sent."""
        try:
            self._toml.set_value((await event.file.read()).decode("utf-8-sig"))
        except UnicodeDecodeError:
            _warn(f"{event.file.name} is no text in UTF-8")
        self._picked.reset()

    @staticmethod
    def _too_large() -> None:
        _warn(f"A configuration has at most {MAX_TOML_BYTES} bytes")

    async def _give(self) -> None:
        if not (self._toml.value or "").strip():
            self._toml.props('error error-message="Put the configuration in first"')
            return
        self._toml.props(remove="error error-message")
        if await self._send(self._toml.value):
            self._toml.set_value("")


def _warn(words: str) -> None:
    ui.notify(words, type="warning", position="top", timeout=8000)
