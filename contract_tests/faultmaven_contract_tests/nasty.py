"""Texts that have broken stores before, shared by all suites; and hostile names for what must refuse them."""

from __future__ import annotations

TEXTS = (
    "plain",
    "",
    " leading and trailing ",
    "line\nfeed\r\nand\ttab",
    "quotes ' \" ` and \\ backslash",
    "'; DROP TABLE cases_case; --",
    "100% _under_score*",
    "emoji \U0001f9ea \U0001f468\u200d\U0001f469\u200d\U0001f467",
    "combined e\u0301 and composed \u00e9",
    "\u202ebidi\u202c \ufeffmark",
    "\u00c4 \u00df \u0130 \u0131 \u01c4 \ufb01",
    "null is a word: NULL None nan",
    "{json: [1, 2]} <html>&amp;</html> ${jndi:ldap://x} {{7*7}}",
    "\x01\x1b[31mred\x7f",
    "long " + "x" * 5000,
)

REFUSED = ("with \0 NUL", "half \ud83d a pair")

KEYS = (
    "..",
    "a/../b",
    "/a",
    "a/",
    "a//b",
    "",
    ".",
    ".hidden",
    "a\\b",
    "a\0b",
    "a b",
    "\u00e9",
    "a" * 129,
    "a/" * 256 + "b",
)
"""What no blob may be called."""
