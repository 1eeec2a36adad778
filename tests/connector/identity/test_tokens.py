"""Self-Issued tokens: each rule of P9 broken alone, each with its own problem."""

import base64
import copy
import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from connector.identity import tokens
from connector.identity.did import DidDocument
from policies.problem import Problem
from tests.connector.identity.conftest import MakeParty, Party
from tests.support.clock import START

JTI = "urn:uuid:11111111-1111-4111-8111-111111111111"
NOW = int(START.timestamp())


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Book:
    """Where the verifier looks documents up; counts, and knows whom it was asked for."""

    def __init__(self, *documents: DidDocument) -> None:
        self.documents = {document.did: document for document in documents}
        self.asked: list[str] = []

    async def __call__(self, did: str) -> DidDocument:
        self.asked.append(did)
        return self.documents[did]


async def check(
    token: str, alice: Party, bob: Party, *, now: datetime = START, book: Book | None = None
) -> tokens.Claims:
    return await tokens.verify(
        token, audience=bob.did, document_of=book or Book(alice.document), now=now
    )


async def refusal(token: str, alice: Party, bob: Party, **more: Any) -> str:
    with pytest.raises(Problem) as caught:
        await check(token, alice, bob, **more)
    assert caught.value.kind == "unauthenticated"
    assert "{" not in caught.value.text("fr") + caught.value.remedy("en")
    assert not token or token not in str(caught.value.document())
    return caught.value.code


@pytest.fixture
def good(alice: Party, bob: Party) -> str:
    return tokens.mint(alice.keys.token_key, alice.did, alice.kid, bob.did, START, JTI)


Make = Callable[..., str]


@pytest.fixture
def make(alice: Party, bob: Party) -> Make:
    """Signs a token whose claims or header were changed (None removes)."""

    def signed(header: dict[str, Any] | None = None, **claims: Any) -> str:
        payload = {
            "iss": alice.did,
            "sub": alice.did,
            "aud": bob.did,
            "jti": JTI,
            "iat": NOW,
            "exp": NOW + 300,
        }
        payload.update(claims)
        head = {"typ": "JWT", "alg": "ES256", "kid": alice.kid, **(header or {})}
        parts = [
            b64(json.dumps({k: v for k, v in part.items() if v is not None}).encode())
            for part in (head, payload)
        ]
        return seal(".".join(parts), alice)

    return signed


def seal(content: str, party: Party) -> str:
    algorithm = jwt.PyJWS().get_algorithm_by_name("ES256")
    return f"{content}.{b64(algorithm.sign(content.encode(), party.keys.token_key))}"


async def test_a_good_token_says_who_and_until_when(good: str, alice: Party, bob: Party):
    claims = await check(good, alice, bob)
    assert claims.issuer == alice.did
    assert claims.audience == bob.did
    assert claims.jti == JTI
    assert claims.kid == alice.kid
    assert claims.issued == START
    assert claims.expires == START + timedelta(seconds=330)
    assert claims.digest.startswith("sha-256:")
    assert claims.token is None
    assert len(claims.digest) == 72


async def test_what_we_mint_is_dcp_shaped(good: str, alice: Party, bob: Party):
    assert jwt.get_unverified_header(good) == {"alg": "ES256", "typ": "JWT", "kid": alice.kid}
    public = alice.keys.token_key.public_key()
    assert jwt.decode(
        good,
        public,
        algorithms=["ES256"],
        audience=bob.did,
        options={"verify_exp": False, "verify_iat": False},
    ) == {
        "iss": alice.did,
        "sub": alice.did,
        "aud": bob.did,
        "jti": JTI,
        "iat": NOW,
        "exp": NOW + 300,
    }


async def test_the_tests_own_maker_makes_good_tokens(make: Make, alice: Party, bob: Party):
    assert (await check(make(), alice, bob)).jti == JTI
    assert (await check(make(token="opaque", nbf=NOW), alice, bob)).token == "opaque"
    assert (await check(make(iat=NOW + 0.5, exp=NOW + 30.25), alice, bob)).jti == JTI


