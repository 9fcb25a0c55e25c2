"""A driver's errors as ours: the class says what to do, the message says where, the log has the driver's words."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl

import pytest

from faultmaven_adapters._support.translate import NETWORK, by_code, says, translation
from faultmaven_core.shared.errors import (
    AlreadyExistsError,
    BackendError,
    BackendRefusedError,
    BackendUnavailableError,
    ConflictError,
    DeadlineExceededError,
    FaultMavenError,
    NotFoundError,
)

PLACE = "The store at s.example:7777"


class DriverError(Exception):
    """Root of an invented driver's errors."""


class MissingError(DriverError):
    """One that the table has."""


class CodedError(DriverError):
    """One that has a code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


TABLE = {
    DriverError: says(BackendUnavailableError, "{place} is down."),
    MissingError: says(NotFoundError, "{place} does not have it."),
    CodedError: by_code(
        lambda error: error.code,
        {
            "23": says(ConflictError, "{place} refuses it."),
            "23505": says(AlreadyExistsError, "{place} has it already."),
        },
    ),
}


@pytest.mark.parametrize(
    ("driver", "ours"),
    [
        (DriverError(), BackendUnavailableError),
        (MissingError(), NotFoundError),
        (CodedError("23505"), AlreadyExistsError),
        (CodedError("23503"), ConflictError),
        (CodedError("42"), BackendError),
        (KeyError("x"), BackendError),
    ],
)
def test_the_most_specific_row_decides_and_the_rest_is_a_backend_error(
    driver: Exception, ours: type[FaultMavenError]
) -> None:
    """By class, then by code; a longer code before the one that it begins with."""
    with pytest.raises(FaultMavenError, match=PLACE) as raised, translation(TABLE, PLACE):
        raise driver
    assert type(raised.value) is ours
    assert raised.value.__cause__ is driver


@pytest.mark.parametrize(
    ("driver", "ours"),
    [
        (TimeoutError(), DeadlineExceededError),
        (ConnectionResetError(), BackendUnavailableError),
        (ConnectionRefusedError(), BackendRefusedError),
        (socket.gaierror(), BackendRefusedError),
        (ssl.SSLEOFError(), BackendUnavailableError),
        (ssl.SSLCertVerificationError(), BackendError),
        (OSError(), BackendUnavailableError),
    ],
)
def test_what_the_network_raises_is_ours_too(driver: Exception, ours: type[FaultMavenError]) -> None:
    """A certificate that is not trusted is not tried again; everything else may get better by itself."""
    with pytest.raises(FaultMavenError) as raised, translation(NETWORK, PLACE):
        raise driver
    assert type(raised.value) is ours


@pytest.mark.parametrize("passing", [NotFoundError("Ours."), asyncio.CancelledError(), StopAsyncIteration()])
def test_our_own_errors_and_what_is_no_error_pass(passing: BaseException) -> None:
    """The same object, without another around it."""
    with pytest.raises(type(passing)) as raised, translation(TABLE, PLACE):
        raise passing
    assert raised.value is passing


async def test_an_error_that_comes_out_of_an_await_is_translated() -> None:
    """The context stands around awaits."""

    async def driver() -> None:
        await asyncio.sleep(0)
        raise MissingError

    with pytest.raises(NotFoundError), translation(TABLE, PLACE):
        await driver()


def test_the_drivers_words_are_in_the_log_without_the_password_and_not_in_the_message(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What is not known is a warning: somebody has to look at it."""
    with pytest.raises(BackendError) as raised, translation({}, PLACE):
        raise DriverError("no route to store://app:hunter2@s.example:7777")
    assert "route" not in str(raised.value)
    assert "no route to store://app:" in caplog.text
    assert "hunter2" not in caplog.text
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_what_the_table_has_is_logged_softly(caplog: pytest.LogCaptureFixture) -> None:
    """A row that is there already is nobody's alarm."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(NotFoundError), translation(TABLE, PLACE):
        raise MissingError("key 7")
    assert [(record.levelno, "key 7" in record.message) for record in caplog.records] == [(logging.DEBUG, True)]
