"""The MQTT door: one connection is one session object, used once."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from edge.uplink.own_certificate import Pair


def matches(pattern: str, channel: str) -> bool:
    """Tell whether a channel fits a pattern in which `+` stands for one level of it."""
    wanted, got = pattern.split("/"), channel.split("/")
    return len(wanted) == len(got) and all(want in ("+", have) for want, have in zip(wanted, got, strict=True))


class Message(NamedTuple):
    """One MQTT message."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


class MqttSession(Protocol):
    """One connection to a broker.

    Order: messages of one session arrive in the order of `publish`. Ownership: none is taken, a message handed over may
    be lost with the session; whoever needs it to arrive keeps it. All methods belong to the event loop's thread.
    """

    @property
    def closed(self) -> str | None:
        """Why the session ended, or None while it lives."""
        ...

    @property
    def unacknowledged(self) -> int:
        """QoS 1 messages that the broker has not acknowledged."""
        ...

    def publish(self, message: Message) -> None:
        """Hand a message over; on a session that has ended this does nothing."""
        ...

    def subscribe(self, topics: Sequence[str]) -> None:
        """Subscribe topics at QoS 1, anew where they are already: the broker then sends again what it retains there."""
        ...

    async def close(self) -> None:
        """Disconnect in order, so that the broker keeps the will to itself."""
        ...


class MqttPort(Protocol):
    """Makes sessions."""

    async def connect(
        self,
        *,
        client_id: str,
        will: Message | None,
        subscribe: Sequence[str],
        on_message: Callable[[str, bytes], None],
        on_change: Callable[[], None],
        pair: Pair | None = None,
    ) -> MqttSession:
        """Connect with a clean session and subscribe; raise `UplinkError` where that fails in time.

        Args:
            client_id: what the broker calls us.
            will: what the broker says when we vanish, if anything.
            subscribe: topics, at QoS 1.
            on_message: called in the event loop for each message that arrives.
            on_change: called in the event loop after an acknowledgement and after the end of the session.
            pair: our certificate and its key; None takes what the settings' files hold.
        """
        ...
