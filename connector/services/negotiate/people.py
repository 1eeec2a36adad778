"""What people do about requests: a researcher asks, answers, accepts; a DPO or committee decides.

Each act is one commit; the answer to the caller says what holds then, the message to the peer
follows through the outbox.
"""

from typing import Any, Final

from connector.base.clock import format_time
from connector.identity import edc
from connector.protocol import messages
from connector.protocol import negotiation as machine
from connector.protocol.messages import Event, Terms
from connector.protocol.negotiation import Act, Negotiation, Role
from connector.services import access, ledger
from connector.services.access import Actor
from connector.services.committing import commit
from connector.services.consent import bitmaps
from connector.services.discover import foreign, peering
from connector.services.discover.asking import Found
from connector.services.negotiate import (
    agreements,
    countering,
    deciding,
    planning,
    proposing,
    reaching,
)
from connector.services.node import Node
from connector.services.processes import negotiation, save_negotiation
from connector.services.publish import published
from connector.services.show.timeline import Timeline
from connector.services.show.views import opened
from connector.store import catalogs, notes
from connector.store.codec import to_text
from connector.store.store import Tx
from policies import application as applications
from policies import compare
from policies.application import Application, Draft
from policies.model import Policy
from policies.problem import Problem

Json = dict[str, Any]

_ASKING: Final = ("operator", "researcher")
_OUTCOMES: Final = ("approve", "return", "reject")


async def request(node: Node, who: Actor, iri: str, draft: Json, peer: str | None = None) -> Json:
    """Ask the publisher of a dataset for it; `peer` says which, where its id alone does not.

    Raises:
        Problem: `access-role`, `policy-application-…`, `peer-…`, `catalog-…`,
            `negotiation-field-unknown`; `callback-nowhere`, `callback-other`: no answer could
            arrive here.
    """
    access.require(who, *_ASKING)
    asked = applications.draft(draft)
    warning = await reaching.callback(node)
    unsigned = peer if peer and edc.is_name(peer) else await foreign.publisher(node, iri)
    if unsigned is not None:
        return await _echo(node, unsigned, iri, asked, warning)
    found = await peering.find(node, iri)
    planning.check_fields(asked.fields, found.dataset)
    offer = _fitting(found, asked)
    made = _application(node, asked, found.peer, iri, offer.id)
    application, policy = _signed(node, made), compare.narrow(offer, made)
    asking = published.on_table(policy, offer.id, iri, found.peer)

    def unit(tx: Tx) -> tuple[Negotiation, Timeline]:
        access.known(node, tx, found.peer)
        catalogs.add_document(tx, found.row)
        n = machine.start_consumer(
            now=node.clock.now(),
            pid=node.ids.uuid(),
            peer=found.peer,
            callback=found.dataset.endpoint,
            offer=asking,
            application=application,
            signed_document=found.reference,
        )
        message = messages.ContractRequest(
            id=node.ids.uuid(),
            consumer_pid=n.pid,
            callback=node.dsp,
            offer=Terms(n.offer, policy),
            extensions=messages.extend({}, "application", application),
        )
        ledger.sent(node, tx, n, message, warning)
        save_negotiation(tx, n)
        return n, Timeline.of(tx, n.pid)

    view = opened(*await commit(node, unit), found.dataset)
    return reaching.warned(view, warning)


async def _echo(node: Node, peer: str, ident: str, draft: Draft, warning: Problem | None) -> Json:
    """Ask a connector that reads no application: the choice of its offer says it all (P6)."""
    found = await foreign.dataset(node, peer, ident)
    offer = foreign.echo(found, found.offer(draft.purpose), peer)
    terms = Terms.read(offer, kind="Offer")
    callback = (await foreign.configured(node, peer)).dsp

    def unit(tx: Tx) -> tuple[Negotiation, Timeline]:
        access.known(node, tx, peer)
        n = machine.start_consumer(
            now=node.clock.now(), pid=node.ids.uuid(), peer=peer, callback=callback, offer=offer
        )
        notes.put(tx, key=f"{agreements.OFFERED}{n.pid}", text=to_text(dict(found.source)))
        message = messages.ContractRequest(
            id=node.ids.uuid(), consumer_pid=n.pid, callback=node.dsp, offer=terms
        )
        ledger.sent(node, tx, n, message, warning)
        save_negotiation(tx, n)
        return n, Timeline.of(tx, n.pid)

    return reaching.warned(opened(*await commit(node, unit), None), warning)


