"""The agreement both parties sign: built from the typed policy, whatever the spelling (P6).

Each party rebuilds the same document from what it knows, signs it, and refuses anything that
rebuilds differently. `propose` is the provider's side, `countersign` the consumer's, `complete`
the provider's again, when the second signature arrives.

A peer that cannot sign (an Eclipse EDC, known by configuration only) is recorded as *attested by
transport*: the same document, our proof, and in place of the peer's the digest of what its
authenticated message came with.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, cast

from catalog import proofs
from catalog.canonical import check
from catalog.terms import SIGNED
from connector.base.clock import format_time
from connector.dataplane import runnable
from connector.evidence import bodies
from connector.evidence.leaf import Entry
from connector.protocol.machine import name_of
from connector.protocol.messages import Reference, Terms, extend, extension, reference
from connector.protocol.negotiation import Negotiation, Role, agreement_id
from connector.services.access import Caller
from connector.services.identity import document as own_did
from connector.services.negotiate import planning
from connector.services.node import Node
from connector.services.publish import published
from connector.services.publish.published import Published
from connector.store import agreements as rows
from connector.store import decisions, notes
from connector.store.rows import AgreementRow
from connector.store.store import Tx
from policies import folded, odrl
from policies.jcs import digest, digest_bytes
from policies.model import Policy
from policies.plan import Plan, needs
from policies.problem import Problem
from policies.remember import Found
from policies.values import moment
from policies.vocabulary import PREAU

Json = dict[str, Any]

OFFERED: Final = "offered:"
"""Before our pid of a negotiation: the note of what an unsigned catalog said of the dataset."""
_RULES: Final = ("permission", "prohibition", "obligation")
_FIT: Final = Found()
"""Rules that stood in a document which was found fit to be signed."""
_REPEATED: Final = (*_RULES, "profile")


@dataclass(frozen=True, slots=True)
class Signed:
    """An agreement document with what each party put to it so far, and what travels.

    `digest` is that of the document's canonical bytes, which were found fit to be signed.
    """

    document: Json
    digest: str
    provider_proof: Json | None
    consumer_proof: Json | None
    wire: Json
    policy: Policy
    plan: Plan | None
    dataset_document: Json


def propose(node: Node, n: Negotiation, found: Published) -> Signed:
    """The provider's agreement: the terms on the table, compiled and signed.

    Raises:
        Problem: `policy-plan-…`, `dataplane-lane`, `dataplane-column`: a clause nobody would
            enforce.
    """
    now = node.clock.now()
    terms = Terms.read(n.offer, kind="Offer")
    if n.signed_document != found.reference:
        n = replace(n, signed_document=found.reference)
    policy = agreed_policy(node, n, terms.policy, now)
    made = document(n, policy, now)
    plan = planning.compile_plan(n, policy, found.dataset, now)
    runnable.check(needs(plan))
    named = _checked(made, policy)
    proof = sign(node, made, named)
    wire: Json = {
        "@type": "Agreement",
        "@id": made["id"],
        "target": made["target"],
        "assigner": made["assigner"],
        "assignee": made["assignee"],
        "timestamp": made["timestamp"],
        # In the order and spelling of the offer: some peers compare what we repeat literally.
        **{name: terms.wire[name] for name in _REPEATED if terms.wire.get(name)},
    }
    if attests(node, n.peer):
        wire = cast("Json", folded.unfolded(wire))
    else:
        wire = _with_ours(wire, made, proof)
    return Signed(made, named, proof, None, wire, policy, plan, found.document)


def countersign(node: Node, tx: Tx, n: Negotiation, terms: Terms, caller: Caller) -> Signed:
    """The consumer's side: rebuild, compare, check the provider's proof, sign.

    Raises:
        Problem: `agreement-differs` (with the members that do), `catalog-proof-…`,
            `agreement-proof-missing`, `time-invalid`.
    """
    offered, attested = Terms.read(n.offer, kind="Offer"), attests(node, n.peer)
    at = moment(terms.policy.timestamp or "")
    if at is None:
        raise Problem("agreement-differs", members="timestamp")
    policy, due = (agreed_policy(node, n, each.policy, at) for each in (terms, offered))
    made = document(n, policy, at)
    expected = made if policy == due else document(n, due, at)
    wrong = [name for name in sorted({*made, *expected}) if made.get(name) != expected.get(name)]
    wrong += _other_names(terms, expected, attested=attested)
    if wrong:
        raise Problem("agreement-differs", members=", ".join(wrong))
    named, wire = _checked(made, policy), cast("Json", terms.wire)
    if attested:
        asked = json.loads(notes.get(tx, key=OFFERED + n.pid) or "{}")
        return Signed(made, named, None, sign(node, made, named), wire, policy, None, asked)
    proof = check_proof(made, extension(terms.wire, "proof"), caller, named)
    dataset_document, dataset = published.named(tx, n.signed_document)
    plan = planning.compile_plan(n, policy, dataset, at)
    ours = sign(node, made, named)
    return Signed(made, named, proof, ours, wire, policy, plan, dataset_document)


def keep(node: Node, tx: Tx, n: Negotiation, signed: Signed, caller: Caller | None = None) -> None:
    """Store what was signed, with a leaf for each party's assent and one for the plan."""
    now = node.clock.now()
    ours = own_did(node)
    plan = signed.plan.document() if signed.plan else None
    assured = bodies.plan(plan) if plan else {}
    named = signed.digest
    peer_did = dict(caller.document.source) if caller and caller.signs else None
    rows.add(
        tx,
        AgreementRow(
            id=str(signed.document["id"]),
            negotiation=n.pid,
            role=n.role.value,
            peer=n.peer,
            dataset=n.dataset,
            state="pending",
            document=signed.document,
            digest=named,
            created=now,
            provider_proof=signed.provider_proof,
            consumer_proof=signed.consumer_proof,
            plan=plan,
            plan_digest=str(assured["digest"]) if plan else None,
            application=cast("Json | None", n.application),
            dataset_document=signed.dataset_document,
            expires=planning.expiry(signed.policy),
            wire=signed.wire,
            did=ours,
            peer_did=peer_did,
        ),
    )
    dids = {n.peer: peer_did, node.did: ours}
    provider, consumer = _parties(node, n)
    if signed.provider_proof is not None:
        _assent(node, tx, signed.document, provider, signed.provider_proof, dids[provider], named)
    elif caller is not None:
        _attest(node, tx, signed.document, caller)
    if signed.consumer_proof is not None:
        _assent(node, tx, signed.document, consumer, signed.consumer_proof, dids[consumer], named)
    if plan is not None:
        node.log.append(tx, Entry("plan", str(signed.document["id"]), assured), now)


