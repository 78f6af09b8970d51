"""The reference pages of reader profiles and regions, made from the data in firmware_profiles."""

from edge.profiles import AntennaRadio, ReaderProfile, Region, legal_power, profiles, regions

MADE = "<!-- Made by `make docs` from firmware_profiles; changes here are overwritten. -->"


def profiles_page() -> str:
    """Return the table of readers, what is verified and what isn't, and each profile's quirks."""
    lines = [MADE, "", "# Reader profiles", ""]
    lines += [
        "What the agent knows of reader models. *Unverified* is what neither a recording nor a maker's text states.",
        "What isn't known is left at the behaviour of `generic/llrp`.",
        "`stockgate-edge profiles show NAME` gives every value with its source.",
        "",
    ]
    heads = ("reader", "profile", "vendor", "ModelName", "antenna ports", "inputs, outputs", "unverified")
    lines += [_row(heads), _row(["---"] * len(heads))]
    for profile in profiles():
        lines += [_row(_product_cells(profile, index)) for index in range(max(1, len(profile.products)))]
    for profile in profiles():
        lines += _profile_section(profile)
    return "\n".join(lines) + "\n"


def regions_page() -> str:
    """Return the regions with their limits, sources, and the power that an unknown antenna is held to."""
    lines = [MADE, "", "# Regulatory regions", ""]
    lines += [
        "`region` of a reader names one of these; the agent then sets no more power than is legal. An antenna without",
        "`gain_dbi` and `cable_db` counts as 9 dBi without cable loss. A limit that is marked with * stands in a text",
        "that nobody here has read: compare it before you rely on it. This table is no legal advice.",
        "",
    ]
    heads = ("region", "where", "band MHz", "channels", "limit", "at the connector", "unknown antenna", "regulation")
    lines += [_row(heads), _row(["---"] * len(heads))]
    lines += [_row(_region_cells(region)) for region in regions()]
    for region in regions():
        lines += ["", f"## {region.name}", "", f"{region.title}. {_regulation(region)}."]
        lines += [region.note] if region.note else []
        codes = ", ".join(f"{letters} {number}" for letters, number in sorted(region.countries.items()))
        standards = ", ".join(str(number) for number in region.standards) or "none of its own"
        lines += ["", f"LLRP: CountryCode {codes}; CommunicationsStandard {standards}.", ""]
        lines += [_row(("value", "source")), _row(("---", "---"))]
        lines += [_row((f"`{key}`", source)) for key, source in sorted(region.evidence.items())]
    return "\n".join(lines) + "\n"


def _product_cells(profile: ReaderProfile, index: int) -> list[str]:
    product = profile.products[index] if profile.products else None
    by_name = profile.match.by_name_only
    return [
        profile.title if product is None else product.name,
        f"`{profile.name}`" + (" (by name only)" if by_name else ""),
        _shown(profile.match.vendor, "any"),
        _shown(None if product is None else product.model, "any" if product is None else "not known"),
        _shown(None if product is None else product.antenna_ports, "not known"),
        f"{_shown(profile.gpio.inputs, 'not known')}, {_shown(profile.gpio.outputs, 'not known')}",
        f"{len(profile.unverified)} of {len(profile.sources)} values",
    ]


def _profile_section(profile: ReaderProfile) -> list[str]:
    lines = ["", f"## {profile.name}", "", f"{profile.title}. Firmware: {profile.match.firmware_span}."]
    if profile.match.by_name_only:
        lines.append("Chosen only where the configuration names it: how the reader names itself isn't known.")
    if profile.unverified:
        lines += ["", "Unverified: " + ", ".join(f"`{key}`" for key in sorted(profile.unverified)) + "."]
    if profile.quirks:
        lines += ["", _row(("quirk", "the reader", "the agent", "source")), _row(["---"] * 4)]
        lines += [_row((f"`{one.id}`", one.what, one.so, one.evidence)) for one in profile.quirks]
    return lines


def _region_cells(region: Region) -> list[str]:
    limits, unread = region.limits, region.unverified
    held = legal_power(region, AntennaRadio()).cap_cdbm / 100
    star = " *" if "limits.radiated_dbm" in unread else ""
    connector_star = " *" if "limits.conducted_max_dbm" in unread else ""
    connector = "" if limits.conducted_max_dbm is None else f"{limits.conducted_max_dbm:g} dBm{connector_star}"
    return [
        f"`{region.name}`",
        region.title.partition(",")[0],
        ", ".join(f"{low / 1000:g}-{high / 1000:g}" for low, high in region.band.ranges_khz),
        f"{len(region.band.channels_khz) or 'not listed'}, {region.band.access}",
        f"{limits.radiated_dbm:g} dBm {limits.radiated_as.upper()}{star}",
        connector,
        f"{held:.2f} dBm",
        _regulation(region),
    ]


def _regulation(region: Region) -> str:
    return f"{region.regulation}, {region.regulation_date or 'text not read'}"


def _shown(value: object, absent: str) -> str:
    return absent if value is None else str(value)


def _row(cells: object) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"
