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

from faultmaven_core.shared.errors import PreconditionFailedError

_ENTRY = struct.Struct(">24xI12x")
"""Of an entry of the index only the mode is used; its object's digest, flags and name follow."""

_EXTENDED = 0x4000
_SECTION = re.compile(r'\[\s*([\w.-]+)\s*(?:"(.*)"\s*)?\]')
_SETTING = re.compile(r"([\w-]+)\s*=\s*(.*)")
_USER = re.compile(r"(?<=://)[^/@]*@")
_MOST_SETTINGS = 1 << 20


class SplitIndexError(ValueError):
    """The index refers to another file, which is not read here."""


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

    def tracked(self) -> list[str]:
        """The paths of tracked regular files. Raises PreconditionFailedError where git's index cannot be read."""
        try:
            with open(os.path.join(self.git, "index"), "rb") as file:
                data = file.read()
            names = sorted(set(_names(data, self.digest_bytes)))
        except FileNotFoundError:
            return []  # of a checkout into which nothing was added yet
        except OSError as error:
            raise self._unreadable(f"{error.strerror}", "look at who may read it") from error
        except SplitIndexError as error:
            raise self._unreadable("it is split over two files", "run `git update-index --no-split-index`") from error
        except (ValueError, struct.error, IndexError) as error:
            raise self._unreadable("it is damaged, or of an unknown version", "`git status` says more") from error
        return [os.path.join(self.root, os.fsdecode(name)) for name in names]

    def _unreadable(self, why: str, remedy: str) -> PreconditionFailedError:
        """Without the index nobody knows what was never meant to be shared, so nothing is taken."""
        return PreconditionFailedError(
            f"Which files of the git checkout {self.root} are tracked cannot be found out: the index in {self.git} cannot be "
            f"read: {why}; {remedy}. Single files can be added."
        )


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
        raise SplitIndexError("the index is split over two files")


def _offset(data: bytes, at: int) -> tuple[int, int]:
    """A number of variable width, as packs have it, and where it ends."""
    value = data[at] & 0x7F
    while data[at] & 0x80:
        at += 1
        value = (value + 1 << 7) | (data[at] & 0x7F)
    return value, at + 1
