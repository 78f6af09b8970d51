"""Commands of the central to one gateway, and the reply that every one of them gets (contracts: Commands)."""

from typing import Annotated, Final

from msgspec import Meta, Struct, field

from edge.contracts.errors import ContractError
from edge.contracts.rows import GatewayId, Name, Text
from edge.contracts.signing import Signature
from edge.contracts.times import Instant, instant_us

MAX_VALIDITY_US: Final = 60_000_000
"""A command is for now: one that was held up by a broker for longer must not move a siren or open a port."""

MAX_TOML_BYTES: Final = 64 * 1024
"""Of a configuration that a `configure` command brings: one of 8 readers and 8 doorways is a tenth of it."""
MAX_CONFIGURE_BYTES: Final = 2 * MAX_TOML_BYTES + 4096
"""Of such a command. In JSON each line's end and quotation mark of the TOML takes two bytes; all else is small."""

Argument = str | int | bool
CommandName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,39}$(?!\n)", description="also the topic's last part")]
Nonce = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$(?!\n)", description="16 random bytes; used once")]


class Command(Struct, frozen=True, kw_only=True):
    """An order; signed like the gate's manifest. Arguments are flat, and never floats (canonical JSON has none)."""

    name: CommandName
    gateway: GatewayId
    nonce: Nonce
    issued_at: Instant
    expires_at: Instant
    args: dict[str, Argument] = field(default_factory=dict)
    signature: Signature | None = None


class Reply(Struct, frozen=True, kw_only=True):
    """The answer to one command; `problem` says what went wrong and what to do where `ok` is false."""

    name: CommandName
    gateway: GatewayId
    nonce: Nonce
    at: Instant
    ok: bool
    problem: Text = ""
    result: dict[Name, Argument] = field(default_factory=dict)


def check_command(command: Command, *, gateway: str, now_us: int) -> None:
    """Raise `ContractError` for a command of another gateway, too long valid, or not valid now."""
    if command.gateway != gateway:
        raise ContractError(f"command {command.name} is for gateway {command.gateway}, this is {gateway}")
    issued_us, expires_us = instant_us(command.issued_at), instant_us(command.expires_at)
    if not 0 < expires_us - issued_us <= MAX_VALIDITY_US:
        seconds = (expires_us - issued_us) / 1e6
        raise ContractError(f"command {command.name} is valid for {seconds:g} s: above 0 and at most 60 are allowed")
    if now_us >= expires_us:
        raise ContractError(f"command {command.name} expired at {command.expires_at}: send it again")
    if now_us < issued_us - MAX_VALIDITY_US:
        raise ContractError(f"command {command.name} was issued at {command.issued_at}, in this clock's future: set it")
