"""What personal data looks like: addresses, numbers with check digits, numbers in the form of their country.

Sources: RFC 5321 (mail addresses), ISO 7812 (cards), ISO 13616 (IBAN), E.164 (telephone), RFC 791 and 4291 (IP).
"""

from __future__ import annotations

import re

from faultmaven_core.analysis.redaction.checksums import card, iban
from faultmaven_core.analysis.redaction.detectors import Detector, detector


def _card(match: re.Match[str]) -> bool:
    return card(match["secret"])


def _iban(match: re.Match[str]) -> bool:
    return iban(match["secret"])


def _address(match: re.Match[str]) -> bool:
    """Six pairs of hexadecimal digits are a network card, not an address; a clock time has digits only."""
    parts = match["secret"].split(":")
    return "::" in match["secret"] or len(parts) == 8


PERSONAL: tuple[Detector, ...] = (
    detector(
        "email",
        r"(?P<secret>[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,6}\.[A-Za-z]{2,24})\b",
    ),
    detector("card", r"(?:^|[^\w.-])(?P<secret>[1-6](?:[ -]?[0-9]){11,18})(?:$|[^\w-])", _card),
    detector("iban", r"(?i)\b(?P<secret>[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30})\b", _iban),
    detector("national-id", r"(?:^|[^\w-])(?P<secret>[0-9]{3}-[0-9]{2}-[0-9]{4})(?:$|[^\w-])"),
    detector(
        "phone",
        r"(?:^|[^\w.+-])(?P<secret>\+[1-9][0-9]{0,2}(?:[ .-]?\(?[0-9]{1,5}\)?){2,6}(?: ?x[0-9]{1,5})?)(?:$|[^\w-])",
    ),
    detector(
        "phone",
        r"(?:^|[^\w.-])(?P<secret>(?:\([0-9]{2,5}\) ?|[0-9]{3}[-.])[0-9]{3}[ .-][0-9]{4}(?:x[0-9]{1,5})?)(?:$|[^\w-])",
    ),
)

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
ADDRESSES: tuple[Detector, ...] = (
    detector("ip", rf"\b(?P<secret>(?:{_OCTET}\.){{3}}{_OCTET})\b"),
    detector("ip", r"\b(?P<secret>[0-9A-Fa-f]{1,4}(?::{1,2}[0-9A-Fa-f]{1,4}){2,7})\b", _address),
)
