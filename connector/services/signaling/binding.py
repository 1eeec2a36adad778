"""What an agreement that another control plane made means here: a dataset, an offer, a plan.

The signal names the agreement and carries none of its terms. So the terms are ours: those of the
offer that the asset was bound to when it was published, an offer of a dataset that this node's
steward declared, and its linter let pass. What the control plane agreed beyond them is its own to
hold; it can never widen them. The first flow under an agreement binds it for good: its plan,
budgets and pseudonyms are the agreement's, whatever the dataset offers later.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from catalog.model import Offer
from connector.protocol.negotiation import Negotiation, Role, State, agreement_id
from connector.protocol.signaling import FlowStart
from connector.services.consent.bitmaps import groups_of
from connector.services.negotiate import agreements, deciding
from connector.services.node import Node
from connector.services.processes import save_negotiation
from connector.services.publish import published
from connector.services.publish.published import Published
from connector.store import agreements as rows
from connector.store import negotiations, peers
from connector.store.rows import AgreementRow
from connector.store.store import Tx
from policies.problem import Problem

MADE_ELSEWHERE = "negotiated-elsewhere"
"""The code of a negotiation that this node did not lead."""


def bound(node: Node, tx: Tx, start: FlowStart) -> AgreementRow:
    """Our agreement behind a start: made now for the first one, the same for all that follow.

    Raises:
        Problem: `signaling-consumer`: the operator does not know the consumer;
            `signaling-conflict`: the agreement was bound to something else; `agreement-inactive`;
            `dataset-unknown`; `signaling-offer`, `signaling-decisions`; `signaling-refused`: our
            policy denies; `policy-plan-…`, `dataplane-…`: a clause that nobody would enforce.
    """
    if peers.get(tx, did=start.consumer) is None:
        raise Problem("signaling-consumer", consumer=start.consumer)
    known = rows.by_negotiation(tx, negotiation=start.agreement)
    if known is None:
        return _made(node, tx, start)
    said = (start.consumer, published.iri(node.url, start.dataset))
    offer = str(known.document["offer"])
    if said != (known.peer, known.dataset) or start.offer not in {None, offer}:
        raise Problem("signaling-conflict", id=start.agreement)
    if not made_elsewhere(known):
        raise Problem("signaling-conflict", id=start.agreement)
    if known.state != "active":
        raise Problem("agreement-inactive", state=known.state)
    return known


def made_elsewhere(row: AgreementRow) -> bool:
    """Whether another control plane of this institution made an agreement."""
    return "control" in row.body


def reasons(shared: Mapping[str, Any]) -> Problem:
    """A decision against a flow, in the words that the other side may read."""
    said = deciding.reasons_of(shared)
    return Problem("signaling-refused", reasons=" ".join([*said["en"], *said["fr"]]))


def _made(node: Node, tx: Tx, start: FlowStart) -> AgreementRow:
    if negotiations.get(tx, pid=start.agreement) is not None:
        raise Problem("signaling-conflict", id=start.agreement)
    groups = groups_of(tx, start.consumer)
    found = published.find(tx, published.iri(node.url, start.dataset), groups)
    offer = _offer(found, start)
    n = _negotiated(node, start, found, offer)
    terms = replace(offer.policy, assigner=node.did)
    decision = deciding.evaluate(node, n, terms, found.dataset, groups)
    if not decision.permitted:
        raise reasons({"reasons": {lang: decision.reasons(lang) for lang in ("fr", "en")}})
    signed = agreements.propose(node, n, found)
    save_negotiation(tx, replace(n, agreement=signed.wire))
    agreements.keep(node, tx, n, signed)
    row = rows.by_negotiation(tx, negotiation=n.pid)
    if row is None:
        raise Problem("agreement-unknown")
    rows.update_row(tx, replace(row, body={**row.body, "control": start.agreement}))
    rows.set_state(tx, id=row.id, state="active")
    return row


def _offer(found: Published, start: FlowStart) -> Offer:
    """The offer that the asset was bound to, or the only one there is; without people to ask."""
    offers = found.dataset.offers
    if start.offer is not None:
        offer = found.offer(start.offer)
    else:
        offer = offers[0] if len(offers) == 1 else None
    if offer is None:
        known = ", ".join(str(one.policy.id) for one in offers)
        raise Problem("signaling-offer", found=start.offer or "-", known=known)
    if offer.decisions:
        raise Problem("signaling-decisions", roles=", ".join(offer.decisions))
    return offer


def _negotiated(node: Node, start: FlowStart, found: Published, offer: Offer) -> Negotiation:
    """The negotiation as far as we know it: that it is over, and what it was about here."""
    now, told = node.clock.now(), Problem("signaling-elsewhere", id=start.agreement)
    policy = replace(offer.policy, assigner=node.did)
    name = str(offer.policy.id)
    return Negotiation(
        pid=start.agreement,
        role=Role.PROVIDER,
        peer=start.consumer,
        peer_pid=start.agreement,
        callback=start.callback,
        state=State.FINALIZED,
        dataset=found.dataset.iri,
        offer_id=name,
        offer=published.on_table(policy, name, found.dataset.iri, node.did),
        offered_by=Role.PROVIDER,
        signed_document=found.reference,
        agreement_id=agreement_id(node.did, start.consumer, start.agreement, start.agreement),
        code=MADE_ELSEWHERE,
        reasons=(told.text("en"), told.text("fr")),
        created=now,
        updated=now,
    )
