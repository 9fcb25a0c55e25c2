"""Evidence that stays where it is: spans read again from the files that were given, with a word on what became of them."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from faultmaven_adapters.extraction.jobs import digest_of, open_regular
from faultmaven_adapters.extraction.scratch import FolderScratch
from faultmaven_adapters.extraction.zstd import ZstandardDecompression
from faultmaven_core.analysis.intake.forms import HEAD, form_of
from faultmaven_core.analysis.intake.prepare import prepare
from faultmaven_core.analysis.intake.unpack import Unpacker
from faultmaven_core.analysis.model import Span
from faultmaven_core.ports.extraction_runner import Place
from faultmaven_core.shared.errors import CorruptDataError, NotFoundError

AVAILABLE, MOVED, CHANGED, UNREADABLE = "available", "moved", "changed", "unreadable"


@dataclass(slots=True)
class _Known:
    place: Place
    copy: str
    checked: tuple[int, int] | None = None


class ReferencedFiles:
    """Reads spans of sources by digest. A source is checked against its digest once, and again when its file changes.

    Archive members are unpacked to a private temporary folder when they are first asked for; `close` removes it.
    """

    def __init__(self, places: Iterable[Place] = ()) -> None:
        self._known: dict[str, _Known] = {}
        self._folder = ""
        for place in places:
            self.add(place)

    def add(self, place: Place, copy: str = "") -> None:
        """Make a source known; `copy` is a file of ours with its content. Of equal contents the first stands for all."""
        self._known.setdefault(place.sha256, _Known(place, copy))

    def read(self, span: Span) -> bytes:
        """The bytes of a span. Raises NotFoundError where the file is gone, CorruptDataError where it changed."""
        path = self._path(span.sha256)
        with open_regular(path) as stream:
            stream.seek(span.start)
            return stream.read(span.end - span.start)

    def lines(self, sha256: str, first: int, count: int) -> list[bytes]:
        """Whole lines, without line ends; `first` counts from 1. Fewer where the content ends. Raises as `read`."""
        with open_regular(self._path(sha256)) as stream:
            return [line.rstrip(b"\r\n") for line in itertools.islice(stream, first - 1, first - 1 + count)]

    def state(self, sha256: str) -> str:
        """Available | moved (or gone) | changed | unreadable."""
        try:
            self._path(sha256)
        except NotFoundError:
            return MOVED
        except CorruptDataError:
            return CHANGED
        except OSError:
            return UNREADABLE
        return AVAILABLE

    def close(self) -> None:
        """Remove what was unpacked."""
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _path(self, sha256: str) -> str:
        """A file that holds the content, verified."""
        known = self._known.get(sha256)
        if known is None:
            raise NotFoundError("This evidence is not part of the case.")
        if known.copy:
            return known.copy
        place = known.place
        try:
            status = os.stat(place.path)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFoundError(
                f"{place.path} is not there any more; put it back or add the evidence again."
            ) from error
        now = (status.st_size, status.st_mtime_ns)
        if known.checked is None and now == (place.size, place.modified_ns) and not _is_container(place.path):
            known.checked = now
        if known.checked != now:
            self._verify(known)
            known.checked = now
        return known.copy or place.path

    def _verify(self, known: _Known) -> None:
        place = known.place
        with open_regular(place.path) as stream:
            # A file that only grew, as logs do, still begins with what was read.
            if digest_of(stream, place.size) == place.sha256:
                return
            stream.seek(0)
            self._folder = self._folder or tempfile.mkdtemp(prefix="faultmaven-evidence-")
            scratch = FolderScratch(self._folder, f"{len(os.listdir(self._folder)):06}-")
            contents = prepare(os.path.basename(place.path), stream, Unpacker(scratch, {}, ZstandardDecompression()))
            with closing(contents):
                for content in contents:
                    if content.sha256 == place.sha256:
                        known.copy = scratch.path(content.key)
                        return
                    if content.key:
                        scratch.drop(content.key)
        raise CorruptDataError(
            f"{place.path} is not what it was when it was read; put the old file back or add it again."
        )


def _is_container(path: str) -> bool:
    """Whether the content stands unpacked nowhere: what is read as it is never looks like a container."""
    with open_regular(path) as stream:
        return bool(form_of(stream.read(HEAD)))
