"""What a `postgresql:` URL says, as the driver wants it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exc
from sqlalchemy.engine import URL, make_url

from faultmaven_core.shared.errors import MisconfiguredError
from faultmaven_core.shared.secret import Secret

_PORT = 5432
_MODES = ("disable", "prefer", "require", "verify-ca", "verify-full")


@dataclass(frozen=True, slots=True)
class PostgresPlace:
    """Where a PostgreSQL is and as whom to go there. `tls` is what the driver takes: a context, False, or "prefer"."""

    host: str
    port: int
    database: str
    user: str
    password: Secret
    tls: ssl.SSLContext | str | bool

    @classmethod
    def parse(cls, url: str, password: Secret | None) -> PostgresPlace:
        """Read a URL; a password of its own stands in for the given one. Raises MisconfiguredError that shows no password."""
        try:
            parts = make_url(url)
            port = parts.port or _PORT
        except (exc.ArgumentError, ValueError) as error:
            raise MisconfiguredError("The database's URL is none: use postgresql://user@host:port/database.") from error
        if not (parts.host and parts.database and parts.username):
            raise MisconfiguredError(
                "The database's URL is not complete: use postgresql://user@host:port/database, and FM_DATABASE_PASSWORD."
            )
        own = Secret(parts.password) if parts.password else password or Secret("")
        return cls(parts.host, port, parts.database, parts.username, own, _tls(parts))

    def __str__(self) -> str:
        return f"The database {self.database} at {self.host}:{self.port}"

    def arguments(self, connect_timeout: float) -> dict[str, Any]:
        """The driver's arguments for a connection."""
        return {
            "host": self.host,
            "port": self.port,
            "database": self.database,
            "user": self.user,
            "password": self.password.reveal,
            "ssl": self.tls,
            "timeout": connect_timeout,
            "server_settings": {"application_name": "faultmaven"},
        }


def _tls(parts: URL) -> ssl.SSLContext | str | bool:
    given = {name: value if isinstance(value, str) else value[-1] for name, value in parts.query.items()}
    unknown = sorted(given.keys() - {"sslmode", "sslrootcert"})
    if unknown:
        raise MisconfiguredError(
            f"The database's URL has {unknown[0]}, which is not known: sslmode and sslrootcert are."
        )
    mode, root = given.get("sslmode", "prefer"), given.get("sslrootcert", "")
    if mode not in _MODES:
        raise MisconfiguredError(f"The database's URL has sslmode={mode}; it is one of {', '.join(_MODES)}.")
    if mode == "disable":
        return False
    if mode == "prefer" and not root:
        return mode
    context = _context(root)
    # As PostgreSQL's own client reads it: with a root certificate, `require` checks the chain too.
    context.check_hostname = mode == "verify-full"
    context.verify_mode = ssl.CERT_NONE if mode == "require" and not root else ssl.CERT_REQUIRED
    return context


def _context(root: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=root or None)
    except OSError as error:
        raise MisconfiguredError(
            f"The file {root} of sslrootcert in the database's URL cannot be used: it must hold certificates as PEM."
        ) from error
