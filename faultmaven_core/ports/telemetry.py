"""Port for telling a collector what was done, when, within what, and how it ended."""

from __future__ import annotations

from abc import abstractmethod
from asyncio import CancelledError
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol, TypeAlias

from faultmaven_core.ports.health import Pingable
from faultmaven_core.shared.errors import BackendError, CorruptDataError, FaultMavenError
from faultmaven_core.shared.trace import TRACE

Value: TypeAlias = str | int | float | bool
NOTHING: Mapping[str, Value] = MappingProxyType({})

ERROR = "error.type"
"""The attribute that names a failure: the code of an error of ours, the class of any other."""


class SpanKind(StrEnum):
    """Whose work it is, seen from this process."""

    SERVER = "server"
    """Somebody outside waits for it."""

    CONSUMER = "consumer"
    """Somebody asked for it earlier."""

    CLIENT = "client"
    """A backend does it."""

    INTERNAL = "internal"


class Span(Protocol):
    """One piece of work. Names and values are the program's own words, ids and numbers.

    Never in them: what people wrote, evidence, names of files, secrets, texts of errors. A collector belongs to others.
    """

    traceparent: str
    """What is begun within it names this as its parent; empty where nothing is recorded at all."""

    @abstractmethod
    def rename(self, name: str) -> None:
        """It has turned out what it is."""

    @abstractmethod
    def mark(self, key: str, value: Value) -> None:
        """Say something about it."""

    @abstractmethod
    def fail(self) -> None:
        """It went wrong, and not by the fault of who asked."""

    @abstractmethod
    def end(self) -> None:
        """It is over. Nothing that is said later counts."""


class Telemetry(Pingable, Protocol):
    """Takes spans. Whatever becomes of them, who does the work never waits and never fails because of it."""

    records: bool
    """Whether anything comes of it. Where not, nobody needs to say anything."""

    @abstractmethod
    def begin(self, name: str, kind: SpanKind, attributes: Mapping[str, Value], parent: str) -> Span:
        """Work that begins now, within `parent`, a traceparent; with one that is none, or "", it is the first of its trace."""

    @abstractmethod
    async def aclose(self) -> None:
        """Hand over what is left, within seconds, and take no more. Closing twice is no error."""


@contextmanager
def spanning(
    telemetry: Telemetry,
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Mapping[str, Value] = NOTHING,
    *,
    parent: str | None = None,
) -> Iterator[Span]:
    """A span of what happens inside, within the running work or another `parent`; what is begun inside is within it."""
    within = TRACE.get() if parent is None else parent
    span = telemetry.begin(name, kind, attributes, within)
    token = TRACE.set(span.traceparent or within)
    try:
        yield span
    except BaseException as error:
        tell(span, error)
        raise
    finally:
        TRACE.reset(token)
        span.end()


def tell(span: Span, error: BaseException) -> None:
    """Say how it ended that raised this: by code alone, for texts may hold what people wrote."""
    if isinstance(error, FaultMavenError):
        span.mark(ERROR, error.code)
        if isinstance(error, BackendError | CorruptDataError):
            span.fail()
    elif isinstance(error, CancelledError | GeneratorExit):
        span.mark(ERROR, "cancelled")
    else:
        span.mark(ERROR, type(error).__name__)
        span.fail()
