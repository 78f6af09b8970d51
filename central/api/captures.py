"""Routes to captures: the list, a file for somebody who may have it, and the one-time addresses that take them."""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse

from central.api.commands import GatewayId, Number
from central.api.exceptions import PERSON
from central.api.problems import problem
from central.api.shapes import Answer
from central.application.capturing import CaptureBook, Captures, CaptureView, Coming, UploadRefused

MEDIA_TYPE: Final = "application/vnd.tcpdump.pcap"
MOST_DIGITS: Final = 12
Token = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{43}$")]


class CaptureAnswer(Answer):
    """One capture."""

    capture: CaptureView


class CaptureList(Answer):
    """Captures, newest first."""

    captures: list[CaptureView]


def captures_read(book: CaptureBook, now: Callable[[], datetime]) -> APIRouter:
    """Return the reading routes, which give no file."""
    router = APIRouter(prefix="/api/v1", tags=["commands"])

    @router.get("/gateways/{gateway}/captures")
    async def made(gateway: GatewayId, limit: Annotated[int, Query(ge=1, le=1000)] = 50) -> CaptureList:
        """Return what was recorded at a gateway's readers by a command, and what became of the file."""
        return CaptureList(as_of=now(), captures=await book.captures(now(), gateway=gateway, limit=limit))

    @router.get("/captures/{number}")
    async def one(number: Number) -> CaptureAnswer:
        """Return one capture, by its command's number."""
        return CaptureAnswer(as_of=now(), capture=await book.capture(number, now()))

    return router


def captures_fetch(captures: Captures) -> APIRouter:
    """Return the route to the files; who includes it puts the token before it."""
    router = APIRouter(prefix="/api/v1", tags=["commands"])

    @router.get("/captures/{number}/file", response_class=FileResponse)
    async def file(number: Number, by: Annotated[str, Query(pattern=PERSON, examples=["p-017"])]) -> FileResponse:
        """Return a capture as pcapng, for `stockgate-edge replay` or Wireshark; that it was fetched is an act."""
        view, path = await captures.fetch(number, by)
        return FileResponse(path, media_type=MEDIA_TYPE, filename=f"{view.gateway}-{number}.pcapng")

    return router


def uploads(captures: Captures) -> APIRouter:
    """Return the route that gateways send captures to; the address is what proves them, no token stands before it."""
    router = APIRouter(prefix="/api/v1", tags=["commands"])

    @router.put("/uploads/{token}", status_code=HTTPStatus.CREATED, response_class=Response)
    async def take(token: Token, request: Request) -> Response:
        """Take the file of one capture, once; Content-Length and Content-Digest (sha-256) are needed."""
        told = request.headers.get("content-length", "")
        size = int(told) if told.isascii() and told.isdigit() and len(told) <= MOST_DIGITS else None
        coming = Coming(size, request.headers.get("content-digest", ""), request.stream())
        try:
            await captures.take(token, coming)
        except UploadRefused as error:
            # What was not read of the body stands in the way of another request.
            return problem(HTTPStatus(error.status), f"{error}.", {"Connection": "close"})
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)  # nobody hears it
        return Response(status_code=HTTPStatus.CREATED)

    return router
