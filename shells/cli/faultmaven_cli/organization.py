"""The option that names an organization."""

from __future__ import annotations

import click

ORGANIZATION_OPTION = click.option(
    "--organization", default="", metavar="ID", help="Of this organization; the installation's own by default."
)
