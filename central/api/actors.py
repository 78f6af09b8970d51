"""Who acts: a writing request names active people or service accounts, or is refused before it does anything."""

from collections.abc import Awaitable, Callable, Iterator
from http import HTTPStatus
from typing import Any, Final

from fastapi import HTTPException, Request

from central.application.errors import NotFound
from central.application.register import Register

ACTORS: Final = ("by", "requested_by", "approved_by")
"""Names of what says who asked, approved or did something, wherever in a request it stands."""
OWN_CHECK: Final = frozenset({"/api/v1/imports"})
"""An import may bring the first people with it: it looks by itself."""


def known_actors(register: Register) -> Callable[[Request], Awaitable[None]]:
    """Return a dependency that lets only requests pass whose actors are registered and active."""

    async def check(request: Request) -> None:
        if request.scope["path"] in OWN_CHECK:
            return
        told = set(_actors(await _body(request)))
        told |= {(name, value) for name in ACTORS for value in request.query_params.getlist(name) if value}
        if not told:
            return
        for name, value in told:
            _check_unicode(name, value)
        unknown = await register.not_acting(sorted({value for _, value in told}))
        for name, value in sorted(told):
            if value in unknown:
                raise NotFound(
                    f"{name}: there is no active person or service account {value!r}: /api/v1/people lists them, "
                    "people.csv registers them"
                )

    return check


def _check_unicode(name: str, value: str) -> None:
    """Refuse half a character (a lone surrogate), which JSON can say and no database can be asked for."""
    try:
        value.encode()
    except UnicodeEncodeError:
        text = f"{name}: {value!a} is no Unicode text"
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, f"Change the request: {text}.") from None


async def _body(request: Request) -> Any:
    """Return what the request says; what is no JSON is refused by its route."""
    try:
        return await request.json()
    except ValueError:
        return None


def _actors(told: Any) -> Iterator[tuple[str, str]]:
    if isinstance(told, dict):
        for name, value in told.items():
            if name in ACTORS and isinstance(value, str) and value:
                yield name, value
            elif isinstance(value, (dict, list)):
                yield from _actors(value)
    elif isinstance(told, list):
        for one in told:
            yield from _actors(one)
