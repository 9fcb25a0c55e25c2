"""The small values that everything rests on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven_core import codec
from faultmaven_core.operations import OPERATIONS
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import FixedClock, SystemClock
from faultmaven_core.shared.errors import CorruptDataError, InvalidInputError
from faultmaven_core.shared.events import Event
from faultmaven_core.shared.ids import (
    OrganizationId,
    RandomIds,
    SequentialIds,
    UserId,
    case_id,
    evidence_id,
    uuid7,
)
from faultmaven_core.shared.secret import Secret
from faultmaven_core.shared.text import checked, choice, searchable


def test_ids_of_one_moment_are_in_order_and_of_version_seven() -> None:
    """More than the counter holds, so that it borrows from the next millisecond."""
    clock = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))
    ids = RandomIds(clock)
    made = [ids.new() for _ in range(5000)]
    assert made == sorted(made)
    assert len(set(made)) == 5000
    assert {(one.version, one.variant) for one in made} == {(7, "specified in RFC 4122")}
    clock.advance(timedelta(seconds=-5))
    assert ids.new() > made[-1]
    clock.advance(timedelta(seconds=60))
    assert ids.new().int >> 80 == int(clock.now().timestamp() * 1000)


def test_sequential_ids_are_the_same_in_every_run() -> None:
    """For replays."""
    first, second = SequentialIds(), SequentialIds()
    assert [first.new() for _ in range(3)] == [second.new() for _ in range(3)]


def test_public_ids_end_as_their_keys() -> None:
    """Twelve hexadecimal digits of chance."""
    key = uuid7(1, 2, 0x1F00000000AB)
    assert case_id(key) == "case_1f00000000ab"
    assert evidence_id(key) == "ev_1f00000000ab"


def test_clocks_tell_utc() -> None:
    """Whatever zone they were given."""
    assert SystemClock().now().utcoffset() == timedelta(0)
    zoned = datetime.fromisoformat("2026-01-01T05:00:00+05:00")
    assert FixedClock(zoned).now().isoformat() == "2026-01-01T00:00:00+00:00"


@pytest.mark.parametrize("name", ["", "a b", "-a", "a/b", "é", "a" * 129, "../x", "a\n"])
def test_names_of_callers_are_checked(name: str) -> None:
    """They stand in keys of blobs and in paths."""
    with pytest.raises(InvalidInputError):
        Caller(OrganizationId(name), UserId("u"))
    with pytest.raises(InvalidInputError):
        Caller(OrganizationId("o"), UserId(name))


def test_a_secret_is_never_shown() -> None:
    """Not even by a failing assertion."""
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "hunter2"
    assert secret == Secret("hunter2")
    assert len({secret, Secret("hunter2"), Secret("x")}) == 2
    assert secret != "hunter2"


class Colour(StrEnum):
    """For the tests."""

    RED = "red"


@dataclass(frozen=True, slots=True)
class Inner:
    """For the tests."""

    number: int
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outer(Event):
    """For the tests."""

    name: str
    inner: tuple[Inner, ...] = ()
    colour: Colour = Colour.RED
    at: datetime | None = None


@given(st.text(), st.lists(st.tuples(st.integers(-(2**53), 2**53), st.lists(st.text(max_size=3), max_size=2))))
def test_what_is_encoded_is_decoded(name: str, inner: list[tuple[int, list[str]]]) -> None:
    """Equal values give equal bytes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return
    value = Outer(name, tuple(Inner(number, tuple(tags)) for number, tags in inner if all(map(str.isascii, tags))))
    assert codec.decode(Outer, codec.encode(value)) == value
    assert codec.convert(Outer, codec.to_builtins(value)) == value
    assert codec.restore(Outer, codec.encode(value)) == value


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (b'{"name": 1}', "$.name"),
        (b'{"name": "a", "inner": [{"number": "1"}]}', "$.inner[0].number"),
        (b'{"name": "a", "inner": [{"number": 1, "extra": 2}]}', "$.inner[0].extra"),
        (b'{"name": "a", "colour": "blue"}', "$.colour"),
        (b'{"nome": "a"}', "$"),
        (b'{"name": "a", "other": 1}', "$.other"),
        (b"[1]", "$"),
    ],
)
def test_a_wrong_field_is_named_by_its_path(data: bytes, path: str) -> None:
    """Types are strict, and unknown fields are refused, not dropped."""
    with pytest.raises(InvalidInputError) as caught:
        codec.decode(Outer, data)
    assert list(caught.value.fields) == [path]


def test_what_is_no_json_is_said() -> None:
    """From a caller as from our own store."""
    with pytest.raises(InvalidInputError, match="not JSON"):
        codec.decode(Outer, b"{")
    with pytest.raises(CorruptDataError, match="stored Outer"):
        codec.restore(Outer, b"{")


def test_digests_do_not_depend_on_the_order_of_keys() -> None:
    """Canonical form."""
    assert codec.canonical({"b": 1, "a": 2}) == codec.canonical({"a": 2, "b": 1}) == b'{"a":2,"b":1}'


def test_an_event_is_named_after_its_class() -> None:
    """For the journal."""
    assert Outer("n").kind == "outer"
    assert Outer("n").detail()["name"] == "n"


def test_texts_and_choices_are_checked() -> None:
    """With the field in the error."""
    assert checked("x", "ok", most=2) == "ok"
    with pytest.raises(InvalidInputError, match="0 characters"):
        checked("x", "", most=2, least=1)
    assert choice(Colour, "colour", "red") is Colour.RED
    with pytest.raises(InvalidInputError, match="one of red"):
        choice(Colour, "colour", "blue")


@given(st.text())
def test_searchable_text_is_stable(text: str) -> None:
    """Applying it twice changes nothing more, so stored and asked text meet."""
    once = searchable(text)
    assert searchable(once) == once


def test_every_operation_has_a_sentence_and_its_types_can_be_read() -> None:
    """A shell is a loop over this table."""
    for name, operation in OPERATIONS.items():
        assert name == operation.name
        assert operation.summary
        assert codec.to_builtins(name)
        with pytest.raises(InvalidInputError):
            codec.decode(operation.command, b'{"no such field": 1}')
