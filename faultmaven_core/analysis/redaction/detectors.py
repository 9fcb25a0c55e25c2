"""What secrets and personal data look like. The patterns are RE2's subset: linear, whatever text is thrown at them.

Sources: the token formats that the vendors document (GitHub, GitLab, AWS, Google, Slack, Stripe, ...), RFC 7519 (JWT),
RFC 7468 (PEM), RFC 7617 and 6750 (HTTP credentials), RFC 3986 (user information in URLs), crypt(5), ISO 7812 and 13616.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from faultmaven_core.analysis.redaction.checksums import card, iban
from faultmaven_core.analysis.redaction.randomness import generated, identifier, plausible


@dataclass(frozen=True, slots=True)
class Detector:
    """`pattern` has a group `secret`; `accept` has the last word about what it caught."""

    kind: str
    pattern: re.Pattern[str]
    accept: Callable[[re.Match[str]], bool] = bool


_TOKEN = r"[A-Za-z0-9_-]"  # noqa: S105 - a character class
_PREFIXES = (
    r"gh[pousr]_|github_pat_|gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|soat|ffct)-|npm_|pypi-|rubygems_|dckr_pat_|cio[a-z0-9]{2}"
    r"|xox[abeoprs]-|xapp-|sk_(?:live|test)_|rk_(?:live|test)_|pk_(?:live|test)_|whsec_|sk-|pk-|AIza|ya29\.|GOCSPX-"
    r"|SG\.|key-|xkeysib-|shp(?:at|ca|pa|ss|tka)_|hf_|hv[sbr]\.|dp\.(?:pt|st|ct|scim|audit)\.|dop_v1_|doo_v1_|dor_v1_"
    r"|lin_api_|lin_oauth_|dapi|ATATT|ATCTT|BBDC-|sq0[a-z]{3}-|EAAA|PMAK-|NRAK-|NRJS-|NRII-|NRSP-|glsa_|glc_|sbp_|pul-"
    r"|sntrys_|sntryu_|AGE-SECRET-KEY-|LTAI|AKID|fm[12]_|ops_|dt0[a-z][0-9]{2}\.|figd_|secret_|ntn_|tfp_|pscale_[a-z]+_"
    r"|pnu_|rdme_|shippo_(?:live|test)_|sgp_|aio_|bkua_|CCIPAT_|CLOJARS_|CFPAT-|nfp_|EZAK|EZTK|duffel_(?:live|test)_"
    r"|access-(?:production|sandbox|development)-|r8_|gsk_|xai-|pplx-|tvly-|oy2|AKCp|pat-|phc_|phx_|rpa_|ddp_|ddogat_"
)
_AWS = r"(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AIPA|ANPA|ANVA|APKA|AROA|ASCA)[A-Z0-9]{12,20}"

_ANNOUNCES = (
    r"(?:pass(?:word|wd|phrase|code)s?|pwd|secrets?|tokens?|credentials?|api[_\s.-]?keys?|(?:access|secret|private|account|auth|"
    r"encryption|signing|shared|master|client|service|license|subscription|consumer|deploy|app(?:lication)?|session|"
    r"security|storage|hmac|aes|rsa|ssh|webhook|admin|write|read|public|project|user|server)[_\s.-]?(?:access[_\s.-]?)?keys?"
    r"|authorization|bearer|sharedaccesssignature|sig)"
)
_MENTIONS = r"(?:key|pass|auth|access|private|pat|cookie|session|sid|salt|api|login|cred|account|user|app)"
_VALUE = r"[^\s\"'`<>,;&|(){}\[\]\\]"
_BETWEEN = r"[\"'\]\\)]{0,4}[ \t]{0,8}(?:=>|:=|={1,3}|:|\+=)\s{0,8}[\[({bru@]{0,2}\\{0,3}[\"'`]{0,3}"

_NOT_VALUE = re.compile(
    r"(?i)[$%{<*].*|\*+|x+|\.+|null|none|nil|true|false|yes|no|on|off|undefined|empty|unset|redacted|hidden|masked|string|"
    r"(?:os\.|process\.|env\.|System\.|self\.|this\.|config\.|settings\.|var\.|local\.|data\.|request\.|options\.|args\.).*"
    r"|[\w.]+\(.*|/[\w./-]+|https?://.*|[0-9]{1,5}(?:\.[0-9]+)?(?:[a-z]{1,3}|%)?"
)
_NOT_SECRET_NAME = re.compile(
    r"(?i)[\"']?s?[_-]?(?:name|ref|key_?ref|path|file|dir|folder|id|uid|type|kind|count|num|len|length|size|ttl|expir|expiry|"
    r"timeout|age|policy|version|url|uri|endpoint|arn|field|required|enabled|valid|invalid|error|status|method|provider|"
    r"request|response|manager|store|mount|volume|rotation|usage|limit|used|remaining|index|format|algorithm|hint|label|s_)"
)
_PROSE_PATH = re.compile(r"[a-z]{3,}[/.][a-z]{3,}|^[a-z]+(?:[-_.][a-z]+)+[-_.]?[0-9]{0,4}$")
_PROSE = re.compile(r"[A-Za-z]+[.:!?]?")
_PASSWORD = re.compile(r"(?i)pass|pwd|credential")


def _assigned(match: re.Match[str]) -> bool:
    value, name, rest = match["secret"], match["name"], match["rest"]
    if _NOT_VALUE.fullmatch(value) or _NOT_SECRET_NAME.match(rest):
        return False
    quoted = match["between"][-1] in "\"'`"
    if _PASSWORD.match(name):
        prose = _PROSE.fullmatch(value) and not quoted and "=" not in match["between"]
        return len(value) >= 3 and not prose
    return (
        plausible(value, 8) or len(value) >= MIN_PLAIN or (quoted and len(value) >= 8 and not _PROSE.fullmatch(value))
    )


MIN_PLAIN = 20
"""Characters from which a value behind the name of a secret is masked although nothing in it looks random."""


def _hash_like(match: re.Match[str]) -> bool:
    return len(match["secret"]) >= 16


_ID_NAME = re.compile(
    r"(?i)(?:id|hash|sha\d*|md5|digest|e?tag|sum|commit|rev|revision|trace|span|req|request|correlation|instance|container|"
    r"image|layer|blob|node|pod|build|version|object|block|job|task|run|parent|ref|crc|print|serial|checksum|config|state|"
    r"uuid|guid|cert|certificate|template|git|docker|containerd|cid|nonce|index|host|file|path|name)\Z"
)


def _named_digest(match: re.Match[str]) -> bool:
    return not _ID_NAME.search(match["name"]) and len(set(match["secret"].lower())) > 4


def _compile(kind: str, pattern: str, accept: Callable[[re.Match[str]], bool] = bool) -> Detector:
    return Detector(kind, re.compile(pattern), accept)


SECRETS: tuple[Detector, ...] = (
    _compile("jwt", rf"\b(?P<secret>ey[JI]{_TOKEN}{{8,}}\.{_TOKEN}{{4,}}(?:\.{_TOKEN}*){{0,3}})"),
    _compile("cloud-key", rf"\b(?P<secret>{_AWS})\b"),
    _compile("token", rf"(?:\b|_)(?P<secret>(?:{_PREFIXES})[A-Za-z0-9_.=-]{{16,}})", lambda m: plausible(m["secret"])),
    _compile(
        "token",
        r"(?P<secret>https://(?:hooks\.slack\.com/(?:services|workflows)/|(?:[a-z]+\.)?discord(?:app)?\.com/api/webhooks/|[a-z0-9.-]+\.webhook\.office\.com/webhookb2/)[^\s\"'<>]+)",
    ),
    _compile("token", r"\b(?P<secret>[0-9]{8,10}:[A-Za-z0-9_-]{35})\b"),
    _compile("hash", r"(?P<secret>\$[A-Za-z0-9-]{1,20}\$[^\s:\"'<>,;]{10,}(?::[0-9a-fA-F$:]{16,})?)", _hash_like),
    _compile("hash", r"(?P<secret>\{(?:SSHA|SHA|SMD5|CRYPT|PBKDF2)[0-9]*\}[A-Za-z0-9+/=$.]{16,})"),
    _compile(
        "password",
        r"://[^\s:/@\"'<>]*:(?P<secret>[^\s/@\"'<>]+(?:@[^\s/@\"'<>.]+)?)@",
        lambda m: not _NOT_VALUE.fullmatch(m["secret"]),
    ),
    _compile("password", r"\b[\w.-]+:(?P<secret>[^\s:/@\"'<>]{3,})@(?:tcp|unix|udp)\("),
    _compile(
        "password",
        r"(?:^|\s)(?:-u|--user|--proxy-user)[ =]?[\"']?[\w.@-]+:(?P<secret>[^\s\"'@]{3,})",
        lambda m: not _NOT_VALUE.fullmatch(m["secret"]),
    ),
    _compile(
        "password",
        r"(?i)(?:^|[\s\"'])-{1,2}(?:pass(?:word|wd|phrase)?|pwd|token|secret|api-?key)(?:[ =]|\",\s?\")[\"']?(?P<secret>[^\s\"'\\-][^\s\"'\\]{2,})",
        lambda m: not _NOT_VALUE.fullmatch(m["secret"]),
    ),
    _compile(
        "token",
        r"(?i)\b(?:bearer|basic|token|negotiate|digest|apikey|key)[ =:]{1,3}[\"']?(?P<secret>[A-Za-z0-9._~+/=:-]{16,})",
        lambda m: plausible(m["secret"]),
    ),
    _compile("token", r"(?i)\b(?:set-)?cookie:\s{0,4}(?P<secret>[^\r\n\"']{8,})", lambda m: "=" in m["secret"]),
    _compile(
        "secret",
        rf"(?i)(?P<name>{_ANNOUNCES})(?P<rest>[\w.-]{{0,40}})(?P<between>{_BETWEEN})(?P<secret>{_VALUE}{{3,}})",
        _assigned,
    ),
    _compile(
        "secret",
        rf"(?i)(?P<name>{_ANNOUNCES}|{_MENTIONS})[\w]{{0,12}}?[\s\"'=:._,>()\[\]-]{{0,12}}(?P<secret>[A-Za-z0-9_+/=.~:!@#%^&*-]{{16,}})",
        lambda m: plausible(m["secret"]) and not _PROSE_PATH.search(m["secret"]),
    ),
    _compile(
        "secret",
        r"(?P<name>[A-Za-z][A-Za-z0-9]{2,30})[\"']{0,2}[ \t]{0,4}[=:][ \t]{0,4}[\"']{0,2}(?P<secret>[0-9a-fA-F]{32,128})\b",
        _named_digest,
    ),
    _compile("secret", r"(?P<secret>[A-Za-z0-9_+/=-]{20,})", lambda m: generated(m["secret"])),
)

PERSONAL: tuple[Detector, ...] = (
    _compile(
        "email", r"(?P<secret>[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,6}\.[A-Za-z]{2,24})\b"
    ),
    _compile("card", r"(?:^|[^\w.-])(?P<secret>[2-6](?:[ -]?[0-9]){11,18})(?:$|[^\w-])", lambda m: card(m["secret"])),
    _compile("iban", r"\b(?P<secret>[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30})\b", lambda m: iban(m["secret"])),
    _compile("national-id", r"(?:^|[^\w-])(?P<secret>[0-9]{3}-[0-9]{2}-[0-9]{4})(?:$|[^\w-])"),
    _compile(
        "phone",
        r"(?:^|[^\w.+-])(?P<secret>\+[1-9][0-9]{0,2}(?:[ .-]?\(?[0-9]{1,5}\)?){2,6}(?: ?x[0-9]{1,5})?)(?:$|[^\w-])",
    ),
    _compile(
        "phone",
        r"(?:^|[^\w.-])(?P<secret>(?:\([0-9]{2,5}\) ?|[0-9]{3}[-.])[0-9]{3}[ .-][0-9]{4}(?:x[0-9]{1,5})?)(?:$|[^\w-])",
    ),
)

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
ADDRESSES: tuple[Detector, ...] = (
    _compile("ip", rf"\b(?P<secret>(?:{_OCTET}\.){{3}}{_OCTET})\b"),
    _compile(
        "ip",
        r"(?P<secret>(?:[0-9A-Fa-f]{1,4}:){3,7}(?::?[0-9A-Fa-f]{1,4}){1,4})\b",
        lambda m: not identifier(m["secret"].replace(":", "")) or m["secret"].count(":") > 3,
    ),
)
