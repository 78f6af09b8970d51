"""What no single key of a reader can show: who dials whom, whom to trust, which tags are no assets."""

import re
from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

from edge.config.model import EdgeConfig, ReaderConfig
from edge.readers import split_address
from edge.readers.model import PLAIN_PORT, TLS_PORT

_HOST_NAME: Final = re.compile(r"\w[\w-]*(\.\w[\w-]*)*\.?")


def link_problems(config: EdgeConfig) -> Iterator[str]:
    """Yield each problem of readers' connections and wiring as one line that begins with its place."""
    for number, reader in enumerate(config.readers):
        place = f"readers[{number}]"
        ports = set(config.ports_of(reader.id))
        yield from _host_problems(place, reader)
        yield from _listen_problems(place, reader)
        yield from _tls_problems(place, reader)
        yield from _wiring_problems(place, reader, ports)
    yield from _double_addresses(config)
    yield from _shared_listeners(config)
    yield from _double_references(config)


def _host_problems(place: str, reader: ReaderConfig) -> Iterator[str]:
    if reader.listen is None and not _is_address(reader.host) and not _HOST_NAME.fullmatch(reader.host):
        yield (
            f"{place}.host: {reader.host!r} is no host name or IP address: write it alone, like 192.0.2.10; "
            "a port goes to `port`"
        )


def _listen_problems(place: str, reader: ReaderConfig) -> Iterator[str]:
    if reader.listen is None:
        if reader.trusted_network:
            yield f"{place}.trusted_network: is about `listen`, which is not set: leave it out"
        return
    if reader.port is not None:
        yield f"{place}.port: is the port to dial, but with listen the reader dials us: leave it out"
    if not _is_address(reader.host):
        yield f"{place}.host: with listen it must be the IP address that the reader dials from, not {reader.host!r}"
    try:
        host, port = split_address(reader.listen)
    except ValueError as error:
        yield f"{place}.listen: {error}"
        return
    if port == 0:
        yield f"{place}.listen: port 0 is another one at each start: give the port that the reader dials, like 5084"
    if not _is_address(host):
        yield f"{place}.listen: must begin with an IP address of this machine, not {host!r}"
    elif not ip_address(host).is_loopback and not reader.trusted_network and not _proves_itself(reader):
        yield (
            f"{place}.listen: {reader.listen} can be reached from the network, and nothing proves that it is the "
            "reader who dials: set tls with certificate_file and ca_file, or, on a network of the readers' own, "
            "trusted_network = true, by which the address alone is believed"
        )


def _tls_problems(place: str, reader: ReaderConfig) -> Iterator[str]:
    tls = reader.tls
    if tls is None:
        return
    if reader.listen is None:
        for key in ("certificate_file", "key_file"):
            if getattr(tls, key) is not None:
                yield f"{place}.tls.{key}: is for readers that dial us (`listen`): leave it out"
        return
    if tls.certificate_file is None:
        yield f"{place}.tls.certificate_file: is missing: a reader that dials us wants to see a certificate"
    if tls.ca_file is None:
        yield f"{place}.tls.ca_file: is missing: with listen the reader is asked for a certificate that it vouches for"


def _wiring_problems(place: str, reader: ReaderConfig, ports: set[int]) -> Iterator[str]:
    yield from _doubles(f"{place}.gpis", "port", [gpi.port for gpi in reader.gpis])
    yield from _doubles(f"{place}.outputs", "output", [one.output for one in reader.outputs])
    yield from _doubles(f"{place}.references", "port", [one.port for one in reader.references])
    for number, reference in enumerate(reader.references):
        if reference.port not in ports:
            yield (
                f"{place}.references[{number}].port: no portal or zone has antenna {reference.port} of reader "
                f"{reader.id}: give the port of an antenna that is used"
            )
    if reader.trigger is not None and reader.references:
        yield (
            f"{place}.references: can't be judged while reading waits for an input (trigger): leave one of the two out"
        )


def _doubles(place: str, key: str, numbers: list[int]) -> Iterator[str]:
    for number, times in Counter(numbers).items():
        if times > 1:
            yield f"{place}: {key} {number} stands there {times} times: give it once"


def _double_addresses(config: EdgeConfig) -> Iterator[str]:
    """A reader serves one client: of two that dial the same address one is turned away for ever."""
    first: dict[tuple[str, int], str] = {}
    for number, reader in enumerate(config.readers):
        if reader.listen is not None:
            continue
        port = reader.port or (PLAIN_PORT if reader.tls is None else TLS_PORT)
        same = first.setdefault((_one_spelling(reader.host), port), reader.id)
        if same != reader.id:
            yield f"readers[{number}].host: {reader.host}:{port} is reader {same} already: each has its own address"


def _shared_listeners(config: EdgeConfig) -> Iterator[str]:
    """Readers may share one of our addresses: they are told apart by theirs, and served by one certificate."""
    first: dict[str, ReaderConfig] = {}
    hosts: dict[tuple[str, str], str] = {}
    for number, reader in enumerate(config.readers):
        if reader.listen is None:
            continue
        other = first.setdefault(reader.listen, reader)
        if _server_keys(reader) != _server_keys(other):
            yield f"readers[{number}].tls: one certificate serves {reader.listen}, but {other.id} has other files"
        same = hosts.setdefault((reader.listen, reader.host), reader.id)
        if same != reader.id:
            yield f"readers[{number}].host: {same} dials {reader.listen} from {reader.host} too: who is who?"


def _double_references(config: EdgeConfig) -> Iterator[str]:
    seen: dict[str, str] = {}
    for number, reader in enumerate(config.readers):
        for index, reference in enumerate(reader.references):
            place = f"readers[{number}].references[{index}]"
            other = seen.setdefault(reference.epc, place)
            if other != place:
                yield f"{place}.epc: is also the tag of {other}: each antenna has a reference tag of its own"


def _proves_itself(reader: ReaderConfig) -> bool:
    return reader.tls is not None and reader.tls.certificate_file is not None and reader.tls.ca_file is not None


def _server_keys(reader: ReaderConfig) -> tuple[str | None, ...]:
    tls = reader.tls
    return () if tls is None else (tls.certificate_file, tls.key_file, tls.ca_file, str(tls.legacy))


def _one_spelling(host: str) -> str:
    """Return what all spellings of a host have in common, without asking a name server."""
    if _is_address(host):
        return str(ip_address(host))
    name = host.lower().removesuffix(".")
    return "127.0.0.1" if name == "localhost" else name


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
