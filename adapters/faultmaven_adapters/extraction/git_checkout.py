"""Git checkouts, read without git: what a folder is a copy of, and which of its files are tracked.

Git itself would run hooks and helpers that the checkout's own settings name; a foreign checkout must not get that far.
"""

from __future__ import annotations

import os
import re
import stat
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_ENTRY = struct.Struct(">24xI12x")
"""Of an entry of the index only the mode is used; its object's digest, flags and name follow."""

_EXTENDED = 0x4000
_SECTION = re.compile(r'\[\s*([\w.-]+)\s*(?:"(.*)"\s*)?\]')
_SETTING = re.compile(r"([\w-]+)\s*=\s*(.*)")
_USER = re.compile(r"(?<=://)[^/@]*@")
_MOST_SETTINGS = 1 << 20


@dataclass(frozen=True, slots=True)
class Checkout:
    """A checkout: its folder, where git keeps its index, and its origin's address without user and password."""

    root: str
    git: str
    origin: str
    digest_bytes: int

    def name(self, path: str) -> str:
        """A path below the root, as every copy of this checkout calls it."""
        inner = os.path.relpath(path, self.root)
        return self.origin if inner == "." else f"{self.origin}/{inner.replace(os.sep, '/')}"

    def tracked(self) -> list[str] | None:
        """The paths of tracked regular files; None where the index is of a kind that is not read here."""
        try:
            with open(os.path.join(self.git, "index"), "rb") as file:
                data = file.read()
            names = sorted(set(_names(data, self.digest_bytes)))
        except (OSError, ValueError, struct.error, IndexError):
            return None
        return [os.path.join(self.root, os.fsdecode(name)) for name in names]


def checkout_of(path: str) -> Checkout | None:
    """The checkout that a path of this machine stands in."""
    folder = path
    while not os.path.lexists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    git = _git_folder(folder)
    settings = _settings(git)
    origin = _USER.sub("", settings.get("remote.origin.url", "")).rstrip("/").removesuffix(".git") or folder
    return Checkout(folder, git, origin, 32 if settings.get("extensions..objectformat") == "sha256" else 20)


def _git_folder(root: str) -> str:
    """The folder `.git`, or the one that a file of this name points to (worktrees, submodules)."""
    git = os.path.join(root, ".git")
    if os.path.isfile(git):
        pointer = _text(git).strip().removeprefix("gitdir:").strip()
        return os.path.normpath(os.path.join(root, pointer))
    return git


def _settings(git: str) -> Mapping[str, str]:
    """Section, subsection and key of the checkout's settings, with dots between, to the last value."""
    common = _text(os.path.join(git, "commondir")).strip()  # a worktree has the settings of the main checkout
    settings, section = {}, ""
    for line in _text(os.path.join(git, common, "config")).splitlines():
        if found := _SECTION.match(line.strip()):
            section = f"{found[1].lower()}.{found[2] or ''}"
        elif found := _SETTING.match(line.strip()):
            settings[f"{section}.{found[1].lower()}"] = found[2].strip().strip('"')
    return settings


def _text(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(_MOST_SETTINGS).decode("utf-8", "replace")
    except OSError:
        return ""


def _names(data: bytes, digest_bytes: int) -> Iterator[bytes]:
    """The names of regular files in an index of version 2 to 4 (gitformat-index). Raises ValueError on another."""
    signature, version, count = struct.unpack_from(">4sII", data)
    if signature != b"DIRC" or version not in (2, 3, 4):
        raise ValueError("no index that is read here")
    at, name = 12, b""
    for _ in range(count):
        start = at
        (mode,) = _ENTRY.unpack_from(data, at)
        at += _ENTRY.size + digest_bytes
        (flags,) = struct.unpack_from(">H", data, at)
        at += 4 if flags & _EXTENDED else 2
        if version == 4:
            cut, at = _offset(data, at)
            end = data.index(b"\0", at)
            name = name[: len(name) - cut] + data[at:end]
            at = end + 1
        else:
            end = data.index(b"\0", at)
            name = data[at:end]
            at = start + (end - start) // 8 * 8 + 8
        if stat.S_ISREG(mode):
            yield name
    if data[at : at + 4] == b"link":
        raise ValueError("the index is split over two files")


def _offset(data: bytes, at: int) -> tuple[int, int]:
    """A number of variable width, as packs have it, and where it ends."""
    value = data[at] & 0x7F
    while data[at] & 0x80:
        at += 1
        value = (value + 1 << 7) | (data[at] & 0x7F)
    return value, at + 1
