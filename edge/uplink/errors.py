"""The room's error tree: `UplinkError` > `UplinkSettingsError`, `ConnectError`."""


class UplinkError(RuntimeError):
    """The uplink can't do what was asked; the message names the broker, the trouble and what to do."""


class UplinkSettingsError(UplinkError, ValueError):
    """A setting of the uplink can't be used."""


class ConnectError(UplinkError):
    """The broker wasn't reached, refused us, or stayed silent; the forwarder tries again."""
