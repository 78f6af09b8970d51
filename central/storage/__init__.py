"""The database: plain SQL in files, psycopg 3, forward-only migrations. Implements the ports of `central.application`.

Errors: those of `central.application.errors`; and
    MigrationError    the schema can't be brought to this program's version; the message says why and what to do
"""
