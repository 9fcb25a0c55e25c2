"""Passwords on their way in: typed where nobody sees them, or from a file; never an argument, which everybody sees."""

from __future__ import annotations

import sys
from pathlib import Path

import click

PASSWORD_OPTION = click.option(
    "--password-file",
    default="",
    metavar="FILE",
    help="Read the password from this file, or from standard input (-); the line's end is not part of it.",
)


def password_of(file: str, *, ask: bool) -> str:
    """The password; "" where none is given and none needs to be.

    Raises UsageError where one is needed and nobody can be asked, InvalidInputError for a file that cannot be read.
    """
    if file == "-":
        return _line(sys.stdin.buffer.read())
    if file:
        try:
            return _line(Path(file).read_bytes())
        except OSError as error:
            from faultmaven_core.shared.errors import InvalidInputError

            raise InvalidInputError(f"{file} cannot be read ({error.strerror}).") from error
    if not ask:
        return ""
    if not sys.stdin.isatty():
        raise click.UsageError("A password is needed, and nobody can be asked here: add --password-file.")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return password


def _line(content: bytes) -> str:
    from faultmaven_core.shared.errors import InvalidInputError

    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInputError("The password is no UTF-8 text.") from error
    return text.removesuffix("\n").removesuffix("\r")
