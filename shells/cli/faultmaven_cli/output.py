"""What all commands share of printing: the `--json` option, colours, and files written whole or not at all."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import AsyncIterable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def json_option(command: F) -> F:
    """Adds `--json`, passed as `json_`."""
    return click.option("--json", "json_", is_flag=True, help="Print JSON for programs.")(command)


def as_json(value: object) -> None:
    """Print a JSON value, one document, indented for people who look at it."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def colours(stream: Any = None) -> bool:
    """Whether a stream shows colours: a terminal that is not dumb, and no NO_COLOR (https://no-color.org)."""
    stream = stream or sys.stdout
    return bool(stream.isatty()) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def printable(text: str) -> str:
    """Text that cannot move the cursor or change colours: evidence is hostile, names and commands made of it, too."""
    return "".join(character if character.isprintable() else " " for character in text)


def write_whole(path: Path, text: str) -> None:
    """Write a file so that readers see the old content or all of the new, never a part.

    Raises InvalidInputError where the folder is not there or may not be written to.
    """
    with _writing(path, 0o666 & ~_umask()) as file:  # a report is an ordinary file
        file.write(text.encode())


async def write_pieces(path: Path, pieces: AsyncIterable[bytes]) -> None:
    """As `write_whole`, from pieces of bytes; only its owner can read the file, for it may hold what nobody masked."""
    with _writing(path, 0o600) as file:
        async for piece in pieces:
            file.write(piece)


def _writing(path: Path, mode: int) -> AbstractContextManager[IO[bytes]]:
    try:
        if path.exists() and not path.is_file():  # a pipe or a device cannot be replaced
            return path.open("wb")
        target = path.resolve()  # a link stays one
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        from faultmaven_core.shared.errors import InvalidInputError

        why = (error.strerror or "unknown reason").lower()
        raise InvalidInputError(f"{path} cannot be written ({why}); name a file in a folder of yours.") from error
    return _replacing(target, handle, name, mode)


@contextmanager
def _replacing(path: Path, handle: int, name: str, mode: int) -> Iterator[IO[bytes]]:
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, mode)
            yield file
        os.replace(name, path)  # noqa: PTH105 - the name is a string
    except BaseException:
        os.unlink(name)  # noqa: PTH108 - the name is a string
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
