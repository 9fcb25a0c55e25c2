"""How names and addresses are compared: two that look or sound the same to a person are one."""

from __future__ import annotations

import re
import unicodedata

from faultmaven_core.ports.mail import is_address
from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.shared.text import checked

MOST_USERNAME = 64
MOST_DISPLAY_NAME = 120

_USERNAME = re.compile(r"[^\W_](?:[\w.@+-]*[^\W_])?")
_OURS = re.compile(r"(usr|org|key|inv|team|case)_")
_ROLE = re.compile(r"[a-z][a-z0-9_-]{1,47}")
_TEAM = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def folded(text: str) -> str:
    """A name or address as it is stored and looked up: compatibility forms unified, case gone."""
    once = unicodedata.normalize("NFKC", text.strip()).casefold()
    # Case folding can leave what the normal form would write otherwise.
    return unicodedata.normalize("NFKC", once)


def username(text: str) -> str:
    """The folded name. Raises InvalidInputError where it is not 1 to 64 letters, digits and `._@+-`."""
    name = folded(text)
    if not 1 <= len(name) <= MOST_USERNAME or not _USERNAME.fullmatch(name) or _OURS.match(name):
        raise InvalidInputError(
            f"A user name has 1 to {MOST_USERNAME} letters, digits and . _ @ + -, and begins and ends with a letter or digit.",
            fields={"username": "not allowed"},
        )
    return name


def email(text: str) -> str:
    """The folded address; "" stays "". Raises InvalidInputError where it cannot be one."""
    address = folded(text)
    if address and not is_address(address):
        raise InvalidInputError("This is no mail address.", fields={"email": "not an address"})
    return address


def display_name(text: str, otherwise: str) -> str:
    """What a person is called; `otherwise` where nothing is said. Raises InvalidInputError where it cannot be stored."""
    name = " ".join(unicodedata.normalize("NFC", text).split()) or otherwise
    if any(unicodedata.category(char) in {"Cc", "Cf"} for char in name):
        raise InvalidInputError("A display name holds no control characters.", fields={"display_name": "not allowed"})
    return checked("display_name", name, most=MOST_DISPLAY_NAME, least=1)


def role(text: str) -> str:
    """A role's name. Raises InvalidInputError where it is not 2 to 48 small letters, digits, `_` and `-`."""
    if not _ROLE.fullmatch(text):
        raise InvalidInputError(
            "A role's name has 2 to 48 small letters, digits, _ and -, and begins with a letter.",
            fields={"name": "not allowed"},
        )
    return text


def team(text: str) -> str:
    """A team's name, as knowledge's scopes use it. Raises InvalidInputError where it cannot be one."""
    if not _TEAM.fullmatch(text):
        raise InvalidInputError(
            "A team's name has 1 to 63 small letters, digits and . _ -, and begins with a letter or digit.",
            fields={"name": "not allowed"},
        )
    return text
