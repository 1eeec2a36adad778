"""A publisher with a key, one dataset of his, and a generator of many more."""

import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import strategies as st

from catalog import dcat, model, proofs
from catalog.values import format_instant, format_share, rounded_persons
from policies import odrl
from policies.model import Policy

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DATASET = "https://lycee.example/datasets/42"
DID = "did:web:lycee.example"
RESEARCH = {
    "@type": "Offer",
    "permission": [
        {
            "action": "use",
            "constraint": [
                {
                    "leftOperand": "odrl:purpose",
                    "operator": "isAnyOf",
                    "rightOperand": [{"@id": "https://w3id.org/preau/ns#EducationResearch"}],
                },
                {
                    "leftOperand": "odrl:dateTime",
                    "operator": "lt",
                    "rightOperand": {
                        "@value": "2028-01-01T00:00:00Z",
                        "@type": "http://www.w3.org/2001/XMLSchema#dateTime",
                    },
                },
            ],
            "duty": [{"action": "odrl:delete"}],
        }
    ],
    "prohibition": [{"action": "https://w3id.org/preau/ns#reidentify"}],
}


@dataclass(frozen=True)
class Signer:
    """A DID with one Ed25519 key."""

    did: str
    private: Ed25519PrivateKey

    @property
    def method(self) -> str:
        return self.did + "#assertion-1"

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    @property
    def keys(self) -> Mapping[str, bytes]:
        return {self.method: self.public}

    def sign(self, document: Mapping[str, object], **options: object) -> dict[str, object]:
        given = {
            "method": self.method,
            "created": NOW,
            "proof_id": "urn:uuid:0b9d6f1e-7a3f-4a27-9c39-0d3c1f1f3b11",
        } | options
        return proofs.sign(document, sign=self.private.sign, **given)  # type: ignore[arg-type]

    def did_document(self) -> dict[str, object]:
        key = {
            "id": self.method,
            "type": "Multikey",
            "controller": self.did,
            "publicKeyMultibase": proofs.encode_key(self.public),
        }
        return {"id": self.did, "verificationMethod": [key], "assertionMethod": [self.method]}


@pytest.fixture(scope="session")
def signer() -> Signer:
    """The publisher of the sample dataset."""
    return Signer(DID, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


@pytest.fixture(scope="session")
def stranger() -> Signer:
    """Somebody else, with a key of his own."""
    return Signer("did:web:other.example", Ed25519PrivateKey.from_private_bytes(bytes(32)))


@pytest.fixture(scope="session")
def policy() -> Policy:
    """A policy with constraints, a duty and a prohibition; not yet an offer of anybody."""
    return odrl.read(RESEARCH)


@pytest.fixture(scope="session")
def dataset(policy: Policy) -> model.Dataset:
    """The sample dataset: xAPI traces of adults, on consent, one offer that needs the DPO."""
    return sample(policy)


@pytest.fixture(scope="session")
def datasets() -> st.SearchStrategy[model.Dataset]:
    """Any dataset that can be published."""
    return _datasets()


@pytest.fixture(scope="session")
def make(policy: Policy) -> Callable[..., model.Dataset]:
    """The sample dataset with some members replaced."""

    def build(**members: object) -> model.Dataset:
        return sample(policy, **members)

    return build


def sample(policy: Policy, **members: object) -> model.Dataset:
    given: dict[str, object] = {
        "iri": DATASET,
        "identifier": "42",
        "version": 3,
        "title": model.Words(fr="Traces d'un MOOC", en="Traces of a MOOC"),
        "description": model.Words(fr="Vidéos vues,\nété 2026", en="Videos watched,\nsummer 2026"),
        "publisher": model.Publisher(DID, "Lycée Exemple"),
        "kind": "xapi",
        "category": "https://w3id.org/preau/ns#LearningTraces",
        "audience": "adults",
        "basis": model.LegalBasis("consent", "notice-2026"),
        "notice": model.Notice("https://lycee.example/notice", "2026-09", "sha-256:" + "ab" * 32),
        "personal": True,
        "fields": (
            model.Field("verb", "/verb/id", "iri", "no"),
            model.Field("actor", "/actor/account/name", "agent", "direct"),
        ),
        "periodicity": "monthly",
        "issued": NOW,
        "modified": NOW,
        "until": datetime(2028, 1, 1, tzinfo=UTC),
        "retention": "P1Y",
        "retention_reason": None,
        "dpia": None,
        "group": "public",
        "rows": 22_000,
        "persons": rounded_persons(1_452),
        "offers": (),
        "distributions": (
            model.Distribution("ndjson", "application/x-ndjson"),
            model.Distribution("csv", "text/csv"),
        ),
        "endpoint": "https://lycee.example/dsp/2025-1",
    } | members
    if not given["offers"]:
        publisher = given["publisher"]
        assert isinstance(publisher, model.Publisher)
        named = dcat.offered(policy, str(given["iri"]), publisher.did)
        given["offers"] = (model.Offer(named, ("ethics", "dpo")),)
    return model.Dataset(**given)  # type: ignore[arg-type]


# Letters, digits and hyphens, no hyphen at either end.
_NAMES = st.text(string.ascii_lowercase + string.digits + "-", min_size=1, max_size=10).map(
    lambda text: text.strip("-") or "x"
)
_TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\n"), min_size=1
).filter(str.strip)
_INSTANTS = st.integers(0, 2**41).map(lambda us: NOW + timedelta(microseconds=us * 1000))
_IRIS = _NAMES.map("https://data.example/{}".format)
_PURPOSES = st.sampled_from(["EducationResearch", "LearningAnalytics", "Statistics"])
# Made once: a strategy that is made while an example is drawn is looked over for each.
_SOME_PURPOSES = st.lists(_PURPOSES, min_size=1, max_size=3)
_SOME_TEXTS = st.lists(_TEXTS, min_size=1, max_size=3)
_DUTIES = st.lists(st.sampled_from(["odrl:delete", "odrl:attribute"]), max_size=2)


