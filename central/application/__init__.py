"""Use cases and ports: commit of rows, registry import, acknowledgement, the live feed.

Errors:
    CentralError
        StoreUnavailable    the database can't be used now; the same call may succeed later
            StoreBusy       it is well, but took this transaction back in favour of another
        RowsRefused         the database refuses the data of these rows, now and always
        NotFound            what was asked for isn't there
        StepUnfit           the state of its subject doesn't allow it now
        ValueUnfit          a value that can't be right whatever the state is
"""
