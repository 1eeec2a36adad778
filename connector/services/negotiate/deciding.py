"""What a provider decides about a request, and what follows from it (P4, P5, P7).

Automatic first: the request must not go beyond the offer, the application must be the caller's own
and cover it, the policy must permit. Then people, where the dataset document asks for them, in
that order. Only then the agreement. Every decision leaves its trace; a refusal ends the
negotiation with a code and reasons in both languages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from catalog import proofs
from catalog.model import Dataset, Offer
from connector.protocol import errors, messages
from connector.protocol import negotiation as machine
from connector.protocol.messages import ContractRequest, Terms, extension
from connector.protocol.negotiation import Act, Negotiation, Role
from connector.services import ledger
from connector.services.access import Caller
from connector.services.negotiate import agreements, countering, planning
from connector.services.negotiate.countering import Proposal
from connector.services.node import Node
from connector.services.processes import save_negotiation
from connector.services.publish import published
from connector.store import agreements as agreement_rows
from connector.store import outbox, peers
from connector.store.store import Tx
from policies import application as applications
from policies.application import Application
from policies.compare import Difference, answer, application_covers, differences
from policies.evaluate import Decision, Fact, Request, category, decide
from policies.evaluate import groups as membership
from policies.model import Policy
from policies.problem import Problem
from policies.vocabulary import ODRL, PREAU

Json = dict[str, Any]


def application_of(node: Node, caller: Caller, message: ContractRequest) -> Json | None:
    """The signed application in a request, checked to be this caller's, to us, for this offer.

    Raises:
        Problem: `policy-application-…`, `catalog-proof-…`, `negotiation-application-other`.
    """
    found = extension(message.extensions, "application")
    if found is None:
        return None
    application = applications.read(found)
    signed = cast("Json", found)
    proofs.verify(signed, caller.document.assertion_key)
    expected = (caller.did, node.did, message.offer.target, message.offer.id)
    said = (application.requester, application.provider, application.dataset, application.offer)
    if said != expected:
        raise Problem("negotiation-application-other")
    return signed


def check_visible(tx: Tx, n: Negotiation, caller: Caller) -> None:
    """Refuse a request for a dataset this caller may not see, as if it did not exist.

    Raises:
        Problem: `dataset-unknown`.
    """
    published.find(tx, n.dataset, caller.groups)


def judge(node: Node, tx: Tx, n: Negotiation, caller: Caller) -> Negotiation:
    """The negotiation after our policy has looked at the request on the table."""
    try:
        found = published.find(tx, n.dataset, caller.groups)
        offer = found.offer(n.offer_id)
        if offer is None:
            raise Problem("negotiation-offer-unknown")
        requested = Terms.read(n.offer, kind="Offer").policy
        if n.application is None and _bare(requested):
            # Choosing the offer is the declaration (P6): its published terms are on the table.
            requested = replace(offer.policy, assigner=node.did)
            wire = published.on_table(requested, n.offer_id, n.dataset, node.did)
            n = replace(n, offer=wire)
        application = read_application(n)
        if application is not None:
            planning.check_fields(application.fields, found.dataset)
        not_applied = application_covers(application, requested) if application else ()
        beyond = [*differences(offer.policy, requested), *not_applied]
    except Problem as problem:
        return end(node, tx, n, problem)
    if n.signed_document is None:
        # What the requester read: the agreement will name this version of the document.
        n = replace(n, signed_document=found.reference)
    if beyond:
        proposal = countering.to_terms(offer.policy, requested)
        return _decline(node, tx, n, "negotiation-beyond", _told(beyond), proposal, offer.decisions)
    decision = evaluate(node, n, requested, found.dataset, caller.groups)
    if not decision.permitted:
        proposal = _instead(node, n, offer.policy, requested, found.dataset, caller.groups)
        told = {**decision.shared(), "reasons": _reasons(decision)}
        # What the policy denies, a purpose above all, is not for people to trade: whoever asked
        # reads what would be granted, and may apply for that.
        return _decline(node, tx, n, "negotiation-denied", told, proposal, (), decision)
    _note(node, tx, n, decision.outcome, decision)
    if offer.decisions:
        return machine.awaiting(n, offer.decisions, node.clock.now())
    return conclude(node, tx, n)


def accepted(node: Node, tx: Tx, n: Negotiation, caller: Caller) -> Negotiation:
    """The consumer takes our changed offer: the person who returned it has decided already.

    Who else must decide stands with the published offer; once that is made no longer, nobody knows.
    """
    try:
        found = published.find(tx, n.dataset, caller.groups)
        offer = found.offer(n.offer_id)
        if offer is None:
            raise Problem("negotiation-offer-unknown")
    except Problem as problem:
        return end(node, tx, n, problem)
    terms = Terms.read(n.offer, kind="Offer")
    decision = evaluate(node, n, terms.policy, found.dataset, caller.groups)
    if not decision.permitted:
        reasons = [*decision.reasons("en"), *decision.reasons("fr")]
        _note(node, tx, n, "deny", decision)
        return terminate(node, tx, n, "negotiation-denied", reasons)
    _note(node, tx, n, decision.outcome, decision)
    remaining = remaining_roles(tx, n, offer)
    if remaining:
        return machine.awaiting(n, remaining, node.clock.now())
    return conclude(node, tx, n)


def evaluate(
    node: Node, n: Negotiation, policy: Policy, dataset: Dataset, groups: frozenset[str]
) -> Decision:
    """Our policy's decision on the terms on the table."""
    known = facts_about(groups, personal=dataset.personal)
    return decide(policy, _request(n, policy), known, node.clock.now(), "negotiation")


