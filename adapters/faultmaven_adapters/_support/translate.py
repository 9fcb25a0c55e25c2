"""A library's errors as ours: one table per library, the most specific class wins, no word of a driver in a message.

What the driver said goes to the log with its secrets masked, and stays as the error's cause.
"""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, TypeAlias

from faultmaven_core.shared.errors import (
    BackendError,
    BackendRefusedError,
    BackendUnavailableError,
    DeadlineExceededError,
    FaultMavenError,
)

Row: TypeAlias = Callable[[Any, str], FaultMavenError]
"""Makes our error of a driver's and the place where it happened."""

Table: TypeAlias = Mapping[type[Exception], Row]

_MOST_LOGGED = 4000
"""Characters of a driver's message that are logged; some drivers quote what was sent."""

_log = logging.getLogger(__name__)


def says(ours: Callable[[str], FaultMavenError], sentence: str) -> Row:
    """A row whose error has this sentence, `{place}` filled in."""

    def row(_error: object, place: str) -> FaultMavenError:
        return ours(sentence.format(place=place))

    return row


unlisted: Row = says(BackendError, "{place} failed in a way that is not known; the log has its own words.")
"""What no table has."""

late: Row = says(DeadlineExceededError, "{place} did not answer in time.")
broken: Row = says(BackendUnavailableError, "{place} broke the connection.")
failing: Row = says(BackendUnavailableError, "{place} cannot serve us now: it is failing.")
overloaded: Row = says(BackendRefusedError, "{place} cannot serve us now: it is overloaded, or starting.")
untrusted: Row = says(
    BackendError, "{place} shows a certificate that is not trusted: look at its host name, its issuer and its dates."
)


def by_code(code: Callable[[Any], str], rows: Mapping[str, Row], otherwise: Row = unlisted) -> Row:
    """A row that looks further: the driver tells its errors apart by a code, not by a class.

    The longest listed code that the found one starts with wins, as in SQLSTATE, where "08" stands for "08006" too.
    """
    longest_first = sorted(rows, key=len, reverse=True)

    def row(error: object, place: str) -> FaultMavenError:
        found = code(error)
        best = next((rows[known] for known in longest_first if found.startswith(known)), otherwise)
        return best(error, place)

    return row


NETWORK: Table = {
    TimeoutError: late,
    ConnectionError: says(BackendUnavailableError, "{place} cannot be reached: the connection broke."),
    ConnectionRefusedError: says(BackendRefusedError, "{place} cannot be reached: nothing listens there."),
    socket.gaierror: says(BackendRefusedError, "{place} cannot be reached: its host name is not known."),
    ssl.SSLError: says(BackendUnavailableError, "{place} cannot be reached: the encrypted connection broke."),
    ssl.SSLCertVerificationError: untrusted,
    OSError: says(BackendUnavailableError, "{place} cannot be reached: the operating system refuses the connection."),
}
"""What every driver over a network may let through from below; each one's table begins with it."""


class translation:  # noqa: N801 - used as `with translation(...)`, like contextlib's own
    """`with translation(TABLE, place):` raises our errors in place of those that a driver raises inside, also by await.

    Our own errors pass, and so does what is no Exception (cancellation). Whatever the table does not have becomes
    BackendError: therefore only calls of the driver belong inside, never a caller's iterator or a `yield`.
    """

    __slots__ = ("_place", "_table")

    def __init__(self, table: Table, place: str) -> None:
        self._table, self._place = table, place

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if not isinstance(error, Exception) or isinstance(error, FaultMavenError | StopIteration | StopAsyncIteration):
            return
        raise translated(error, self._table, self._place) from error


def translated(error: Exception, table: Table, place: str) -> FaultMavenError:
    """Our error for a driver's, which is logged: softly if the table has it, as a warning if not."""
    row = next((table[kind] for kind in type(error).__mro__ if kind in table), unlisted)
    ours = row(error, place)
    level = logging.WARNING if type(ours) is BackendError else logging.DEBUG
    if _log.isEnabledFor(level):
        _log.log(level, "%s: %s.%s: %s", place, type(error).__module__, type(error).__qualname__, masked(str(error)))
    return ours


def masked(text: str) -> str:
    """A driver's words without what looks like a secret."""
    # Imported at the first failure only: its many patterns would slow down every start.
    from faultmaven_core.analysis.redaction.redactor import redact

    return redact(text[:_MOST_LOGGED]).text
