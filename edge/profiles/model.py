"""What a reader profile says, key by key."""

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from edge.profiles.modes import ModeChoice, choose_mode

UNVERIFIED: Final = "unverified"
"""How the source of a value begins that no recording and no maker's or regulator's text states."""

Name = Annotated[str, Field(pattern=r"^[a-z0-9-]+/[a-z0-9-]+$")]
Version = Annotated[str, Field(pattern=r"^\d+(\.\d+)*$")]
Number = Annotated[int, Field(ge=0, le=0xFFFFFFFF)]
ModeIds = list[Annotated[int, Field(ge=0, le=65535)]]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Match(_Table):
    """Which readers the profile holds for; an empty table holds for all."""

    vendor: Annotated[Number | None, Field(description="enterprise number in DeviceManufacturerName; absent = any")] = (
        None
    )
    models: Annotated[list[Number], Field(description="values of ModelName; empty = any model of the vendor")] = []
    firmware_min: Annotated[Version | None, Field(description="first firmware that the profile holds for")] = None
    firmware_below: Annotated[
        Version | None, Field(description="first firmware that the profile no longer holds for")
    ] = None
    firmware_seen: Annotated[
        list[Version],
        Field(description="firmwares that the profile was held against; with another one the reader's health says so"),
    ] = []
    by_name_only: Annotated[
        bool,
        Field(description="true where no public source says how the reader names itself: never chosen by itself"),
    ] = False

    @property
    def firmware_span(self) -> str:
        """The range of firmwares in words."""
        start = f"from {self.firmware_min}" if self.firmware_min else ""
        end = f"below {self.firmware_below}" if self.firmware_below else ""
        return " ".join(part for part in (start, end) if part) or "any"


class Product(_Table):
    """One reader that the profile is for."""

    name: Annotated[str, Field(min_length=1, description="as on its label")]
    model: Annotated[Number | None, Field(description="its ModelName; absent = no public source")] = None
    antenna_ports: Annotated[int | None, Field(ge=1, le=64, description="antenna ports; absent = not known")] = None
    evidence: Annotated[str, Field(min_length=1, description="source; begins with 'unverified' if not recorded")]


class Hardware(_Table):
    """The case: what region it was made for can't be changed by software."""

    variants: Annotated[
        dict[str, list[Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]]],
        Field(description="regions of firmware_profiles/regions by hardware variant, as the label names it"),
    ] = {}
    temperature: Annotated[
        Literal["none", "impinj", "thingmagic"],
        Field(description="vendor's parameter that tells the reader's temperature"),
    ] = "none"


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
    """Transmit power; the table itself is read from the reader, by value, and never held here."""

    hopping_channel_index: Annotated[
        int,
        Field(ge=0, le=65535, description="ChannelIndex that the reader wants where it hops (it means nothing there)"),
    ] = 1
    min_dbm: Annotated[float | None, Field(ge=-20, le=36, description="lowest power of its table, dBm")] = None
    max_dbm: Annotated[float | None, Field(ge=0, le=36, description="highest power of its table, dBm")] = None
    step_db: Annotated[float | None, Field(gt=0, le=5, description="step of its table, dB")] = None


class Modes(_Table):
    """Reader modes (ModeIndex), best first; the first that the reader itself lists is taken, else its own is left."""

    portal: Annotated[ModeIds, Field(description="for people and carts that pass a doorway")] = []
    count: Annotated[ModeIds, Field(description="for a count of what stands still")] = []
    names: Annotated[
        dict[Annotated[str, Field(pattern=r"^\d+$")], str], Field(description="the vendor's words for its modes")
    ] = {}


class Inventory(_Table):
    """How the portal's tags are singulated."""

    session: Annotated[int, Field(ge=0, le=3, description="Gen2 session")] = 0
    tag_population: Annotated[int, Field(ge=1, le=32767, description="tags expected in the field at a time")] = 32
    search_mode: Annotated[
        int | None,
        Field(ge=0, le=5, description="ImpinjInventorySearchMode (2 = dual target); absent = not sent"),
    ] = None


class Count(_Table):
    """How a count sweep singulates what stands still."""

    session: Annotated[int, Field(ge=0, le=3, description="Gen2 session")] = 2
    tag_population: Annotated[int, Field(ge=1, le=32767, description="tags expected in the field at a time")] = 256
    search_mode: Annotated[
        int | None,
        Field(ge=0, le=5, description="ImpinjInventorySearchMode (1 = single target); absent = not sent"),
    ] = None


class Gpio(_Table):
    """Inputs and outputs; what isn't known is absent, and nothing may be concluded from it."""

    inputs: Annotated[int | None, Field(ge=0, le=64, description="general purpose inputs")] = None
    outputs: Annotated[int | None, Field(ge=0, le=64, description="general purpose outputs")] = None
    input_pulse_min_ms: Annotated[
        int | None, Field(ge=1, le=1000, description="shortest pulse that an input is sure to see")
    ] = None
    output_sinks: Annotated[
        bool | None,
        Field(description="true: GPOData 0 draws current to V-, so a lamp between V+ and the output lights at 0"),
    ] = None
    output_max_ma: Annotated[int | None, Field(ge=1, le=10_000, description="most current of one output, mA")] = None
    on_disconnect: Annotated[
        Literal["keeps", "default"] | None,
        Field(description="what an output does when the client is gone; absent = not known: end a siren by `pulse`"),
    ] = None
    pulse: Annotated[
        Literal["none", "impinj"],
        Field(description="how the reader ends an output's on-time by itself, so that a dead agent leaves no siren on"),
    ] = "none"


