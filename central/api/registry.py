"""Routes of the registry: one asset's life and state, places, people, authorisations, imports."""

import asyncio
from collections.abc import Mapping
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from central.api.patience import PatientRoute
from central.api.routes import MAX_ID, TEXT, Limit, Services
from central.api.shapes import Answer, Moment
from central.application.checking import IMPORTER
from central.application.columns import COLUMNS
from central.application.errors import NotFound
from central.application.importing import import_sheets
from central.application.life import KINDS, MomentKind, Moments
from central.application.passes import give_back
from central.application.register import (
    AssetLife,
    AuthorisationView,
    ImportView,
    PersonView,
    PlaceView,
    RoleView,
    StateView,
)
from central.application.registering import Said, authorise, say, withdraw
from central.application.rows import Row
from central.application.sheets import Problem, Sheets, read_sheet
from central.application.undoing import undo_import

ID = r"^[A-Za-z0-9._-]{1,80}$"
MAX_SHEET = 32 * 1024 * 1024
"""Characters of one sheet; larger imports go by the command line."""

AssetId = Annotated[str, Path(max_length=80, pattern=TEXT, examples=["LT-0001"])]
Id = Annotated[str, Field(pattern=ID)]
Words = Annotated[str, Field(max_length=400, pattern=TEXT)]


class Timeline(Answer, Moments):
    """A page of one asset's life."""


class AssetAnswer(Answer):
    """One asset's life."""

    asset: AssetLife


class StateAnswer(Answer):
    """An asset's state after a word about it."""

    asset: str
    state: StateView


class Places(Answer):
    """What holds at each place."""

    places: list[PlaceView]


class People(Answer):
    """People."""

    people: list[PersonView]


class Roles(Answer):
    """Roles and who holds them."""

    roles: list[RoleView]


class Answering(Answer):
    """Who answers for a role at a place."""

    people: list[str]


class Authorisations(Answer):
    """Authorisations, newest first."""

    authorisations: list[AuthorisationView]


class AuthorisationAnswer(Answer):
    """One authorisation."""

    authorisation: AuthorisationView


class Imports(Answer):
    """Imports, newest first."""

    imports: list[ImportView]


class ProblemView(BaseModel):
    """What is wrong or stands in the way, at which row, and what to do."""

    file: str
    line: int
    text: str


class ImportAnswer(Answer):
    """What an import or its undo did: rows by kind; with problems, nothing is written."""

    id: int | None
    rows: dict[str, int]
    problems: list[ProblemView]


class _Spoken(BaseModel):
    by: Id = Field(examples=["p-117"], description="Id of the person who says so.")
    at: Moment | None = Field(None, description="Since when it holds; now if left out.")


class LifecycleSaid(_Spoken):
    """Where the asset is in its life; only what may follow is taken."""

    axis: Literal["lifecycle"]
    lifecycle: Literal[
        "requested", "ordered", "received", "in_stock", "reserved", "in_use", "returned", "redeployable",
        "disposal_review", "retired", "disposed",
    ]  # fmt: skip


class CustodySaid(_Spoken):
    """Who answers for the asset from now."""

    axis: Literal["custody"]
    kind: Literal["person", "pool", "stockroom", "vendor"]
    custodian: Id


class CustodyEnded(_Spoken):
    """Nobody answers for the asset any more."""

    axis: Literal["no_custody"]


class CustodyAcknowledged(_Spoken):
    """The custodian has the asset in hand."""

    axis: Literal["acknowledgement"]
    custodian: Id


class ConditionSaid(_Spoken):
    """Whether the asset works."""

    axis: Literal["condition"]
    condition: Literal["working", "damaged"]


class DataSaid(_Spoken):
    """What is on the asset's storage."""

    axis: Literal["data_state"]
    data_state: Literal["unwiped", "wiped", "verified", "no_storage"]


class TitleOwned(_Spoken):
    """The asset is ours."""

    axis: Literal["owned"]


class TitleSaid(_Spoken):
    """The asset is somebody else's, who wants it back or not."""

    axis: Literal["title"]
    title: Literal["leased", "customer"]
    holder: Annotated[str, Field(min_length=1, max_length=80, pattern=TEXT)]
    return_on: date | None = None


class HoldSet(_Spoken):
    """The asset stays where it is until the hold of this id is released."""

    axis: Literal["hold"]
    hold: Id
    kind: Literal["quarantine", "legal", "security", "recall"]
    reason: Words = ""


class HoldReleased(_Spoken):
    """The hold of this id ends."""

    axis: Literal["hold_release"]
    hold: Id
    reason: Words = ""


StateSaid = Annotated[
    LifecycleSaid | CustodySaid | CustodyEnded | CustodyAcknowledged | ConditionSaid | DataSaid | TitleOwned | TitleSaid
    | HoldSet | HoldReleased,
    Field(discriminator="axis"),
]  # fmt: skip


