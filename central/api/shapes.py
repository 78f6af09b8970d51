"""The answers' envelopes: every list says as of when it is."""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field

from central.application.exceptions import OpenExceptions
from central.application.views import (
    AlertView,
    AssetView,
    GatewayView,
    Instant,
    LocationView,
    MovementView,
    PortalView,
    QuarantineView,
    Summary,
)
from central.domain.instants import FIRST_DAY, LAST_DAY, meant

Moment = Annotated[AwareDatetime, AfterValidator(meant)]
"""An instant that somebody tells."""
Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
"""A day that somebody tells."""


class Answer(BaseModel):
    """What every answer has."""

    as_of: Instant


class Locations(Answer):
    """Locations and live counts."""

    locations: list[LocationView]


class Assets(Answer):
    """Assets and where they are; what is wrong is counted apart, over everything, and no filter reaches it."""

    open_exceptions: OpenExceptions

    assets: list[AssetView]


class AssetMovements(Answer):
    """One asset's movements, newest first."""

    asset: AssetView
    movements: list[MovementView]


class Movements(Answer):
    """Movements of many assets, newest first."""

    movements: list[MovementView]


class Portals(Answer):
    """Doors."""

    portals: list[PortalView]


class Alerts(Answer):
    """Alerts, newest first unless asked for otherwise."""

    alerts: list[AlertView]


class AlertAnswer(Answer):
    """One alert."""

    alert: AlertView


class Gateways(Answer):
    """Gateways, registered or waiting."""

    gateways: list[GatewayView]


class Quarantine(Answer):
    """What could not be read or may not be believed, newest first."""

    items: list[QuarantineView]


class SummaryAnswer(Answer, Summary):
    """Totals over everything."""


class Acknowledgement(BaseModel):
    """Who takes an alert."""

    by: str = Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f]+$", examples=["A. Guard"])


class Part(BaseModel):
    """One part of the service."""

    well: bool
    problem: str


class HealthAnswer(Answer):
    """The service and its parts."""

    well: bool
    parts: dict[str, Part]