@pytest.mark.parametrize(
    ("code", "claims"),
    [
        ("issuer", {"iss": None}),
        ("issuer", {"iss": "did:web:bob.example"}),
        ("issuer", {"iss": 5}),
        ("issuer", {"sub": None}),
        ("issuer", {"sub": "did:web:carol.example"}),
        ("issuer", {"sub_jwk": {"kty": "EC"}}),
        ("issuer", {"iss": "did:web:\0", "sub": "did:web:\0"}),
        ("kid", {"iss": "did:web:carol.example", "sub": "did:web:carol.example"}),
        ("kid", {"iss": "did:web:alice.exampl", "sub": "did:web:alice.exampl"}),
        ("audience", {"aud": None}),
        ("audience", {"aud": "did:web:alice.example"}),
        ("audience", {"aud": "did:web:bob.exampl"}),
        ("audience", {"aud": "did:web:bob.example:path"}),
        ("audience", {"aud": ["did:web:bob.example"]}),
        ("audience", {"aud": ["did:web:carol.example", "did:web:bob.example"]}),
        ("jti", {"jti": None}),
        ("jti", {"jti": ""}),
        ("jti", {"jti": 7}),
        ("jti", {"jti": "x" * 257}),
        ("jti", {"jti": "a\0b"}),
        ("times", {"iat": None}),
        ("times", {"exp": None}),
        ("times", {"exp": str(NOW + 300)}),
        ("times", {"exp": True}),
        ("times", {"iat": -5}),
        ("times", {"exp": 1e300}),
        ("times", {"exp": 10**30}),
        ("times", {"nbf": "now"}),
        ("times", {"exp": [NOW + 300]}),
        ("lifetime", {"exp": NOW + 301}),
        ("lifetime", {"exp": NOW}),
        ("lifetime", {"exp": NOW - 1}),
        ("lifetime", {"iat": NOW - 3600, "exp": NOW + 300}),
        ("early", {"iat": NOW + 31, "exp": NOW + 60}),
        ("early", {"nbf": NOW + 31}),
        ("expired", {"iat": NOW - 330, "exp": NOW - 30}),
    ],
)
async def test_each_claim_counts(
    make: Make, alice: Party, bob: Party, code: str, claims: dict[str, Any]
):
    book = Book(alice.document)
    assert await refusal(make(**claims), alice, bob, book=book) == f"identity-token-{code}"
    assert book.asked == []  # nothing was fetched for it


@pytest.mark.parametrize(
    "claims", [{"iat": NOW + 30, "exp": NOW + 60}, {"iat": NOW - 329, "exp": NOW - 29}]
)
async def test_thirty_seconds_of_skew_are_forgiven(
    make: Make, alice: Party, bob: Party, claims: dict[str, int]
):
    await check(make(**claims), alice, bob)


@pytest.mark.parametrize(
    ("code", "header"),
    [
        ("type", {"typ": None}),
        ("type", {"typ": "at+jwt"}),
        ("type", {"typ": "jwt"}),
        ("header", {"crit": ["exp"]}),
        ("header", {"crit": []}),
        ("header", {"b64": False}),
        ("header", {"b64": True}),
        ("header", {"jwk": {"kty": "EC"}}),
        ("header", {"jku": "https://evil.example/keys"}),
        ("header", {"x5u": "https://evil.example/cert"}),
        ("header", {"x5c": ["AAAA"]}),
        ("header", {"zip": "DEF"}),
        ("algorithm", {"alg": None}),
        ("algorithm", {"alg": "none"}),
        ("algorithm", {"alg": "None"}),
        ("algorithm", {"alg": "HS256"}),
        ("algorithm", {"alg": "ES384"}),
        ("algorithm", {"alg": "RS256"}),
        ("algorithm", {"alg": ["ES256"]}),
        ("algorithm", {"alg": "EdDSA"}),  # known, but not this key's
        ("kid", {"kid": None}),
        ("kid", {"kid": 5}),
        ("kid", {"kid": "token-1"}),
        ("kid", {"kid": "#token-1"}),
        ("kid", {"kid": "did:web:alice.example"}),
        ("kid", {"kid": "did:web:bob.example#token-1"}),
        ("kid", {"kid": "did:web:alice.example:x#token-1"}),
        ("kid", {"kid": "did:web:alice.example#" + "x" * 1000}),
        ("key-unknown", {"kid": "did:web:alice.example#token-2"}),
        ("key-unknown", {"kid": "did:web:alice.example#"}),
        ("key-unknown", {"kid": "did:web:alice.example#token-1#token-1"}),
        ("key-relationship", {"kid": "did:web:alice.example#assertion-1"}),
        ("key-relationship", {"kid": "did:web:alice.example#log-1"}),
    ],
)
async def test_each_header_trick_is_refused(
    make: Make, alice: Party, bob: Party, code: str, header: dict[str, Any]
):
    assert await refusal(make(header), alice, bob) == f"identity-token-{code}"


