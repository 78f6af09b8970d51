"""How a gateway, its readers and its machine fare, in words."""

from typing import Any, Final

from central.console import words

HOT_C: Final = 80.0
"""A Raspberry Pi slows its processor from here on."""
LITTLE_DISK: Final = 0.02
READER_STATES: Final = {"connected": "reads", "connecting": "is being dialled", "lost": "does not answer"}
ANTENNA_STATES: Final = {"fault": "has a fault", "silent": "hears nothing any more"}


def gateway_words(gateway: dict[str, Any]) -> tuple[bool, str]:
    """Whether a gateway is well, and its state in words."""
    if not gateway["registered"] and (site := gateway.get("registered_site")):
        return False, (
            f"is not heard: it speaks for site {gateway['site']}, and portals name it at {site}. "
            "Correct site in its edge.toml, or portals.csv"
        )
    if not gateway["registered"]:
        return False, "is waiting: no portal in the registry names it"
    if not gateway["online"]:
        return False, "was stopped" if gateway.get("stopped") else "is not connected"
    health = gateway.get("health") or {}
    ill = [reader for reader in health.get("readers", []) if reader["state"] != "connected"]
    troubles = [f"reader {one['id']} {READER_STATES.get(one['state'], one['state'])}" for one in ill]
    troubles += [
        f"antenna {antenna['port']} of {reader['id']} {ANTENNA_STATES[antenna['state']]}"
        for reader in health.get("readers", [])
        if reader["state"] == "connected"
        for antenna in reader.get("antennas", [])
        if antenna["state"] in ANTENNA_STATES
    ]
    troubles += [
        f"{words.portal_name(portal['id'])} is not watched since {words.when(portal['since'])}"
        for portal in health.get("portals", [])
        if portal["state"] == "dark"
    ]
    if troubles:
        return False, "; ".join(troubles)
    troubles = host_troubles(health.get("host") or {})
    if troubles:
        return False, "; ".join(troubles)
    pending = sum(stream["pending"] for stream in health.get("streams", []))
    waiting = f", {pending:,} event{'' if pending == 1 else 's'} on the way" if pending else ""
    return True, f"{len(health.get('readers', []))} readers read{waiting}"


def host_troubles(host: dict[str, Any]) -> list[str]:
    """What is wrong with the machine that a gateway's agent runs on."""
    troubles = []
    if (heat := host.get("temperature_c")) is not None and heat >= HOT_C:
        troubles.append(f"its processor has {heat:.0f} °C: look at its fan and where it hangs")
    free, whole = host.get("disk_free_bytes"), host.get("disk_bytes")
    if free is not None and whole and free < whole * LITTLE_DISK:
        troubles.append(f"its disk has {free / 2**20:,.0f} MiB free: make room")
    if host.get("host_synced") is False:
        troubles.append("its clock is not set: look at its time server")
    return troubles


def host_words(host: dict[str, Any]) -> str:
    """How the machine fares that a gateway's agent runs on; empty where it doesn't tell."""
    told = []
    if (heat := host.get("temperature_c")) is not None:
        told.append(f"{heat:.0f} °C")
    if (load := host.get("load_1m")) is not None:
        told.append(f"load {load:.2f} of {host.get('cpus', 1)}")
    for name, key in (("memory", "memory_available_bytes"), ("disk", "disk_free_bytes")):
        if (free := host.get(key)) is not None:
            told.append(f"{free / 2**30:.1f} GiB {name} free")
    if (offset := host.get("clock_offset_us")) is not None:
        told.append(f"clock {offset / 1000:+.1f} ms")
    elif host:
        told.append("clock followed by nothing" if host.get("host_synced") else "clock not set")
    return " · ".join(told)
