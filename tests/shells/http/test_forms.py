"""Forms that are read whole: their texts are UTF-8, and bounded together."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping

import pytest

from faultmaven_core.shared.errors import InvalidInputError, TooLargeError
from faultmaven_http import bodies
from faultmaven_http.errors import HttpError
from faultmaven_http.forms import read_form
from tests.shells.http.test_bodies import Pieces

MULTIPART = "multipart/form-data; boundary=b"
MOST_TEXT = 1000
SECONDS = 30.0


def _written(fields: Mapping[str, bytes]) -> bytes:
    parts = (
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value + b"\r\n"
        for name, value in fields.items()
    )
    return b"".join(parts) + b"--b--\r\n"


async def _read(body: bytes, content_type: str = MULTIPART) -> dict[str, str]:
    scope = {"headers": ((b"content-type", content_type.encode()),)}
    async with read_form(scope, Pieces([body]), most_file=10_000, most_text=MOST_TEXT) as form:
        return form.texts


@pytest.mark.parametrize("charset", ["", "; charset=utf-8", '; charset="UTF-8"'])
async def test_texts_are_utf_8(charset: str) -> None:
    """Said or not."""
    assert await _read(_written({"query": "Störung".encode()}), MULTIPART + charset) == {"query": "Störung"}


@pytest.mark.parametrize("charset", ["punycode", "unicode_escape", "utf-16", "latin-1", "idna", "none-such", '""'])
@pytest.mark.parametrize("kind", [MULTIPART, "application/x-www-form-urlencoded"])
async def test_no_sender_picks_a_codec(kind: str, charset: str) -> None:
    """Some are slow by the square of what they read, and some make half surrogates of plain letters."""
    with pytest.raises(HttpError) as caught:
        await _read(_written({"query": b"\\ud800"}), f"{kind}; charset={charset}")
    assert caught.value.status == 415


@pytest.mark.parametrize("value", [b"\xff", b"\xed\xa0\x80", b"St\xf6rung"])
async def test_a_text_that_is_no_utf_8_is_refused(value: bytes) -> None:
    """Guessed at, it would be another text than its sender wrote."""
    with pytest.raises(InvalidInputError):
        await _read(_written({"query": value}))


async def test_all_texts_together_have_a_limit() -> None:
    """Fifty that are just not too large each would be fifty times as much memory."""
    half = b"x" * (MOST_TEXT // 2)
    assert len(await _read(_written({"a": half, "b": half}))) == 2
    with pytest.raises(TooLargeError):
        await _read(_written({"a": half, "b": half, "c": b"x"}))


async def test_others_are_served_while_a_long_text_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte of a long question may come as three, and that takes a second to undo."""
    others_were_served, decode = threading.Event(), bodies.pairs_of

    def decoded(data: bytes) -> dict[str, str]:
        assert others_were_served.wait(SECONDS)
        return decode(data)

    monkeypatch.setattr(bodies, "pairs_of", decoded)
    body = b"query=" + b"%F0%9F%94%A5" * 20_000
    scope = {"headers": ((b"content-type", b"application/x-www-form-urlencoded"),)}
    asyncio.get_running_loop().call_later(0, others_were_served.set)
    async with read_form(scope, Pieces([body]), most_file=1, most_text=1 << 20) as form:
        assert form.texts == {"query": "\U0001f525" * 20_000}
