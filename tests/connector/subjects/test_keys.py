"""Subject keys: one person, one key, whatever the spelling (decision S1)."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.subjects.keys import Identifier, canonical, from_agent, subject_key
from policies.problem import Problem

SECRET = b"s" * 32
SUM = hashlib.sha1(b"mailto:alice@example.org").hexdigest()

VECTORS = [
    (Identifier("account", "a1", "http://fun.fr"), '["account","http://fun.fr/","a1"]'),
    (Identifier("account", "A1", "HTTP://Fun.FR:80/"), '["account","http://fun.fr/","A1"]'),
    (Identifier("account", " a1 ", "https://fun.fr/x"), '["account","https://fun.fr/x","a1"]'),
    (Identifier("account", "e\u0301", "urn:x:y"), '["account","urn:x:y","é"]'),
    (Identifier("mbox", "mailto:alice@example.org"), f'["mbox_sha1sum","{SUM}"]'),
    (Identifier("mbox", "MAILTO:Alice@Example.ORG"), f'["mbox_sha1sum","{SUM}"]'),
    (Identifier("mbox_sha1sum", SUM.upper()), f'["mbox_sha1sum","{SUM}"]'),
    (Identifier("openid", "HTTPS://Id.Example/~bob"), '["openid","https://id.example/~bob"]'),
    (Identifier("openid", "https://id.example:8443?q"), '["openid","https://id.example:8443/?q"]'),
    (Identifier("column", "E-1", "https://x/ns"), '["column","https://x/ns","E-1"]'),
]

MALFORMED = [
    Identifier("account", "", "http://x.fr"),
    Identifier("account", "a", ""),
    Identifier("account", "a", "not an iri"),
    Identifier("account", "a", "fun-mooc.fr"),
    Identifier("account", "a", "http:///path"),
    Identifier("account", "a", "http://x.fr:port/"),
    Identifier("account", "a\x00b", "http://x.fr"),
    Identifier("account", "a" * 3000, "http://x.fr"),
    Identifier("account", "\ud800", "http://x.fr"),
    Identifier("mbox", "alice@example.org"),
    Identifier("mbox", "mailto:alice"),
    Identifier("mbox", "mailto:a@b@c d"),
    Identifier("mbox", "mailto:alice@example.org", "http://x.fr"),
    Identifier("mbox_sha1sum", SUM[:-1]),
    Identifier("mbox_sha1sum", "z" * 40),
    Identifier("openid", "me"),
    Identifier("column", "x", " "),
]


@pytest.mark.parametrize(("identifier", "expected"), VECTORS)
def test_vectors(identifier: Identifier, expected: str):
    assert canonical(identifier) == expected


@pytest.mark.parametrize("identifier", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_identifiers_are_refused_without_being_repeated(identifier: Identifier):
    with pytest.raises(Problem) as caught:
        canonical(identifier)
    assert caught.value.code == "subjects-identifier-malformed"
    for lang in ("fr", "en"):
        if len(identifier.value) > 4:
            assert identifier.value not in caught.value.text(lang)


def test_an_unknown_type_is_refused():
    with pytest.raises(Problem, match="subjects-identifier-type"):
        canonical(Identifier("email", "a@b.c"))  # type: ignore[arg-type]


def test_an_address_meets_its_sum():
    by_address = subject_key(SECRET, Identifier("mbox", "mailto:alice@example.org"))
    assert by_address == subject_key(SECRET, Identifier("mbox_sha1sum", SUM))


def test_the_key_is_hmac_sha_256_under_the_secret():
    identifier = Identifier("account", "a1", "http://fun.fr")
    text = b'preau subject key 1\0["account","http://fun.fr/","a1"]'
    assert subject_key(SECRET, identifier) == hmac.new(SECRET, text, "sha256").digest()
    assert subject_key(b"t" * 32, identifier) != subject_key(SECRET, identifier)


def test_schemes_never_meet_by_accident():
    one = subject_key(SECRET, Identifier("account", "x", "http://h.fr"))
    assert one != subject_key(SECRET, Identifier("column", "x", "http://h.fr/"))


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_different_names_have_different_texts(one: str, other: str):
    def text(name: str) -> str | None:
        try:
            return canonical(Identifier("account", name, "http://h.fr"))
        except Problem:
            return None

    import unicodedata

    def same(name: str) -> str:
        return unicodedata.normalize("NFC", name).strip()

    if text(one) is not None and text(other) is not None:
        assert (text(one) == text(other)) == (same(one) == same(other))


class TestAgents:
    def test_each_scheme(self):
        account = {"account": {"homePage": "http://h.fr", "name": "n"}}
        assert from_agent(account) == Identifier("account", "n", "http://h.fr")
        assert from_agent({"mbox": "mailto:a@b.c", "name": "A"}) == Identifier(
            "mbox", "mailto:a@b.c"
        )
        assert from_agent({"mbox_sha1sum": SUM}).type == "mbox_sha1sum"
        assert from_agent({"openid": "https://o"}).type == "openid"

    @pytest.mark.parametrize(
        "agent",
        [
            {},
            {"name": "A"},
            {"mbox": 1},
            {"mbox": "mailto:a@b.c", "openid": "https://o"},
            {"account": "x"},
            {"account": {"name": "n"}},
            {"account": {"name": 1, "homePage": "http://h"}},
            {"account": None},
        ],
    )
    def test_anything_but_one_identifier_is_refused(self, agent: dict[str, object]):
        with pytest.raises(Problem, match="subjects-identifier-malformed"):
            from_agent(agent)
