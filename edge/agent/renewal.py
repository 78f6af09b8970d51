"""Another configuration for the running agent: checked first, then its parts are built anew in the same process.

`reload` takes the file as it stands; what is in it stays there, and an agent that can't start with it goes on with the
one before. `configure` brings a text: it is on trial until the agent is well with it (`edge.agent.fitness`), and taken
back where it isn't within a minute, or where anything ends the agent meanwhile (`edge.agent.trial_files`). The answer
to either comes from the desk of a later round than the one that took the command.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from structlog.typing import FilteringBoundLogger

from edge.agent.check import Report, examine_text
from edge.agent.config_change import changes, changes_in_words, fixed_problems, trust_problem
from edge.agent.fitness import LIMIT_S, STEADY_S, Look, OnTrial, Proof
from edge.agent.trial_files import Note, TrialFiles
from edge.commands import CONFIGURE, LateOrder, OrderError
from edge.config import EdgeConfig, digest
from edge.contracts import MAX_TOML_BYTES, Command
from edge.contracts.commands import Argument

RELOAD: Final = "reload"
LOOK_S: Final = 0.5
RETRY_S: Final = 1.0
"""Between two tries to answer over a broker that is away."""
MOST_FINDINGS: Final = 4
AS_BEFORE: Final = "the agent goes on as before"

Publish = Callable[[Note], bool]


@dataclass(frozen=True, slots=True)
class Held:
    """A configuration and the file's bytes that it was read from."""

    config: EdgeConfig
    text: bytes


@dataclass(slots=True)
class Change:
    """One configuration in another's place.

    Attributes:
        before: what ran.
        after: what is to run.
        look: how the agent was with it.
        note: the trial's, for a configuration that isn't the file's own word.
        told: what the answer says if all is well.
        asked: whose command it is: its name and nonce; None for a signal.
    """

    before: Held
    after: Held
    look: Look
    note: Note | None
    told: dict[str, Argument]
    asked: tuple[str, str] | None
    proven: bool = field(default=False)


