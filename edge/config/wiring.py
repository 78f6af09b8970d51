"""The settings of what a reader is wired to: TLS, inputs, outputs, reference tags."""

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from edge.config.section import Section
from edge.contracts import SensorKind
from edge.readers import GpiSettings, OutputSettings, TlsSettings, TriggerSettings

_TLS: Final = TlsSettings()
_GPI: Final = GpiSettings(port=1, kind="door")
_OUTPUT: Final = OutputSettings(output=1)
_TRIGGER: Final = TriggerSettings(gpi=1)

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")]
INPUT_KINDS: Final = (
    "What is wired to it: a light beam, a door contact, a fire alarm (mutes every siren of this gateway), or an access "
    "controller's relay for a door that was forced or held open."
)
WATCH_KEYS: Final = {"portal", "side", "active_high"}
"""Keys of an input that only the windows know."""
EpcText = Annotated[
    str,
    StringConstraints(to_lower=True),
    Field(pattern=r"^([0-9A-Fa-f]{2}){1,62}$", description="EPC bytes, hex", max_length=124),
]


class TlsConfig(Section):
    """How the connection is secured; without `fingerprint` or `ca_file` the agent refuses and prints what it saw."""

    fingerprint: Annotated[str, StringConstraints(to_lower=True)] | None = Field(
        default=_TLS.fingerprint,
        pattern=r"^(sha256|SHA256):[0-9A-Fa-f]{64}$",
        description="SHA-256 of the reader's certificate, which alone is then trusted.",
    )
    ca_file: str | None = Field(
        default=None,
        min_length=1,
        description="Certificates that the reader's must be signed by; a relative path starts at this file.",
    )
    legacy: bool = Field(
        default=_TLS.legacy, description="Allow TLS 1.0 and old cipher suites, for firmware that knows no better."
    )
    certificate_file: str | None = Field(
        default=None, min_length=1, description="With `listen`: our own certificate, PEM; it may hold the key too."
    )
    key_file: str | None = Field(default=None, min_length=1, description="With `listen`: the certificate's key, PEM.")


class WatchConfig(Section):
    """What an input tells of a doorway."""

    portal: Id | None = Field(
        default=None,
        description="Portal that it is evidence for; left out: the one that its reader serves, or the only one.",
    )
    side: Literal["inside", "outside"] | None = Field(
        default=None,
        description="Of two light beams, whether this is the inner or the outer one: their order then tells the way.",
    )
    active_high: bool = Field(
        default=True,
        description="Whether the input is high while the beam is broken, the door is open or the alarm is on.",
    )


class GpiConfig(WatchConfig):
    """An input of a reader that something is wired to."""

    port: int = Field(ge=1, le=64, description="Number of the input, counted from 1.")
    kind: SensorKind = Field(description=INPUT_KINDS)
    debounce_ms: int = Field(
        default=_GPI.debounce_ms,
        ge=0,
        le=10_000,
        description="A change counts once it has lasted this long; where the reader can, it does that itself.",
    )


class OutputConfig(Section):
    """An output of a reader that a light, a siren or a relay is wired to; it is switched off when a session begins."""

    output: int = Field(ge=1, le=64, description="Number of the output, counted from 1.")
    inverted: bool | None = Field(
        default=_OUTPUT.inverted,
        description="Whether what is wired to it is on while the output is low; left out: as the profile says.",
    )


class ReferenceConfig(Section):
    """A reference tag: mounted at the far edge of one antenna's zone, never an asset; it tells quiet from dead."""

    port: int = Field(ge=1, le=65535, description="Antenna port that it is for.")
    epc: EpcText = Field(description="Its EPC, hex.")


class TriggerConfig(Section):
    """Reading that an input starts, where reading all the time is not wanted."""

    gpi: int = Field(ge=1, le=64, description="Number of the input.")
    state: bool = Field(default=_TRIGGER.state, description="Level that starts it: true is high.")
    read_ms: int = Field(default=_TRIGGER.read_ms, ge=100, le=3_600_000, description="How long reading then goes on.")
