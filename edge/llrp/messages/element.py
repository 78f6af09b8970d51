"""Base classes of messages and parameters: what a declaration may say, and what is kept beside its fields.

A message or parameter is a class whose annotations are its layout, in wire order: fields first (`wire_types`), then
sub-parameters. `Other` is exactly one, `Other | None = None` at most one, `tuple[Other, ...] = ()` any number,
`Some[Other]` one or more; a union is a choice. Values are frozen, equal by value, and built by keyword.
"""

from typing import Any, ClassVar, dataclass_transform

from msgspec import Struct, StructMeta, field


class UnknownParameter(Struct, frozen=True):
    """A parameter that does not belong where it stood: unknown, misplaced, or one too many; with its header."""

    data: bytes


class Leftover(Struct, frozen=True, kw_only=True):
    """What the bytes of a message or parameter held beside its fields, so that encoding gives them back.

    Attributes:
        reserved: its reserved bits in wire order as one number, normally 0.
        order: place of each sub-parameter in wire order, as the number of its declared sub-parameter or -1 for an
            unknown one; empty where it is the standard's order.
        unknown: parameters that don't belong here, in wire order.
        short: whether a list is empty that the standard wants to have an item; readers leave tables empty.
        tail: bytes behind the last declared field of what has no sub-parameters.
    """

    reserved: int = 0
    order: tuple[int, ...] = ()
    unknown: tuple[UnknownParameter, ...] = ()
    short: bool = False
    tail: bytes = b""


class ElementMeta(StructMeta):
    """Takes the numbers of a declaration from its class statement; registers nothing."""

    def __new__(  # noqa: PYI034 (mypy allows no Self in a metaclass)
        mcs,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        number: int | None = None,
        vendor: int | None = None,
        subtype: int | None = None,
        standard: str | None = None,
        lead: int = 0,
        **config: Any,
    ) -> "ElementMeta":
        """Make the class; `lead` reserved bits come before its first field."""
        given = {"NUMBER": number, "VENDOR": vendor, "SUBTYPE": subtype}
        namespace["LEAD"] = lead
        namespace |= {key: value for key, value in given.items() if value is not None}
        namespace["STANDARD_NAME"] = standard or name
        return super().__new__(mcs, name, bases, namespace, **({"frozen": True, "kw_only": True} | config))


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
class Element(Struct, metaclass=ElementMeta, frozen=True, kw_only=True):
    """A message or parameter."""

    NUMBER: ClassVar[int] = 1023
    VENDOR: ClassVar[int] = 0
    SUBTYPE: ClassVar[int] = 0
    LEAD: ClassVar[int]
    STANDARD_NAME: ClassVar[str]

    leftover: Leftover | None = None


class Parameter(Element):
    """A parameter; of type-value form where its number is below 128, else of type-length-value form."""


class VendorParameter(Parameter):
    """A Custom parameter, whose vendor and subtype say what it holds; allowed at every extension point."""


Extensions = tuple[VendorParameter, ...]
"""What an extension point holds: any number of vendors' parameters, in wire order."""


class Message(Element):
    """A message; its id and version are its header's, and no part of the value."""


class VendorMessage(Message):
    """A CUSTOM_MESSAGE, whose vendor and subtype say what it holds."""
