"""A signature is put under what was negotiated, and under nothing else (P6).

The other party authenticates as itself and says something that was not agreed, or does not sign.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from connector.identity.ports import Response
from connector.store import agreements as agreement_rows
from connector.store.rows import AgreementRow
from tests.support.pair import Pair, Wire, statements

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


async def agreements(nodes: Pair) -> list[list[AgreementRow]]:
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
    (promised,), none = await agreements(nodes)
    assert (promised.state, promised.consumer_proof, none) == ("ended", None, [])


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
    held = await agreements(nodes)
    assert [[row.state for row in rows] for rows in held] == [["ended"], ["ended"]]
    assert held[0][0].consumer_proof is None
