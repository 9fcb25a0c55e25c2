"""Secrets are masked wherever they stand; what an investigation needs stays."""

from __future__ import annotations

import re
import time

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from faultmaven_core.analysis.redaction.detectors import SECRETS, Detector
from faultmaven_core.analysis.redaction.personal import ADDRESSES, PERSONAL
from faultmaven_core.analysis.redaction.placeholders import PLACEHOLDER
from faultmaven_core.analysis.redaction.redactor import Redactor, detect, redact

RANDOM = "q7Zp2Lk9Vx4Rt8Wm1Nc6"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bq1\nq8x0Zk3Hk2v9s7\n-----END RSA PRIVATE KEY-----"

HIDDEN = {
    "assignment": (f"api_key = {RANDOM}", RANDOM),
    "environment": ("DB_PASSWORD=tr0ub4dor&3 LOG=debug", "tr0ub4dor&3"[:9]),
    "json": ('{"clientSecret": "aaaa-bbbb-cccc-1", "user": "x"}', "aaaa-bbbb-cccc-1"),
    "quoted with any sign": ("password: 'it (is) <so> secret'", "it (is) <so> secret"),
    "yaml password that is a word": ('password: "hunter"', "hunter"),
    "url": ("amqp://shop:s3cr%40t@rabbit:5672/vhost", "s3cr%40t"),
    "dsn": ("root:letmein@tcp(db:3306)/shop", "letmein"),
    "header": (f"Authorization: Bearer {RANDOM}", RANDOM),
    "unknown scheme": (f"authorization: SSWS 00{RANDOM}", RANDOM),
    "basic": ("authorization: Basic dXNlcjpwYXNzd29yZDEyMw==", "dXNlcjpwYXNzd29yZDEyMw=="),
    "cookie": ("Cookie: sid=abcdef0123456789; theme=dark", "abcdef0123456789"),
    "query": (f"GET /v1/items?access_token={RANDOM}&page=2", RANDOM),
    "command line": ("mysql --password opensesame1 -h db", "opensesame1"),
    "curl": ("curl -u admin:opensesame1 https://x", "opensesame1"),
    "github": ("remote: ghp_abcdefghijklmnopqrstuvwxyz0123456789", "ghp_abcdefghijklmnopqrstuvwxyz0123456789"),
    "aws id": ("key AKIAIOSFODNN7EXAMPLE used", "AKIAIOSFODNN7EXAMPLE"),
    "jwt": (
        "token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
        "eyJzdWIiOiIxMjM0NTY3ODkwIn0",
    ),
    "vendor prefix nobody listed": (
        "acme_9f8e7d6c5b4a39281706f5e4d3c2b1a0ffee",
        "9f8e7d6c5b4a39281706f5e4d3c2b1a0ffee",
    ),
    "random by itself": (f"found {RANDOM}A3b9 there", f"{RANDOM}A3b9"),
    "webhook": ("https://hooks.slack.com/services/T000/B000/XXXXXXXX", "T000/B000/XXXXXXXX"),
    "crypt": ("root:$6$saltsalt$Xw8mX3vH0Rk2:19000:0", "$6$saltsalt$Xw8mX3vH0Rk2"),
    "azure": ("AccountName=x;AccountKey=Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA==;", "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA"),
    "pem": (f"cert:\n{KEY}\nnext", "q8x0Zk3Hk2v9s7"),
    "pem without its end": (KEY[:70], "MIIEpAIBAAKCAQEA7bq1"),
    "mail": ("from jane.doe@example.co.uk:", "jane.doe@example.co.uk"),
    "card": ("paid with 4111 1111 1111 1111 today", "4111 1111 1111 1111"),
    "iban": ("to DE89 3704 0044 0532 0130 00.", "DE89 3704 0044 0532 0130 00"),
    "social security": ("ssn 078-05-1120", "078-05-1120"),
    "phone": ("call +49 30 901820 now", "+49 30 901820"),
}

SHOWN = [
    "pod payments-api-7f9dd8b6c4-x7gr9 in namespace shop",
    'secret "db-creds" not found',
    'MountVolume.SetUp failed for volume "tls" : secret "shop-tls-v2" not found',
    "secretName: db-creds-2024",
    "pod db-certs-authenticator-757f89d977-795x7",
    "imagePullSecrets: [name: regcred]",
    "serviceAccountName: builder, automountServiceAccountToken: false",
    "Mounts: /var/run/secrets/kubernetes.io/serviceaccount from kube-api-access-4jx7k (ro)",
    "image: registry.example.com/shop@sha256:9b2c1d3e4f5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "Container ID: containerd://4f5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f09b2c1d3e",
    "uid: 3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7",
    "password authentication failed for user app",
    "service_key: default/Deployment/user-profile-resources",
    "see /docs/#example-topologyspreadconstraints",
    "partition_key = orders-by-customer, key-value-store-12 is slow",
    "FATAL: password authentication failed for user",
    "error: token expired, key not found",
    "failed_password: 520, token_ttl: 3600s, max_tokens=4096",
    "password: ${DB_PASSWORD} token: <none> secret=null api_key=********",
    "2026-03-27T20:00:00.123456Z blk_-1608999687919862906 terminating",
    "Received block blk_3587508140051953248 of size 67108864 from /10.251.42.84",
    "org.apache.hadoop.hdfs.server.datanode.DataNode$PacketResponder",
    "connection to 10.0.0.12:5432 refused, order 1234567890123456",
    "node ip-10-0-1-73.us-east-1.compute.internal at 52:54:00:12:34:56",
    "-----BEGIN PRIVATE KEY-----\n***\n-----END PRIVATE KEY-----",
]