async def test_every_flipped_character_is_noticed(good: str, alice: Party, bob: Party):
    book = Book(alice.document)
    for at in range(0, len(good), 3):
        other = "A" if good[at] != "A" else "B"
        await refusal(good[:at] + other + good[at + 1 :], alice, bob, book=book)


async def test_a_signature_by_another_key_or_of_other_bytes(
    good: str, make: Make, alice: Party, bob: Party
):
    head, claims, signature = good.split(".")
    other = make(jti="another").split(".")
    assert await refusal(f"{head}.{other[1]}.{signature}", alice, bob) == "identity-token-signature"
    assert await refusal(f"{head}.{claims}.", alice, bob) == "identity-token-signature"
    assert await refusal(f"{head}.{claims}.{b64(bytes(64))}", alice, bob) == (
        "identity-token-signature"
    )
    forged = seal(f"{head}.{claims}", bob)
    assert await refusal(forged, alice, bob) == "identity-token-signature"
    der = jwt.utils.raw_to_der_signature(base64.urlsafe_b64decode(signature + "=="), SECP256R1())
    assert await refusal(f"{head}.{claims}.{b64(der)}", alice, bob) == "identity-token-signature"


async def test_a_public_key_is_no_hmac_secret(alice: Party, bob: Party):
    public = alice.keys.token_key.public_key()
    for secret in (
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    ):
        head = b64(json.dumps({"typ": "JWT", "alg": "HS256", "kid": alice.kid}).encode())
        content = f"{head}.{b64(b'{}')}"
        mac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
        token = f"{content}.{b64(mac.sign(content.encode(), secret))}"
        assert await refusal(token, alice, bob) == "identity-token-algorithm"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda h, c, s: "",
        lambda h, c, s: "..",
        lambda h, c, s: f"{h}.{c}",
        lambda h, c, s: f"{h}.{c}.{s}.",
        lambda h, c, s: f"{h}.{c}.{s}.{s}",
        lambda h, c, s: f"{h}=.{c}.{s}",
        lambda h, c, s: f"{h}.{c}=.{s}",
        lambda h, c, s: f"{h}.{c}.{s}==",
        lambda h, c, s: f" {h}.{c}.{s}",
        lambda h, c, s: f"{h}.{c}.{s}\n",
        lambda h, c, s: f"{h}.{c}.{s[:-1]}",
        lambda h, c, s: f"{h}.{c}.{s[:-1]}_",  # unused bits of the last character set
        lambda h, c, s: f"{h}.{c}.+{s[1:]}",
        lambda h, c, s: f"{h}.{c}.é{s[1:]}",
        lambda h, c, s: f"{b64(b'x')}.{c}.{s}",
        lambda h, c, s: f"{b64(b'[]')}.{c}.{s}",
        lambda h, c, s: f"{h}.{b64(b'null')}.{s}",
        lambda h, c, s: f"{h}.{b64(b'{}x')}.{s}",
        lambda h, c, s: f"{h}.{b64(bytes([255]))}.{s}",
        lambda h, c, s: f"{b64(b'{' + b'a' * 9)}.{c}.{s}",
        lambda h, c, s: f"{b64(b'[' * 9000)}.{c}.{s}",
        lambda h, c, s: json.dumps({"protected": h, "payload": c, "signature": s}),
    ],
    ids=itertools.count(),
)
async def test_only_one_spelling_of_a_compact_jwt_is_read(
    good: str, alice: Party, bob: Party, spoil: Callable[[str, str, str], str]
):
    assert await refusal(spoil(*good.split(".")), alice, bob) == "identity-token-malformed"


async def test_duplicate_keys_are_refused_in_header_and_claims(alice: Party, bob: Party):
    head = f'{{"typ":"JWT","alg":"ES256","kid":"{alice.kid}"'
    claims = (
        f'{{"iss":"{alice.did}","sub":"{alice.did}","aud":"{bob.did}","jti":"j",'
        f'"iat":{NOW},"exp":{NOW + 60}'
    )
    whole = seal(f"{b64((head + '}').encode())}.{b64((claims + '}').encode())}", alice)
    await check(whole, alice, bob)
    twice = [
        (head + ',"alg":"ES256"}', claims + "}"),
        (head + "}", claims + f',"aud":"{bob.did}"}}'),
        (head + "}", claims + ',"n":NaN}'),
    ]
    for first, second in twice:
        token = seal(f"{b64(first.encode())}.{b64(second.encode())}", alice)
        assert await refusal(token, alice, bob) == "identity-token-malformed"


