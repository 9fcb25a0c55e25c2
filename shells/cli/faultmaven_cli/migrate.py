"""`fm migrate`: brings the database to the schema of this version."""

from __future__ import annotations

import asyncio

import click

from faultmaven_cli.output import as_json, json_option
from faultmaven_cli.session import HOME_OPTION, settings_of


@click.command()
@HOME_OPTION
@json_option
def migrate(home: str, json_: bool) -> None:
    """Bring the database to the schema of this version of FaultMaven; run it before its services start.

    PostgreSQL is migrated as the owner of its tables (FM_DATABASE_MIGRATION_URL); the user of FM_DATABASE_URL is granted
    what the services need. Two at once wait for each other, and a run that is killed changes nothing. SQLite files also
    migrate themselves at every start; a copy is kept beside the file.
    """
    from faultmaven.composition.migration import migrate_database

    done = asyncio.run(migrate_database(settings_of(home)))
    if json_:
        as_json({"before": done.before, "after": done.after})
    elif done.before == done.after:
        click.echo(f"The database is at revision {done.after} already.")
    else:
        click.echo(f"The database is at revision {done.after} now; it was {done.before or 'empty'}.")
