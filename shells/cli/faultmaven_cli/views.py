"""Views on the terminal: pages as tables, single things as fields, everything as JSON on request."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import click

from faultmaven_cli.output import as_json, colours, printable

COLUMNS: Mapping[str, Sequence[str]] = {
    "AuditEventView": ("sequence", "at", "action", "actor", "target", "outcome", "address"),
    "CaseView": ("case_id", "status", "verdict", "cause", "title", "updated_at"),
    "DocumentView": ("document_id", "state", "scope", "title", "name", "warning", "problem"),
    "EvidenceView": ("evidence_id", "name", "role", "kind", "size", "custody", "state"),
    "JobView": ("job_id", "state", "operation", "attempts", "doing", "error", "created_at"),
    "JournalEntryView": ("sequence", "at", "actor", "kind", "detail"),
    "OrganizationView": ("organization_id", "name", "state", "created_at"),
    "RoleView": ("name", "built_in", "permissions"),
    "SearchHit": ("name", "line", "text"),
    "LineView": ("line", "text"),
    "SigningKeyView": ("kid", "algorithm", "state", "created_at", "activated_at", "retired_at"),
    "SourceView": ("name", "kind", "lines", "size"),
    "TeamView": ("team_id", "name", "parent", "created_at"),
    "UserView": ("user_id", "username", "email", "display_name", "roles", "state", "last_login"),
}
"""What a table shows of each kind of view; all of it is in the JSON."""


def show(view: Any, *, json_: bool) -> None:
    """Print a view."""
    from faultmaven_core.codec import to_builtins

    if json_:
        as_json(to_builtins(view))
        return
    fields = [(name, getattr(view, name)) for name in view.__dataclass_fields__]
    lists = [(name, value) for name, value in fields if isinstance(value, tuple) and type(view).__name__ not in COLUMNS]
    for name, value in fields:
        if hasattr(value, "__dataclass_fields__"):
            show(value, json_=False)
        elif _is_cell(value) and name not in dict(lists) and value not in ("", None, ()):
            # Beside a table such words go to stderr: the table is what a program cuts and counts.
            click.echo(f"{name.replace('_', ' ')}: {_cell(value)}", err=bool(lists))
    for name, items in lists:
        rows(items, name)


def rows(items: Sequence[Any], name: str) -> None:
    """Print views as a table, sentences one by one."""
    if not items:
        click.echo(f"no {name.replace('_', ' ')}")
    elif isinstance(items[0], str):
        for item in items:
            click.echo(printable(item))
    else:
        columns = COLUMNS.get(type(items[0]).__name__, tuple(items[0].__dataclass_fields__))
        table([[_cell(getattr(item, column)) for column in columns] for item in items], columns)


def table(cells: Sequence[Sequence[str]], columns: Sequence[str]) -> None:
    """A table on a terminal, tab-separated lines elsewhere, so that `cut` and `awk` work."""
    if not sys.stdout.isatty():
        for row in cells:
            click.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, header_style="dim", pad_edge=False)
    for column in columns:
        shown.add_column(
            column.replace("_", " "), overflow="fold" if column.endswith("_id") else "ellipsis", max_width=60
        )
    for row in cells:
        shown.add_row(*(Text(cell) for cell in row))  # Text: evidence may hold what rich would take for markup
    Console(no_color=not colours()).print(shown)


def _is_cell(value: Any) -> bool:
    return not isinstance(value, tuple) or all(isinstance(part, str) for part in value)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return printable(", ".join(value))
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if hasattr(value, "isoformat"):
        return str(value.isoformat(timespec="seconds")).replace("+00:00", "Z")
    text = ", ".join(f"{key}={part}" for key, part in value.items()) if isinstance(value, Mapping) else str(value)
    return printable(text)
