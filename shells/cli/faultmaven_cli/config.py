"""`fm config`: the settings in force."""

from __future__ import annotations

import click

from faultmaven_cli.output import as_json, json_option
from faultmaven_cli.session import HOME_OPTION, session, settings_of
from faultmaven_cli.views import table


@click.group()
def config() -> None:
    """The settings in force, where each comes from, and whether they work."""


@config.command()
@HOME_OPTION
@json_option
def show(home: str, json_: bool) -> None:
    """Show every setting with its value (secrets hidden) and where the value comes from."""
    shown = settings_of(home).show()
    if json_:
        as_json([{"name": name, "value": value, "origin": origin} for name, value, origin in shown])
    else:
        table([[name, str(value), origin] for name, value, origin in shown], ("name", "value", "from"))


@config.command()
@HOME_OPTION
@json_option
def check(home: str, json_: bool) -> None:
    """Check the settings by opening what they name; every problem is a sentence."""

    async def opens(_: object) -> None:
        """Opening is the check: the database migrates itself, folders are made, drivers are found."""

    session(home, opens)
    if json_:
        as_json({"ok": True})
    else:
        click.echo("The settings are right, and what they name opens.")
