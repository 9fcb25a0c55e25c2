"""Opens an application: what the settings name is built, started, handed out, and closed in reverse."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from injector import Injector, Module

from faultmaven.composition.lifecycle import Lifecycle
from faultmaven.composition.modules import modules
from faultmaven.tree import Settings
from faultmaven_core.application import Application


@asynccontextmanager
async def open_application(settings: Settings, *, overrides: Sequence[Module] = ()) -> AsyncIterator[Application]:
    """The application that these settings describe. `overrides` bind last, so they win.

    Raises MisconfiguredError or BackendError, having closed whatever was open by then.
    """
    async with AsyncExitStack() as stack:
        # Without auto_bind=False a forgotten binding would be invented from a class's defaults.
        injector = Injector([*modules(settings), *overrides], auto_bind=False)
        lifecycle = injector.get(Lifecycle)
        stack.push_async_callback(lifecycle.close)
        application = injector.get(Application)
        await lifecycle.start()
        yield application