@st.composite
def _policies(draw: st.DrawFn) -> Policy:
    """An offer's rules: purposes, an end, perhaps alternatives, fields and duties."""
    purposes = [{"@id": f"https://w3id.org/preau/ns#{word}"} for word in draw(_SOME_PURPOSES)]
    until = {
        "@value": format_instant(draw(_INSTANTS)),
        "@type": "http://www.w3.org/2001/XMLSchema#dateTime",
    }
    purpose = {"leftOperand": "odrl:purpose", "operator": "isAnyOf", "rightOperand": purposes}
    end = {"leftOperand": "odrl:dateTime", "operator": "lteq", "rightOperand": until}
    field = {
        "leftOperand": "https://w3id.org/preau/ns#fields",
        "operator": "isPartOf",
        "rightOperand": [
            {"@value": text, "@type": "http://www.w3.org/2001/XMLSchema#string"}
            for text in draw(_SOME_TEXTS)
        ],
    }
    constraints: list[object] = draw(
        st.sampled_from(
            [[purpose, end], [end, purpose, field], [{"or": [purpose, {"and": [end, field]}]}]]
        )
    )
    duties = draw(_DUTIES)
    rule: dict[str, object] = {"action": "use", "constraint": constraints}
    if duties:
        rule["duty"] = [{"action": duty} for duty in duties]
    return odrl.read({"@type": "Offer", "permission": [rule]})


_PLAIN = st.builds(
    model.Field,
    name=_TEXTS,
    path=_TEXTS,
    type=_NAMES,
    personal=st.sampled_from(["no", "indirect", "direct", "free-text", "special"]),
)
_SPECIAL = st.builds(
    model.Field,
    name=_TEXTS,
    path=_TEXTS,
    type=_NAMES,
    personal=st.just("special"),
    condition=st.sampled_from(["9(2)(a)", "9(2)(j)"]),
    reference=_TEXTS,
)
_CODEBOOKS = st.lists(
    _PLAIN | _SPECIAL, min_size=1, max_size=4, unique_by=lambda field: field.name
).map(tuple)
"""Some fields, special ones with and without a condition among them."""

_SHARES = st.integers(0, 1000).map(lambda share: format_share(share / 1000))
_PRECISIONS = st.sampled_from(get_args(model.Precision))
_FIGURES = st.dictionaries(st.tuples(_PRECISIONS, st.booleans()), _SHARES, min_size=1).map(
    lambda named: tuple(
        model.LinkageFigure(times, rows, share) for (times, rows), share in sorted(named.items())
    )
)
_LINKAGES = st.builds(model.Linkage, _INSTANTS, _FIGURES, st.integers(1, 100))
"""What `dataset risk` may have announced; figures in the order of their names."""

_PUBLISHERS = st.builds(model.Publisher, _NAMES.map("did:web:{}".format), _TEXTS)
_OFFERED = st.lists(_policies(), min_size=1, max_size=3)
_ROLES = st.lists(st.sampled_from(["dpo", "ethics", "steward"]), unique=True).map(tuple)
_KINDS = st.sampled_from(get_args(model.Kind))
_WORDS = st.builds(model.Words, fr=_TEXTS, en=_TEXTS)
_OPTIONAL = st.none() | _TEXTS
_FORMS = st.builds(
    model.Distribution,
    name=_NAMES,
    media_type=st.sampled_from(["text/csv", "application/json"]),
)
_REST: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "identifier": _NAMES,
        "version": st.integers(1, 10_000),
        "title": _WORDS,
        "description": _WORDS,
        "category": _IRIS,
        "audience": st.sampled_from(["adults", "minors", "mixed", "unknown"]),
        "basis": st.builds(
            model.LegalBasis, st.sampled_from(["consent", "public-task", "none"]), _OPTIONAL
        ),
        "notice": st.none() | st.builds(model.Notice, _IRIS, _TEXTS, st.none()),
        "personal": st.booleans(),
        "periodicity": st.sampled_from(["daily", "never", "semiannual", "unknown"]),
        "issued": _INSTANTS,
        "modified": _INSTANTS,
        "until": _INSTANTS,
        "retention": st.sampled_from(["P1Y", "P6M", "P1Y2M3DT4H5M6S", "P3W"]),
        "retention_reason": _OPTIONAL,
        "dpia": _OPTIONAL,
        "group": _NAMES,
        "rows": st.integers(0, 2**53 - 1),
        "persons": st.none() | st.integers(0, 10**7).map(rounded_persons),
        "distributions": st.lists(
            _FORMS, min_size=1, max_size=3, unique_by=lambda form: form.name
        ).map(tuple),
        "endpoint": _IRIS,
        "linkage": st.none() | _LINKAGES,
    }
)
"""The members of a dataset that stand alone."""


@st.composite
def _datasets(draw: st.DrawFn) -> model.Dataset:
    iri, publisher, described = draw(_IRIS), draw(_PUBLISHERS), draw(_CODEBOOKS)
    named = [dcat.offered(each, iri, publisher.did) for each in draw(_OFFERED)]
    offers = {each.id: model.Offer(each, draw(_ROLES)) for each in named}
    paths = [None, *(field.path for field in described)]
    kind = draw(_KINDS)
    return model.Dataset(
        iri=iri,
        publisher=publisher,
        kind=kind,
        fields=described,
        record_time=draw(st.sampled_from(paths)) if kind == "csv" else None,
        offers=tuple(offers.values()),
        **draw(_REST),
    )
