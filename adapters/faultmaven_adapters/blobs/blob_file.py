"""One blob in one file: its content, then a description as JSON, then the description's length in eight bytes.

Being one file, content and description appear, change and go together, and a reader holds both whatever happens meanwhile.
"""

from __future__ import annotations

import errno
import json
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Self

from faultmaven_core.ports.blobs import BlobExistsError, BlobInfo, BlobKey, StorageFullError
from faultmaven_core.shared.errors import (
    BackendError,
    BackendUnavailableError,
    ConflictError,
    CorruptDataError,
    MisconfiguredError,
)

BLOCK = 1 << 20
LENGTH = 8
PART = ".part-"
_FULL = (errno.ENOSPC, errno.EDQUOT)
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def failing(path: Path) -> Iterator[None]:
    """The file system's errors as ours. A missing file stays FileNotFoundError: what it means depends on the caller."""
    try:
        yield
    except (FileNotFoundError, FileExistsError):
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFullError(f"The disk that holds {path} is full: free space, or set FM_BLOBS_URL.") from error
        if error.errno == errno.ENOTDIR:
            raise MisconfiguredError(f"{path} is not in a folder but below a file: look at FM_BLOBS_URL.") from error
        if error.errno in _DENIED:
            raise BackendUnavailableError(f"{path} may not be used ({error.strerror}): look at its owner.") from error
        if error.errno == errno.ELOOP:
            raise CorruptDataError(f"{path} is a symbolic link, and was not one of ours: remove it.") from error
        raise BackendError(f"{path} cannot be used: {error.strerror}.") from error


def make_folder(path: Path) -> None:
    """Make a folder of blobs, for its owner alone, where there is none."""
    with failing(path):
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except FileExistsError as error:
            raise MisconfiguredError(f"{path} is a file and not a folder: look at FM_BLOBS_URL.") from error


START_WRITING = getattr(os, "posix_fadvise", None)
"""Where it is known, it has the pages of a range that are still to be written sent to the disk, and waits for nothing."""


class PartialBlob:
    """A blob on its way in. Used from several threads, one call at a time; after `discard` every call fails."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None
        self._part = ""
        self._size = 0
        self._ended = False

    def begin(self) -> None:
        """Make the temporary file, in the folder where the blob will stand."""
        with self._lock, failing(self._target):
            # A discard that overtook us means that nobody waits for this any more.
            if self._ended:
                raise ConflictError("This upload was given up.")
            make_folder(self._target.parent)
            handle, self._part = tempfile.mkstemp(dir=self._target.parent, prefix=PART)
            self._file = os.fdopen(handle, "wb")

    def write(self, block: bytes | bytearray) -> None:
        """Append content."""
        with self._lock, failing(self._target):
            file = self._open()
            file.write(block)
            if START_WRITING is not None:
                # The disk works at it while more comes, so that little is left to wait for in the end.
                # An advice: where it is refused, all is written in the end.
                with suppress(OSError):
                    START_WRITING(file.fileno(), self._size, len(block), os.POSIX_FADV_DONTNEED)
            self._size += len(block)

    def finish(self, info: BlobInfo, *, replace: bool) -> None:
        """Make it durable, then visible under its name. Raises BlobExistsError where it may not replace."""
        about = json.dumps(
            {
                "key": info.key.text,
                "size": info.size,
                "sha256": info.sha256,
                "content_type": info.content_type,
                "created_at": info.created_at.isoformat(),
                "attributes": dict(info.attributes),
            }
        ).encode()
        with self._lock, failing(self._target):
            file = self._open()
            file.write(about + len(about).to_bytes(LENGTH, "big"))
            file.flush()
            os.fsync(file.fileno())
            try:
                if replace:
                    os.replace(self._part, self._target)
                else:
                    # A link, unlike a rename, refuses a name in use: of two writers one wins.
                    os.link(self._part, self._target)
            except FileExistsError as error:
                raise BlobExistsError(f"{info.key} is stored already.") from error
            _sync_folder(self._target.parent)

    def discard(self) -> None:
        """Remove what is not under its final name. Safe at any moment, also after `finish`."""
        with self._lock:
            self._ended = True
            if self._file is not None:
                # A full disk fails the close again; the file goes all the same.
                with suppress(OSError):
                    self._file.close()
                with suppress(FileNotFoundError):
                    Path(self._part).unlink()
                self._file = None

    def _open(self) -> BinaryIO:
        if self._file is None:
            raise ConflictError("This upload was given up.")
        return self._file


class OpenBlob:
    """A stored blob. Raises FileNotFoundError where there is none, CorruptDataError where the file is not whole."""

    def __init__(self, path: Path, key: BlobKey | None = None) -> None:
        with failing(path):
            # No link is followed: one planted in the folder must not lead a reader elsewhere.
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0))
        self._file = os.fdopen(handle, "rb")
        self._lock = threading.Lock()
        try:
            self.info = self._described(path)
        except BaseException:
            self._file.close()
            raise
        if key is not None and self.info.key != key:
            self._file.close()
            raise CorruptDataError(f"{path} holds another blob than its name says.")

    def read(self, at: int, end: int) -> bytes:
        """Up to 1 MiB of content from byte `at`, not beyond `end`."""
        with self._lock:
            self._file.seek(at)
            block = self._file.read(min(BLOCK, end - at))
        if not block:
            raise CorruptDataError(f"{self.info.key} ends before its described size.")
        return block

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _described(self, path: Path) -> BlobInfo:
        whole = self._file.seek(0, os.SEEK_END)
        try:
            self._file.seek(whole - LENGTH)
            length = int.from_bytes(self._file.read(LENGTH), "big")
            self._file.seek(whole - LENGTH - length)
            about = json.loads(self._file.read(length))
            info = BlobInfo(
                BlobKey(about["key"]),
                about["size"],
                about["sha256"],
                about["content_type"],
                datetime.fromisoformat(about["created_at"]),
                about["attributes"],
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CorruptDataError(f"{path} is not whole: restore it from a copy, or delete the evidence.") from error
        if info.size != whole - LENGTH - length:
            raise CorruptDataError(f"{path} is not whole: restore it from a copy, or delete the evidence.")
        return info


def read_info(path: Path) -> BlobInfo | None:
    """The description of a blob by its file; None where the file went away, or is a planted link."""
    try:
        with OpenBlob(path) as blob:
            return blob.info
    except FileNotFoundError:
        return None
    except CorruptDataError:
        if path.is_symlink():
            return None
        raise


def forget_parts(root: Path, before: float) -> None:
    """Remove temporary files that were last written to before a moment in epoch seconds."""
    for path in root.glob(f"*/{PART}*"):
        with suppress(FileNotFoundError), failing(path):
            if path.lstat().st_mtime < before:
                path.unlink()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
