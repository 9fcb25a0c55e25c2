"""One wrapper for every port: deadline, retry and metrics as the port's table says."""

from __future__ import annotations

from asyncio import Timeout, get_running_loop
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from inspect import signature
from types import TracebackType
from typing import Any, TypeVar, cast

from faultmaven_adapters.resilience.budget import RetryBudget
from faultmaven_adapters.resilience.tries import Means, Tries
from faultmaven_core.ports.policy import Policies, Policy, Retrier, Streaming

P = TypeVar("P")


def resilient(
    target: P, policies: Policies, place: str, *, means: Means | None = None, budget: RetryBudget | None = None
) -> P:
    """The target with its methods under their policies; all else (capabilities, attributes, type) is the target's own.

    `place` is the subject of messages ("The blob store"). Backends behind one server may share a budget.
    """
    means = means or Means()
    tries = Tries(place, budget or RetryBudget(means.seconds), means)
    return cast("P", _Resilient(target, policies, tries))


class _Resilient:
    """Stands for its target."""

    def __init__(self, target: object, policies: Policies, tries: Tries) -> None:
        self._target, self._policies, self._tries = target, policies, tries

    @property  # type: ignore[misc]  # the base declares a plain attribute; isinstance has to see the target's type
    def __class__(self) -> type:
        return type(self._target)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        policy = self._policies.get(name)
        if policy is None or (policy.retrier is Retrier.NOBODY and policy.deadline is None):
            return found
        guarded = _GUARDS[policy.streaming](found, name, policy, self._tries)
        # Kept on the instance: the next call finds it without coming here.
        self.__dict__[name] = guarded
        return guarded


def _calling(method: Callable[..., Any], name: str, policy: Policy, tries: Tries) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        return await tries.call(name, policy, lambda: method(*args, **kwargs), _always)

    return call


def _taking(method: Callable[..., Any], name: str, policy: Policy, tries: Tries) -> Callable[..., Any]:
    parameters = signature(method)

    async def call(*args: Any, **kwargs: Any) -> Any:
        given = parameters.bind(*args, **kwargs)
        source = _Source(given.arguments[policy.source], policy.kept)

        async def attempt() -> Any:
            async with tries.within(policy.pieces, name, policy) as scope:
                given.arguments[policy.source] = source.pieces(scope, policy.pieces)
                return await method(*given.args, **given.kwargs)

        return await tries.call(name, policy, attempt, lambda: source.whole)

    return call


def _giving(method: Callable[..., Any], name: str, policy: Policy, tries: Tries) -> Callable[..., Any]:
    async def stream(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        iterator: AsyncIterator[Any] | None = None

        async def attempt() -> Any:
            nonlocal iterator
            iterator = aiter(method(*args, **kwargs))
            return await anext(iterator, _END)

        try:
            piece = await tries.call(name, policy, attempt, _always)
            while piece is not _END:
                yield piece
                async with tries.within(policy.pieces, name, policy):
                    piece = await anext(cast("AsyncIterator[Any]", iterator), _END)
        finally:
            close = getattr(iterator, "aclose", None)
            if close is not None:
                await close()

    return stream


def _opening(method: Callable[..., Any], name: str, policy: Policy, tries: Tries) -> Callable[..., Any]:
    def opened(*args: Any, **kwargs: Any) -> _Opened:
        return _Opened(lambda: method(*args, **kwargs), name, policy, tries)

    return opened


_GUARDS = {
    Streaming.NONE: _calling,
    Streaming.TAKES: _taking,
    Streaming.GIVES: _giving,
    Streaming.OPENS: _opening,
}

_END: Any = object()


def _always() -> bool:
    return True


class _Source:
    """A caller's stream on its way in. It can be sent again as long as all that was taken of it is still kept."""

    def __init__(self, chunks: AsyncIterable[bytes], room: int) -> None:
        self._rest, self._room = aiter(chunks), room
        self._kept: list[bytes] = []
        self.whole = True

    async def pieces(self, scope: Timeout, seconds: float | None) -> AsyncIterator[bytes]:
        """All of it, what is kept first. Waiting for the caller does not count as the backend's time."""
        for chunk in tuple(self._kept):
            yield chunk
        while True:
            scope.reschedule(None)
            try:
                chunk = await anext(self._rest, _END)
            except BaseException:
                # It has ended in the middle: sent again it would look complete.
                self.whole = False
                raise
            scope.reschedule(None if seconds is None else get_running_loop().time() + seconds)
            if chunk is _END:
                return
            self._keep(chunk)
            yield chunk

    def _keep(self, chunk: bytes) -> None:
        self._room -= len(chunk)
        if self._room < 0:
            self.whole = False
            self._kept.clear()
        else:
            self._kept.append(chunk)


class _Opened(AbstractAsyncContextManager[Any]):
    """What a method opens; entering it is the call."""

    def __init__(self, method: Callable[[], Any], name: str, policy: Policy, tries: Tries) -> None:
        self._method, self._name, self._policy, self._tries = method, name, policy, tries
        self._manager: AbstractAsyncContextManager[Any] | None = None

    async def __aenter__(self) -> Any:
        async def attempt() -> Any:
            manager = self._method()
            entered = await manager.__aenter__()
            self._manager = manager
            return entered

        entered = await self._tries.call(self._name, self._policy, attempt, _always)
        return entered if self._policy.pieces is None else _Pieces(entered, self._name, self._policy, self._tries)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        if self._manager is None:
            return None
        return await self._manager.__aexit__(kind, error, trace)


class _Pieces:
    """What was opened, with a time-out for each of its pieces."""

    def __init__(self, opened: Any, name: str, policy: Policy, tries: Tries) -> None:
        self._opened, self._name, self._policy, self._tries = opened, name, policy, tries

    def __getattr__(self, name: str) -> Any:
        return getattr(self._opened, name)

    async def __aiter__(self) -> AsyncIterator[Any]:
        iterator = aiter(self._opened)
        while True:
            async with self._tries.within(self._policy.pieces, self._name, self._policy):
                piece = await anext(iterator, _END)
            if piece is _END:
                return
            yield piece
