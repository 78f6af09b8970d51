"""Whom the agent believes, as the configuration says it."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from edge.config.section import Section
from edge.trust import Keyring, TrustError
from edge.trust.keyring import parse_key_line

MOST_KEYS: Final = 4
"""The central has one key, and two during a rotation; a spare central's may stand beside them."""


def _key_line(line: str) -> str:
    """Refuse what is no key line, in the keyring's words."""
    try:
        parse_key_line(line)
    except TrustError as error:
        raise ValueError(str(error)) from None
    return line


class TrustConfig(Section):
    """Whom the agent believes; over the network only a configuration that one of these keys signed can change this."""

    central_keys: list[Annotated[str, AfterValidator(_key_line)]] = Field(
        default=[],
        max_length=MOST_KEYS,
        description="The central's public keys, `NAME:BASE64`, as `stockgate-central keys show` prints them; none: no "
        "command and no gate snapshot is believed.",
    )

    def keyring(self) -> Keyring:
        """Return the keys that are believed."""
        return Keyring.of(self.central_keys)
