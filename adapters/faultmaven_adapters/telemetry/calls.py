"""A span for each call of a port, whatever stands behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from types import CoroutineType, TracebackType
from typing import Any, TypeVar, cast

from faultmaven_core.ports.telemetry import Span, SpanKind, Telemetry, Value, tell
from faultmaven_core.shared.trace import TRACE

P = TypeVar("P")

UNTOLD = frozenset(("aclose", "inspect", "ping", "start"))
"""Care for a backend, not use of it."""


def traced(target: P, port: str, backend: str, telemetry: Telemetry, parts: tuple[str, ...] = ()) -> P:
    """The target, whose calls are told of within a trace; outside of one, as of what only looks for work, they are not.

    A stream, or what a call opens, lasts until it is closed. `parts` are attributes with calls of their own. Where nothing
    is recorded it is the target itself.
    """
    return cast("P", _Traced(target, port, backend, telemetry, parts)) if telemetry.records else target


class _Traced:
    """Stands for its target."""

    def __init__(self, target: object, port: str, backend: str, telemetry: Telemetry, parts: tuple[str, ...]) -> None:
        self._target, self._telemetry, self._parts = target, telemetry, parts
        self._port, self._backend = port, backend

    @property  # type: ignore[misc]  # the base declares a plain attribute; isinstance has to see the target's type
    def __class__(self) -> type:
        return type(self._target)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if name in self._parts:
            made: Any = traced(found, f"{self._port}.{name}", self._backend, self._telemetry)
        elif name in UNTOLD or not callable(found):
            return found
        else:
            made = self._telling(found, f"{self._port}.{name}")
        # Kept on the instance: the next call finds it without coming here.
        self.__dict__[name] = made
        return made

    def _telling(self, method: Callable[..., Any], name: str) -> Callable[..., Any]:
        attributes: Mapping[str, Value] = {"faultmaven.port": self._port, "faultmaven.backend": self._backend}

        def begin() -> Span:
            return self._telemetry.begin(name, SpanKind.CLIENT, attributes, TRACE.get())

        def call(*args: Any, **kwargs: Any) -> Any:
            result = method(*args, **kwargs)
            if not TRACE.get():
                return result
            if isinstance(result, CoroutineType):
                return _awaited(result, begin)
            if isinstance(result, AsyncIterator):
                return _streamed(result, begin)
            if isinstance(result, AbstractAsyncContextManager):
                return _Opened(result, begin)
            return result

        return call


async def _awaited(call: CoroutineType[Any, Any, Any], begin: Callable[[], Span]) -> Any:
    span = begin()
    try:
        return await call
    except BaseException as error:
        tell(span, error)
        raise
    finally:
        span.end()


async def _streamed(pieces: AsyncIterator[Any], begin: Callable[[], Span]) -> AsyncIterator[Any]:
    span = begin()
    try:
        async for piece in pieces:
            yield piece
    except BaseException as error:
        tell(span, error)
        raise
    finally:
        close = getattr(pieces, "aclose", None)
        if close is not None:
            await close()
        span.end()


class _Opened(AbstractAsyncContextManager[Any]):
    """What a call opens: told of from its entry to its exit."""

    def __init__(self, opened: AbstractAsyncContextManager[Any], begin: Callable[[], Span]) -> None:
        self._opened, self._begin = opened, begin
        self._span: Span | None = None

    async def __aenter__(self) -> Any:
        self._span = span = self._begin()
        try:
            return await self._opened.__aenter__()
        except BaseException as error:
            tell(span, error)
            span.end()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        span = cast("Span", self._span)
        try:
            if error is not None:
                tell(span, error)
            return await self._opened.__aexit__(kind, error, trace)
        except BaseException as failure:
            tell(span, failure)
            raise
        finally:
            span.end()
