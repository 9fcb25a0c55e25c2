"""One entry of the operation table: everything a shell needs in order to offer a use case."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from faultmaven_core.shared.caller import Caller

Service = TypeVar("Service")
Outer = TypeVar("Outer")
Command = TypeVar("Command")
View = TypeVar("View")


@dataclass(frozen=True, slots=True)
class Operation(Generic[Service, Command, View]):
    """A use case by name: decode `command`, call, encode `view`. `background` ones are for the job runner only."""

    name: str
    command: type[Command]
    view: type[View]
    call: Callable[[Service, Command, Caller], Coroutine[Any, Any, View]]
    summary: str
    background: bool = False

    def within(self, pick: Callable[[Outer], Service]) -> Operation[Outer, Command, View]:
        """The same operation, called on what holds the service."""

        async def call(outer: Outer, command: Command, caller: Caller) -> View:
            return await self.call(pick(outer), command, caller)

        return Operation(self.name, self.command, self.view, call, self.summary, self.background)
