"""Is what stands behind a telling name really a secret? References, switches, counts and prose are not."""

from __future__ import annotations

import re

from faultmaven_core.analysis.redaction.randomness import MIN_RUN, identifier, longest_run, plausible, serial

MIN_PLAIN = 20
"""Characters from which a value behind the name of a secret is masked although nothing in it looks random."""

MIN_KEY, MIN_KEY_RUN = 14, 10
"""Characters of a secret whose name says no more than "key", and how many of them stand in one piece."""

_REFERENCE = re.compile(
    r"(?i)[$%{<*].*|\*+|x+|\.+|null|none|nil|true|false|yes|no|on|off|undefined|empty|unset|redacted|hidden|masked|string|"
    r"(?:os\.|process\.|env\.|System\.|self\.|this\.|config\.|settings\.|var\.|local\.|data\.|request\.|options\.|args\.).*"
    r"|[\w.]+\(.*|/[\w./-]+|https?://.*|[0-9]{1,5}(?:\.[0-9]+)?(?:[a-z]{1,3}|%)?|\[redacted.*"
)
_ABOUT = re.compile(
    r"(?i)[\"']?s?[_-]?(?:name|ref|key_?ref|path|file|dir|folder|id|uid|type|kind|count|num|len|length|size|ttl|expir|expiry|"
    r"timeout|age|policy|version|url|uri|endpoint|arn|field|required|enabled|valid|invalid|error|status|method|provider|"
    r"request|response|manager|store|mount|volume|rotation|usage|limit|used|remaining|index|format|algorithm|hint|label|s_)"
)
_PROSE = re.compile(r"[A-Za-z]+[.:!?]?")
_PASSWORD = re.compile(r"(?i)pass|pwd|credential")
_NAME_OF_IDENTIFIER = re.compile(
    r"(?i)(?:id|hash|sha\d*|md5|digest|e?tag|sum|commit|rev|revision|trace|span|req|request|correlation|instance|container|"
    r"image|layer|blob|node|pod|build|version|object|block|job|task|run|parent|ref|crc|print|serial|checksum|config|state|"
    r"uuid|guid|cert|certificate|template|git|docker|containerd|cid|nonce|index|host|file|path|name)\Z"
)
_PATH = re.compile(r"[A-Za-z]{3,}[/.][A-Za-z]{3,}")
_NAME_LIKE = re.compile(r"[a-z]{3,}[/.][a-z]{3,}|^[a-z]+(?:[-_.][a-z]+)+[-_.]?[0-9]{0,4}$")


def literal(match: re.Match[str]) -> bool:
    """Something that stands for itself: no reference to a variable, no switch, no mask, no small number."""
    return not _REFERENCE.fullmatch(match["secret"])


def assigned(match: re.Match[str]) -> bool:
    """A value given to a name that announces a secret, and not to one that merely speaks about it (`token_ttl`)."""
    value, quoted = match["secret"], match["between"][-1] in "\"'`"
    if not literal(match) or _ABOUT.match(match["rest"]):
        return False
    if _PASSWORD.match(match["name"]):
        spoken = _PROSE.fullmatch(value) and not quoted and "=" not in match["between"]
        return len(value) >= 3 and not spoken
    if plausible(value, 8):
        return True
    # nothing in it looks random: long enough, or set off by quotation marks, and neither a word nor a path of words
    return len(value) >= (8 if quoted else MIN_PLAIN) and not (_PROSE.fullmatch(value) or _PATH.search(value))


def some_key(match: re.Match[str]) -> bool:
    """What is given to anything called `..._key`: most are names and numbers, a secret has letters and digits mixed."""
    value = match["secret"]
    return plausible(value, MIN_KEY) and len(longest_run(value)) >= MIN_KEY_RUN and not identifier(value)


def vendor_token(match: re.Match[str]) -> bool:
    """A vendor's prefix and something random behind it, not `key-value-store-12`."""
    return plausible(match["secret"]) and len(longest_run(match["secret"])) >= MIN_KEY_RUN


def near_mention(match: re.Match[str]) -> bool:
    """A random word next to a word like "key": no path, no name of words, nor of short parts as Kubernetes makes them."""
    value = match["secret"]
    whole = identifier(value) or serial(value) or len(longest_run(value)) >= MIN_RUN
    return plausible(value) and whole and not _NAME_LIKE.search(value)


def unnamed_digest(match: re.Match[str]) -> bool:
    """A long hexadecimal value under a name that does not say it is some identifier or checksum."""
    return not _NAME_OF_IDENTIFIER.search(match["name"]) and len(set(match["secret"].lower())) > 4
