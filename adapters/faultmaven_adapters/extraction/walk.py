"""Paths as a person types them to inputs: folders walked, everything that is no honest file named and left alone."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence

from faultmaven_core.analysis.intake.member_names import shown
from faultmaven_core.analysis.model import Role
from faultmaven_core.ports.extraction_runner import Input

MAX_FILES = 100_000
"""Files taken from one folder; more is a mistyped path (`/`) sooner than evidence."""

MAX_DEPTH = 64

SPARSE_FROM = 64 << 20
"""Bytes from which a file is looked at for holes."""

_SPECIAL = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFLNK: "a symbolic link",
}


def walk(paths: Sequence[str], role: Role = Role.INCIDENT, *, hidden: bool = True) -> tuple[Input, ...]:
    """The files at and below the paths, by name; one per file even where paths overlap.

    Without `hidden`, what a dot begins the name of is passed over below a folder.
    Links are followed where they are named on the command line, never below a folder. What cannot be read is an Input
    with a `problem`. Nothing is opened.
    """
    found: dict[str, Input] = {}
    for path in paths:
        for entry in _at(path, role, hidden):
            found.setdefault(os.path.realpath(entry.path) if not entry.problem else entry.path, entry)
    return tuple(sorted(found.values(), key=lambda entry: entry.name))


def _at(path: str, role: Role, hidden: bool) -> Iterator[Input]:
    name = _name(path)
    try:
        status = os.stat(path)
    except OSError as error:
        yield Input(name, path, role, problem=_sentence(name, error))
        return
    if stat.S_ISDIR(status.st_mode):
        yield from _below(path, name, role, hidden)
    else:
        yield _file(path, name, status, role)


def _below(folder: str, name: str, role: Role, hidden: bool) -> Iterator[Input]:
    count = 0
    top, top_name = folder, name
    pending = [(folder, name, 0)]
    while pending:
        folder, name, depth = pending.pop()
        try:
            with os.scandir(folder) as listing:
                entries = sorted(
                    (entry for entry in listing if hidden or not entry.name.startswith(".")),
                    key=lambda entry: entry.name,
                )
        except OSError as error:
            yield Input(name, folder, role, problem=_sentence(name, error))
            continue
        for entry in entries:
            inner = f"{name}/{_name(entry.name)}" if name else _name(entry.name)
            count += 1
            if count > MAX_FILES:
                problem = f"{top_name} holds more than {MAX_FILES:,} files; the rest was not read. Give the folders that matter."
                # Of the whole: folders that were not come to are as unseen as the rest of this one.
                yield Input(top_name, top, role, problem=problem)
                return
            if not entry.is_dir(follow_symlinks=False):
                yield _entry(entry, inner, role)
            elif depth < MAX_DEPTH:
                pending.append((entry.path, inner, depth + 1))
            else:
                yield Input(
                    inner,
                    entry.path,
                    role,
                    problem=f"{inner} is more than {MAX_DEPTH} folders deep; give it by itself.",
                )


def _entry(entry: os.DirEntry[str], name: str, role: Role) -> Input:
    try:
        return _file(entry.path, name, entry.stat(follow_symlinks=False), role)
    except OSError as error:
        return Input(name, entry.path, role, problem=_sentence(name, error))


def _file(path: str, name: str, status: os.stat_result, role: Role) -> Input:
    special = _SPECIAL.get(stat.S_IFMT(status.st_mode))
    if special:
        hint = (
            "give the file that it points to"
            if special == "a symbolic link"
            else "save its content to a file and give that"
        )
        return Input(name, path, role, problem=f"{name} is {special} and was not read; {hint}.")
    if (
        status.st_size > SPARSE_FROM
        and status.st_blocks * 512 < status.st_size // 2
        and _mostly_holes(path, status.st_size)
    ):
        problem = (
            f"{name} is a sparse file and was not read: {status.st_size:,} bytes long, of which about "
            f"{status.st_blocks * 512:,} are stored. Copy its data out, for example with `tr -d '\\000'`, and give that."
        )
        return Input(name, path, role, problem=problem)
    return Input(name, path, role)


def _mostly_holes(path: str, size: int) -> bool:
    """Whether less than half is data; a file system that compresses stores fewer blocks too, but has no holes."""
    data = at = 0
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            while at < size and data <= size // 2:
                start = os.lseek(file.fileno(), at, os.SEEK_DATA)
                at = os.lseek(file.fileno(), start, os.SEEK_HOLE)
                data += at - start
    except OSError:  # ENXIO: no data from here to the end; anything else shows when the file is read
        return data <= size // 2
    return data <= size // 2


def _name(path: str) -> str:
    """As typed, with forward slashes and what a report can show; bytes that are no text are replaced."""
    text = os.fsencode(path).decode("utf-8", "replace").replace(os.sep, "/")
    return shown(text.rstrip("/") or text)


def _sentence(name: str, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{name} is not there (any more); check the path or collect it again."
    if isinstance(error, PermissionError):
        return f"{name} may not be read by this user; give yourself the right to read it, or copy it with `sudo`."
    return f"{name} cannot be read (the system reports `{error.strerror}`); copy it to another place and give that."
