"""Bodies and queries have one meaning and a size, and say nothing of who sends them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from faultmaven_core import codec
from faultmaven_core.shared.errors import InvalidInputError, TooLargeError
from faultmaven_http import bodies
from faultmaven_http.bodies import ClientLeftError, from_form, from_json, from_query, read
from faultmaven_http.errors import HttpError


@dataclass(frozen=True)
class Thing:
    """A body."""

    name: str = ""
    count: int = 1
    flag: bool = False
    more: dict[str, Any] = field(default_factory=dict)


def _json(text: str, content_type: str = "application/json") -> Thing:
    return from_json(Thing, text.encode("utf-8", "surrogatepass"), content_type)


def test_a_body_becomes_a_value_and_unknown_members_are_passed_over() -> None:
    """Newer and older clients send more than we read."""
    assert _json('{"name": "a", "count": 2, "later": [1]}') == Thing("a", 2)
    assert _json("", "application/json; charset=utf-8") == Thing()
    assert _json(r'{"name": "\ud83d\ude00 \\ud800"}') == Thing("\N{GRINNING FACE} \\ud800")


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "a", "name": "b"}',
        '{"more": {"a": 1, "a": 2}}',
        " ",
        "[1]",
        "null",
        '"text"',
        "{",
        '{"count": NaN}',
        '{"more": {"a": Infinity}}',
        '{"count": "2"}',
        '{"count": 2.5}',
        '{"more": ' + '{"a":' * 33 + "1" + "}" * 34,
        "[" * 60_000,
        '{"more":' * 60_000,
        '{"count": ' + "9" * 5000 + "}",
        '{"name": "\ud800"}',
        '{"name": "\\ud800"}',
        '{"name": "\\udc00"}',
        '{"name": "x\\ud83dx\\ude00"}',
        r'{"name": "\\ud83d\ude00"}',
        r'{"more": {"\ud83d": [1]}}',
        r'{"\ud83d": 1, "\ud83d": 2}',
    ],
    ids=lambda text: text[:24],
)
def test_json_with_two_meanings_or_none_is_refused(text: str) -> None:
    """Doubled members, no objects, no numbers, no depth; and the refusal can be told."""
    with pytest.raises(InvalidInputError) as caught:
        _json(text)
    assert codec.encode(caught.value.fields)


@pytest.mark.parametrize("name", ["organization_id", "role", "roles", "is_admin", "user_id", "tenant_id"])
def test_what_only_a_token_says_is_refused_from_a_client(name: str) -> None:
    """Refused and not passed over: whoever sends it believes that it counts."""
    given = f"{name}=x".encode()
    with pytest.raises(InvalidInputError) as body:
        _json(f'{{"{name}": "x"}}')
    with pytest.raises(InvalidInputError) as query:
        from_query(Thing, given)
    with pytest.raises(InvalidInputError) as form:
        from_form(Thing, given)
    assert body.value.fields == query.value.fields == form.value.fields == {name: "not allowed"}


def test_another_media_type_is_refused() -> None:
    """415, and in words."""
    with pytest.raises(HttpError) as caught:
        _json('{"name": "a"}', "text/plain")
    assert caught.value.status == 415


def test_queries_and_forms_hold_texts_that_are_numbers() -> None:
    """There is nothing else that they could hold."""
    assert from_query(Thing, b"count=3&flag=true&name=a%20b&other=1") == Thing("a b", 3, flag=True)
    assert from_form(Thing, b"count=3&name=a+b") == Thing("a b", 3)


@pytest.mark.parametrize(
    "query", [b"count=1&count=2", b"count=x", b"name=%ff", b"name=\xff", b"&".join([b"a=1"] * 300)]
)
def test_queries_with_two_meanings_or_none_are_refused(query: bytes) -> None:
    """A parameter given twice means another thing to the next program."""
    with pytest.raises(InvalidInputError):
        from_query(Thing, query)


class Pieces:
    """A body that comes in pieces, and then the client leaves."""

    def __init__(self, pieces: Sequence[bytes], *, ends: bool = True) -> None:
        self.left = list(pieces)
        self.ends = ends
        self.taken = 0

    async def __call__(self) -> dict[str, Any]:
        """The next piece."""
        self.taken += 1
        if not self.left:
            return {"type": "http.disconnect"}
        body = self.left.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(self.left) or not self.ends}


async def test_a_body_over_the_limit_is_refused_before_it_is_read() -> None:
    """By what its head says; without a length, as soon as it is over."""
    pieces = Pieces([b"x" * 10])
    with pytest.raises(TooLargeError):
        await read({"headers": ((b"content-length", b"11"),)}, pieces, most=10)
    assert pieces.taken == 0
    pieces = Pieces([b"x" * 6] * 5)
    with pytest.raises(TooLargeError):
        await read({"headers": ()}, pieces, most=10)
    assert pieces.taken == 2
    assert await read({"headers": ()}, Pieces([b"ab", b"c"]), most=3) == b"abc"


async def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger who signs in letter by letter keeps no connection for ever."""
    monkeypatch.setattr(bodies, "READ_SECONDS", 0.05)

    async def never() -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    with pytest.raises(HttpError) as caught:
        await read({"headers": ()}, never, most=100)
    assert caught.value.status == 408


async def test_half_a_body_is_no_body() -> None:
    """The client left: nothing of what it sent is used."""
    with pytest.raises(ClientLeftError):
        await read({"headers": ()}, Pieces([b'{"name":'], ends=False), most=100)
