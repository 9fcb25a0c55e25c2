"""Which passwords are taken, how they change, and how one comes back without one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven_contract_tests.identity_installation import ELSEWHERE, HOME, OTHER_PASSWORD, PASSWORD, People
from faultmaven_core.identity import commands as c
from faultmaven_core.identity.password_rules import checked_password, normal
from faultmaven_core.ports.mail import Mail
from faultmaven_core.shared.errors import InvalidInputError, UnauthenticatedError
from faultmaven_core.shared.ids import OrganizationId

COMMON = frozenset({"password1", "football"})
NAMES = ("ann.miller", "ann@example.org", "Ann Miller", "Acme Corporation", "FaultMaven", "al")


def token_of(letters: list[Mail]) -> str:
    """The text in the last letter."""
    return next(line.strip() for line in letters[-1].text.splitlines() if line.startswith("    "))


@pytest.mark.parametrize(
    "password",
    [
        "seven77",
        "x" * 1025,
        "Password1",
        "FOOTBALL",
        "aaaaaaaaaaaa",
        "abababababab",
        "12345678",
        "987654321",
        "qwertyuiop",
        "yxwvutsr",
        "my-faultmaven-9",
        "MILLER-1984!",
        "m\u00ecller.secret",
        "acme...forever",
        "ann@example.org99",
        "half \ud800 a pair of it",
    ],
)
def test_a_password_that_is_guessed_first_is_refused(password: str) -> None:
    """A-3: common, a run of neighbours, or with a name in it, in any spelling."""
    with pytest.raises(InvalidInputError) as refused:
        checked_password(password, COMMON, NAMES)
    assert list(refused.value.fields) == ["password"]
    assert password not in str(refused.value)


@pytest.mark.parametrize(
    "password",
    [
        *(
            "correct horse battery staple",
            "8 chars!",
            "x" * 64 + "y" * 64 + "z",
            "\u00fc\u00f6\u00e4\u00df\u65e5\u672c\u8a9e\U0001f511",
            "        gaps        ",
        ),
        *("alabaster-9", "\u0430\u0431\u0432\u0433\u0434\u0435\u0451\u0436", "NoDigitsNoSigns"),
    ],
)
def test_everything_else_is_taken_as_it_is(password: str) -> None:
    """A-2: any Unicode, no rule of composition, no upper bound that anybody meets, no truncation."""
    assert checked_password(password, COMMON, NAMES) == normal(password)


@given(st.text(min_size=8, max_size=200), st.text(max_size=5))
def test_two_passwords_are_one_only_if_a_keyboard_could_mean_the_same(one: str, more: str) -> None:
    """A-2: NFC and nothing else."""
    assert (normal(one) == normal(one + more)) is (normal(one + more) == normal(one))
    assert normal(normal(one)) == normal(one)
    assert len(normal("e\u0301" * 10)) == 10


async def test_passwords_that_differ_at_their_hundredth_letter_differ(people: People) -> None:
    """A-2: through the whole service."""
    start = "This is a rather long sentence that goes on and on. " * 2
    await people.service.register(c.Register("ann", password=start + "a"), HOME)
    assert await people.sign_in("ann", start + "a")
    for wrong in (start + "b", start, start + "a" * 2000):
        with pytest.raises(UnauthenticatedError):
            await people.sign_in("ann", wrong)


async def test_a_password_composed_otherwise_is_the_same(people: People) -> None:
    """A-2: NFC, on both ways."""
    await people.service.register(c.Register("ann", password="Cafe\u0301 au lait, s'il vous plai\u0302t"), HOME)
    assert await people.sign_in("ann", "Caf\u00e9 au lait, s'il vous pla\u00eet")


async def test_the_names_of_user_and_organization_are_not_taken(people: People) -> None:
    """A-3: through the whole service."""
    for password in ("annabelle is me", "my faultmaven key", "password1"):
        with pytest.raises(InvalidInputError):
            await people.service.register(c.Register("annabelle", "a@example.org", "Annabelle", password), HOME)


async def test_changing_a_password_takes_the_current_one(people: People) -> None:
    """And tells its owner."""
    principal = await people.principal(await people.sign_up("ann", email="ann@example.org"))
    with pytest.raises(UnauthenticatedError, match="current password"):
        await people.service.passwords.change(c.ChangePassword("wrong", OTHER_PASSWORD), principal)
    with pytest.raises(InvalidInputError):
        await people.service.passwords.change(c.ChangePassword(PASSWORD, "short"), principal)
    await people.service.passwords.change(c.ChangePassword(PASSWORD, OTHER_PASSWORD), principal)
    assert [letter.subject for letter in await people.post()] == ["FaultMaven: Your password was changed"]
    assert await people.sign_in("ann", OTHER_PASSWORD)
    with pytest.raises(UnauthenticatedError):
        await people.sign_in("ann")


async def test_a_letter_lets_one_set_a_new_password_once(people: People) -> None:
    """A-7: all sessions end; the text is worthless afterwards."""
    pair = await people.sign_up("ann", email="ann@example.org")
    await people.service.passwords.request_reset(c.RequestReset("ANN@example.org"), ELSEWHERE)
    command = c.CompleteReset(token_of(await people.post()), OTHER_PASSWORD)
    await people.service.passwords.complete_reset(command, ELSEWHERE)
    with pytest.raises(UnauthenticatedError):
        await people.service.authenticate(pair.access_token)
    with pytest.raises(UnauthenticatedError):
        await people.refresh(pair)
    assert await people.sign_in("ann", OTHER_PASSWORD)
    with pytest.raises(InvalidInputError):
        await people.service.passwords.complete_reset(command, ELSEWHERE)
    assert command.token not in repr(command)


async def test_a_reset_leaves_nothing_to_who_had_the_account_before(people: People) -> None:
    """A-7: whoever signs up with another's address and makes a key has lost it when the owner of the address comes."""
    thief = await people.principal(await people.sign_up("ann", email="ann@example.org"))
    key = await people.service.api_keys.create(c.CreateApiKey("stays"), thief)
    assert await people.service.authenticate(key.secret)
    await people.service.passwords.request_reset(c.RequestReset("ann@example.org"), ELSEWHERE)
    command = c.CompleteReset(token_of(await people.post()), OTHER_PASSWORD)
    await people.service.passwords.complete_reset(command, ELSEWHERE)
    with pytest.raises(UnauthenticatedError):
        await people.service.authenticate(key.secret)


