"""Check digits: what tells a card or account number from any other long number."""

from __future__ import annotations

import re

_BRANDS = re.compile(
    r"4[0-9]{12}(?:[0-9]{3}){0,2}|(?:5[1-5]|2[2-7])[0-9]{14}|3[47][0-9]{13}|3(?:0[0-5]|[689][0-9])[0-9]{11}"
    r"|6(?:011|5[0-9]{2}|4[4-9][0-9])[0-9]{12}|35[0-9]{14}|(?:2131|1800)[0-9]{11}|(?:5[0678]|6)[0-9]{10,17}"
)


def card(text: str) -> bool:
    """A payment card's number: a known issuer's range and length (ISO 7812), and Luhn's check digit."""
    digits = re.sub(r"[ -]", "", text)
    if not _BRANDS.fullmatch(digits):
        return False
    doubled = [int(d) * (1 + at % 2) for at, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def iban(text: str) -> bool:
    """An international bank account number: ISO 13616's check digits."""
    plain = text.replace(" ", "").upper()
    if not 15 <= len(plain) <= 34:
        return False
    return int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])) % 97 == 1