def _request(n: Negotiation, policy: Policy) -> Request:
    claims = planning.claims_in(read_application(n), policy)
    return Request(ODRL + "use", n.dataset, n.peer, claims)


def facts_about(groups: frozenset[str], *, personal: bool) -> dict[str, Fact]:
    """What this node knows of a participant and of its data."""
    return {
        PREAU + "membership": membership(groups),
        PREAU + "dataCategory": category(personal=personal),
    }


def remaining_roles(tx: Tx, n: Negotiation, offer: Offer) -> tuple[str, ...]:
    """The roles that must still decide after whoever returned the offer (`returned_by`)."""
    roles = offer.decisions
    last = agreements.returned_by(tx, n)
    return roles[roles.index(last) + 1 :] if last in roles else roles


def conclude(node: Node, tx: Tx, n: Negotiation) -> Negotiation:
    """Nothing more to decide: compile, sign and send the agreement, or end with the reason."""
    try:
        found = published.find(tx, n.dataset, _groups(tx, n))
        if found.offer(n.offer_id) is not None:
            found = published.pinned(tx, found, n.signed_document)
        signed = agreements.propose(node, n, found)
    except Problem as problem:
        return end(node, tx, n, problem)
    n = machine.step(
        n,
        Act.AGREE,
        Role.PROVIDER,
        node.clock.now(),
        agreement=signed.wire,
        signed_document=found.reference,
    )
    message = messages.ContractAgreement(
        id=node.ids.uuid(),
        provider_pid=n.pid,
        consumer_pid=str(n.consumer_pid),
        agreement=Terms(signed.wire, signed.policy),
    )
    ledger.sent(node, tx, n, message)
    save_negotiation(tx, n)  # the agreement refers to it
    agreements.keep(node, tx, n, signed)
    return n


def end(node: Node, tx: Tx, n: Negotiation, problem: Problem) -> Negotiation:
    """End the negotiation because of a problem, telling the peer what it may know of it."""
    told = errors.shared(problem)
    return terminate(node, tx, n, told.code, errors.reasons(told))


def terminate(node: Node, tx: Tx, n: Negotiation, code: str, reasons: Sequence[str]) -> Negotiation:
    """End the negotiation from our side, with a code and reasons. A peer that has not answered yet
    is told once it does. What was never tried is not sent at all; what was tried may have
    arrived, its answer lost, so it is said until an answer comes.
    """
    if n.peer_pid is None and not n.over:
        outbox.drop_untried(tx, process=n.pid)
        now, why = node.clock.now(), tuple(reasons)
        return machine.unanswered(n, now, code=code, reasons=why, by=n.role)
    n = machine.step(n, Act.TERMINATE, n.role, node.clock.now(), code=code, reasons=tuple(reasons))
    tell_end(node, tx, n)
    close(tx, n)
    return n