async def test_a_token_has_a_size(make: Make, alice: Party, bob: Party):
    await check(make(token="x" * 10_000), alice, bob)
    assert await refusal(make(token="x" * 12_000), alice, bob) == "identity-token-size"


async def test_one_token_one_audience(good: str, alice: Party, bob: Party, make_party: MakeParty):
    carol = make_party("did:web:carol.example")
    assert await refusal(good, alice, carol) == "identity-token-audience"


async def test_another_participants_token_key_does_not_help(bob: Party, alice: Party):
    token = tokens.mint(bob.keys.token_key, alice.did, alice.kid, bob.did, START, JTI)
    assert await refusal(token, alice, bob) == "identity-token-signature"


async def test_an_ed25519_key_binds_its_own_algorithm(alice: Party, bob: Party):
    source = copy.deepcopy(alice.source)
    kid = f"{alice.did}#assertion-1"
    source["capabilityInvocation"] = [kid]
    book = Book(DidDocument.of(source, alice.did))
    payload = {"iss": alice.did, "sub": alice.did, "aud": bob.did, "jti": JTI}
    payload |= {"iat": NOW, "exp": NOW + 60}  # type: ignore[dict-item]
    token = jwt.encode(payload, alice.keys.assertion_key, "EdDSA", headers={"kid": kid})
    assert (await check(token, alice, bob, book=book)).kid == kid
    crossed = jwt.encode(payload, alice.keys.token_key, "ES256", headers={"kid": kid})
    assert await refusal(crossed, alice, bob, book=book) == "identity-token-algorithm"


async def test_a_key_on_another_curve_is_no_key_of_ours(alice: Party, bob: Party):
    source: Any = copy.deepcopy(alice.source)
    numbers = generate_private_key(SECP384R1()).public_key().public_numbers()
    source["verificationMethod"][0]["publicKeyJwk"] = {
        "kty": "EC",
        "crv": "P-384",
        "x": b64(numbers.x.to_bytes(48)),
        "y": b64(numbers.y.to_bytes(48)),
    }
    token = tokens.mint(alice.keys.token_key, alice.did, alice.kid, bob.did, START, JTI)
    book = Book(DidDocument.of(source, alice.did))
    assert await refusal(token, alice, bob, book=book) == "identity-token-key-unsupported"


async def test_an_unknown_key_asks_once_for_a_newer_document(good: str, alice: Party, bob: Party):
    old = copy.deepcopy(alice.source)
    old["verificationMethod"] = []
    old["capabilityInvocation"] = []
    cached, fresh = Book(DidDocument.of(old, alice.did)), Book(alice.document)
    claims = await tokens.verify(
        good, audience=bob.did, document_of=cached, refresh=fresh, now=START
    )
    assert claims.issuer == alice.did
    assert (cached.asked, fresh.asked) == ([alice.did], [alice.did])
    await tokens.verify(good, audience=bob.did, document_of=fresh, refresh=cached, now=START)
    assert cached.asked == [alice.did]


async def test_problems_of_the_look_up_pass_through(good: str, alice: Party, bob: Party):
    async def stranger(did: str) -> DidDocument:
        raise Problem("identity-did-unresolved", did=did, status=404)

    with pytest.raises(Problem, match="identity-did-unresolved"):
        await tokens.verify(good, audience=bob.did, document_of=stranger, now=START)


def test_bearer_finds_the_token():
    assert tokens.bearer("Bearer abc") == tokens.bearer("bearer abc") == "abc"
    for header in (None, "", "Bearer", "Bearer ", "Basic abc", "abc"):
        with pytest.raises(Problem, match="identity-token-missing"):
            tokens.bearer(header)


def test_the_lifetime_is_counted_from_whole_seconds(alice: Party, bob: Party):
    late = datetime(2026, 9, 1, 8, 0, 0, 999_999, tzinfo=UTC)
    token = tokens.mint(alice.keys.token_key, alice.did, alice.kid, bob.did, late, JTI)
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert (claims["iat"], claims["exp"]) == (NOW, NOW + 300)
