"""The bearer token that writing needs: made at first start, kept in a 0600 file, compared in constant time."""

import hmac
import os
import secrets
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from fastapi import Header
from starlette.exceptions import HTTPException

TOKEN_BYTES = 32


class TokenError(Exception):
    """The token file can't be used; the message says why."""


def load_token(file: Path) -> str:
    """Return the token in `file`, made there if the file is absent."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(file)
    except OSError as error:
        raise TokenError(f"can't make the token file {file}: {error.strerror}") from error
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(token + "\n")
    return token


def requires(token: str) -> Callable[[str | None], None]:
    """Return a dependency that lets only requests with the token pass."""
    expected = f"Bearer {token}".encode()

    def check(authorization: Annotated[str | None, Header()] = None) -> None:
        if authorization is None or not hmac.compare_digest(authorization.encode(errors="replace"), expected):
            raise HTTPException(
                HTTPStatus.UNAUTHORIZED,
                "Send `Authorization: Bearer TOKEN` with the token from the file that the service names at start.",
                {"WWW-Authenticate": "Bearer"},
            )

    return check


def _read(file: Path) -> str:
    try:
        if file.stat().st_mode & 0o077:
            raise TokenError(f"the token file {file} is open to others: chmod 600 it")
        token = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise TokenError(f"can't read the token file {file}: {error}") from error
    if not token:
        raise TokenError(f"the token file {file} is empty: delete it, the next start makes a new one")
    return token
