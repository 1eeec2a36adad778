"""did:web names and the addresses they stand for."""

import pytest

from connector.identity import did_web
from policies.problem import Problem

NAMES = [
    ("did:web:example.org", "https://example.org/.well-known/did.json"),
    ("did:web:w3c-ccg.github.io", "https://w3c-ccg.github.io/.well-known/did.json"),
    (
        "did:web:w3c-ccg.github.io:user:alice",
        "https://w3c-ccg.github.io/user/alice/did.json",
    ),
    (
        "did:web:example.com%3A3000:user:alice",
        "https://example.com:3000/user/alice/did.json",
    ),
    ("did:web:example.com%3A3000", "https://example.com:3000/.well-known/did.json"),
    ("did:web:xn--cole-9oa.example", "https://xn--cole-9oa.example/.well-known/did.json"),
    ("did:web:host.org:a_b:C.d-e", "https://host.org/a_b/C.d-e/did.json"),
]

REFUSED = {
    "identity-did-method": [
        "",
        "did:key:z6Mk",
        "web:example.org",
        "DID:web:example.org",
        "did:Web:example.org",
        "did:web:" + "a." * 300 + "org",
    ],
    "identity-did-host": [
        "did:web:",
        "did:web:org",
        "did:web:Example.org",
        "did:web:école.example",
        "did:web:exa mple.org",
        "did:web:127.0.0.1",
        "did:web:127.1",
        "did:web:0x7f.0x1",
        "did:web:example.org.",
        "did:web:.example.org",
        "did:web:a..org",
        "did:web:-a.org",
        "did:web:a-.org",
        "did:web:user@example.org",
        "did:web:example.org/path",
        "did:web:example.org#key",
        "did:web:example.org?x",
        "did:web:example.org\n",
        "did:web:[::1]",
        "did:web:%5B::1%5D",
        "did:web:example.org%2Fpath",
        "did:web:example.org%3a3000",
        "did:web:a.localhost",
        "did:web:" + "a" * 64 + ".org",
        "did:web:" + "a." * 126 + "aaa",
    ],
    "identity-did-port": [
        "did:web:example.org%3A",
        "did:web:example.org%3A0",
        "did:web:example.org%3A080",
        "did:web:example.org%3A65536",
        "did:web:example.org%3A80%3A80",
        "did:web:example.org%3Ahttp",
        "did:web:example.org%3A٣",
        "did:web:example.org%3A-1",
    ],
    "identity-did-path": [
        "did:web:example.org:",
        "did:web:example.org::a",
        "did:web:example.org:a:",
        "did:web:example.org:..",
        "did:web:example.org:.",
        "did:web:example.org:a:..:b",
        "did:web:example.org:%2e%2e",
        "did:web:example.org:a%2Fb",
        "did:web:example.org:a/b",
        "did:web:example.org:a\\b",
        "did:web:example.org:a?b",
        "did:web:example.org:a#b",
        "did:web:example.org:é",
        "did:web:example.org:3000:",
    ],
}


@pytest.mark.parametrize(("did", "url"), NAMES)
def test_a_name_has_one_address(did: str, url: str):
    assert did_web.read(did).document_url == url


@pytest.mark.parametrize(("did", "url"), NAMES)
def test_and_back(did: str, url: str):
    base = url.removesuffix("/did.json").removesuffix("/.well-known")
    assert did_web.read(did).base == base
    assert did_web.from_url(base) == did_web.from_url(base + "/") == did


@pytest.mark.parametrize(
    ("code", "did"), [(code, did) for code, dids in REFUSED.items() for did in dids]
)
@pytest.mark.parametrize("dev", [False, True])
def test_anything_else_is_refused_and_says_which_part(code: str, did: str, dev: bool):
    with pytest.raises(Problem) as caught:
        did_web.read(did, dev=dev)
    assert caught.value.code == code


def test_localhost_exists_in_development_only():
    did = "did:web:localhost%3A8080"
    assert did_web.read(did, dev=True).document_url == "http://localhost:8080/.well-known/did.json"
    assert did_web.from_url("http://localhost:8080", dev=True) == did
    assert did_web.from_url("http://localhost:8080/a/b", dev=True) == did + ":a:b"
    for call in (
        lambda: did_web.read(did),
        lambda: did_web.from_url("http://localhost:8080"),
    ):
        with pytest.raises(Problem) as caught:
            call()
        assert caught.value.code == "identity-did-loopback"


def test_the_default_port_is_not_written():
    assert did_web.from_url("https://example.org:443/x") == "did:web:example.org:x"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org",
        "https://localhost:8080",
        "ftp://example.org",
        "example.org",
        "https://",
        "https://user@example.org",
        "https://example.org?q",
        "https://example.org/#f",
        "https://example.org/a//b",
        "https://example.org/../b",
        "https://example.org/%2e%2e",
        "https://example.org:99999",
        "https://127.0.0.1:8080",
        "https://[::1]:8080",
        "https://école.example",
        "https://example.org\\@evil.example",
        "http://127.0.0.1:8080",
    ],
)
def test_only_what_did_web_can_name_is_an_address_of_a_node(url: str):
    with pytest.raises(Problem) as caught:
        did_web.from_url(url, dev=True)
    assert caught.value.code == "identity-url-invalid"


def test_origins_always_write_their_port():
    assert did_web.origin("https://example.org/a?b") == "https://example.org:443"
    assert did_web.origin("http://localhost:8080/x") == "http://localhost:8080"
    assert did_web.origin("HTTPS://EXAMPLE.org") == "https://example.org:443"
    for url in ("file:///etc/passwd", "https://u@example.org", "x", "https://a:b:c", "https://[::"):
        with pytest.raises(Problem, match="identity-url-invalid"):
            did_web.origin(url)
