"""Check digits tell cards and accounts from other long numbers."""

from __future__ import annotations

import pytest

from faultmaven_core.analysis.redaction.checksums import card, iban


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("4111 1111 1111 1111", True),
        ("5500-0000-0000-0004", True),
        ("378282246310005", True),
        ("4111 1111 1111 1112", False),
        ("1608999687919862", False),
        ("9111111111111111", False),
    ],
)
def test_a_card_has_an_issuer_and_its_check_digit(text: str, right: bool) -> None:
    """One in ten random numbers passes Luhn; the issuer's range and length leave few."""
    assert card(text) is right


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("DE89 3704 0044 0532 0130 00", True),
        ("gb29NWBK60161331926819", True),
        ("DE89 3704 0044 0532 0130 01", False),
        ("DE89 3704", False),
    ],
)
def test_an_account_number_has_its_check_digits(text: str, right: bool) -> None:
    """In any notation, and never for its letters alone."""
    assert iban(text) is right
