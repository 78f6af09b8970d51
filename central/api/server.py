"""The FastAPI application, put together from routes, guard and problem documents."""

from collections.abc import Sequence

from fastapi import APIRouter, Depends, FastAPI

from central.api import problems
from central.api.actors import known_actors
from central.api.alerts import alerts_read, alerts_write
from central.api.auth import requires
from central.api.calendars import calendars_read, calendars_write
from central.api.count_schedules import schedules_read, schedules_write
from central.api.counts import counts_read, counts_write
from central.api.exceptions import exceptions_read, exceptions_write
from central.api.guard import LOOPBACK_NAMES, Guard
from central.api.knowing import knowing_read, knowing_write
from central.api.loans import loans_read, loans_write
from central.api.promoting import promoting_read, promoting_write
from central.api.registry import registry_read, registry_write
from central.api.routes import Services, happened, operations, stands, writes
from central.api.transfers import transfers_read, transfers_write

DESCRIPTION = """Where assets are, what moved, what left without authorisation.

Reads are open on loopback; writing needs the bearer token from the file that the service names at start. Every list
says `as_of` when it is. Errors are RFC 9457 problem documents. `/api/v1/events` streams what any process on the
database commits: listen first, then read the lists. After a reconnect with `Last-Event-ID`, at any process, it goes on
where it was (some changes may come twice); when it says `anew`, read the lists again."""


def create_app(
    services: Services,
    *,
    token: str,
    version: str,
    local: bool,
    reads: Sequence[APIRouter] = (),
    orders: Sequence[APIRouter] = (),
    doors: Sequence[APIRouter] = (),
) -> FastAPI:
    """Return the application; `local` is a loopback listener, beyond which reads need the token too.

    `doors` are routes that ask for no token, since what proves who comes there stands in their address.
    """
    app = FastAPI(
        title="Stockgate central",
        version=version,
        description=DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # their pages load scripts from other hosts
        redoc_url=None,
    )
    check = Depends(requires(token))
    writing = [check, Depends(known_actors(services.register))]
    outer = [] if local else [check]
    app.include_router(stands(services), dependencies=outer)
    app.include_router(happened(services), dependencies=outer)
    for router in reads:
        app.include_router(router, dependencies=outer)
    for router in orders:
        app.include_router(router, dependencies=writing)
    for router in doors:
        app.include_router(router)
    app.include_router(writes(services), dependencies=writing)
    app.include_router(alerts_read(services), dependencies=outer)
    app.include_router(alerts_write(services), dependencies=writing)
    app.include_router(knowing_read(services), dependencies=outer)
    app.include_router(knowing_write(services), dependencies=writing)
    app.include_router(exceptions_read(services), dependencies=outer)
    app.include_router(registry_read(services), dependencies=outer)
    app.include_router(registry_write(services), dependencies=writing)
    app.include_router(exceptions_write(services), dependencies=writing)
    app.include_router(counts_read(services), dependencies=outer)
    app.include_router(counts_write(services), dependencies=writing)
    app.include_router(schedules_read(services), dependencies=outer)
    app.include_router(schedules_write(services), dependencies=writing)
    app.include_router(calendars_read(services), dependencies=outer)
    app.include_router(calendars_write(services), dependencies=writing)
    app.include_router(loans_read(services), dependencies=outer)
    app.include_router(loans_write(services), dependencies=writing)
    app.include_router(transfers_read(services), dependencies=outer)
    app.include_router(transfers_write(services), dependencies=writing)
    app.include_router(promoting_read(services), dependencies=outer)
    app.include_router(promoting_write(services), dependencies=writing)
    app.include_router(operations(services), dependencies=outer)
    problems.install(app)
    app.add_middleware(Guard, hosts=LOOPBACK_NAMES if local else None)
    return app
