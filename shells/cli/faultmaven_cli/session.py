"""One open FaultMaven per command, on one event loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from faultmaven import FaultMaven, Settings

T = TypeVar("T")

HOME_OPTION = click.option(
    "--home", default="", metavar="DIR", help="Where cases are kept; default is FM_HOME, then your data folder."
)


def settings_of(home: str, processes: int | None = None) -> Settings:
    """The settings in force, with `--home` in the place of FM_HOME and `--jobs` of FM_EXTRACTION_PROCESSES."""
    from faultmaven import load_settings

    environ = dict(os.environ)
    if home:
        environ["FM_HOME"] = home
    if processes:
        environ["FM_EXTRACTION_PROCESSES"] = str(processes)
    return load_settings(environ)


def session(home: str, work: Callable[[FaultMaven], Awaitable[T]], *, processes: int | None = None) -> T:
    """Open FaultMaven, do the work, and close everything again, also after an error or Ctrl-C."""
    from faultmaven import FaultMaven
    from faultmaven_core.ports.telemetry import spanning

    async def opened() -> T:
        async with FaultMaven.open(settings_of(home, processes)) as fm:
            with spanning(fm.application.telemetry, _command()):
                return await work(fm)

    return asyncio.run(opened())


def _command() -> str:
    """As `fm case open`, whatever the program was started as."""
    context = click.get_current_context(silent=True)
    return " ".join(["fm", *context.command_path.split()[1:]]) if context else "fm"
