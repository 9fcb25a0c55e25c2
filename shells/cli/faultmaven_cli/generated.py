"""Commands made from the operation table: a required field is an argument, any other an option."""

from __future__ import annotations

import dataclasses
import sys
import types
import typing
from collections.abc import Collection
from datetime import datetime
from typing import Any

import click

from faultmaven_cli.moment import Moment
from faultmaven_cli.output import json_option
from faultmaven_cli.session import HOME_OPTION, session
from faultmaven_cli.views import show
from faultmaven_core.operations import OPERATIONS

NOT_OFFERED = {
    "case.browse": "`fm case list`",
    "case.messages": "conversations are held over HTTP",
    "case.open": "`fm investigate` opens cases",
    "case.title": "conversations are held over HTTP",
    "case.update": "cases are renamed over HTTP",
    "investigation.guidance": "`fm report`",
    "investigation.run": "`fm investigate`",
    "investigation.start": "`fm investigate`",
    "investigation.render": "`fm report`",
    "investigation.report": "`fm report --format json`",
    **dict.fromkeys([f"report.{verb}" for verb in ("list", "write", "read", "recommend")], "`fm report`"),
    "turn.screen": "conversations are held over HTTP",
    "turn.take": "conversations are held over HTTP",
    **dict.fromkeys(["turn.take", "turn.screen"], "conversations are had over HTTP: `fm serve`"),
    **dict.fromkeys(
        [f"session.{verb}" for verb in ("open", "keep", "list", "end")], "sessions are those of clients over HTTP"
    ),
    "knowledge.update": "documents are described over HTTP",
    "evidence.add": "written by hand: several paths, standard input",
    **dict.fromkeys(
        [f"knowledge.{verb}" for verb in ("add", "sync", "search", "list", "show", "delete", "reindex", "stats")],
        "written by hand: scopes with defaults, waiting for jobs, highlighted passages",
    ),
}
"""Operations without a generated command, and what stands in their place."""

GROUPS = {"job": "jobs"}
"""Contexts whose group of commands has another name."""

IRREVERSIBLE = {
    "case.delete": "Delete the case, its record and all copies of its evidence? Without --forever it can be restored for 30 days.",
    "case.prune": "Delete all cases that ended before then?",
    "evidence.delete": "Take this evidence off its case?",
}
"""Operations that ask first, and their question."""


HELP = {
    "ListUsers.text": "Part of a name or an address.",
    "action": "Only this action, or all of an area such as `user`.",
    "actor": "Only what this user did, by id.",
    "after": "Continue after this; the last page's `next`.",
    "archived": "Also those that were archived.",
    "cause": "What it really was, in a sentence.",
    "compromised": "Also stop trusting all keys that were in use: access tokens that are out end; refresh tokens go on.",
    "display_name": "How the user is shown.",
    "dry_run": "Only say which.",
    "email": "The user's address.",
    "evidence_id": "Only in this piece of evidence.",
    "first_line": "Where to begin; 1 is the first line.",
    "forever": "Now, so that it cannot be restored.",
    "judgement": "confirmed or rejected: what a person said of the cause.",
    "limit": "How many at most.",
    "lines": "How many lines to show.",
    "most_sessions": "How many sessions one user has at once; 0 is what the installation says.",
    "name": "The new name.",
    "note": "Why, in a sentence.",
    "offset": "How many to pass over first.",
    "older_than": "An age such as 90d, or a time.",
    "operation": "Only of this operation, such as evidence.discard.",
    "organization_name": "What the installation's own organization is called.",
    "parent": "The id of the team that it is within.",
    "queue": "Only of this queue.",
    "quick": "Do not look at each file's present state.",
    "reason": "resolved, abandoned, escalated, inquiry_only, duplicate or other.",
    "regex": "Take TEXT as a regular expression (RE2 syntax).",
    "roles": "A role; may be repeated.",
    "session_absolute_seconds": "When a session ends whatever happens; 0 is what the installation says.",
    "session_idle_seconds": "When a session ends that nobody uses; 0 is what the installation says.",
    "source": "A member of an archive, by its name.",
    "state": "queued, running, waiting, succeeded, cancelled or dead.",
    "status": "inquiry, investigating, resolved or closed.",
    "target": "Only what was done to this, by id.",
    "text": "Words that title, question or cause must have.",
}
"""What an option means, by the field that it sets; one command's own meaning before that of all."""


def add_commands(group: click.Group, context: str) -> None:
    """Give a group the commands of a context (`case`) that are offered and not background."""
    for operation in OPERATIONS.values():
        area, _, verb = operation.name.partition(".")
        if area == context and operation.name not in NOT_OFFERED and not operation.background:
            group.add_command(_command(operation, verb))


def _command(operation: Any, verb: str) -> click.Command:
    question = IRREVERSIBLE.get(operation.name)

    def run(home: str, json_: bool, **fields: Any) -> None:
        confirmed = fields.pop("yes", True)
        if question and not (confirmed or fields.get("dry_run")):
            confirm(question)
        command = operation.command(**fields)
        show(session(home, lambda fm: operation.call(fm.application, command, fm.caller)), json_=json_)

    taken = parameters(operation.command)
    if question:
        taken.append(click.Option(["--yes", "-y"], is_flag=True, help="Do not ask."))
    made = click.Command(verb, callback=run, params=taken, help=f"{operation.summary}.\n\n{operation.command.__doc__}")
    return json_option(HOME_OPTION(made))


def confirm(question: str) -> None:
    """Ask before what cannot be undone; where nobody can be asked, `--yes` must be given."""
    if not sys.stdin.isatty():
        raise click.UsageError("This cannot be undone, and nobody can be asked here: add --yes.")
    click.confirm(question, abort=True, err=True)


def parameters(command: type, without: Collection[str] = ()) -> list[click.Parameter]:
    """What a command takes on the command line."""
    return [
        _parameter(field, kind, HELP.get(f"{command.__name__}.{field.name}", HELP.get(field.name)))
        for field, kind in _fields(command)
        if field.name not in without
    ]


def _fields(command: type) -> list[tuple[dataclasses.Field[Any], Any]]:
    kinds = typing.get_type_hints(command)
    return [(field, kinds[field.name]) for field in dataclasses.fields(command)]


def _parameter(field: dataclasses.Field[Any], kind: Any, means: str | None) -> click.Parameter:
    if isinstance(kind, types.UnionType):  # `str | None`: None is the default and never typed
        kind = next(part for part in typing.get_args(kind) if part is not types.NoneType)
    if typing.get_origin(kind) is tuple:
        return _several(field, means)
    if field.default is dataclasses.MISSING and kind is not datetime:
        return click.Argument([field.name], type=kind, metavar=field.name.upper())
    option = "--" + field.name.replace("_", "-")
    if kind is bool:
        return click.Option([option, field.name], is_flag=True, default=field.default, help=means)
    required = field.default is dataclasses.MISSING
    return click.Option(
        [option, field.name],
        type=Moment() if kind is datetime else kind,
        help=means,
        required=required,
        default=None if required else field.default,
        show_default=bool(not required and field.default not in (None, "")),
    )


def _several(field: dataclasses.Field[Any], means: str | None) -> click.Parameter:
    """Arguments at the end, or an option that may be repeated and is called by the singular."""
    if field.default is dataclasses.MISSING:
        return click.Argument([field.name], nargs=-1, required=True, metavar=f"{field.name.upper()}...")
    name = "--" + field.name.removesuffix("s").replace("_", "-")
    return click.Option([name, field.name], multiple=True, default=field.default, show_default=True, help=means)
