"""What a reader profile says, key by key: only what the session uses."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Match(_Table):
    """Which readers the profile holds for; an empty table holds for all."""

    vendor: Annotated[
        int | None,
        Field(ge=0, le=0xFFFFFFFF, description="enterprise number in DeviceManufacturerName; absent = any"),
    ] = None
    models: Annotated[
        list[Annotated[int, Field(ge=0, le=0xFFFFFFFF)]],
        Field(description="values of ModelName; empty = any model of the vendor"),
    ] = []
    firmware_min: Annotated[
        str | None, Field(pattern=r"^\d+(\.\d+)*$", description="first firmware that the profile holds for")
    ] = None
    firmware_below: Annotated[
        str | None, Field(pattern=r"^\d+(\.\d+)*$", description="first firmware that the profile no longer holds for")
    ] = None


class Extensions(_Table):
    """Vendor extensions of LLRP."""

    handshake: Annotated[
        Literal["none", "impinj"],
        Field(description="custom message that must come first to switch the vendor's extensions on"),
    ] = "none"
    phase: Annotated[
        Literal["none", "impinj"],
        Field(description="how carrier phase and hundredths of dBm are asked for and come"),
    ] = "none"
    link_monitor: Annotated[
        bool, Field(description="whether the reader can be told to drop a client that acknowledges no keepalive")
    ] = False


class Power(_Table):
    """How transmit power is set, where the configuration asks for one."""

    hopping_channel_index: Annotated[
        int,
        Field(ge=0, le=65535, description="ChannelIndex that the reader wants where it hops (it means nothing there)"),
    ] = 1


class Inventory(_Table):
    """How the portal's tags are singulated."""

    session: Annotated[int, Field(ge=0, le=3, description="Gen2 session")] = 0
    tag_population: Annotated[int, Field(ge=1, le=32767, description="tags expected in the field at a time")] = 32
    search_mode: Annotated[
        int | None,
        Field(ge=0, le=5, description="ImpinjInventorySearchMode (2 = dual target); absent = not sent"),
    ] = None


class Reports(_Table):
    """When the reader sends what it has read."""

    every_tags: Annotated[int, Field(ge=1, le=1000, description="tag reports a message")] = 1
    every_ms: Annotated[
        int,
        Field(ge=0, le=1000, description="ask by GET_REPORT this often; above 0 where every_tags is above 1"),
    ] = 0

    @model_validator(mode="after")
    def _bounded_wait(self) -> Self:
        if self.every_tags > 1 and not self.every_ms:
            raise ValueError("every_tags above 1 needs every_ms above 0, or a lone tag's read waits for company")
        return self


class ReaderProfile(_Table):
    """One reader family, as the session drives it; each value's source stands in `evidence`."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+/[a-z0-9-]+$", description="the file's path without .toml")]
    title: Annotated[str, Field(min_length=1, description="name for people")]
    match: Match = Match()
    extensions: Extensions = Extensions()
    power: Power = Power()
    inventory: Inventory = Inventory()
    reports: Reports = Reports()
    evidence: Annotated[
        dict[str, Annotated[str, Field(min_length=1)]],
        Field(description="each value's source, under its dotted key; begins with 'unverified' if not tried"),
    ] = {}

    def fits(self, *, vendor: int, model: int, firmware: str) -> bool:
        """Whether a reader that describes itself so is one of these."""
        rule = self.match
        if rule.vendor is not None and rule.vendor != vendor:
            return False
        if rule.models and model not in rule.models:
            return False
        version = _version(firmware)
        above = rule.firmware_min is None or version >= _version(rule.firmware_min)
        below = rule.firmware_below is None or version < _version(rule.firmware_below)
        return above and below


def _version(text: str) -> tuple[int, ...]:
    """Return the leading numbers of a dotted version; what isn't a number ends it."""
    numbers: list[int] = []
    for part in text.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
    return tuple(numbers)
