"""Server-sent events: lines in, events out (WHATWG HTML, section 9.2). No I/O."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One dispatched event."""

    kind: str
    data: str


@dataclass(slots=True)
class EventParser:
    """Give it one line at a time, without its end; an empty line completes an event."""

    _kind: str = ""
    _data: list[str] = field(default_factory=list)

    def feed(self, line: str) -> ServerEvent | None:
        """Return the event that this line completes, if any; comments and unknown fields are ignored."""
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._kind = value
        elif name == "data":
            self._data.append(value)
        return None

    def _dispatch(self) -> ServerEvent | None:
        kind, data = self._kind or "message", self._data
        self._kind, self._data = "", []
        return ServerEvent(kind, "\n".join(data)) if data else None
