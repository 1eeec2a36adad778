"""Self-Issued tokens: how nodes authenticate each other (DECISIONS P9; DCP 1.0.1, section 4.3).

A token is believed when all of this holds, each with its own problem when it does not:

1. three segments of unpadded canonical base64url, at most 16 kB, both objects without duplicate
   keys (RFC 7515, 5.2; RFC 7519, 7.2);
2. the header names `typ` JWT, an algorithm and a key, demands nothing (`crit`) and brings no key
   of its own (`jwk`, `jku`, `x5u`, `x5c`): keys come from the DID document only;
3. iss = sub, a DID, the DID of `kid`, and nobody else's key is claimed (`sub_jwk`);
4. aud is the verifier's DID, a single string;
5. iat, exp and nbf are numbers, the token is valid now (30 s of clock skew are forgiven) and lives
   at most 300 s;
6. the DID document of iss lists the key under capabilityInvocation, and its kind fixes the
   algorithm;
7. the signature verifies.

Claims are read before the signature only to find the key; nothing is returned unless it verified.
That a `jti` was not seen before is for the caller to check, by a unique insert in the transaction
of what the token authorises (`Claims.expires` says how long to remember it).
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from math import isfinite
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from jwt.utils import base64url_decode

from connector.identity.did import DidDocument
from connector.identity.did_web import MAX_DID
from connector.identity.strict import read_object
from policies.problem import Problem

LIFETIME: Final = timedelta(seconds=300)
LEEWAY: Final = timedelta(seconds=30)
MAX_TOKEN: Final = 16_384
MAX_NAME: Final = 256

# Four characters at a time; of a last group of two or three, the unused bits must be zero.
_SEGMENT: Final = r"(?:[\w-]{4})*+(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?"
_TOKEN: Final = re.compile(rf"({_SEGMENT})\.({_SEGMENT})\.({_SEGMENT})", re.ASCII)
_FORBIDDEN: Final = frozenset({"crit", "b64", "jwk", "jku", "x5u", "x5c", "zip", "enc"})
_JWS: Final = jwt.PyJWS(algorithms=["ES256", "EdDSA"])
_KEY_PROBLEMS: Final = {
    "identity-key-unknown": "identity-token-key-unknown",
    "identity-key-unsupported": "identity-token-key-unsupported",
    "identity-key-relationship": "identity-token-key-relationship",
}
_LATEST: Final = 253_402_300_799  # the last second of year 9999

DocumentOf = Callable[[str], Awaitable[DidDocument]]


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says.

    `expires` is when its `jti` may be forgotten: exp and the forgiven clock skew. `token` is the
    opaque access token some peers add (DCP); `digest` names the whole token in evidence.
    """

    issuer: str
    audience: str
    jti: str
    issued: datetime
    expires: datetime
    kid: str
    digest: str
    token: str | None = field(default=None, repr=False)


def mint(
    key: EllipticCurvePrivateKey,
    did: str,
    kid: str,
    audience: str,
    now: datetime,
    jti: str,
) -> str:
    """A fresh token of `did` for one audience, valid 300 s from `now`.

    Args:
        key: the private token key.
        did: our DID, issuer and subject.
        kid: the key's absolute name in our DID document.
        audience: the DID of the peer.
        now: the instant of issue.
        jti: a name no other token has.
    """
    issued = int(now.timestamp())
    claims: dict[str, object] = {
        "iss": did,
        "sub": did,
        "aud": audience,
        "jti": jti,
        "iat": issued,
        "exp": issued + int(LIFETIME.total_seconds()),
    }
    return jwt.encode(claims, key, algorithm="ES256", headers={"kid": kid})


async def verify(
    token: str,
    *,
    audience: str,
    document_of: DocumentOf,
    now: datetime,
    refresh: DocumentOf | None = None,
) -> Claims:
    """What a token of a peer claims, if every rule of this module holds.

    Args:
        token: the compact token, without `Bearer`.
        audience: our own DID.
        document_of: finds the DID document of the claimed issuer; may refuse strangers.
        now: the instant of verification.
        refresh: asked once for a newer document when the one found does not know the key.

    Raises:
        Problem: `identity-token-…`, and whatever `document_of` raises.
    """
    header, claims = _parse(token)
    kid = _check_header(header)
    checked = _check_claims(claims, kid, audience, now, token)
    document = await document_of(checked.issuer)
    if refresh is not None and kid not in document.keys:
        document = await refresh(checked.issuer)
    _check_signature(token, header, document, kid)
    return checked


