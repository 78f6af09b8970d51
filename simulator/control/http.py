"""The HTTP API: faults, actions and inputs of running readers, on loopback, in the readers' own event loop."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any, Final

import uvicorn
from fastapi import Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from simulator.control.switchboard import Switchboard, UnknownReaderError
from simulator.faults import ACTIONS, switches
from simulator.server.listener import ListenError

PROBLEM: Final = "application/problem+json"
"""Media type of errors, RFC 9457."""
SHUTDOWN_S: Final = 2
MOST_BYTES: Final = 65_536
"""Of a body; the longest value, `greeting_bytes`, takes half of it."""
ForSeconds = Annotated[float | None, Query(gt=0, le=31_536_000, allow_inf_nan=False)]


class _Server(uvicorn.Server):
    """uvicorn without its signal handling: the engine handles signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


def make_app(switchboard: Switchboard, state: Callable[[], dict[str, Any]]) -> FastAPI:
    """Return the API over a switchboard; `state` tells what goes on."""
    app = FastAPI(title="Stockgate simulator", docs_url=None, redoc_url=None, dependencies=[Depends(_only_known_keys)])
    _add_errors(app)
    _add_reading(app, switchboard, state)
    _add_faults(app, switchboard)
    return app


@contextlib.asynccontextmanager
async def serving(
    switchboard: Switchboard, state: Callable[[], dict[str, Any]], host: str, port: int
) -> AsyncIterator[int]:
    """Serve the API meanwhile; yields the port in use.

    Raises:
        ListenError: the port is in use or not allowed.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        raise ListenError(
            f"http api: can't listen on {host}:{port} ({error.strerror or error}); choose another port, or 0 for any "
            "free one"
        ) from error
    config = uvicorn.Config(
        make_app(switchboard, state), log_config=None, access_log=False, lifespan="off",
        timeout_graceful_shutdown=SHUTDOWN_S,
    )  # fmt: skip
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield int(listening.getsockname()[1])
    finally:
        server.should_exit = True
        await task
        listening.close()


def _add_reading(app: FastAPI, switchboard: Switchboard, state: Callable[[], dict[str, Any]]) -> None:
    @app.get("/state")
    async def get_state() -> dict[str, Any]:
        """What goes on: scenario time, each reader, and the counters."""
        return state()

    @app.get("/faults")
    async def get_faults() -> dict[str, Any]:
        """All switches and actions there are, and how each reader's switches stand."""
        return {
            "switches": {
                one.name: {"description": one.description, "default": one.default, "schema": one.type}
                for one in switches()
            },
            "actions": {
                one.name: {
                    "description": one.description,
                    "arguments": {
                        taken.name: {
                            "description": taken.description,
                            "default": taken.default,
                            "schema": taken.adapter.json_schema(),
                        }
                        for taken in one.arguments
                    },
                }
                for one in ACTIONS
            },
            "readers": {reader: switchboard.faults(reader) for reader in switchboard.readers},
        }


def _add_faults(app: FastAPI, switchboard: Switchboard) -> None:
    @app.put("/readers/{reader}/faults/{switch}")
    async def put_fault(reader: str, switch: str, request: Request, for_s: ForSeconds = None) -> dict[str, Any]:
        """Set a switch to the JSON value in the body; without a body to true. `for_s` puts it back by itself."""
        value = await _body(request, default=True)
        return {switch: switchboard.set(reader, switch, value, for_s)}

    @app.delete("/readers/{reader}/faults/{switch}")
    async def delete_fault(reader: str, switch: str) -> dict[str, Any]:
        """Put a switch back to what a reader without faults has."""
        return {switch: switchboard.clear(reader, switch)}

    @app.post("/readers/{reader}/actions/{action}")
    async def post_action(reader: str, action: str, request: Request) -> dict[str, Any]:
        """Let an action happen, with the arguments in the body, a JSON object."""
        arguments = await _body(request, default={})
        if not isinstance(arguments, dict):
            raise ValueError(  # noqa: TRY004 - a caller's value, not a type of ours
                'the arguments of an action are a JSON object, such as {"down_s": 2.0}'
            )
        return {action: switchboard.act(reader, action, arguments)}

    @app.post("/readers/{reader}/inputs/{port}")
    async def post_input(reader: str, port: int, request: Request) -> dict[str, Any]:
        """Put a level on an input: true or false in the body; without a body true."""
        high = await _body(request, default=True)
        if not isinstance(high, bool):
            raise ValueError(f"an input's level is true or false, not {high!r}")  # noqa: TRY004 - a caller's value
        switchboard.input(reader, port, high=high)
        return {"port": port, "high": high}


async def _body(request: Request, *, default: Any) -> Any:
    """The JSON value in a request's body, whatever type it claims: `curl -d` says that it is a form."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise ValueError(f"the body is longer than {MOST_BYTES:,} bytes: no value takes so much")
    if not body:
        return default
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f'the body is no JSON value ({error}): write true, 3.5, "uptime", [1, 2] or {{"1": 6}}'
        ) from error


async def _only_known_keys(request: Request) -> None:
    """Refuse what would be ignored: with a mistyped `for_s` a fault would stay for good."""
    known = [taken.alias for taken in request.scope["route"].dependant.query_params]
    given = [key for key, _ in request.query_params.multi_items()]
    for key in given:
        if key not in known:
            raise ValueError(f"unknown key {key!r} behind the question mark: {', '.join(known) or 'there are none'}")
        if given.count(key) > 1:
            raise ValueError(f"{key} is given twice behind the question mark: give it once")


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(ValueError)
    async def wrong_value(_request: Request, error: ValueError) -> JSONResponse:
        return _problem(422, "This can't be set", str(error))

    @app.exception_handler(UnknownReaderError)
    async def wrong_reader(_request: Request, error: UnknownReaderError) -> JSONResponse:
        return _problem(404, "No such reader", str(error))

    @app.exception_handler(RequestValidationError)
    async def wrong_request(_request: Request, error: RequestValidationError) -> JSONResponse:
        words = "; ".join(f"{one['loc'][-1]}: {one['msg']}" for one in error.errors())
        return _problem(422, "This can't be read", words)

    @app.exception_handler(HTTPException)
    async def wrong_place(request: Request, error: HTTPException) -> JSONResponse:
        detail = f"{request.method} {request.url.path}: {error.detail}; there are " + ", ".join(_places(app))
        return _problem(error.status_code, str(error.detail), detail)


def _places(app: FastAPI) -> list[str]:
    return [
        f"{method} {path}" for path, methods in app.openapi()["paths"].items() for method in map(str.upper, methods)
    ]


def _problem(status: int, title: str, detail: str) -> JSONResponse:
    return JSONResponse({"title": title, "status": status, "detail": detail}, status, media_type=PROBLEM)