class Renewal:
    """Which configuration runs, what is on trial, and who is still to be answered; one for the process.

    Args:
        path: the configuration file, or a link to it.
        held: what it says, checked.
        log: logger.
        recording: whether a recording runs, which a change of configuration would break in two.
        untold: a trial that an earlier start left, to be answered.
        limit_s: how long a configuration may take to be well.
        steady_s: for how long on end it must be.
    """

    def __init__(
        self,
        path: Path,
        held: Held,
        *,
        log: FilteringBoundLogger,
        recording: bool = False,
        untold: Note | None = None,
        limit_s: float = LIMIT_S,
        steady_s: float = STEADY_S,
    ) -> None:
        self._named, self._path, self._held, self._log = path.absolute(), path.resolve(), held, log
        self._files = TrialFiles(self._path)
        self._recording, self._limit_s, self._steady_s = recording, limit_s, steady_s
        self._untold: list[Note] = [] if untold is None else [untold]
        self._change: Change | None = None
        self._proof: Proof | None = None
        self._busy = self._stopped = self._anew = False
        self._round = asyncio.Event()
        self._look: Callable[[], Look] | None = None
        self._signal: asyncio.Task[None] | None = None
        self._again = False  # the file is to be read once more: what was asked for came too early

    @property
    def anew(self) -> bool:
        """Whether the round that ends is followed by another."""
        return self._anew and not self._stopped

    def on_trial(self) -> OnTrial | None:
        """Return which pushed configuration is on trial, and for how long; None where none is."""
        change, proof = self._change, self._proof
        if change is None or change.note is None or change.proven:
            return None
        left_s = self._limit_s if proof is None else max(proof.begun_s + self._limit_s - time.monotonic(), 0.0)
        problems = () if proof is None else tuple(proof.problems)
        changed = str(change.told.get("changed", ""))
        return OnTrial(changed=changed, left_s=left_s, steady_s=self._steady_s, problems=problems)

    def stop(self) -> None:
        """End the agent for good."""
        self._stopped = True
        self._round.set()

    def hang_up(self) -> None:
        """Read the file again, as SIGHUP asks; at once, or as soon as what is being taken is."""
        if self._signal is None or self._signal.done():
            self._signal = asyncio.create_task(self._reload_by_signal(), name="reload")
        else:
            self._again = True

    async def run(self, serve: Callable[[EdgeConfig, asyncio.Event], Awaitable[None]]) -> None:
        """Serve round after round until `stop`; what a round raises that has nothing to prove ends it."""
        while not self._stopped:
            self._round, self._anew = asyncio.Event(), False
            try:
                await serve(self._held.config, self._round)
            except Exception as error:  # whatever a new configuration leads to, the one before goes on
                self._look = None
                if self._change is None or self._change.proven or self._stopped:
                    raise
                await self._fall_back(self._change, f"the agent can't run with it: {_cause(error)}")
            self._look = None
            if not self._anew:
                return

    def join(self, look: Callable[[], Look]) -> dict[str, LateOrder]:
        """Take how the agent of a new round is; return what its desk takes for us."""
        self._look = look
        return {RELOAD: self._reload, CONFIGURE: self._configure}

    async def attend(self, publish: Publish) -> None:
        """Prove what is new and answer who asked, while a round runs."""
        if self._change is not None and self._look is not None:
            await self._prove(self._change, self._look)
        self._take_up()
        while self._untold:
            if publish(self._untold[0]):
                note = self._untold.pop(0)
                try:
                    await asyncio.to_thread(self._files.forget, note)
                except OSError as error:
                    self._log.warning("what a trial left can't be removed", problem=error.strerror or str(error))
            else:
                await asyncio.sleep(RETRY_S)

    async def _reload(self, command: Command) -> None:
        if command.args:
            raise OrderError(f"unknown argument {min(command.args)[:80]!r}: reload takes none")
        await self._take_file((command.name, command.nonce))

    async def _reload_by_signal(self) -> None:
        if self._is_taking:
            self._again = True
            self._log.info("the file is read again as soon as the configuration before it is taken")
            return
        try:
            await self._take_file(None)
        except OrderError as error:
            self._log.warning("configuration isn't taken", problem=str(error))

    async def _take_file(self, asked: tuple[str, str] | None) -> None:
        look = self._begin()
        try:
            try:
                text = await asyncio.to_thread(self._path.read_bytes)
            except OSError as error:
                why = error.strerror or error
                raise OrderError(f"{self._path} can't be read ({why}): {AS_BEFORE}") from error
            after, told = await self._checked(text)
            self._end_round(Change(self._held, after, look, None, told, asked))
        finally:
            self._over()

    async def _configure(self, command: Command) -> dict[str, Argument] | None:
        strange = sorted(command.args.keys() - {"toml"})
        if strange:
            raise OrderError(f"unknown argument {strange[0][:80]!r}: known here is toml")
        text = str(command.args.get("toml", "")).encode()
        if not 0 < len(text) <= MAX_TOML_BYTES:
            raise OrderError(f"toml has {len(text)} bytes: give 1 to {MAX_TOML_BYTES}")
        look = self._begin()
        try:
            return await self._try(command, text, look)
        finally:
            self._over()

    async def _try(self, command: Command, text: bytes, look: Look) -> dict[str, Argument] | None:
        held = self._held
        try:
            on_disk = await asyncio.to_thread(self._path.read_bytes)
        except OSError as error:
            raise OrderError(f"{self._path} can't be read ({error.strerror or error}): {AS_BEFORE}") from error
        if on_disk != held.text:
            raise OrderError(
                f"{self._path} was edited on the gateway and isn't in use: reload it, or take the edit back, first"
            )
        after, told = await self._checked(text)
        signer = "" if command.signature is None else command.signature.key
        if problem := trust_problem(held.config, after.config, signer):
            raise OrderError(f"{problem}; {AS_BEFORE}")
        if text == held.text:
            return told
        try:
            note = await asyncio.to_thread(
                self._files.begin, held.text, text, name=command.name, nonce=command.nonce
            )  # fmt: skip
        except OSError as error:
            raise OrderError(
                f"{self._path} can't be written here ({error.strerror or error}): nothing was changed; let the agent's "
                "user write in its folder, or change it on the gateway"
            ) from error
        self._end_round(Change(held, after, look, note, told, (command.name, command.nonce)))
        return None

    @property
    def _is_taking(self) -> bool:
        """Whether another configuration is on its way in."""
        on_trial = self._change is not None and not self._change.proven
        return self._busy or self._look is None or self._anew or on_trial

    def _begin(self) -> Look:
        """Return how the agent is, and let nobody else begin; raise `OrderError` where nothing may be changed now."""
        if self._is_taking or self._look is None:
            raise OrderError("another configuration is being taken: give the command again in two minutes")
        if (now := self._named.resolve()) != self._path:
            raise OrderError(
                f"{self._named} leads to {now} by now, and led to {self._path} at the start: restart the agent"
            )
        if self._recording:
            raise OrderError("the agent records (--record), which a change would break: end the recording first")
        look = self._look()
        if look.store:
            raise OrderError(f"the outbox can't be written ({look.store}): events that wait in memory would be lost")
        self._busy = True
        return look

    def _over(self) -> None:
        """Let the next one begin; a signal that came meanwhile is one, unless a new round takes it up."""
        self._busy = False
        if self._again and not self._anew:
            asyncio.get_running_loop().call_soon(self._take_up)

    def _take_up(self) -> None:
        """Read the file again, if that was asked for too early."""
        if self._again and not self._anew:
            self._again = False
            self.hang_up()

    async def _checked(self, text: bytes) -> tuple[Held, dict[str, Argument]]:
        """Return a text's configuration and what is new in it; raise `OrderError` for one that can't be used."""
        report, config = await asyncio.to_thread(examine_text, text, self._path.parent, self._path)
        if config is None:
            raise OrderError(f"{_findings(report, 'error')}; {AS_BEFORE}")
        if fixed := fixed_problems(self._held.config, config):
            raise OrderError(f"{'; '.join(fixed)}; {AS_BEFORE}")
        told: dict[str, Argument] = {
            "config": digest(config),
            "changed": changes_in_words(changes(self._held.config, config)),
        }
        if warnings := _findings(report, "warning"):
            told["warnings"] = warnings
        return Held(config, text), told

    def _end_round(self, change: Change) -> None:
        self._change, self._proof, self._held, self._anew = change, None, change.after, True
        self._log.info("configuration is taken: the parts begin anew", trial=change.note is not None, **change.told)
        self._round.set()

    async def _prove(self, change: Change, look: Callable[[], Look]) -> None:
        """Look until it is clear whether the agent is well."""
        self._proof = proof = Proof(change.look, time.monotonic(), self._limit_s, self._steady_s)
        while (clear := proof.look(look(), time.monotonic())) is None:
            if self._again and change.note is None:  # it was mended, so nobody waits for what becomes of it
                change.proven = True
                self._answer(change, f"the file is read again before it is well: {'; '.join(proof.problems)}")
                return
            await asyncio.sleep(LOOK_S)
        if clear == "well":
            await self._keep(change)
        elif change.note is None:
            await self._end_open()
            change.proven = True
            self._answer(change, f"it is in use, but after {self._limit_s:g} s: {'; '.join(proof.problems)}")
        else:
            await self._fall_back(change, f"after {self._limit_s:g} s: {'; '.join(proof.problems)}")
            self._round.set()

    async def _keep(self, change: Change) -> None:
        """Make a configuration on trial the one; it is only once the disk has that."""
        if change.note is not None:
            try:
                change.note = await asyncio.to_thread(
                    self._files.end, change.note, problem="", result=change.told
                )  # fmt: skip
            except OSError as error:
                await self._fall_back(change, f"the disk can't take that it is well: {error.strerror or error}")
                self._round.set()
                return
        else:
            await self._end_open()
        change.proven = True
        self._answer(change, "")

    async def _end_open(self) -> None:
        """End what an earlier trial has left open, else the next start would take back the file that is in use now."""
        try:
            if await asyncio.to_thread(self._files.end_open):
                self._log.info("a trial that could not be ended on disk is over: the file that was read again stays")
        except OSError as error:
            self._log.error(
                "a trial that is over can't be ended on disk: the next start takes its configuration back",
                problem=error.strerror or str(error),
            )

    async def _fall_back(self, change: Change, why: str) -> None:
        """Go on with the configuration before, in the next round."""
        self._held, self._change, self._anew = change.before, None, True
        if change.note is None:
            self._answer(change, f"the agent goes on with the configuration before, not with {self._path}: {why}")
            return
        problem = f"rolled back: {why}"
        try:
            await asyncio.to_thread(
                self._files.end, change.note, problem=problem, result={}, back_to=change.before.text
            )  # fmt: skip
        except OSError as error:
            problem += f"; {self._path} can't be written back ({error.strerror or error}): the next start does it"
        self._answer(change, problem)

    def _answer(self, change: Change, problem: str) -> None:
        """Note what is to be told to who asked; the log has it in any case."""
        if problem:
            self._log.error("configuration isn't well", problem=problem, trial=change.note is not None)
        else:
            self._log.info("configuration is well", trial=change.note is not None, config=change.told["config"])
        if change.asked is not None:
            name, nonce = change.asked
            told = {} if problem else change.told
            self._untold.append(Note(before="", trial="", name=name, nonce=nonce, problem=problem, result=told))


def _findings(report: Report, severity: str) -> str:
    found = [f"{one.key}: {one.what}" if one.key else one.what for one in report.findings if one.severity == severity]
    more = f"; and {len(found) - MOST_FINDINGS} more" if len(found) > MOST_FINDINGS else ""
    return "; ".join(found[:MOST_FINDINGS]) + more


def _cause(error: BaseException) -> str:
    """Return the words of the first error in a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__