def complete(node: Node, tx: Tx, n: Negotiation, proof: object, caller: Caller) -> None:
    """The second signature has arrived: check it over the same bytes and keep it.

    The agreement is in force once it is final (`concluding.finalize`).

    Raises:
        Problem: `agreement-proof-missing`, `catalog-proof-…`.
    """
    signed = rows.promised(tx, id=str(n.agreement_id))
    if signed is None:
        raise Problem("agreement-unknown")
    if attests(node, n.peer):
        _attest(node, tx, signed.document, caller)
        return
    checked = check_proof(signed.document, proof, caller, signed.digest)
    peer_did = dict(caller.document.source)
    rows.countersigned(tx, replace(signed, consumer_proof=checked, peer_did=peer_did))
    _assent(node, tx, signed.document, caller.did, checked, peer_did, signed.digest)


def sign_kept(node: Node, tx: Tx, n: Negotiation) -> Json:
    """Our signature, as consumer, under an agreement that was checked and kept before.

    Raises:
        Problem: `agreement-unknown`.
    """
    row = rows.get(tx, id=str(n.agreement_id))
    if row is None:
        raise Problem("agreement-unknown")
    proof = sign(node, row.document, row.digest)
    rows.update_row(tx, replace(row, consumer_proof=proof))
    _assent(node, tx, row.document, node.did, proof, own_did(node), row.digest)
    return proof


def agreed_policy(node: Node, n: Negotiation, policy: Policy, at: datetime) -> Policy:
    """The rules on the table as an agreement between the two parties."""
    provider, consumer = _parties(node, n)
    return replace(
        policy,
        kind="Agreement",
        id=agreement_id(provider, consumer, str(n.provider_pid), str(n.consumer_pid)),
        target=n.dataset,
        assigner=provider,
        assignee=consumer,
        timestamp=format_time(at),
    )


def document(n: Negotiation, policy: Policy, at: datetime) -> Json:
    """The unsigned agreement document in our own context."""
    rules = odrl.document(policy)
    made: Json = {
        "@context": list(SIGNED),
        "v": 1,
        "id": policy.id,
        "type": "Agreement",
        "assigner": policy.assigner,
        "assignee": policy.assignee,
        "target": policy.target,
        "timestamp": format_time(at),
        "offer": n.offer_id,
    }
    if n.signed_document is not None:
        made["signedDocument"] = dict(n.signed_document)
    if n.application is not None:
        made["application"] = {
            "id": n.application["id"],
            "digest": digest(bodies.unsigned(n.application)),
        }
    made.update({name: rules[name] for name in _RULES if rules.get(name)})
    return made


