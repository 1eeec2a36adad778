"""A signature is put under what was negotiated, and under nothing else (P4, P6).

The other party authenticates as itself and says something that was not agreed or not applied for,
or does not sign.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from connector.identity.ports import Response
from connector.services.negotiate import agreements, people
from connector.services.publish import publishing
from connector.services.show import views
from connector.store import agreements as agreement_rows
from connector.store.rows import AgreementRow
from tests.support.pair import DPO, OPERATOR, RESEARCHER, Pair, Wire, statements

PREAU = "https://w3id.org/preau/ns#"
PROOF = PREAU + "proof"
OTHER = "urn:uuid:00000000-0000-4000-8000-000000000000"
Json = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """What somebody does to what it says, by name."""

    name: str
    make: Callable[[Json], object]

    def __str__(self) -> str:
        return self.name


def without(member: str) -> Change:
    return Change(f"without {member}", lambda said: said.pop(member))


def saying(member: str, value: str) -> Change:
    return Change(f"{member} {value[:20]}", lambda said: said.update({member: value}))


def of_another(member: str, part: str) -> Change:
    value = OTHER if part == "@id" else "sha-256:" + 64 * "0"
    return Change(f"{member} {part}", lambda said: said[PREAU + member].update({part: value}))


def proven(name: str, value: str) -> Change:
    """The proof with another word in it."""

    def make(said: Json) -> None:
        said[PROOF] = json.dumps({**json.loads(said[PROOF]), name: value})

    return Change(f"proof {name} {value[:20]}", make)


def _more_fields(said: Json) -> None:
    for constraint in said["permission"][0]["constraint"]:
        if constraint["leftOperand"] == PREAU + "fields":
            constraint["rightOperand"].append({**constraint["rightOperand"][0], "@value": "result"})


A_CONSTRAINT_LESS = Change("a constraint less", lambda a: a["permission"][0]["constraint"].pop())
A_DUTY_LESS = Change("a duty less", lambda a: a["permission"][0]["duty"].pop())
A_FIELD_MORE = Change("a field more", _more_fields)
A_PROHIBITION_MORE = Change(
    "a prohibition", lambda a: a.update(prohibition=[{"action": "odrl:distribute"}])
)


def altering(monkeypatch: pytest.MonkeyPatch, kind: str, change: Callable[[Json], object]) -> None:
    """Change the messages of one type on their way, as their sender could have written them."""
    plain = Wire.post

    async def post(self: Wire, url: str, body: bytes, **options: Any) -> Response:
        said = json.loads(body)
        if said["@type"] == kind:
            change(said)
            body = json.dumps(said).encode()
        return await plain(self, url, body, **options)

    monkeypatch.setattr(Wire, "post", post)


async def agreements_of(nodes: Pair) -> list[list[AgreementRow]]:
    return [
        await node.store.read(agreement_rows.listing) for node in (nodes.provider, nodes.consumer)
    ]


@pytest.mark.parametrize(
    ("change", "code", "told"),
    [
        (A_CONSTRAINT_LESS, "agreement-differs", "permission"),
        (A_DUTY_LESS, "agreement-differs", "permission"),
        (A_FIELD_MORE, "agreement-differs", "permission"),
        (A_PROHIBITION_MORE, "agreement-differs", "prohibition"),
        (without("obligation"), "agreement-differs", "obligation"),
        (saying("@id", OTHER), "agreement-differs", "id"),
        (of_another("offer", "@id"), "agreement-differs", "offer"),
        (of_another("signedDocument", PREAU + "digest"), "agreement-differs", "signedDocument"),
        (of_another("application", "@id"), "agreement-differs", "application"),
        (of_another("application", PREAU + "digest"), "agreement-differs", "application"),
        (without(PREAU + "application"), "agreement-differs", "application"),
        (without(PREAU + "signedDocument"), "agreement-differs", "signedDocument"),
        (without(PROOF), "agreement-proof-missing", ""),
        (proven("proofValue", "z" + 80 * "1"), "catalog-proof", ""),
        (proven("created", "2026-01-01T00:00:00Z"), "catalog-proof", ""),
        (saying("timestamp", "2026-01-01T00:00:00Z"), "catalog-proof", ""),
    ],
    ids=str,
)
async def test_a_consumer_signs_only_what_it_asked_for(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch, change: Change, code: str, told: str
):
    altering(monkeypatch, "ContractAgreementMessage", lambda said: change.make(said["agreement"]))
    pid = await nodes.request(await nodes.publish(statements(3)))
    mine, theirs = await nodes.seen(nodes.consumer, pid), await nodes.at_provider()
    assert (mine["state"], theirs["state"]) == ("TERMINATED", "TERMINATED")
    assert str(mine["code"]).startswith(code)
    assert told in " ".join(mine["reasons"])
    assert theirs["reasons"] == mine["reasons"]
    (promised,), none = await agreements_of(nodes)
    assert (promised.state, promised.consumer_proof, none) == ("ended", None, [])


def spelled(member: str, make: Callable[[object], object]) -> Change:
    return Change(f"{member} spelled otherwise", lambda a: a.update({member: make(a[member])}))


@pytest.mark.parametrize(
    "change",
    [
        *(spelled(name, lambda iri: {"@id": iri}) for name in ("assigner", "assignee", "target")),
        spelled("timestamp", lambda at: {"@value": at, "@type": "xsd:dateTime"}),
        spelled("permission", lambda rules: rules[0]),  # type: ignore[index]
    ],
    ids=str,
)
async def test_the_same_in_other_words_of_json_ld_is_signed(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch, change: Change
):
    altering(monkeypatch, "ContractAgreementMessage", lambda said: change.make(said["agreement"]))
    pid = await nodes.request(await nodes.publish(statements(3)))
    seen = await nodes.seen(nodes.consumer, pid)
    assert seen["state"] == "FINALIZED", seen["reasons"]
    nodes.wire.faults.clear()  # the official schemas know one spelling only


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (without(PROOF), "agreement-proof-missing"),
        (saying(PROOF, "[1]"), "agreement-proof-missing"),
        (proven("proofValue", "z" + 80 * "1"), "catalog-proof"),
        (proven("verificationMethod", "did:web:localhost%3A9101#assertion-1"), "identity-key"),
    ],
    ids=str,
)
async def test_a_provider_finalizes_nothing_that_is_not_signed(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch, change: Change, code: str
):
    altering(monkeypatch, "ContractAgreementVerificationMessage", change.make)
    pid = await nodes.request(await nodes.publish(statements(3)))
    mine, theirs = await nodes.seen(nodes.consumer, pid), await nodes.at_provider()
    assert (mine["state"], theirs["state"]) == ("TERMINATED", "TERMINATED")
    assert str(theirs["code"]).startswith(code)
    held = await agreements_of(nodes)
    assert [[row.state for row in rows] for rows in held] == [["ended"], ["ended"]]
    assert held[0][0].consumer_proof is None


APPLICATION = PREAU + "application"


def applying(nodes: Pair, **changes: str) -> Callable[[Json], object]:
    """The application with other words in it, signed by the requester as it then stands."""

    def change(said: Json) -> None:
        document = json.loads(said[APPLICATION])
        bare = {name: value for name, value in document.items() if name != "proof"} | changes
        said[APPLICATION] = json.dumps({**bare, "proof": agreements.sign(nodes.consumer, bare)})

    return change


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "FINALIZED"),
        ({"requester": "did:web:localhost%3A9101"}, "negotiation-application-other"),
        ({"provider": "did:web:elsewhere.example"}, "negotiation-application-other"),
        ({"dataset": "http://localhost:9101/datasets/other"}, "negotiation-application-other"),
        ({"offer": OTHER}, "negotiation-application-other"),
        ({"issued": "yesterday"}, "policy-application"),
    ],
    ids=str,
)
async def test_an_application_is_for_this_offer_by_this_requester(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], code: str
):
    altering(monkeypatch, "ContractRequestMessage", applying(nodes, **changes))
    pid = await nodes.request(await nodes.publish(statements(3)))
    mine, theirs = await nodes.seen(nodes.consumer, pid), await views.negotiations(nodes.provider)
    if changes:
        assert mine["state"] == "TERMINATED"
        assert str(mine["code"]).startswith(code)
        assert theirs == []
    else:
        assert mine["state"] == code


async def test_an_application_that_was_changed_is_not_the_requesters(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch
):
    def change(said: Json) -> None:
        said[APPLICATION] = said[APPLICATION].replace("A study", "A campaign")

    altering(monkeypatch, "ContractRequestMessage", change)
    pid = await nodes.request(await nodes.publish(statements(3)))
    mine = await nodes.seen(nodes.consumer, pid)
    assert (mine["state"], str(mine["code"]).startswith("catalog-proof")) == ("TERMINATED", True)
    assert await views.negotiations(nodes.provider) == []


async def test_no_more_is_agreed_than_was_applied_for(nodes: Pair, monkeypatch: pytest.MonkeyPatch):
    altering(monkeypatch, "ContractRequestMessage", lambda said: _more_fields(said["offer"]))
    pid = await nodes.request(await nodes.publish(statements(3)))
    mine = await nodes.seen(nodes.consumer, pid)
    assert (mine["state"], mine["code"]) == ("TERMINATED", "negotiation-beyond")
    assert await agreements_of(nodes) == [[], []]


async def test_an_offer_that_is_not_made_is_not_agreed(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch
):
    def change(said: Json) -> None:
        del said[APPLICATION]
        said["offer"]["@id"] = OTHER

    altering(monkeypatch, "ContractRequestMessage", change)
    pid = await nodes.request(await nodes.publish(statements(3)))
    mine = await nodes.seen(nodes.consumer, pid)
    assert (mine["state"], mine["code"]) == ("TERMINATED", "negotiation-offer-unknown")


async def test_what_was_withdrawn_meanwhile_cannot_be_accepted(nodes: Pair):
    pid = await nodes.request(await nodes.publish(statements(3), decisions='"dpo"'))
    theirs = str((await nodes.at_provider())["pid"])
    offer = {"v": 1, "fields": ["actor", "verb.id"]}
    body = {"role": "dpo", "outcome": "return", "reason": "Fewer.", "offer": offer}
    await people.decide(nodes.provider, DPO, theirs, body)
    await nodes.settle()
    await publishing.withdraw(nodes.provider, OPERATOR, "traces", "over")
    await people.accept(nodes.consumer, RESEARCHER, pid)
    await nodes.settle()
    mine = await nodes.seen(nodes.consumer, pid)
    assert (mine["state"], mine["code"]) == ("TERMINATED", "protocol-not-found")