Block = Literal["quarantine", "legal", "security", "recall", "unwiped"]


class AuthorisationAsked(BaseModel):
    """An authorisation to leave a guarded place: whoever registers it, another person than who asks approves it.

    A gate pass needs person and end too, and unless it is of another kind when it is back.
    """

    by: Id = Field(examples=["p-117"], description="Id of the person who registers it.")
    id: Id
    kind: Literal["issue", "transfer", "loan", "repair", "return", "disposal", "gate_pass", "standing"]
    asset: Id
    boundary: Id
    valid_from: Moment | None = None
    valid_to: Moment | None = None
    reason: Words = Field("", description="Needed; it may not be empty.")
    person: Id | None = None
    single_use: bool = False
    expected_return: Moment | None = None
    pass_kind: Literal["returnable", "non_returnable", "inter_location"] | None = Field(
        None, description="Of a gate pass; returnable unless told."
    )
    requested_by: Id | None = Field(None, description="Who asks; who registers it, unless told.")
    approved_by: Id | None = Field(None, description="Needed: a person, another than who asks and who carries it out.")
    despite: list[Block] = Field(
        default_factory=list, description="Holds, or unwiped data, whose own permission this is; needs an approver."
    )


class BackAgain(BaseModel):
    """Who sees that it is back."""

    by: Id


class Withdrawal(BaseModel):
    """Who withdraws, and why."""

    by: Id
    reason: Annotated[str, Field(min_length=1, max_length=400, pattern=TEXT)]


class ImportAsked(BaseModel):
    """Sheets as CSV text by kind; a dry run checks all and writes nothing."""

    sheets: dict[str, Annotated[str, Field(max_length=MAX_SHEET)]] = Field(
        examples=[{"roles": "id,name\nbranch-admin,Branch admin\n"}], description=f"By kind: {', '.join(COLUMNS)}."
    )
    by: Id
    dry_run: bool = False


class UndoAsked(BaseModel):
    """Who takes an import back; a dry run only tells what stands in the way."""

    by: Id
    dry_run: bool = False


def registry_read(on: Services) -> APIRouter:
    """Return the reading routes of the registry."""
    router = APIRouter(prefix="/api/v1", tags=["read"])

    @router.get("/assets/{asset}")
    async def life(asset: AssetId) -> AssetAnswer:
        """Return all that the registry tells of one asset: state, tags, serials, children, authorisations, acts."""
        return AssetAnswer(as_of=on.now(), asset=await on.register.life(asset))

    @router.get("/assets/{asset}/timeline")
    async def timeline(
        asset: AssetId,
        kinds: Annotated[
            list[MomentKind] | None,
            Query(max_length=len(KINDS), description="Of these kinds only; all if none is named."),
        ] = None,
        before: Annotated[
            str | None, Query(max_length=200, pattern=TEXT, description="`next` of the page that came before.")
        ] = None,
        limit: Limit = 100,
    ) -> Timeline:
        """Return an asset's whole life on one line of time, newest first, page by page."""
        found = await on.register.moments(asset, kinds or KINDS, before, limit)
        return Timeline(as_of=on.now(), **dict(found))

    @router.get("/places")
    async def places() -> Places:
        """Return what holds at each place: country, time zone, owner role, openings, and whether it is closed."""
        return Places(as_of=on.now(), places=await on.register.places())

    @router.get("/people")
    async def people() -> People:
        """Return people, by id."""
        return People(as_of=on.now(), people=await on.register.people())

    @router.get("/roles")
    async def roles() -> Roles:
        """Return roles, by id, and who holds them where."""
        return Roles(as_of=on.now(), roles=await on.register.roles())

    @router.get("/roles/{role}/holders")
    async def answering(
        role: Annotated[str, Path(max_length=80, pattern=TEXT)],
        location: Annotated[str | None, Query(max_length=80, pattern=TEXT)] = None,
    ) -> Answering:
        """Return who answers for a role at a place: the nearest holders on the way up."""
        return Answering(as_of=on.now(), people=await on.register.answering(role, location))

    @router.get("/authorisations")
    async def authorisations(
        asset: Annotated[str | None, Query(max_length=80, pattern=TEXT)] = None, limit: Limit = 100
    ) -> Authorisations:
        """Return authorisations, newest first, withdrawn ones too."""
        found = await on.register.authorisations(asset, limit)
        return Authorisations(as_of=on.now(), authorisations=found)

    @router.get("/imports")
    async def imports(limit: Limit = 100) -> Imports:
        """Return imports, newest first, and which were taken back."""
        return Imports(as_of=on.now(), imports=await on.register.imports(limit))

    return router