async def resubmit(node: Node, who: Actor, pid: str, draft: Json) -> None:
    """Answer a returned request with a changed application.

    Raises:
        Problem: `negotiation-unknown`, `protocol-not-now`, `policy-application-…`,
            `negotiation-field-unknown`.
    """
    access.require(who, *_ASKING)
    asked = applications.draft(draft)
    await proposing.known_document(node, pid)

    def unit(tx: Tx) -> None:
        n = negotiation(tx, pid)
        if n.signed_document is not None:
            planning.check_fields(asked.fields, published.named(tx, n.signed_document)[1])
        application = _signed(node, _application(node, asked, n.peer, n.dataset, n.offer_id))
        offered = Terms.read(n.offer, kind="Offer").policy
        policy = compare.resubmit(offered, applications.read(application))
        n = machine.step(
            n,
            Act.REQUEST,
            Role.CONSUMER,
            node.clock.now(),
            offer=published.on_table(policy, n.offer_id, n.dataset, n.peer),
            application=application,
        )
        message = messages.ContractRequest(
            id=node.ids.uuid(),
            consumer_pid=n.pid,
            provider_pid=n.provider_pid,
            offer=Terms.read(n.offer, kind="Offer"),
            extensions=messages.extend({}, "application", application),
        )
        ledger.sent(node, tx, n, message)
        save_negotiation(tx, n)

    await commit(node, unit)


async def accept(node: Node, who: Actor, pid: str) -> None:
    """Accept the provider's offer as it stands; the application must cover it (P6).

    Raises:
        Problem: `negotiation-resubmit`: the offer is wider than what was applied for.
    """
    access.require(who, *_ASKING)
    await proposing.known_document(node, pid)

    def unit(tx: Tx) -> None:
        n = negotiation(tx, pid)
        application = deciding.read_application(n)
        offered = Terms.read(n.offer, kind="Offer").policy
        if application and compare.application_covers(application, offered):
            raise Problem("negotiation-resubmit")
        n = machine.step(n, Act.ACCEPT, Role.CONSUMER, node.clock.now())
        message = messages.ContractNegotiationEvent(
            id=node.ids.uuid(),
            provider_pid=str(n.provider_pid),
            consumer_pid=n.pid,
            event=Event.ACCEPTED,
        )
        ledger.sent(node, tx, n, message)
        save_negotiation(tx, n)

    await commit(node, unit)


async def terminate(node: Node, who: Actor, pid: str, reason: str) -> None:
    """End a negotiation; the peer reads the reason.

    Raises:
        Problem: `negotiation-unknown`, `protocol-not-now`.
    """
    access.require(who, "operator", "researcher", "dpo")

    def unit(tx: Tx) -> None:
        n = negotiation(tx, pid)
        save_negotiation(tx, deciding.terminate(node, tx, n, "terminated-by-person", [reason]))

    await commit(node, unit)


