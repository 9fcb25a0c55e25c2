"""Names that people give to files are data, and harm nobody: here, in a header, on a screen, or where they are saved."""

from __future__ import annotations

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven_core.shared.file_names import MOST_BYTES, UNNAMED, file_name

CONTROLS = ("\0", "\a", "\b", "\t", "\n", "\v", "\f", "\r", "\x1b[31m", "\x7f", "\x85", "\x9b2J")
DIRECTIONS = (
    "\u200e",
    "\u200f",
    "\u202a",
    "\u202b",
    "\u202c",
    "\u202d",
    "\u202e",
    "\u2066",
    "\u2067",
    "\u2068",
    "\u2069",
)
UNSEEN = ("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u2028", "\u2029", "\ud800", "\udfff", "\ue000")
LOOKALIKES = ("\u2044", "\u2215", "\u29f8", "\uff0f", "\u2216", "\u29f5", "\ufe68", "\uff3c")
DEVICES = (
    "CON",
    "con",
    "PRN",
    "AUX",
    "NUL",
    "nul.txt",
    "COM1",
    "COM9.log",
    "LPT1",
    "lpt9.tar.gz",
    "CLOCK$",
    "CONIN$",
    "COM\u00b9",
)
WHOLE = (
    *("", " ", ".", "..", "...", "/", "\\", "//", "./.", "../..", "..\\..", "/etc/passwd", "/etc/", "C:\\Windows\\win.ini"),
    *("C:", "C:evil", "\\\\server\\share\\x", "\\\\?\\C:\\x", "file:///etc/passwd", "http://example.com/x", "//example.com/x"),
    *("../../../../etc/passwd", "..%2f..%2fetc", "%2e%2e/x", "....//x", "..;/x", "~/x", "~root", "-rf", "--help", "$HOME", "`id`"),
    *("$(id)", ";id", "|id", "&id", "x&&id", "x\nid", "x\r\nSet-Cookie: a=b", 'a"b', "a'b", 'x"; filename="y', "a;b", "a,b"),
    *("<script>", "<img src=x onerror=1>", "x.svg", "x.html", "x.exe ", "x.exe.", "x.exe::$DATA", "x:y", "x?", "x*", "a|b"),
    *("gpj.\u202eexe", "photo\u202egnp.exe", "e\u0301.log", "\u00e9.log", "\u1e9b\u0323", "\u0301", "A\u030a", "\u212b", "\ufb01"),
    *("\U0001f468\u200d\U0001f469\u200d\U0001f467.log", "\u65e5\u672c\u8a9e.log", "\u05e9\u05dc\u05d5\u05dd.log", "\u0627.log"),
    *("a" * 255, "a" * 256, "a" * 5000, "a" * 300 + ".log", "\u00e9" * 200 + ".tar.gz", "\U0001f600" * 100, "." * 300),
    *("x." + "y" * 300, " " * 300, "a" * 254 + "\u00e9", ".bashrc", ".htaccess", "web.config", "x.php", "x.php.jpg", "x.php%00.jpg"),
    *("desktop.ini", "Thumbs.db", "autorun.inf", "{{7*7}}", "${jndi:ldap://x}", "%s%s%n", "{0}", "=1+1", "@SUM(1)", "+1", "-1"),
    *("' OR 1=1 --", '"; DROP TABLE x; --', "\u0000.log", "a\u0000/b", "null", "undefined", "NaN", "true", "\ufffe", "\uffff"),
)  # fmt: skip
CORPUS = sorted(
    {
        *WHOLE,
        *DEVICES,
        *(f"a{odd}b.log" for odd in (*CONTROLS, *DIRECTIONS, *UNSEEN, *LOOKALIKES)),
        *(f"{odd}.log" for odd in (*CONTROLS, *DIRECTIONS, *UNSEEN)),
        *(f"x/{odd}{name}" for odd, name in itertools.product((".", "..", "\u202e"), ("NUL", "/y", "\\z"))),
        *(f"{device}{odd}" for device, odd in itertools.product(("NUL", "CON"), (".", " ", ".txt ", "\u200b"))),
    }
)


def harmless(name: str) -> bool:
    """What is promised of every name."""
    return (
        bool(name)
        and len(name.encode()) <= MOST_BYTES
        and unicodedata.is_normalized("NFC", name)
        and not set(name) & set('/\\<>:"|?*' + "".join(LOOKALIKES))
        and not any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for char in name)
        and name == name.strip()
        and not name.endswith(".")
        and name.partition(".")[0].upper().rstrip() not in {"CON", "PRN", "AUX", "NUL", "COM1", "COM9", "LPT1", "LPT9"}
    )


def test_there_are_as_many_names_as_were_promised() -> None:
    """Two hundred."""
    assert len(CORPUS) >= 200


@pytest.mark.parametrize("number", range(0, len(CORPUS), 20))
def test_hostile_names_come_out_harmless(number: int) -> None:
    """And stay what they are when they come again."""
    for name in CORPUS[number : number + 20]:
        cleaned = file_name(name)
        assert harmless(cleaned), (name, cleaned)
        assert file_name(cleaned) == cleaned


@given(st.text(alphabet=st.characters(), max_size=400))
def test_no_name_at_all_is_harmful(name: str) -> None:
    """Halves of pairs among them."""
    assert harmless(file_name(name))
    assert file_name(file_name(name)) == file_name(name)


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("app.log", "app.log"),
        ("pods/web-1.log", "web-1.log"),
        ("C:\\logs\\Störung 1.log", "Störung 1.log"),
        ("e\u0301.log", "\u00e9.log"),
        ("photo\u202egnp.exe", "photognp.exe"),
        ("nul.txt", "_nul.txt"),
        (".env", ".env"),
        ("..", UNNAMED),
        ("a" * 300 + ".log", "a" * 251 + ".log"),
        ("日本語.log", "日本語.log"),
    ],
)
def test_what_people_mean_stays(given_name: str, kept: str) -> None:
    """The last part, in their own script."""
    assert file_name(given_name) == kept