def bearer(authorization: str | None) -> str:
    """The token of an `Authorization` header.

    Raises:
        Problem: `identity-token-missing`.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Problem("identity-token-missing")
    return token


def _parse(token: str) -> tuple[dict[str, object], dict[str, object]]:
    if len(token) > MAX_TOKEN:
        raise Problem("identity-token-size", limit=MAX_TOKEN)
    segments = _TOKEN.fullmatch(token)
    if segments is None:
        raise Problem("identity-token-malformed")
    try:
        return read_object(base64url_decode(segments[1])), read_object(
            base64url_decode(segments[2])
        )
    except ValueError:
        raise Problem("identity-token-malformed") from None


def _check_header(header: dict[str, object]) -> str:
    """The `kid` of a header that demands and brings nothing."""
    if header.get("typ") != "JWT":
        raise Problem("identity-token-type")
    if not _FORBIDDEN.isdisjoint(header):
        raise Problem("identity-token-header", names=sorted(_FORBIDDEN & header.keys()))
    if header.get("alg") not in ("ES256", "EdDSA"):
        raise Problem("identity-token-algorithm")
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid.startswith("did:") or len(kid) > MAX_DID + MAX_NAME:
        raise Problem("identity-token-kid")
    return kid


def _check_claims(
    claims: dict[str, object], kid: str, audience: str, now: datetime, token: str
) -> Claims:
    issuer, jti, opaque = claims.get("iss"), claims.get("jti"), claims.get("token")
    one = isinstance(issuer, str) and issuer.isprintable() and claims.get("sub") == issuer
    if not isinstance(issuer, str) or not one or "sub_jwk" in claims:
        raise Problem("identity-token-issuer")
    if kid.partition("#")[0] != issuer or "#" not in kid:
        raise Problem("identity-token-kid")
    if claims.get("aud") != audience:
        raise Problem("identity-token-audience", audience=audience)
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_NAME or not jti.isprintable():
        raise Problem("identity-token-jti")
    issued, expires = _check_times(claims, now)
    return Claims(
        issuer=issuer,
        audience=audience,
        jti=jti,
        issued=issued,
        expires=expires + LEEWAY,
        kid=kid,
        digest="sha-256:" + sha256(token.encode()).hexdigest(),
        token=opaque if isinstance(opaque, str) else None,
    )


def _check_times(claims: dict[str, object], now: datetime) -> tuple[datetime, datetime]:
    issued, expires = _instant(claims.get("iat")), _instant(claims.get("exp"))
    if expires <= issued or expires - issued > LIFETIME:
        raise Problem("identity-token-lifetime", seconds=int(LIFETIME.total_seconds()))
    not_before = max(issued, _instant(claims["nbf"])) if "nbf" in claims else issued
    if not_before - LEEWAY > now:
        raise Problem("identity-token-early")
    if now >= expires + LEEWAY:
        raise Problem("identity-token-expired")
    return issued, expires


def _instant(value: object) -> datetime:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not (isfinite(value) and 0 <= value <= _LATEST)
    ):
        raise Problem("identity-token-times")
    return datetime.fromtimestamp(value, UTC)


def _check_signature(
    token: str, header: dict[str, object], document: DidDocument, kid: str
) -> None:
    try:
        found = document.key(kid, "capabilityInvocation")
    except Problem as problem:
        raise Problem(_KEY_PROBLEMS[problem.code], kid=kid) from None
    if found.key is None or found.algorithm is None or header["alg"] != found.algorithm:
        raise Problem("identity-token-algorithm")
    # Its form was checked already; decoding the whole token again costs more than the signature.
    signed, _, signature = token.rpartition(".")
    scheme = _JWS.get_algorithm_by_name(found.algorithm)
    if not scheme.verify(signed.encode(), found.key, base64url_decode(signature)):
        raise Problem("identity-token-signature")
