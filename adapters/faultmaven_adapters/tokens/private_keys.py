"""Private keys in PEM, and which algorithm each kind signs with. The algorithm is the key's; a token is never asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from faultmaven_core.ports.tokens import SigningKey
from faultmaven_core.shared.errors import MisconfiguredError

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    PrivateKey: TypeAlias = OKPKey | ECKey | RSAKey

ALGORITHMS = ("Ed25519", "ES256", "RS256")
"""Of the keys that are made and read. `Ed25519` is EdDSA by its own name (RFC 9864); RS256 is for clients that know no other."""


def generate(algorithm: str) -> bytes:
    """A new private key as PKCS 8 in PEM. Raises MisconfiguredError for an algorithm that is none of ours."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    if algorithm == "Ed25519":
        key = ed25519.Ed25519PrivateKey.generate()
    elif algorithm == "ES256":
        key = ec.generate_private_key(ec.SECP256R1())
    elif algorithm == "RS256":
        key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    else:
        raise MisconfiguredError(f"Tokens are signed by {', '.join(ALGORITHMS)}, not {algorithm}.")
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def load(pem: bytes, key: SigningKey) -> PrivateKey:
    """The private key. Raises MisconfiguredError where the file is none, or of another kind than the ring says."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    kinds: dict[str, type[OKPKey | ECKey | RSAKey]] = {"Ed25519": OKPKey, "ES256": ECKey, "RS256": RSAKey}
    kind = kinds.get(key.algorithm)
    if kind is None:
        raise MisconfiguredError(f"The key {key.kid} is for {key.algorithm}, which is none of {', '.join(ALGORITHMS)}.")
    try:
        # We made the file ourselves, and only its owner can write it: proving the primes again takes half a second.
        native: Any = load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
        return kind.import_key(native, {"kid": key.kid, "use": "sig", "alg": key.algorithm})
    except (JoseError, ValueError, TypeError) as error:
        raise MisconfiguredError(f"{key.kid}.pem is no private key for {key.algorithm}.") from error
