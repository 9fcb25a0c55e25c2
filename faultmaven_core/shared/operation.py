"""One entry of the operation table: everything a shell needs in order to offer a use case."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from faultmaven_core.shared.caller import Caller

Watch = Callable[[int, int, str], None]
"""Is told how much of how much is done, and what is at hand. Raises where the work should end."""

Service = TypeVar("Service")
Outer = TypeVar("Outer")
Command = TypeVar("Command")
View = TypeVar("View")


@dataclass(frozen=True, slots=True)
class Operation(Generic[Service, Command, View]):
    """A use case by name: decode `command`, call, encode `view`. `background` ones are for the job runner only.

    `permission` is what a signed-in user must have, as `resource:action`, with `:org` for what touches everybody's; only
    those in the background have none, for nobody asks for them.

    Long ones may also be `watched`: the same, but telling how far they are.
    """

    name: str
    command: type[Command]
    view: type[View]
    call: Callable[[Service, Command, Caller], Coroutine[Any, Any, View]]
    summary: str
    background: bool = False
    watched: Callable[[Service, Command, Caller, Watch], Coroutine[Any, Any, View]] | None = None
    permission: str = ""

    async def work(self, service: Service, command: Command, caller: Caller, watch: Watch) -> View:
        """Call it, telling how far it is where it can."""
        if self.watched is None:
            return await self.call(service, command, caller)
        return await self.watched(service, command, caller, watch)

    def within(self, pick: Callable[[Outer], Service]) -> Operation[Outer, Command, View]:
        """The same operation, called on what holds the service."""

        async def call(outer: Outer, command: Command, caller: Caller) -> View:
            return await self.call(pick(outer), command, caller)

        async def watched(outer: Outer, command: Command, caller: Caller, watch: Watch) -> View:
            return await self.work(pick(outer), command, caller, watch)

        return Operation(
            self.name, self.command, self.view, call, self.summary, self.background, watched, self.permission
        )
