"""`fm version`."""

from __future__ import annotations

import click

from faultmaven_cli.output import as_json, json_option


@click.command()
@json_option
def version(json_: bool) -> None:
    """Print the versions of FaultMaven, of Python and of the record's schema."""
    import platform
    from importlib.metadata import version as installed

    from faultmaven_core.analysis.record import SCHEMA

    found = {"faultmaven": installed("faultmaven"), "python": platform.python_version(), "record": SCHEMA}
    if json_:
        as_json(found)
    else:
        click.echo(f"faultmaven {found['faultmaven']} (Python {found['python']}, {found['record']})")