@pytest.mark.parametrize("name", sorted(HIDDEN))
def test_a_secret_does_not_survive(name: str) -> None:
    """Whoever issued it, and in whatever notation it stands."""
    text, secret = HIDDEN[name]
    assert secret in text
    masked = redact(text)
    assert secret not in masked.text
    assert PLACEHOLDER.search(masked.text)


@pytest.mark.parametrize("text", SHOWN)
def test_what_an_investigation_needs_is_left_alone(text: str) -> None:
    """Names, identifiers, references, counters and prose about secrets are no secrets."""
    assert redact(text).text == text


def test_the_same_secret_gets_the_same_placeholder_and_another_one_another() -> None:
    """So that a reader still sees that two services share a credential."""
    redactor = Redactor()
    first = redactor.mask("a: postgres://u:Xk82hfs7Qp@db/x")
    second = redactor.mask("b: postgres://u:Xk82hfs7Qp@db/x and postgres://u:9dkfj2kdPo@db/x")
    assert first == "a: postgres://u:[redacted:password:1]@db/x"
    assert second == "b: postgres://u:[redacted:password:1]@db/x and postgres://u:[redacted:password:2]@db/x"


def test_a_secret_once_known_is_masked_where_nothing_announces_it() -> None:
    """The line that leaks it again seldom says that it does."""
    redactor = Redactor()
    redactor.learn("password=opensesame\n")
    assert redactor.mask("trying opensesame now") == "trying [redacted:secret:1] now"


def test_the_name_of_what_is_hidden_stays() -> None:
    """A reader should see what kind of thing was there."""
    assert redact("login with password=hunter2hunter2hunter2").text == "login with password=[redacted:secret:1]"


def test_a_short_known_secret_does_not_tear_holes_into_words() -> None:
    """`abc` as a password must not mask every `abc`."""
    redactor = Redactor()
    redactor.learn("password=abc\n")
    assert redactor.mask("abcdef abc") == "abcdef abc"


def test_addresses_are_masked_on_request_only() -> None:
    """They are what the parts of an incident are joined by."""
    text = "from 10.0.0.12 and 2001:db8::8a2e:370:7334 at 10:00:05, mac 52:54:00:12:34:56"
    assert Redactor().mask(text) == text
    assert Redactor(addresses=True).mask(text) == (
        "from [redacted:ip:1] and [redacted:ip:2] at 10:00:05, mac 52:54:00:12:34:56"
    )


def test_masking_twice_changes_nothing_more() -> None:
    """An exported report may be exported again."""
    for text, _ in HIDDEN.values():
        once = redact(text).text
        assert redact(once).text == once


@given(st.text(max_size=300))
def test_spans_are_in_order_apart_and_cut_out_of_the_text(text: str) -> None:
    """And what stands between them is left as it was."""
    masked = redact(text)
    at, rest = 0, masked.text
    for span in masked.spans:
        assert at <= span.start < span.end <= len(text)
        assert rest.startswith(text[at : span.start])
        rest = PLACEHOLDER.sub("", rest[span.start - at :], count=1)
        at = span.end
    assert rest == text[at:]


@pytest.mark.parametrize("detector", [*SECRETS, *PERSONAL, *ADDRESSES], ids=lambda d: d.pattern.pattern[:30])
def test_every_pattern_is_one_that_a_linear_engine_takes(detector: Detector) -> None:
    """No look-around and no back-reference: RE2 compiles it, so no input can make it explode."""
    assert re2.compile(detector.pattern.pattern)


@pytest.mark.parametrize(
    "unit", ["a", "a.", "key=", "-u a:", "://a:", "eyJ", "1 ", "a@", "A1", "-----BEGIN RSA PRIVATE KEY-----"]
)
def test_hostile_text_takes_no_more_than_linear_time(unit: str) -> None:
    """Twice the text takes about twice the time, also in Python's own engine."""

    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        start = time.process_time()
        detect(text)
        return time.process_time() - start

    seconds(1000)
    assert seconds(40_000) < max(1.0, 8 * seconds(20_000))


def test_placeholders_say_the_kind() -> None:
    """`[redacted:email:1]` tells a reader what was there."""
    found = PLACEHOLDER.findall(redact("a@example.org AKIAIOSFODNN7EXAMPLE").text)
    assert found == ["email", "cloud-key"]
    assert re.fullmatch(
        r"\[redacted:email:1\] \[redacted:cloud-key:1\]", redact("a@example.org AKIAIOSFODNN7EXAMPLE").text
    )
