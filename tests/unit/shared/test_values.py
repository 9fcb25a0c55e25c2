"""Identifiers, clocks and text: the values under everything that is stored."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven_core import codec
from faultmaven_core.operations import OPERATIONS
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import FixedClock, SystemClock
from faultmaven_core.shared.errors import FaultMavenError, InvalidInputError, RateLimitedError, UnsupportedError
from faultmaven_core.shared.events import Event
from faultmaven_core.shared.ids import OrganizationId, RandomIds, SequentialIds, UserId, case_id, evidence_id, uuid7
from faultmaven_core.shared.operation import Operation
from faultmaven_core.shared.page import cursor, limited
from faultmaven_core.shared.text import checked, choice, searchable

NOON = datetime(2026, 3, 27, 12, tzinfo=UTC)


def test_the_systems_clock_is_aware_and_in_utc() -> None:
    """A naive time cannot be compared with the evidence's."""
    assert SystemClock().now().utcoffset() == timedelta(0)


def test_a_fixed_clock_moves_only_when_told() -> None:
    """Whatever zone it was set in, it tells UTC."""
    clock = FixedClock(NOON.astimezone(timezone(timedelta(hours=5))))
    assert clock.now() == NOON
    assert clock.now().tzinfo is UTC
    clock.advance(timedelta(seconds=3))
    assert clock.now() == NOON + timedelta(seconds=3)


def test_ids_made_in_the_same_millisecond_are_in_order_of_creation() -> None:
    """Pages resume by key: an id below an earlier one would never be seen. More than a counter's worth, too."""
    ids = RandomIds(FixedClock(NOON))
    made = [ids.new() for _ in range(5000)]
    assert made == sorted(set(made))


def test_ids_do_not_go_back_when_the_clock_does() -> None:
    """Clocks are set back by administrators and by time servers."""
    clock = FixedClock(NOON)
    ids = RandomIds(clock)
    before = ids.new()
    clock.advance(timedelta(hours=-1))
    assert ids.new() > before
    clock.advance(timedelta(hours=2))
    assert ids.new().int >> 80 == int(clock.now().timestamp() * 1000)


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**12 - 1), st.integers(0, 2**62 - 1))
def test_every_id_is_a_uuid_of_version_7(milliseconds: int, counter: int, tail: int) -> None:
    """Other programs read version and variant."""
    made = uuid7(milliseconds, counter, tail)
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert made.int >> 80 == milliseconds


def test_sequential_ids_are_the_same_in_every_run() -> None:
    """What replays rest on."""
    assert [SequentialIds().new() for _ in range(2)] == [UUID(int=(7 << 76) | (2 << 62) | 1)] * 2


def test_public_ids_name_their_kind_and_keep_the_random_part() -> None:
    """Short enough to type, from the part that differs."""
    key = uuid7(0, 0, 0xABC)
    assert case_id(key) == "case_000000000abc"
    assert evidence_id(key) == "ev_000000000abc"


def test_a_cursor_is_what_an_earlier_page_gave_and_nothing_else() -> None:
    """A made-up one must not read from the beginning."""
    key = uuid7(1, 2, 3)
    assert cursor(None) is None
    assert cursor(key.hex) == key
    with pytest.raises(InvalidInputError, match="`after`") as raised:
        cursor("1 OR 1=1")
    assert raised.value.fields == {"after": "unknown"}


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_limit_outside_its_range_is_refused(limit: int) -> None:
    """Rather than silently cut."""
    with pytest.raises(InvalidInputError, match=f"`limit` is {limit}"):
        limited(limit)
    assert limited(1000) == 1000


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x" * 11, ""])
def test_text_that_some_backend_cannot_hold_is_refused_by_name(text: str) -> None:
    """Found at the door, not by the database that happens to be used."""
    with pytest.raises(InvalidInputError, match="The title") as raised:
        checked("title", text, most=10, least=1)
    assert list(raised.value.fields) == ["title"]


def test_text_that_fits_is_returned_unchanged() -> None:
    """No trimming, no normalising: it is somebody's evidence."""
    assert checked("title", " é\n😀 ", most=10) == " é\n😀 "


class Colour(StrEnum):
    """A choice."""

    RED = "red"
    BLUE = "blue"


def test_a_choice_is_refused_with_what_is_allowed() -> None:
    """So that nobody has to look it up."""
    assert choice(Colour, "colour", "red") is Colour.RED
    with pytest.raises(InvalidInputError, match="'green' is no colour; it is one of red, blue"):
        choice(Colour, "colour", "green")


@pytest.mark.parametrize(
    ("text", "found_by"), [("Straße", "STRASSE"), ("Café  au\tlait", "cafe au lait"), ("ﬁle", "file")]
)
def test_search_finds_text_whatever_its_case_accents_and_ligatures(text: str, found_by: str) -> None:
    """A person types what they remember."""
    assert searchable(text) == searchable(found_by)


@given(st.text())
def test_making_text_searchable_twice_changes_nothing(text: str) -> None:
    """Stored and typed text meet in the same form."""
    assert searchable(searchable(text)) == searchable(text)


@pytest.mark.parametrize("name", ["", "../etc", "a/b", "a b", "-a", "x" * 129, "a\n", "é"])
def test_a_caller_whose_name_could_leave_its_place_is_refused(name: str) -> None:
    """Organizations are parts of keys and paths."""
    with pytest.raises(InvalidInputError, match="organization"):
        Caller(OrganizationId(name), UserId("u"))
    with pytest.raises(InvalidInputError, match="user"):
        Caller(OrganizationId("o"), UserId(name))


@dataclass(frozen=True, slots=True)
class DoorOpened(Event):
    """An event."""

    door: int


def test_an_event_tells_its_kind_and_its_fields_as_text() -> None:
    """The journal holds text only."""
    assert DoorOpened(3).kind == "door_opened"
    assert DoorOpened(3).detail() == {"door": "3"}


async def test_an_operation_can_be_called_on_what_holds_the_service() -> None:
    """The table of the whole application is made of its contexts' tables."""

    class Doors:
        async def open(self, command: int, caller: Caller) -> str:
            return f"{caller.user} opened {command}"

    async def call(doors: Doors, command: int, caller: Caller) -> str:
        return await doors.open(command, caller)

    operation = Operation("door.open", int, str, call, "Open a door", permission="door:open")
    outer: Operation[list[Doors], int, str] = operation.within(lambda held: held[0])
    assert await outer.call([Doors()], 3, Caller(OrganizationId("o"), UserId("u"))) == "u opened 3"
    assert (outer.name, outer.summary, outer.permission) == ("door.open", "Open a door", "door:open")


def test_every_operation_has_a_sentence_and_its_types_can_be_read() -> None:
    """A shell is a loop over this table."""
    for name, operation in OPERATIONS.items():
        assert name == operation.name
        assert operation.summary
        assert operation.background or re.fullmatch(r"[a-z]+:[a-z]+(:org)?", operation.permission), name
        assert not (operation.background and operation.permission), name
        assert codec.to_builtins(name)
        with pytest.raises(InvalidInputError):
            codec.decode(operation.command, b'{"no such field": 1}')


def test_errors_carry_what_programs_decide_by() -> None:
    """Class, code, whether to try again, and when."""
    assert RateLimitedError("Slow down.", retry_after=2.5).retry_after == 2.5
    assert RateLimitedError.retryable
    assert UnsupportedError("presigned links").capability == "presigned links"
    assert "presigned links" in str(UnsupportedError("presigned links"))
    assert InvalidInputError("No.").fields == {}
    assert not FaultMavenError.retryable
