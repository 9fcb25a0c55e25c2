"""What secrets look like. The patterns keep to RE2's syntax and bounded repeats: linear, whatever is thrown at them.

Sources: the token formats that vendors document (GitHub, GitLab, AWS, Google, Slack, Stripe, ...), RFC 7519 (JWT),
RFC 7617 and 6750 (HTTP credentials), RFC 3986 (user information in URLs), crypt(5).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from faultmaven_core.analysis.redaction.randomness import generated, identifier, plausible
from faultmaven_core.analysis.redaction.values import (
    assigned,
    literal,
    near_mention,
    some_key,
    unnamed_digest,
    vendor_token,
)


@dataclass(frozen=True, slots=True)
class Detector:
    """`pattern` has a group `secret`; `accept` has the last word about what it caught."""

    kind: str
    pattern: re.Pattern[str]
    accept: Callable[[re.Match[str]], bool] = bool


def detector(kind: str, pattern: str, accept: Callable[[re.Match[str]], bool] = bool) -> Detector:
    """A detector from its pattern's text."""
    return Detector(kind, re.compile(pattern), accept)


def _random(match: re.Match[str]) -> bool:
    return generated(match["secret"])


def _plausible(match: re.Match[str]) -> bool:
    return plausible(match["secret"])


def _prefixed(match: re.Match[str]) -> bool:
    """A vendor's prefix in front of letters and digits in one piece; behind a dash hexadecimal is somebody's identifier."""
    rest = match["rest"]
    return plausible(rest, 16) and not rest.isalpha() and not (match["join"] == "-" and identifier(rest))


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
_WEBHOOK = (
    r"hooks\.slack\.com/(?:services|workflows)/|(?:[a-z]{1,20}\.)?discord(?:app)?\.com/api/webhooks/"
    r"|[a-z0-9.-]{1,80}\.webhook\.office\.com/webhookb2/"
)
_ANNOUNCES = (
    r"(?:pass(?:word|wd|phrase|code)s?|pwd|secrets?|tokens?|credentials?|api[_\s.-]?keys?|(?:access|secret|private|account|auth|"
    r"encryption|signing|shared|master|client|service|license|subscription|consumer|deploy|app(?:lication)?|session|"
    r"security|storage|hmac|aes|rsa|ssh|webhook|admin|write|read|public|project|user|server)[_\s.-]?(?:access[_\s.-]?)?keys?"
    r"|authorization|bearer|sharedaccesssignature|sig)"
)
_MENTIONS = r"(?:key|pass|auth|access|private|pat|cookie|session|sid|salt|api|cred)"
_BETWEEN = r"[\"'\]\\)]{0,4}[ \t]{0,8}(?:=>|:=|={1,3}|:|\+=)\s{0,8}[\[({bru@]{0,2}\\{0,3}"
_NAMED = rf"(?i)(?P<name>{_ANNOUNCES})(?P<rest>[\w.-]{{0,40}})"

SECRETS: tuple[Detector, ...] = (
    detector("jwt", r"\b(?P<secret>ey[JI][A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){0,3})"),
    detector("cloud-key", rf"\b(?P<secret>{_AWS})\b"),
    detector("token", rf"(?:\b|_)(?P<secret>(?:{_PREFIXES})[A-Za-z0-9_.=-]{{12,}})", vendor_token),
    detector(
        "token", r"\b(?P<secret>[A-Za-z]{2,12}(?P<join>[_-])(?:live_|test_)?(?P<rest>[A-Za-z0-9]{20,}))\b", _prefixed
    ),
    detector("token", rf"(?P<secret>https://(?:{_WEBHOOK})[^\s\"'<>]+)"),
    detector("token", r"\b(?P<secret>[0-9]{8,10}:[A-Za-z0-9_-]{32,40})\b"),
    detector("hash", r"(?P<secret>\$[A-Za-z0-9-]{1,20}\$[^\s:\"'<>,;]{10,}(?::[0-9a-fA-F$:]{16,})?)"),
    detector("hash", r"(?P<secret>\{(?:SSHA|SHA|SMD5|CRYPT|PBKDF2)[0-9]*\}[A-Za-z0-9+/=$.]{16,})"),
    detector("password", r"://[^\s:/@\"'<>]{0,256}:(?P<secret>[^\s/@\"'<>]+(?:@[^\s/@\"'<>.]+)?)@", literal),
    detector("password", r"\b[\w.-]{1,64}:(?P<secret>[^\s:/@\"'<>]{3,128})@(?:tcp|unix|udp)\("),
    detector(
        "password", r"(?:^|\s)(?:-u|--user|--proxy-user)[ =]?[\"']?[\w.@-]{1,64}:(?P<secret>[^\s\"'@]{3,})", literal
    ),
    detector(
        "password",
        r"(?i)(?:^|[\s\"'])-{1,2}(?:pass(?:word|wd|phrase)?|pwd|token|secret|api-?key)(?:[ =]|\",\s?\")[\"']?"
        r"(?P<secret>[^\s\"'\\-][^\s\"'\\]{2,})",
        literal,
    ),
    detector(
        "token",
        r"(?i)\b(?:bearer|basic|token|negotiate|digest|apikey|key|authorization[\"']?[=:] ?[\"']?[a-z]{2,12})[ =:]{1,3}[\"']?"
        r"(?P<secret>[A-Za-z0-9._~+/=:-]{16,})",
        _plausible,
    ),
    detector("token", r"(?i)\b(?:set-)?cookie:\s{0,4}(?P<secret>[^\s\"'=]{1,64}=[^\r\n\"']{6,})"),
    detector("secret", rf"{_NAMED}(?P<between>{_BETWEEN}\")(?P<secret>[^\"\r\n\\]{{3,400}})", assigned),
    detector("secret", rf"{_NAMED}(?P<between>{_BETWEEN}')(?P<secret>[^'\r\n\\]{{3,400}})", assigned),
    detector("secret", rf"{_NAMED}(?P<between>{_BETWEEN}`?)(?P<secret>[^\s\"'`<>,;&|(){{}}\[\]\\]{{3,}})", assigned),
    detector(
        "secret",
        rf"(?i)(?P<name>{_ANNOUNCES}|{_MENTIONS})(?:s|id|x)?[\s\"'=:._,>()\[\]-]{{1,12}}(?P<secret>[A-Za-z0-9_+/=.~!@#%^&*-]{{16,}})",
        near_mention,
    ),
    detector(
        "secret",
        r"(?P<name>[A-Za-z][A-Za-z0-9]{2,30})[\"']{0,2}[ \t]{0,4}[=:][ \t]{0,4}[\"']{0,2}(?P<secret>[0-9a-fA-F]{32,128})\b",
        unnamed_digest,
    ),
    detector(
        "secret",
        r"(?i)\b[a-z0-9_]{2,40}_key[\"']?[ \t]{0,4}[=:][ \t]{0,4}[\"']?(?P<secret>[a-z0-9_+/=.-]{14,})",
        some_key,
    ),
    detector("secret", r"(?P<secret>[A-Za-z0-9_+/.-]{20,}={0,2})", _random),
)
