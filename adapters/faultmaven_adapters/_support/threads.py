"""Synchronous drivers on an event loop: each adapter has its own threads, so that a slow one starves nobody else."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from faultmaven_core.shared.errors import ConflictError

P = ParamSpec("P")
T = TypeVar("T")


class BlockingCalls:
    """Runs blocking calls in named threads of its own. A cancelled await does not stop the call that it waited for."""

    def __init__(self, name: str, threads: int) -> None:
        self._name = name
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=f"faultmaven-{name}")
        self._closed = False

    async def __call__(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """The call's result, in the caller's context variables. Raises ConflictError after close."""
        if self._closed:
            raise ConflictError(f"{self._name} was closed.")
        context = contextvars.copy_context()
        work = partial(context.run, partial(call, *args, **kwargs))
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        """Take no more calls; those that run come to their end."""
        self._closed = True
        self._threads.shutdown(wait=True)
