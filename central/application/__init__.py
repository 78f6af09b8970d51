"""Use cases and ports: commit of rows, registry import, acknowledgement, the live feed.

Errors:
    CentralError
        StoreUnavailable    the database can't be used now; the same call may succeed later
        RowsRefused         the database refuses the data of these rows, now and always
        NotFound            what was asked for isn't there
"""
