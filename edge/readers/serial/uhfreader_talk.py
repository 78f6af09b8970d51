"""The conversation with a UHFReader18 or 288: who are you, be set up, then one inventory after another."""

from typing import Final

from edge.readers.errors import ReaderSilentError
from edge.readers.serial import uhfreader
from edge.readers.serial.bands import plan_channels
from edge.readers.serial.conversation import TRIES, Conversation, Question, Turn, confirmed
from edge.readers.serial.model import SerialSettings
from edge.readers.serial.uhfreader import SCAN_UNIT_MS, SCAN_UNITS, WITH_TAGS, Command, Frame, Status

SLACK_S: Final = 0.5
"""An inventory may take so much longer than its time: 75 ms says the manual, the rest is the line."""
PUSH_SILENCE_S: Final = 10.0
"""A reader in real-time mode that pushes nothing for so long, not even a heartbeat, is asked again."""
RELATIVE_RSSI: Final = "RSSI is relative: the reader's raw steps, taken as 1 dB each, are no dBm"
NO_RSSI: Final = "this reader sends no RSSI: direction can't be told from levels"


class UhfReaderTalk(Conversation[Frame]):
    """One connection."""

    def __init__(self, settings: SerialSettings) -> None:
        super().__init__(uhfreader.framer(), answer_timeout_s=settings.answer_timeout_s)
        self._settings = settings
        self._is_288 = settings.protocol == "uhfreader288"
        self._info: uhfreader.Info | None = None
        self._turn = 0
        self._tags = dict.fromkeys(settings.antennas, 0)
        self._seen = 0
        self._busy_since_s = 0.0
        self._unanswered = 0
        self._pushes = False
        self.notes.append(RELATIVE_RSSI if self._is_288 else NO_RSSI)

    def farewell(self) -> bytes:
        """See `Conversation.farewell`: an inventory ends by itself."""
        return b""

    @property
    def _antenna(self) -> int:
        return self._settings.antennas[self._turn % len(self._settings.antennas)]

    def _plan(self) -> list[Question[Frame]]:
        ask = uhfreader.command(Command.INFO)
        return [Question("who it is", ask, Command.INFO, self._take_info, required=True)]

    def _take_info(self, frame: Frame) -> None:
        """Learn who it is, and ask for what is set otherwise: the reader keeps settings, its memory wears out."""
        info = self._info = uhfreader.read_info(frame)
        self.who = f"reader type {info.type:#04x}, firmware {info.firmware}"
        self._want_region(info)
        power_dbm = self._settings.wanted_cdbm(100 * info.power_dbm) // 100
        if power_dbm != info.power_dbm:
            self._want(f"a power of {power_dbm} dBm", uhfreader.set_power(power_dbm), Command.SET_POWER)
        if not self._is_288 and info.scan_units != SCAN_UNITS:
            self._want("a shorter inventory time", uhfreader.set_scan_time(), Command.SET_SCAN_TIME)

    def _want_region(self, info: uhfreader.Info) -> None:
        settings = self._settings
        channels = plan_channels(settings.protocol, settings.channels_khz) if settings.region is not None else None
        if channels is None:
            return
        band = (channels.code, channels.channels[0], channels.channels[-1])
        if (info.band, info.first_channel, info.last_channel) != band:
            self._want(f"region {settings.region}", uhfreader.set_region(*band), Command.SET_REGION)
        if channels.left_out:
            self.notes.append(f"{channels.left_out} channels of {settings.region} can't be set on this reader")

    def _want(self, what: str, data: bytes, command: int) -> None:
        self._questions.append(Question(what, data, command, confirmed))

    def _answers(self, frame: Frame) -> int | None:
        return frame.command

    def _refusal(self, frame: Frame) -> str:
        return "" if frame.status == Status.OK else uhfreader.words(frame.status)

    def _begin(self, now_s: float) -> bytes:
        return self._inventory(now_s)

    def _inventory(self, now_s: float) -> bytes:
        self._busy_since_s, self._seen = now_s, 0
        if self._is_288:
            return uhfreader.inventory_288(self._antenna, uhfreader.slots_exponent(self._tags[self._antenna]))
        return uhfreader.inventory_18()

    def _serve(self, frame: Frame, now_s: float, turn: Turn) -> None:
        if frame.command == Command.PUSHED:
            self._take_pushed(frame, now_s, turn)
        elif frame.command == Command.INVENTORY and self.ready:
            self._take_inventory(frame, now_s, turn)

    def _take_pushed(self, frame: Frame, now_s: float, turn: Turn) -> None:
        if not self._pushes:
            self._pushes = True
            turn.told["pushes"] = "the reader is in real-time mode: it pushes tags by itself and is not polled"
        self._busy_since_s, self._unanswered = now_s, 0
        if frame.status == Status.OK:
            turn.sightings += uhfreader.read_pushed(frame, ports=self._settings.antenna_ports)

    def _take_inventory(self, frame: Frame, now_s: float, turn: Turn) -> None:
        self._unanswered, self._pushes = 0, False
        antenna, status = self._antenna if self._is_288 else 1, frame.status
        if status == Status.STATISTICS:
            return
        if status == Status.MORE:
            self._busy_since_s = now_s
        else:
            self._turn += 1
        try:
            if status in WITH_TAGS:
                tags = uhfreader.read_tags(frame, antenna=antenna, with_rssi=self._is_288)
                turn.sightings += tags
                self._seen += len(tags)
            if status == Status.ANTENNA:
                turn.antennas[antenna] = uhfreader.words(status)
            elif status in {*WITH_TAGS, Status.NO_TAG}:
                turn.antennas[antenna] = ""
            if status in uhfreader.FAULTS and status != Status.ANTENNA:
                turn.told[f"status {status} of antenna {antenna}"] = f"antenna {antenna}: {uhfreader.words(status)}"
        finally:
            if status != Status.MORE:
                self._tags[antenna] = self._seen
                turn.send += self._inventory(now_s)

    def _wait(self, now_s: float, turn: Turn) -> None:
        if self._pushes:
            patience_s = PUSH_SILENCE_S
        else:
            units = SCAN_UNITS if self._is_288 or self._info is None else max(self._info.scan_units, SCAN_UNITS)
            patience_s = units * SCAN_UNIT_MS / 1e3 + SLACK_S + self._settings.answer_timeout_s
        if now_s - self._busy_since_s < patience_s:
            return
        self._unanswered += 1
        if self._unanswered >= TRIES:
            raise ReaderSilentError(f"left {TRIES} inventories unanswered")
        self._turn += 1
        turn.send += self._inventory(now_s)
