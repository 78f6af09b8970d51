"""Servers that somebody else runs: the standalone form uses them and neither starts nor stops them."""

import psycopg

from deploy.standalone.errors import StandaloneError


class GivenBroker:
    """A broker at an address; its own keepers watch over it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def start(self) -> None:
        """Do nothing: the programs say in words whether they reach it."""

    def stop(self) -> None:
        """Leave it running."""


class GivenDatabase:
    """An empty database on a PostgreSQL server that runs already."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    def start(self) -> None:
        """Look whether the database answers and is empty, so that nobody's data is mixed with samples.

        Raises:
            StandaloneError: it doesn't answer, or holds tables; the message says what to do.
        """
        query = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        try:
            with psycopg.connect(self.dsn, connect_timeout=10) as connection:
                found = connection.execute(query).fetchone()
        except psycopg.Error as error:
            raise StandaloneError(f"the database of --dsn can't be used: {str(error).strip()}") from error
        if found and found[0]:
            raise StandaloneError(
                f"the database of --dsn holds {found[0]} tables already: give the demo an empty one (createdb NAME)"
            )

    def stop(self) -> None:
        """Leave it running, with the demo's data in it."""