def sign(node: Node, body: Mapping[str, Any], named: str | None = None) -> Json:
    """Our proof over a document that has none; `named` is its digest, if it was found fit."""
    signed = proofs.sign(
        body,
        sign=node.keys.sign_assertion,
        method=node.assertion_method,
        created=node.clock.now(),
        proof_id=node.ids.uuid(),
        digest=named,
    )
    return cast("Json", signed["proof"])


def check_proof(body: Mapping[str, Any], proof: object, caller: Caller, named: str) -> Json:
    """The caller's proof, after it was found to be a valid signature over `body`, whose digest is
    `named`.

    Raises:
        Problem: `agreement-proof-missing`, or what `catalog.proofs.verify` finds.
    """
    if not isinstance(proof, Mapping):
        raise Problem("agreement-proof-missing")
    checked = dict(proof)
    proofs.verify({**body, "proof": checked}, caller.document.assertion_key, digest=named)
    return checked


def returned_by(tx: Tx, n: Negotiation) -> str | None:
    """The role that returned the offer on the table."""
    made = [row for row in decisions.of(tx, process=n.pid) if row.outcome == "return"]
    return made[-1].role if made else None


def attests(node: Node, peer: str) -> bool:
    """Whether this peer cannot sign, so that its messages alone attest what it promises (P6)."""
    return node.resolver.pinned(peer) is not None


def named(node: Node, n: Negotiation) -> Negotiation:
    """The negotiation with the one agreement id that follows from it, whatever name a peer that
    cannot sign gave it on the wire (an EDC makes up a new one on each side).
    """
    if not attests(node, n.peer):
        return n
    pids = (str(n.provider_pid), str(n.consumer_pid))
    return replace(n, agreement_id=agreement_id(*_parties(node, n), *pids))


def wire_name(row: AgreementRow) -> str:
    """What an agreement is called on the wire: its id, or the name its provider made up."""
    return str(row.wire["@id"]) if row.wire else row.id


def rename(tx: Tx, n: Negotiation, wire: Json) -> None:
    """Use the newest name that a peer without signatures gave the same agreement."""
    row = rows.get(tx, id=str(n.agreement_id))
    if row is not None:
        rows.update_row(tx, replace(row, wire=wire))


def _checked(made: Json, policy: Policy) -> str:
    """The digest of an agreement document, found fit to be signed; the same rules stand in many."""
    rules = {
        "permission": policy.permissions,
        "prohibition": policy.prohibitions,
        "obligation": policy.obligations,
    }
    known = [member for member, parts in rules.items() if all(part in _FIT for part in parts)]
    named = digest_bytes(check(made, fit=tuple(known)))
    for parts in rules.values():
        _FIT.update(parts)
    return named


def _with_ours(wire: Json, made: Json, proof: Json) -> Json:
    for name in ("signedDocument", "application"):
        if name in made:
            wire = extend(wire, name, Reference(**made[name]))
    wire[PREAU + "offer"] = {"@id": made["offer"]}
    return extend(wire, "proof", proof)


def _other_names(terms: Terms, expected: Json, *, attested: bool) -> list[str]:
    """Members of the agreement on the wire that name something else than what was negotiated."""
    said: Json = {
        "assigner": terms.assigner,
        "assignee": terms.assignee,
        "target": terms.target,
    }
    if not attested:
        said["id"] = terms.id
        said["offer"] = name_of(terms.wire.get(PREAU + "offer")) or expected["offer"]
    for name in () if attested else ("signedDocument", "application"):
        found = reference(terms.wire, name)
        said[name] = None if found is None else found.document()
    return [name for name, value in said.items() if value != expected.get(name)]


def _attest(node: Node, tx: Tx, made: Json, caller: Caller) -> None:
    """A party that cannot sign: what its authenticated message came with stands for it."""
    body = bodies.agreement(made, by=caller.did, proof=None, did=None, credential=caller.credential)
    node.log.append(tx, Entry("agreement", str(made["id"]), body), node.clock.now())


def _assent(
    node: Node, tx: Tx, made: Json, by: str, proof: Json, did: Mapping[str, Any] | None, named: str
) -> None:
    body = bodies.agreement(made, by=by, proof=proof, did=did, named=named)
    node.log.append(tx, Entry("agreement", str(made["id"]), body), node.clock.now())


def _parties(node: Node, n: Negotiation) -> tuple[str, str]:
    return (node.did, n.peer) if n.role is Role.PROVIDER else (n.peer, node.did)
