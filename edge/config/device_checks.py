"""What no single key can show of serial readers, smart readers and boards."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from edge.config.devices import BoardConfig, SerialReaderConfig, SmartReaderConfig
from edge.config.model import EdgeConfig
from edge.config.radio import serving_antennas
from edge.profiles import ProfileError, region_named
from edge.readers.serial import LINE_NAMES, plan_channels
from edge.uplink import UplinkError, parse_url

MOST_READERS: Final = 8
LINE_SCHEMES: Final = ("rfc2217", "socket")
_SERVER: Final = re.compile(r"[^\s/:]+:\d{1,5}(?!\d)|\[[0-9A-Fa-f:.]+\]:\d{1,5}(?!\d)")


def device_problems(config: EdgeConfig) -> Iterator[str]:
    """Yield each problem as one line that begins with its place."""
    count = len(config.reader_places)
    if not 1 <= count <= MOST_READERS:
        yield f"readers: there are {count} [[readers]]: an agent drives 1 to {MOST_READERS}"
    for number, reader in enumerate(config.serial_readers):
        yield from _serial_problems(f"serial_readers[{number}]", reader, _ports(config, reader.id))
    for number, smart in enumerate(config.smart_readers):
        yield from _smart_problems(f"smart_readers[{number}]", smart)
    yield from _powers_not_ours(config)
    yield from _taken_ids(config)
    yield from _shared_topics(config)
    for place, device in serial_places(config):
        yield from _line_problems(place, device)
    yield from _shared_lines(config)
    for number, board in enumerate(config.boards):
        yield from _board_problems(f"boards[{number}] ({board.id})", board)


def _powers_not_ours(config: EdgeConfig) -> Iterator[str]:
    smart = {reader.id for reader in config.smart_readers}
    for place, _, antenna in serving_antennas(config):
        if antenna.tx_power_dbm is not None and antenna.reader in smart:
            yield (
                f"{place}.tx_power_dbm: reader {antenna.reader} publishes by itself: set its power there, and "
                "leave this out"
            )


def _taken_ids(config: EdgeConfig) -> Iterator[str]:
    """Events name their reader or board by its id alone."""
    first = {name: place for place, name in config.reader_places.items()}
    for number, board in enumerate(config.boards):
        place = f"boards[{number}]"
        if first.setdefault(board.id, place) != place:
            yield f"{place}.id: {board.id!r} is also the id of {first[board.id]}: give each its own"


def _ports(config: EdgeConfig, reader: str) -> set[int]:
    return set(config.ports_of(reader))


def _serial_problems(place: str, reader: SerialReaderConfig, ports: set[int]) -> Iterator[str]:
    has = reader.antenna_ports if reader.protocol == "uhfreader288" else 1
    if "antenna_ports" in reader.model_fields_set and reader.protocol != "uhfreader288":
        yield f"{place}.antenna_ports: an {reader.protocol} has one antenna: leave it out"
    for port in sorted(port for port in ports if port > has):
        key = "see antenna_ports" if reader.protocol == "uhfreader288" else f"an {reader.protocol} has one antenna"
        yield f"{place}: a portal names antenna port {port}, but reader {reader.id} has {has}: {key}"
    if reader.region is not None:
        yield from _region_problems(f"{place}.region", reader)
    for index, gpi in enumerate(reader.gpis):
        if gpi.port not in LINE_NAMES:
            yield f"{place}.gpis[{index}].port: a serial port's inputs are {_lines()}, not {gpi.port}"
    yield from _double_inputs(f"{place}.gpis", [gpi.port for gpi in reader.gpis])


def _region_problems(place: str, reader: SerialReaderConfig) -> Iterator[str]:
    try:
        region = region_named(reader.region or "")
    except ProfileError as error:
        yield f"{place}: {error}"
        return
    if plan_channels(reader.protocol, region.band.channels_khz or ()) is None:
        yield f"{place}: an {reader.protocol} has none of the channels of {region.title}: take a reader made for it"


def _smart_problems(place: str, reader: SmartReaderConfig) -> Iterator[str]:
    try:
        if reader.mqtt_url is not None:
            parse_url(reader.mqtt_url)
    except UplinkError as error:
        yield f"{place}.mqtt_url: {error}"
    yield from _double_inputs(f"{place}.gpis", [gpi.port for gpi in reader.gpis])


def _shared_topics(config: EdgeConfig) -> Iterator[str]:
    topics = [(reader.mqtt_url, reader.mqtt_topic) for reader in config.smart_readers]
    for number, topic in enumerate(topics):
        first = topics.index(topic)
        if first != number:
            yield f"smart_readers[{number}].mqtt_topic: is also that of smart_readers[{first}]: each reader has its own"


def serial_places(config: EdgeConfig) -> Iterator[tuple[str, str]]:
    """Yield each place in the model that names a serial line, and the line's device or URL."""
    yield from ((f"serial_readers[{n}]", reader.serial) for n, reader in enumerate(config.serial_readers))
    yield from ((f"boards[{n}] ({board.id})", board.serial) for n, board in enumerate(config.boards))


def _line_problems(place: str, device: str) -> Iterator[str]:
    """Of pyserial's URLs those of device servers are taken; anything else is a device."""
    scheme, mark, rest = device.partition("://")
    if not device.strip():
        yield f"{place}.serial: {device!r} is no device: best take a name in /dev/serial/by-id"
    elif mark and (scheme not in LINE_SCHEMES or not _SERVER.match(rest)):
        known = " or ".join(f"{one}://host:port" for one in LINE_SCHEMES)
        yield f"{place}.serial: {device!r} can't be opened: give a device, or {known}"


def _shared_lines(config: EdgeConfig) -> Iterator[str]:
    """One device is opened once; several boards on one bus aren't told apart yet."""
    first: dict[str, str] = {}
    for place, device in serial_places(config):
        if first.setdefault(device, place) != place:
            yield f"{place}.serial: {device} is already that of {first[device]}: one line serves one device"


def _board_problems(place: str, board: BoardConfig) -> Iterator[str]:
    for key in ("unit", "timed_outputs"):
        if key in board.model_fields_set and board.protocol != "modbus":
            yield f"{place}.{key}: is for `modbus` boards: leave it out"
    if board.protocol == "lines" and board.outputs:
        yield f"{place}.outputs: a serial port's control lines are inputs here: leave it out"
    if board.protocol == "lcus" and board.gpis:
        yield f"{place}.gpis: an `lcus` board has no inputs: take a `modbus` board, or `lines` of a serial port"
    if not board.outputs and not board.gpis:
        yield f"{place}: has neither outputs nor gpis: say what it has, or leave it out"
    for index, gpi in enumerate(board.gpis):
        if board.protocol == "lines" and gpi.port not in LINE_NAMES:
            yield f"{place}.gpis[{index}].port: a serial port's inputs are {_lines()}, not {gpi.port}"
    yield from _double_inputs(f"{place}.gpis", [gpi.port for gpi in board.gpis])


def _double_inputs(place: str, ports: list[int]) -> Iterator[str]:
    for port, times in Counter(ports).items():
        if times > 1:
            yield f"{place}: port {port} stands there {times} times: give it once"


def _lines() -> str:
    return ", ".join(f"{number} ({name})" for number, name in LINE_NAMES.items())
