"""Groups whose portals are neighbours take turns in one order of host time, whoever's bytes are fed first.

What a portal decides of a tag depends on what its neighbours have noted of it by then. So what a group has to do waits,
once it is certain, until no neighbouring group can still bring something that comes before it. A reader that is silent,
or sends its reads late, is waited for in arrival time: what became certain by a chunk that arrived at `k` comes at
`k - wait` at the earliest, so nothing of before `a - wait` is to come once all that arrived before `a` was fed. Who
feeds says how far that is (`Turns.pass_until`); the rows and their order depend on the readers' bytes, their arrivals
and their clocks alone, and not on how the bytes were cut or in which order the readers' were fed.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, Protocol, TypeVar

from edge.contracts import MovementRow
from edge.windows.settings import WindowClock

WAIT_US: Final = 30_000
"""Beyond the grace, for reports that one reader gathers longer than the other, and for its network."""
MOST_TASKS: Final = 4096
"""Wait at most, each some kilobytes: where nobody says how far arrivals are, the first of more is not held back."""
_NEVER: Final = -(1 << 62)


@dataclass(frozen=True, slots=True)
class Task:
    """Something that a group has to do in its turn.

    Attributes:
        host_us: host time of what is decided.
        clock: clock by which that is so, of the chunk by which it became certain.
        act: does it and returns the row that it gives.
    """

    host_us: int
    clock: WindowClock
    act: Callable[[], MovementRow | None]


class Actor(Protocol):
    """What is wanted of a group."""

    @property
    def passed_us(self) -> int:
        """Host time before which it brings no tasks any more."""
        ...

    def perform(self, task: Task) -> MovementRow | None:
        """Do what it has to do."""
        ...

    def flush(self) -> Iterable[Task]:
        """Return its last tasks, which end all."""
        ...


ActorT = TypeVar("ActorT", bound=Actor)


@dataclass(slots=True)
class _Line(Generic[ActorT]):
    """One group's tasks, in the order in which it does them; `turn_us` is that of the newest, or what comes later."""

    actor: ActorT
    wait_us: int
    turn_us: int = _NEVER
    host_us: int = _NEVER
    arrived_us: int | None = None
    tasks: deque[tuple[int, int, Task]] = field(default_factory=deque)

    def add(self, task: Task) -> None:
        """Take a task at the end of the line."""
        self.pass_to(self.actor.passed_us)
        self.pass_to(task.host_us)
        self.host_us = max(self.host_us, task.host_us)
        self.tasks.append((self.turn_us, self.host_us, task))

    def pass_to(self, host_us: int) -> None:
        """Say that nothing comes before an instant; a clock that is wrong moves no turn away from its arrival."""
        if self.arrived_us is not None:
            host_us = min(max(host_us, self.arrived_us - self.wait_us), self.arrived_us)
        self.turn_us = max(self.turn_us, host_us)


class Turns(Generic[ActorT]):
    """The groups of one neighbourhood; one that has no neighbours does all at once.

    Args:
        groups: who they are.
        grace_us: each read of theirs is held back by so much already.
    """

    def __init__(self, groups: Sequence[ActorT], grace_us: int) -> None:
        self._wait_us = grace_us + WAIT_US
        self.groups = tuple(groups)
        self._lines = {id(group): _Line(group, self._wait_us) for group in groups}
        self._until_us = _NEVER
        self.overtaken = 0

    def take(self, group: ActorT, tasks: Iterable[Task], arrival_us: int | None) -> Iterator[MovementRow]:
        """Take what became certain by a chunk, or by time that passed, and yield the rows whose turn has come."""
        if len(self._lines) == 1:
            yield from _done(group.perform(task) for task in tasks)
            return
        line = self._lines[id(group)]
        if arrival_us is not None:
            self.overtaken += arrival_us < self._until_us
            line.arrived_us = max(arrival_us, line.arrived_us or 0)
        for task in tasks:
            line.add(task)
        line.pass_to(group.passed_us)
        yield from self._go_on()

    def beside(self, group: ActorT, task: Task) -> None:
        """Take what concerns one group alone and gives no row: after all that it has waiting."""
        line = self._lines[id(group)]
        if line.tasks:
            line.tasks.append((line.turn_us, line.host_us, task))
        else:
            group.perform(task)

    def pass_until(self, arrival_us: int) -> Iterator[MovementRow]:
        """Say that all that arrived before an instant was fed, of every reader; yield the rows whose turn has come."""
        if len(self._lines) > 1 and arrival_us > self._until_us:
            self._until_us = arrival_us
            yield from self._go_on()

    def flush(self) -> Iterator[MovementRow]:
        """End all: take every group's last tasks and do what waits, in order."""
        if len(self._lines) == 1:
            yield from self.take(self.groups[0], self.groups[0].flush(), None)
            return
        for mine in self._lines.values():
            for task in mine.actor.flush():
                mine.add(task)
        while (line := self._first()) is not None:
            yield from self._next_of(line)

    def _go_on(self) -> Iterator[MovementRow]:
        while (line := self._first()) is not None and self._may_go(line):
            yield from self._next_of(line)

    def _first(self) -> _Line[ActorT] | None:
        """Return whose turn it is; of two in the same instant the one in front has it."""
        return min(
            (line for line in self._lines.values() if line.tasks), key=lambda one: one.tasks[0][:2], default=None
        )

    def _may_go(self, line: _Line[ActorT]) -> bool:
        """Say whether nothing can come before the first task of all; lines with tasks have theirs behind it."""
        turn_us = line.tasks[0][0]
        if all(one.tasks or turn_us < self._bound_us(one) for one in self._lines.values()):
            return True
        crowded = sum(len(one.tasks) for one in self._lines.values()) > MOST_TASKS
        self.overtaken += crowded
        return crowded

    def _bound_us(self, line: _Line[ActorT]) -> int:
        """Return the turn before which a line gets no more tasks."""
        arrived_us = self._until_us if line.arrived_us is None else max(line.arrived_us, self._until_us)
        return max(line.turn_us, arrived_us - self._wait_us)

    @staticmethod
    def _next_of(line: _Line[ActorT]) -> Iterator[MovementRow]:
        _, _, task = line.tasks.popleft()
        row = line.actor.perform(task)
        if row is not None:
            yield row


def _done(rows: Iterable[MovementRow | None]) -> Iterator[MovementRow]:
    return (row for row in rows if row is not None)
