"""A command's arguments taken one by one, and what is wrong with one said in words."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from edge.commands import Order, OrderError
from edge.contracts.commands import Argument
from edge.readers import ReaderError

Arguments = Mapping[str, Argument]


def told(name: str, order: Callable[[Arguments], Awaitable[dict[str, Argument]]]) -> Order:
    """Return an order whose readers' errors are told as the command's."""

    async def carry_out(args: Arguments) -> dict[str, Argument]:
        try:
            return await order(args)
        except ReaderError as error:
            raise OrderError(f"command {name}: {error}") from error

    return carry_out


def only(args: Arguments, known: Sequence[str]) -> None:
    """Refuse an argument that isn't among the known ones."""
    strange = sorted(args.keys() - set(known))
    if strange:
        raise OrderError(f"unknown argument {strange[0][:80]!r}: known here are {', '.join(known)}")


def one_of(args: Arguments, key: str, known: Any) -> str:
    """Return a text that is among the known ones."""
    value = args.get(key)
    if not isinstance(value, str) or value not in known:
        names = ", ".join(known) or "none"
        raise OrderError(f"{key} is {str(value)[:80]!r}: this gateway has {names}")
    return value


def integer(args: Arguments, key: str, least: int, most: int, default: int | None = None) -> int:
    """Return a whole number within bounds."""
    value = args.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise OrderError(f"{key} is {str(value)[:80]!r}: give a whole number from {least} to {most}")
    return value
