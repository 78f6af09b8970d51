"""The central service's API as the console uses it; every failure becomes a `ConsoleError` in words."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import httpx

from central.console.errors import ConsoleError, NotThereError
from central.console.sse import EventParser, ServerEvent

TIMEOUT_S: Final = 5.0
# Heartbeats come every 2 s; three missed mean that nobody is there, whatever TCP believes.
FEED_SILENCE_S: Final = 6.5
FEED_KINDS: Final = ("alert", "location", "asset", "gateway", "passed")


class ApiClient:
    """Reads lists and the live feed; writes with the token of the file, which is read anew each time."""

    def __init__(self, url: str, token_file: Path | None, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.url = url
        self._token_file = token_file
        # The environment's proxy has no part in talk within one machine.
        self._http = httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S, trust_env=False, transport=transport)

    @property
    def may_acknowledge(self) -> bool:
        """Whether there is a token to write with."""
        return self._token_file is not None

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def get(self, path: str, **params: str | int) -> dict[str, Any]:
        """Read one JSON object below /api/v1/.

        Raises:
            NotThereError: the API has no such thing.
            ConsoleError: no answer, or another problem in the API's own words.
        """
        return await self._ask("GET", path, params=params)

    async def health(self) -> dict[str, Any]:
        """Read the parts of the service and how they are; an unwell service is an answer too.

        Raises:
            ConsoleError: no answer, or none that makes sense.
        """
        try:
            found = (await self._http.get("/healthz")).json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise ConsoleError(f"The central service at {self.url} does not answer: {_words(error)}.") from error
        if not isinstance(found, dict) or not isinstance(found.get("parts"), dict):
            raise ConsoleError(f"The central service at {self.url} does not say how it is (/healthz).")
        return dict(found["parts"])

    async def acknowledge(self, alert: int | str, by: str) -> None:
        """Say who has taken an alert on.

        Raises:
            ConsoleError: there is no token, or the API refused.
        """
        await self.post(f"alerts/{alert}/acknowledge", {"by": by})

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Write below /api/v1/ and return the answer.

        Raises:
            ConsoleError: there is no token, or the API refused, in its own words.
        """
        return await self._ask("POST", path, json=body, headers=self._proof())

    async def file(self, path: str, **params: str) -> httpx.Response:
        """Open a file below /api/v1/, of which nothing is read yet; whoever asked closes it.

        Raises:
            ConsoleError: there is no token, or the API refused, in its own words.
        """
        asked = self._http.build_request("GET", f"/api/v1/{path}", params=params, headers=self._proof())
        try:
            answer = await self._http.send(asked, stream=True)
            if answer.is_success:
                return answer
            found = json.loads(await answer.aread())
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise ConsoleError(f"The central service at {self.url} does not answer: {_words(error)}.") from error
        raise ConsoleError(_problem(answer.status_code, found))

    def _proof(self) -> dict[str, str]:
        """Return the header that proves who writes."""
        if self._token_file is None:
            raise ConsoleError("This console can only read: start it with --token-file to acknowledge alerts.")
        try:
            token = self._token_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConsoleError(f"The token file {self._token_file} can't be read: {error.strerror}.") from error
        return {"Authorization": f"Bearer {token}"}

    async def events(self) -> AsyncIterator[ServerEvent]:
        """Yield the live feed until it ends or falls silent.

        Raises:
            ConsoleError: the feed could not be opened, broke, or fell silent.
        """
        parser = EventParser()
        timeout = httpx.Timeout(TIMEOUT_S, read=FEED_SILENCE_S)
        try:
            # Movements are read from their list: thousands a second are nothing that a screen follows.
            asked = {"kinds": FEED_KINDS}
            async with self._http.stream("GET", "/api/v1/events", timeout=timeout, params=asked) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise ConsoleError(f"The live feed answered {answer.status_code}.")
                async for line in answer.aiter_lines():
                    if (event := parser.feed(line)) is not None:
                        yield event
        except httpx.HTTPError as error:
            raise ConsoleError(f"The live feed of {self.url} broke: {_words(error)}.") from error

    async def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, f"/api/v1/{path}", **options)
            found = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise ConsoleError(f"The central service at {self.url} does not answer: {_words(error)}.") from error
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise NotThereError(_problem(answer.status_code, found))
        if answer.is_error or not isinstance(found, dict):
            raise ConsoleError(_problem(answer.status_code, found))
        return found


def _problem(status: int, found: object) -> str:
    """Turn RFC 9457 problem details into a sentence."""
    if isinstance(found, dict) and (text := found.get("detail") or found.get("title")):
        return str(text)
    return f"The central service answered {status} without an explanation."


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