def tell_end(node: Node, tx: Tx, n: Negotiation) -> None:
    """Send the peer the termination of a negotiation that we have ended."""
    message = messages.ContractNegotiationTermination(
        id=node.ids.uuid(),
        provider_pid=str(n.provider_pid),
        consumer_pid=str(n.consumer_pid),
        code=n.code,
        reasons=n.reasons,
    )
    ledger.sent(node, tx, n, message)


def close(tx: Tx, n: Negotiation) -> None:
    """An agreement that a terminated negotiation had begun is over; only its own, whatever name
    stood in the peer's message.
    """
    made = agreement_rows.by_negotiation(tx, negotiation=n.pid)
    if made is not None:
        agreement_rows.set_state(tx, id=made.id, state="ended")


def read_application(n: Negotiation) -> Application | None:
    """The typed application of a negotiation."""
    return applications.read(n.application) if n.application else None


def named(tx: Tx, n: Negotiation, before: str, groups: frozenset[str]) -> Negotiation:
    """A counter-offer under a name that is none of our offers' is about the offer that the
    negotiation is about: some peers name each of their own anew.
    """
    try:
        ours = published.find(tx, n.dataset, groups).offer(n.offer_id)
    except Problem:
        return n
    return n if ours else replace(n, offer_id=before, offer={**n.offer, "@id": before})


def _bare(policy: Policy) -> bool:
    """Whether terms say nothing of their own: permissions without any condition or duty."""
    rules = policy.permissions
    return not (
        policy.prohibitions
        or policy.obligations
        or any(rule.constraints or rule.duties for rule in rules)
    )


def _decline(
    node: Node,
    tx: Tx,
    n: Negotiation,
    code: str,
    told: Json,
    proposal: Proposal,
    roles: tuple[str, ...],
    decision: Decision | None = None,
) -> Negotiation:
    """Refuse with reasons and with what would be acceptable; where people of these roles decide
    and can return that, leave it to them.
    """
    said = {lang: [*told["reasons"][lang], *proposal.sentences(lang)] for lang in ("fr", "en")}
    shared = {**told, "reasons": said}
    if proposal.nearest:
        shared[countering.COUNTER] = proposal.document()
    internal = decision.internal() if decision else shared
    ledger.decided(node, tx, n, outcome="deny", shared=shared, internal=internal)
    if roles and proposal.changed is not None:
        return machine.awaiting(n, roles, node.clock.now())
    return terminate(node, tx, n, code, [*said["en"], *said["fr"]])


def _instead(
    node: Node,
    n: Negotiation,
    offer: Policy,
    requested: Policy,
    dataset: Dataset,
    groups: frozenset[str],
) -> Proposal:
    """What could be asked instead of what our policy denies."""
    known = facts_about(groups, personal=dataset.personal)
    asking = _request(n, offer)
    found = answer(offer, asking, known, node.clock.now())
    return countering.to_request(offer, requested, found)


def _note(node: Node, tx: Tx, n: Negotiation, outcome: str, decision: Decision) -> None:
    shared = {**decision.shared(), "reasons": _reasons(decision)}
    ledger.decided(node, tx, n, outcome=outcome, shared=shared, internal=decision.internal())


def _reasons(decision: Decision) -> Json:
    return {lang: decision.reasons(lang) for lang in ("fr", "en")}


def _told(found: Sequence[Difference]) -> Json:
    return {
        "differences": [one.document() for one in found],
        "reasons": {"fr": [one.fr for one in found], "en": [one.en for one in found]},
    }


def _groups(tx: Tx, n: Negotiation) -> frozenset[str]:
    peer = peers.get(tx, did=n.peer)
    return frozenset(peer.groups) if peer else frozenset()


def reasons_of(shared: Mapping[str, Any]) -> Json:
    """The sentences of a stored decision, by language."""
    found = shared.get("reasons")
    return dict(found) if isinstance(found, Mapping) else {"fr": [], "en": []}
