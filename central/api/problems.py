"""Errors as RFC 9457 problem details that say what to change."""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from central.application.errors import (
    BrokerAway,
    NotAllowed,
    NotFound,
    RowsRefused,
    Separated,
    StepUnfit,
    StoreBusy,
    StoreUnavailable,
    ValueUnfit,
)

MEDIA_TYPE = "application/problem+json"


def problem(status: HTTPStatus, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return a problem document."""
    told = detail.encode(errors="backslashreplace").decode()  # it may quote half a character of the request
    body = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": told}
    return JSONResponse(body, status.value, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Turn the program's errors, and the framework's, into problem documents."""

    async def not_found(_request: Request, error: Exception) -> JSONResponse:
        return problem(HTTPStatus.NOT_FOUND, f"{error}.")

    async def unavailable(_request: Request, error: Exception) -> JSONResponse:
        detail = f"The database is not available ({error}). Nothing is lost; try again when /healthz is well."
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": "2"})

    async def busy(_request: Request, _error: Exception) -> JSONResponse:
        detail = "The database is busy: others change the same things at once. Nothing was changed; try again."
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": "1"})

    async def unstorable(_request: Request, error: Exception) -> JSONResponse:
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"Change the request: the database refuses a value ({error}).")

    async def separated(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Separated)  # noqa: S101 (the handler is registered for this class)
        glass = " Or break it open with a reason (break_glass), which is reported." if error.breakable else ""
        return problem(HTTPStatus.FORBIDDEN, f"Separation of duties: {error}.{glass}")

    async def unfit(_request: Request, error: Exception) -> JSONResponse:
        return problem(HTTPStatus.CONFLICT, f"{error}.")

    async def wrong(_request: Request, error: Exception) -> JSONResponse:
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"Change the request: {error}.")

    async def invalid(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101 (the handler is registered for this class)
        told = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"Change the request: {told}.")

    async def refused(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101 (the handler is registered for this class)
        status = HTTPStatus(error.status_code)
        detail = error.detail if error.detail != status.phrase else _GENERAL.get(status, status.description)
        return problem(status, detail.replace("{path}", request.url.path), dict(error.headers or {}))

    app.add_exception_handler(NotFound, not_found)
    app.add_exception_handler(StoreBusy, busy)
    app.add_exception_handler(StoreUnavailable, unavailable)
    app.add_exception_handler(RowsRefused, unstorable)
    app.add_exception_handler(Separated, separated)
    app.add_exception_handler(StepUnfit, unfit)
    app.add_exception_handler(ValueUnfit, wrong)
    app.add_exception_handler(NotAllowed, _not_allowed)
    app.add_exception_handler(BrokerAway, _away)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, refused)


async def _not_allowed(_request: Request, error: Exception) -> JSONResponse:
    return problem(HTTPStatus.FORBIDDEN, f"{error}.")


async def _away(_request: Request, error: Exception) -> JSONResponse:
    detail = f"Try again when /healthz is well: {error}."
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": "2"})


_GENERAL = {
    HTTPStatus.NOT_FOUND: "There is nothing at {path}: /api/v1/openapi.json lists what there is.",
    HTTPStatus.METHOD_NOT_ALLOWED: "{path} does not take this method: /api/v1/openapi.json lists what it takes.",
}
