"""The knowledge context's view of this machine's files: documents found in folders and checkouts, by their endings."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager

from faultmaven_adapters.extraction.git_checkout import Checkout, checkout_of
from faultmaven_adapters.extraction.local_files import LocalFiles, PrivateFolder
from faultmaven_adapters.extraction.walk import MAX_FILES, walk
from faultmaven_core.knowledge.kinds import TAKEN, media_type
from faultmaven_core.knowledge.ports import DocumentFiles, Found, FoundDocument, Scratch
from faultmaven_core.shared.errors import NotFoundError, UnsupportedTypeError


class LocalDocumentFiles(LocalFiles, DocumentFiles):
    """See the port."""

    async def find(self, path: str) -> Found:
        return await self._calls(_find, path)

    @asynccontextmanager
    async def scratch(self) -> AsyncIterator[Scratch]:
        async with self.private() as folder:
            yield _Folder(folder)


class _Folder(Scratch):
    def __init__(self, folder: PrivateFolder) -> None:
        self._folder = folder

    async def write(self, chunks: AsyncIterable[bytes]) -> str:
        return str(await self._folder.store(chunks))

    async def remove(self, path: str) -> None:
        await self._folder.remove(path)


def _find(given: str) -> Found:
    path = os.path.abspath(given)
    if not os.path.exists(path):
        raise NotFoundError(f"There is nothing at {path}; look at how it is written, and at the folder you are in.")
    checkout = checkout_of(path)
    if not os.path.isdir(path):
        if not media_type(path):
            raise UnsupportedTypeError(f"{path} has no ending of a document: {TAKEN} are taken.")
        return Found("", (_document(path, checkout, os.stat(path)),))
    untracked = 0
    if checkout is None:
        entries = [(entry.path, entry.problem) for entry in walk([path], hidden=False)]
    else:
        tracked = checkout.tracked()
        below = os.path.join(path, "")
        entries = [(file, "") for file in tracked if file.startswith(below)]
        untracked = _documents_besides(set(tracked), path)
    # What has a problem may be a folder, which has no ending.
    wanted = [(file, problem) for file, problem in entries if media_type(file) or (problem and _may_be_folder(file))]
    source = checkout.name(path) if checkout else path
    return Found(_storable(source), tuple(_below(wanted, checkout)), len(entries) - len(wanted), untracked)


def _documents_besides(tracked: AbstractSet[str], folder: str) -> int:
    """How many documents stand there that are not tracked; in a huge folder, of the files that are looked at."""
    looked_at = found = 0
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = (os.path.join(parent, name) for name in names if media_type(name) and not name.startswith("."))
        found += sum(path not in tracked and not os.path.islink(path) for path in paths)
        looked_at += len(names)
        if looked_at > MAX_FILES:
            break
    return found


def _below(entries: Iterable[tuple[str, str]], checkout: Checkout | None) -> Iterable[FoundDocument]:
    for path, problem in entries:
        if problem:
            yield FoundDocument(_storable(_name(path, checkout)), path, problem=problem)
            continue
        try:
            status = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            continue  # tracked and not there: removed, or outside of a sparse checkout
        except OSError as error:
            shown = _storable(_name(path, checkout))
            yield FoundDocument(shown, path, problem=f"{shown} cannot be looked at: {error.strerror}.")
            continue
        yield _document(path, checkout, status)


def _may_be_folder(path: str) -> bool:
    """Also where nobody can tell: what cannot be looked at is not gone."""
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except OSError:
        return True


def _document(path: str, checkout: Checkout | None, status: os.stat_result) -> FoundDocument:
    name = _name(path, checkout)
    shown = _storable(name)
    problem = ""
    if shown != name:
        problem = f"{shown} was not taken: its name is not UTF-8; rename it."
    elif not stat.S_ISREG(status.st_mode):
        problem = f"{shown} is no regular file and was not taken; save its content to a file."
    return FoundDocument(shown, path, status.st_size, status.st_mtime_ns, problem)


def _name(path: str, checkout: Checkout | None) -> str:
    return checkout.name(path) if checkout else path


def _storable(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "replace")
