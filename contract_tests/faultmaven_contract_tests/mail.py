"""What every way of sending mail must do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_core.ports.mail import Mail, Mailer, is_address
from faultmaven_core.shared.errors import InvalidInputError

TEXTS = (
    "One line.\n",
    "Gr\u00fc\u00dfe, \u65e5\u672c\u8a9e, \U0001f4e7\n",
    ".\n..\n.a dot at the start ends nothing\n",
    "From here on\n>From there\n",
    "long " * 500 + "\n",
    "    indented\n\n\n    token\n",
)


@dataclass(frozen=True)
class OpenedMailer:
    """A mailer, and what arrived where it hands mail over to."""

    subject: Mailer
    arrived: Callable[[], Sequence[Mail]]


class MailContract(Contract):
    """A binding gives the fixture `opened`."""

    @pytest.mark.parametrize("text", TEXTS)
    async def test_a_letter_arrives_as_it_was_written(self, opened: OpenedMailer, text: str) -> None:
        """Whatever is in it."""
        mail = Mail("ann@example.org", "A subject of gr\u00fcn \u65e5\u672c", text)
        await opened.subject.send(mail)
        assert list(opened.arrived()) == [mail]

    async def test_letters_arrive_each_at_its_own_address(self, opened: OpenedMailer) -> None:
        """Nobody sees another's."""
        for name in ("ann", "bob+tag", "o'hara"):
            await opened.subject.send(Mail(f"{name}@example.org", f"For {name}", f"{name}\n"))
        assert [(mail.to, mail.text) for mail in opened.arrived()] == [
            ("ann@example.org", "ann\n"),
            ("bob+tag@example.org", "bob+tag\n"),
            ("o'hara@example.org", "o'hara\n"),
        ]

    @pytest.mark.parametrize(
        "address",
        [
            *("", "ann", "@", "ann@", "@example.org", "a b@example.org", "ann@exa mple.org", "ann@@example.org"),
            *(
                "ann@example.org\r\nBcc: all@example.org",
                "ann@example.org\n",
                "<ann@example.org>",
                "ann@example.org,bob@x",
            ),
            *(
                "Ann <ann@example.org>",
                "a" * 65 + "@example.org",
                "ann@" + "x" * 260,
                "ann@example.org\0",
                '"a"@example.org',
            ),
        ],
    )
    async def test_what_could_be_more_than_one_address_is_refused(self, opened: OpenedMailer, address: str) -> None:
        """Before anything is sent."""
        assert not is_address(address)
        with pytest.raises(InvalidInputError):
            await opened.subject.send(Mail(address, "Subject", "text"))
        assert opened.arrived() == []

    @pytest.mark.parametrize("subject_line", ["", "a\nBcc: all@example.org", "a\r\n\r\nbody", "a\0"])
    async def test_a_subject_is_one_line(self, opened: OpenedMailer, subject_line: str) -> None:
        """Nothing can be injected by it."""
        with pytest.raises(InvalidInputError):
            await opened.subject.send(Mail("ann@example.org", subject_line, "text"))
        assert opened.arrived() == []

    async def test_closing_twice_is_no_error(self, opened: OpenedMailer) -> None:
        """Nothing is left open either."""
        await opened.subject.aclose()
        await opened.subject.aclose()
