"""The room's error tree (drawn in the package's docstring)."""


class CentralError(Exception):
    """Base of what the use cases and the adapters behind their ports raise."""


class StoreUnavailable(CentralError):  # noqa: N818 (a state that passes, named as one)
    """The database can't be used now; nothing was committed and the same call may succeed later."""


class StoreBusy(StoreUnavailable):
    """The database, which is well, took this transaction back in favour of another (a deadlock); ask again."""


class RowsRefused(CentralError):  # noqa: N818 (a verdict on data, named as one)
    """The database refuses the data of these rows, now and always."""


class NotFound(CentralError):  # noqa: N818 (HTTP's word for it)
    """What was asked for isn't there."""


class SchemaUnfit(CentralError):  # noqa: N818 (a state of the database, named as one)
    """The database's schema isn't this program's; the message says which of them is to be updated."""


class Separated(RowsRefused):
    """Separation of duties forbids it to this person; `rule` names which one, the message says who may do it."""

    def __init__(self, message: str, rule: str) -> None:
        super().__init__(message)
        self.rule = rule

    @property
    def breakable(self) -> bool:
        """Whether the rule may be broken open with a reason; the others, a count's among them, hold for everybody."""
        return self.rule in {"own_custody", "four_eyes", "mute_and_resolve"}


class NotAllowed(CentralError):  # noqa: N818 (HTTP's word for it)
    """Who asks may not; the message says which role may."""


class BrokerAway(CentralError):  # noqa: N818 (a state that passes, named as one)
    """What was asked for has to go through the broker, which can't be reached now."""


class ValueUnfit(CentralError):  # noqa: N818 (a verdict on a request, named as one)
    """A value that can't be right whatever the state is; the message names its field and says what to do."""


class StepUnfit(CentralError):  # noqa: N818 (a verdict on a request, named as one)
    """A step that the state of its subject doesn't allow, or that lacks something; the message says what to do."""
