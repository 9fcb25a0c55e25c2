"""Zstandard by the zstandard package."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import zstandard

from faultmaven_core.ports.decompression import Decompression

_FEED = 1 << 10
"""Bytes given at a time: one block of four bytes can unfold to 128 KiB, so this bounds a piece to 32 MiB."""

_MAX_WINDOW = 128 << 20


class ZstandardDecompression(Decompression):
    """See the port. Several frames in a row are one content, as `zstd` itself reads them."""

    def chunks(self, stream: BinaryIO) -> Iterator[bytes]:
        """See the port."""
        decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
        frame = decompressor.decompressobj()
        started = False
        try:
            while data := stream.read(_FEED):
                while data:
                    started = True
                    if chunk := frame.decompress(data):
                        yield chunk
                    data = frame.unused_data if frame.eof else b""
                    if frame.eof:
                        frame, started = decompressor.decompressobj(), False
        except zstandard.ZstdError as error:
            raise OSError(str(error)) from error
        if started:
            raise EOFError