class Tls(_Table):
    """LLRP over TLS."""

    support: Annotated[
        Literal["unknown", "none", "optional", "required"], Field(description="whether the reader offers it")
    ] = "unknown"
    port: Annotated[int, Field(ge=1, le=65535, description="its port")] = 5085


class Reports(_Table):
    """When the reader sends what it has read."""

    every_tags: Annotated[int, Field(ge=1, le=1000, description="tag reports a message")] = 1
    every_ms: Annotated[
        int,
        Field(ge=0, le=1000, description="ask by GET_REPORT this often; above 0 where every_tags is above 1"),
    ] = 0
    queue_messages: Annotated[
        int,
        Field(ge=0, description="messages that the reader keeps while the network is down and sends late; 0 = none"),
    ] = 0
    always_complete: Annotated[
        bool,
        Field(description="true: each report carries every parameter; false: what is left out means 'as before'"),
    ] = False

    @model_validator(mode="after")
    def _bounded_wait(self) -> Self:
        if self.every_tags > 1 and not self.every_ms:
            raise ValueError("every_tags above 1 needs every_ms above 0, or a lone tag's read waits for company")
        return self


class Quirk(_Table):
    """A behaviour that isn't the standard's, and what is done about it."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]+$", description="short name")]
    what: Annotated[str, Field(min_length=10, description="what the reader does")]
    so: Annotated[str, Field(min_length=10, description="what the agent does because of it")]
    evidence: Annotated[str, Field(min_length=1, description="source; begins with 'unverified' if not tried")]


class ReaderProfile(_Table):
    """One reader family, as the session drives it; each value's source stands in `evidence`."""

    name: Annotated[Name, Field(description="the file's path without .toml")]
    title: Annotated[str, Field(min_length=1, description="name for people")]
    extends: Annotated[
        Name | None, Field(description="template that the file takes what it doesn't say itself from")
    ] = None
    match: Match = Match()
    products: Annotated[list[Product], Field(description="the readers that it is for")] = []
    hardware: Hardware = Hardware()
    extensions: Extensions = Extensions()
    power: Power = Power()
    modes: Modes = Modes()
    inventory: Inventory = Inventory()
    count: Count = Count()
    gpio: Gpio = Gpio()
    tls: Tls = Tls()
    reports: Reports = Reports()
    quirks: Annotated[list[Quirk], Field(description="behaviours that aren't the standard's")] = []
    evidence: Annotated[
        dict[str, Annotated[str, Field(min_length=1)]],
        Field(
            description="each value's source, under its dotted key; begins with 'unverified' if not recorded or read"
        ),
    ] = {}

    TEMPLATES: ClassVar[str] = "templates"

    def fits(self, *, vendor: int, model: int, firmware: str) -> bool:
        """Whether a reader that describes itself so is one of these."""
        return self.fits_model(vendor=vendor, model=model) and self.fits_firmware(firmware)

    def fits_model(self, *, vendor: int, model: int) -> bool:
        """Whether the reader is one of these, whatever its firmware."""
        rule = self.match
        if rule.by_name_only or (rule.vendor is not None and rule.vendor != vendor):
            return False
        return not rule.models or model in rule.models

    def fits_firmware(self, firmware: str) -> bool:
        """Whether the profile was written for that firmware."""
        rule, version = self.match, version_numbers(firmware)
        above = rule.firmware_min is None or version >= version_numbers(rule.firmware_min)
        below = rule.firmware_below is None or version < version_numbers(rule.firmware_below)
        return above and below

    def mode(self, purpose: Literal["portal", "count"], listed: Iterable[int]) -> ModeChoice:
        """Choose the reader mode for a purpose among those that the reader lists."""
        wanted = self.modes.portal if purpose == "portal" else self.modes.count
        return choose_mode(wanted, listed, names=self.modes.names)

    def product(self, model: int) -> Product | None:
        """Return the product whose ModelName is `model`."""
        return next((one for one in self.products if one.model == model), None)

    @property
    def sources(self) -> dict[str, str]:
        """Every source in the profile, those of products and quirks too, by dotted key."""
        products = {f"products.{one.name}": one.evidence for one in self.products}
        quirks = {f"quirks.{one.id}": one.evidence for one in self.quirks}
        return {**self.evidence, **products, **quirks}

    @property
    def unverified(self) -> tuple[str, ...]:
        """Dotted keys of what nobody has tried or no public source states."""
        return tuple(key for key, source in self.sources.items() if source.startswith(UNVERIFIED))


def set_keys(data: dict[str, Any]) -> list[str]:
    """Return the dotted keys of the values that a file sets by itself; products and quirks carry their own source."""
    tables = ((name, value) for name, value in data.items() if isinstance(value, dict) and name != "evidence")
    return [f"{name}.{key}" for name, table in tables for key in table]


def version_numbers(text: str) -> tuple[int, ...]:
    """Return the leading numbers of a dotted version; what isn't a number ends it."""
    numbers: list[int] = []
    for part in text.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
    return tuple(numbers)