def registry_write(on: Services) -> APIRouter:
    """Return the writing routes of the registry; who includes them puts the token before them."""
    router = APIRouter(prefix="/api/v1", tags=["write"], route_class=PatientRoute)

    @router.post("/assets/{asset}/state")
    async def state(asset: AssetId, body: StateSaid) -> StateAnswer:
        """Say one thing about an asset's state; the axis decides whether it may follow on what was said before."""
        now = on.now()
        after = await say(on.registry, asset, _said(body), now)
        return StateAnswer(as_of=now, asset=asset, state=StateView.of(after))

    @router.post("/authorisations", status_code=HTTPStatus.CREATED)
    async def new_authorisation(body: AuthorisationAsked) -> AuthorisationAnswer:
        """Register an authorisation; the doors know within a second."""
        now = on.now()
        row = await authorise(on.registry, body.model_dump(exclude={"by"}), now, body.by)
        return AuthorisationAnswer(as_of=now, authorisation=_authorisation(row))

    @router.post("/authorisations/{authorisation}/withdraw")
    async def withdrawn(
        authorisation: Annotated[str, Path(max_length=80, pattern=TEXT)], body: Withdrawal
    ) -> AuthorisationAnswer:
        """Withdraw an authorisation from now on; what left before stays authorised."""
        now = on.now()
        row = await withdraw(on.registry, authorisation, body.by, body.reason, now)
        return AuthorisationAnswer(as_of=now, authorisation=_authorisation(row))

    @router.post("/authorisations/{authorisation}/returned")
    async def returned(
        authorisation: Annotated[str, Path(max_length=80, pattern=TEXT)], body: BackAgain
    ) -> Authorisations:
        """Record that what went out on a gate pass is back; where a door or a scan sees it come, nobody has to."""
        now = on.now()
        asset = await give_back(on.due, authorisation, body.by, now)
        return Authorisations(as_of=now, authorisations=await on.register.authorisations(asset, 1000))

    @router.post("/imports")
    async def new_import(body: ImportAsked, response: Response) -> ImportAnswer:
        """Import sheets, all rows or none; 422 with every problem by row."""
        if body.by == IMPORTER:
            raise NotFound(f"by: {IMPORTER!r} is the command line's: name the person or service account that imports")
        sheets, now = await asyncio.to_thread(_sheets, body.sheets), on.now()
        done = await import_sheets(on.registry, sheets, now, dry_run=body.dry_run, by=body.by)
        if done.problems:
            response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
        return ImportAnswer(as_of=now, id=done.id, rows=done.rows, problems=_shown(done.problems))

    @router.post("/imports/{number}/undo")
    async def undo(number: Annotated[int, Path(ge=1, le=MAX_ID)], body: UndoAsked, response: Response) -> ImportAnswer:
        """Take an import back; 409 with what stands in the way by row, then nothing is taken back."""
        now = on.now()
        done = await undo_import(on.registry, number, body.by, now, dry_run=body.dry_run)
        if done.problems:
            response.status_code = HTTPStatus.CONFLICT
        return ImportAnswer(as_of=now, id=number, rows=done.rows, problems=_shown(done.problems))

    return router


def _said(body: Any) -> Said:
    """Return a request as the act that it asks for."""
    kind, detail = _ACTS[body.axis](body)
    return Said(kind, body.by, detail, getattr(body, "hold", None), body.at)


_ACTS: Mapping[str, Any] = {
    "lifecycle": lambda body: ("lifecycle_set", {"lifecycle": body.lifecycle}),
    "custody": lambda body: ("custody_given", {"kind": body.kind, "custodian": body.custodian}),
    "no_custody": lambda _: ("custody_given", {"kind": "none", "custodian": None}),
    "acknowledgement": lambda body: ("custody_acknowledged", {"custodian": body.custodian}),
    "condition": lambda body: ("condition_set", {"condition": body.condition}),
    "data_state": lambda body: ("data_state_set", {"data_state": body.data_state}),
    "owned": lambda _: ("title_set", {"title": "owned", "holder": None, "return_on": None}),
    "title": lambda body: (
        "title_set",
        {"title": body.title, "holder": body.holder, "return_on": body.return_on and body.return_on.isoformat()},
    ),
    "hold": lambda body: ("hold_set", {"kind": body.kind, "reason": body.reason}),
    "hold_release": lambda body: ("hold_released", {"reason": body.reason}),
}


def _sheets(texts: Mapping[str, str]) -> Sheets:
    sheets = Sheets()
    for kind, text in texts.items():
        if kind in COLUMNS:
            read_sheet(sheets, kind, f"{kind}.csv", text)
        else:
            sheets.problems.append(Problem(kind, 1, f"tells no kind: use one of {', '.join(COLUMNS)}"))
    return sheets


def _shown(problems: list[Problem]) -> list[ProblemView]:
    return [ProblemView(file=one.file, line=one.line, text=one.text) for one in problems]


def _authorisation(row: Row) -> AuthorisationView:
    values = {
        name: datetime.fromisoformat(row[name]) if row[name] is not None else None
        for name in ("valid_from", "valid_to", "recorded_at", "expected_return", "withdrawn_at")
    }
    return AuthorisationView(**{**row, **values})
