"""Tokens that are secret, ids that are not, and how long a session may live."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven_core.sessions.expiry import SessionLimits, expires_at
from faultmaven_core.sessions.model import MOST_DATA, Session, SessionId, SessionToken, SignIn, user_tag
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import InvalidInputError, TooLargeError, UnauthenticatedError
from faultmaven_core.shared.ids import OrganizationId, UserId

ANN = Caller(OrganizationId("acme"), UserId("ann"))
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def told(**changes: str) -> SignIn:
    """A sign-in of Ann's."""
    return SignIn(SessionToken.new(ANN).id, ANN.organization, ANN.user, **{"method": "password", **changes})


def test_tokens_hold_256_bits_and_are_all_different() -> None:
    """Of the letters of which 43 hold 256 bits."""
    tokens = {SessionToken.new(ANN).reveal() for _ in range(1000)}
    assert len(tokens) == 1000
    assert {len(token.partition(".")[2]) for token in tokens} == {43}


def test_a_token_that_comes_back_names_the_same_session() -> None:
    """Whatever process reads it."""
    token = SessionToken.new(ANN)
    assert SessionToken(token.reveal()).id == token.id


@given(st.data())
def test_any_other_token_names_another_session(data: st.DataObject) -> None:
    """Each letter counts, also those that some decoders pass over."""
    text = SessionToken.new(ANN).reveal()
    place = data.draw(st.integers(0, len(text) - 1).filter(lambda at: text[at] != "."))
    letter = data.draw(st.sampled_from("ABCZabcz0189-_").filter(lambda char: char != text[place]))
    assert SessionToken(text[:place] + letter + text[place + 1 :]).id != SessionToken(text).id


@pytest.mark.parametrize(
    "text", ["", ".", "x", "a" * 22 + "." + "b" * 42, "a" * 22 + "." + "b" * 44, "a" * 66, "ä" * 66]
)
def test_what_is_no_token_is_refused_without_being_shown(text: str) -> None:
    """As if it were an expired one."""
    with pytest.raises(UnauthenticatedError) as caught:
        SessionToken(text)
    assert not text or text not in str(caught.value).split()


def test_a_token_is_in_no_text_that_python_makes_of_it() -> None:
    """Nor is it, but for the user's tag, in the id that stands for it."""
    token = SessionToken.new(ANN)
    secret = token.reveal().partition(".")[2]
    for text in (repr(token), str(token), f"{token}", repr([token]), repr(token.id), repr(told())):
        assert secret not in text
    assert secret.encode() not in pickle.dumps(token.id)


def test_a_tag_tells_users_and_organizations_apart_and_names_neither() -> None:
    """Also where names run into each other; a request's key makes no other user."""
    others = [("acme", "ann."), ("acme.", "ann"), ("acm", "eann"), ("other", "ann"), ("acme", "bob")]
    tags = {user_tag(Caller(OrganizationId(a), UserId(b))) for a, b in [*others, ("acme", "ann")]}
    assert len(tags) == 6
    assert user_tag(Caller(ANN.organization, ANN.user, "a-key")) == user_tag(ANN)


def test_an_id_of_another_user_is_refused() -> None:
    """Else a session would lie where its user's list does not look."""
    with pytest.raises(InvalidInputError):
        SignIn(SessionToken.new(ANN).id, ANN.organization, UserId("bob"), "password")


@pytest.mark.parametrize(("tag", "digest"), [("", "0" * 64), ("a" * 22, "g" * 64), ("a}b" + "a" * 19, "0" * 64)])
def test_what_is_no_id_is_refused(tag: str, digest: str) -> None:
    """No backend ever sees one."""
    with pytest.raises(InvalidInputError):
        SessionId(tag, digest)


@pytest.mark.parametrize("field", ["method", "device", "address", "place"])
@pytest.mark.parametrize("text", ["x" * 513, "\0", "\ud800"])
def test_texts_that_cannot_be_stored_are_refused(field: str, text: str) -> None:
    """The message names the field."""
    with pytest.raises(InvalidInputError) as caught:
        told(**{field: text})
    assert field in caught.value.fields


def test_data_over_the_limit_is_refused() -> None:
    """Every request would read it."""
    Session(told(), NOW, NOW, NOW, b"x" * MOST_DATA)
    with pytest.raises(TooLargeError):
        Session(told(), NOW, NOW, NOW, b"x" * (MOST_DATA + 1))


@pytest.mark.parametrize(
    ("idle", "absolute", "most"),
    [(0.999, 60, 1), (61, 60, 1), (60, 30 * 86400 + 1, 1), (-1, 60, 1), (60, 60, 0), (60, 60, 101)],
)
def test_limits_out_of_range_are_refused(idle: float, absolute: float, most: int) -> None:
    """Nothing lives for ever, and no user has sessions without end."""
    with pytest.raises(InvalidInputError):
        SessionLimits(timedelta(seconds=idle), timedelta(seconds=absolute), most)


@given(
    seen=st.integers(0, 10_000).map(lambda s: timedelta(seconds=s)),
    idle=st.integers(1, 10_000).map(lambda s: timedelta(seconds=s)),
    whole=st.integers(1, 10_000).map(lambda s: timedelta(seconds=s)),
)
def test_a_session_expires_after_its_idle_time_and_never_after_its_end(
    seen: timedelta, idle: timedelta, whole: timedelta
) -> None:
    """Whichever comes first."""
    expiry = expires_at(NOW + seen, idle, NOW + whole)
    assert expiry <= NOW + whole
    assert expiry in {NOW + seen + idle, NOW + whole}