async def test_a_reset_letter_is_good_for_fifteen_minutes(people: People) -> None:
    """A-7."""
    await people.sign_up("ann", email="ann@example.org")
    await people.service.passwords.request_reset(c.RequestReset("ann@example.org"), ELSEWHERE)
    token = token_of(await people.post())
    people.later(minutes=15)
    with pytest.raises(InvalidInputError):
        await people.service.passwords.complete_reset(c.CompleteReset(token, OTHER_PASSWORD), ELSEWHERE)


async def test_only_the_newest_reset_letter_is_good(people: People) -> None:
    """A-7: and none after the password was changed otherwise."""
    principal = await people.principal(await people.sign_up("ann", email="ann@example.org"))
    tokens = []
    for _ in range(2):
        await people.service.passwords.request_reset(c.RequestReset("ann@example.org"), ELSEWHERE)
        tokens.append(token_of(await people.post()))
    with pytest.raises(InvalidInputError):
        await people.service.passwords.complete_reset(c.CompleteReset(tokens[0], OTHER_PASSWORD), ELSEWHERE)
    await people.service.passwords.change(c.ChangePassword(PASSWORD, OTHER_PASSWORD), principal)
    with pytest.raises(InvalidInputError):
        await people.service.passwords.complete_reset(c.CompleteReset(tokens[1], "yet another one"), ELSEWHERE)


async def test_asking_for_a_reset_tells_nothing(people: People) -> None:
    """A-7: unknown, disabled, without an address, asked too often: one answer, and no letter."""
    owner = await people.principal(await people.sign_up("ann", email="ann@example.org"))
    off = await people.service.users.create(c.CreateUser("off", "off@example.org", password=PASSWORD), owner)
    await people.service.users.disable(c.DisableUser(off.user_id), owner)
    answers = [
        await people.service.passwords.request_reset(c.RequestReset(email), ELSEWHERE)
        for email in ("nobody@example.org", "off@example.org", "", "no address", "ann@example.org")
    ]
    assert len({repr(answer) for answer in answers}) == 1
    assert [letter.to for letter in await people.post()] == ["ann@example.org"]
    for _ in range(5):
        await people.service.passwords.request_reset(c.RequestReset("ann@example.org"), ELSEWHERE)
    assert len(await people.post()) == 3


async def test_asking_for_a_reset_costs_the_same_whoever_exists(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A-7: the same questions before the answer; what only users have done for them is done beside it."""
    await people.sign_up("ann", email="ann@example.org")
    asked: list[str] = []

    def counted(owner: object, method: str) -> None:
        original = getattr(owner, method)

        async def call(*args: object, **kwargs: object) -> object:
            asked.append(f"{owner} {method}")
            return await original(*args, **kwargs)

        monkeypatch.setattr(owner, method, call)

    async with people.units(OrganizationId("local"), read_only=True) as unit:
        for kind in (type(unit.users), type(unit.grants), type(unit.audit)):
            for method in ("get", "add", "last", "save", "revoke_user", "sweep"):
                if hasattr(kind, method):
                    counted(kind, method)
    counted(people.service._parts.directory, "by_email")
    work, beside = [], []
    for address in ("nobody@example.org", "ann@example.org"):
        asked.clear()
        await people.service.passwords.request_reset(c.RequestReset(address), ELSEWHERE)
        work.append(len(asked))
        letters = len(await people.post())
        beside.append((len(asked), letters))
    assert work == [1, 1]
    assert beside[0] < beside[1]


@pytest.mark.parametrize("token", ["", "fmp_" + "A" * 43, "x" * 5000])
async def test_a_text_that_no_letter_had_is_worthless(people: People, token: str) -> None:
    """A-7."""
    with pytest.raises(InvalidInputError):
        await people.service.passwords.complete_reset(c.CompleteReset(token, OTHER_PASSWORD), ELSEWHERE)