async def decide(node: Node, who: Actor, pid: str, body: Json) -> None:
    """A person's decision on a request that waits for their role (P5).

    A return carries a changed offer, or the word "counter" for the one that the policy proposes
    (`countering`); its reason may then be left to it.

    Raises:
        Problem: `access-role` (the token is not of that role), `decision-not-awaited`,
            `decision-outcome`, `policy-change-…` (a changed offer that cannot be made),
            `decision-beyond`, `decision-no-counter`.
    """
    role, outcome, offer = body.get("role"), body.get("outcome"), body.get("offer")
    given = str(body.get("reason") or "").strip()
    proposed = outcome == "return" and offer == countering.COUNTER
    if outcome not in _OUTCOMES or (outcome != "approve" and not given and not proposed):
        raise Problem("decision-outcome", outcomes=", ".join(_OUTCOMES))
    access.require(who, str(role))
    read = None if outcome != "return" or proposed else compare.ChangedOffer.read(offer)

    def unit(tx: Tx) -> None:
        n = negotiation(tx, pid)
        if n.role is not Role.PROVIDER or n.awaiting[:1] != (role,):
            raise Problem(
                "decision-not-awaited", role=str(role), roles=", ".join(n.awaiting) or "–"
            )
        changed, reason = read, given
        if proposed:
            changed, said = countering.proposed(tx, n)
            reason = given or " ".join(said)
        _check(tx, n, str(outcome), changed)
        shared = {"reasons": {"fr": [reason] if reason else [], "en": [reason] if reason else []}}
        ledger.decided(
            node,
            tx,
            n,
            outcome=str(outcome),
            shared=shared,
            internal={"reason": reason},
            role=who.role,
            actor=who.id,
        )
        save_negotiation(tx, _after(node, tx, n, str(outcome), reason, changed))

    await commit(node, unit)


def _check(tx: Tx, n: Negotiation, outcome: str, changed: compare.ChangedOffer | None) -> None:
    """A request that our policy denies can be returned or rejected, never approved as it stands.

    Raises:
        Problem: `decision-beyond`; `dataset-unknown`, `negotiation-offer-unknown`: nothing is
            offered any more that could be returned.
    """
    if countering.pending(tx, n) is None or outcome == "reject":
        return
    if changed is None:
        raise Problem("decision-beyond")
    found = published.find(tx, n.dataset, bitmaps.groups_of(tx, n.peer)).offer(n.offer_id)
    if found is None:
        raise Problem("negotiation-offer-unknown")
    countering.check_return(found.policy, n, changed)


def _after(
    node: Node,
    tx: Tx,
    n: Negotiation,
    outcome: str,
    reason: str,
    changed: compare.ChangedOffer | None,
) -> Negotiation:
    if outcome == "reject":
        return deciding.terminate(node, tx, n, "negotiation-rejected", [reason])
    if changed is not None:
        return _return(node, tx, n, changed, reason)
    n = machine.awaiting(n, n.awaiting[1:], node.clock.now())
    return n if n.awaiting else deciding.conclude(node, tx, n)


def _return(
    node: Node, tx: Tx, n: Negotiation, changed: compare.ChangedOffer, reason: str
) -> Negotiation:
    policy = compare.change(Terms.read(n.offer, kind="Offer").policy, changed)
    n = machine.step(
        n,
        Act.OFFER,
        Role.PROVIDER,
        node.clock.now(),
        offer=published.on_table(policy, n.offer_id, n.dataset, node.did),
        reasons=(reason,),
    )
    message = messages.ContractOffer(
        id=node.ids.uuid(),
        provider_pid=n.pid,
        consumer_pid=n.consumer_pid,
        offer=Terms.read(n.offer, kind="Offer"),
        extensions=messages.extend({}, "reason", [reason]),
    )
    ledger.sent(node, tx, n, message)
    return n


def _application(node: Node, draft: Draft, provider: str, dataset: str, offer: str) -> Application:
    return applications.complete(
        draft,
        id=node.ids.uuid(),
        requester=node.did,
        provider=provider,
        dataset=dataset,
        offer=offer,
        issued=format_time(node.clock.now()),
    )


def _signed(node: Node, application: Application) -> Json:
    document = application.document()
    return {**document, "proof": agreements.sign(node, document)}


def _fitting(found: Found, draft: Draft) -> Policy:
    """The offer to ask for: the first whose rules the draft's terms do not contradict.

    The provider decides; this only chooses which of several offers to name.
    """
    offers = [one.policy for one in found.dataset.offers]
    if not offers:
        raise Problem("negotiation-no-offer")
    fitting = [one for one in offers if published.purpose_allowed(one, draft.purpose)]
    return (fitting or offers)[0]
