"""Which class a number names: tables of all declared messages and parameters."""

from collections.abc import Iterator
from types import ModuleType
from typing import Final

from edge.llrp.messages import (
    access,
    answers,
    base,
    capabilities,
    commands,
    common,
    configuration,
    events,
    impinj,
    impinj_access,
    impinj_arrays,
    impinj_reports,
    inventory,
    reports,
    rospec,
    zebra,
    zebra_access,
)
from edge.llrp.messages.element import Element, Message, Parameter, VendorMessage
from edge.llrp.messages.plan import Key, key_of

MODULES: Final[tuple[ModuleType, ...]] = (
    base,
    common,
    capabilities,
    inventory,
    configuration,
    access,
    rospec,
    reports,
    events,
    commands,
    answers,
    impinj,
    impinj_access,
    impinj_reports,
    impinj_arrays,
    zebra,
    zebra_access,
)
"""Where messages and parameters are declared."""


def _declared(kind: type[Element]) -> Iterator[type[Element]]:
    for module in MODULES:
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, kind) and value.__module__ == module.__name__:
                yield value


PARAMETERS: Final[dict[Key, type[Element]]] = {key_of(cls): cls for cls in _declared(Parameter)}
"""By type number, or by vendor and subtype."""
VENDOR_MESSAGES: Final[dict[Key, type[Message]]] = {
    key_of(cls): cls for cls in _declared(VendorMessage) if issubclass(cls, Message) and cls.VENDOR
}
"""By vendor and subtype."""
MESSAGES: Final[dict[int, type[Message]]] = {
    cls.NUMBER: cls
    for cls in _declared(Message)
    if issubclass(cls, Message) and not cls.VENDOR and cls is not base.UnknownMessage
}
"""By type number; all vendors' stand as CUSTOM_MESSAGE."""
