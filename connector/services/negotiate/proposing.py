"""Terms that people put on the table themselves: first offers, requests, counter-offers (DSP).

A steward offers a published dataset to a participant that has not asked; a researcher asks under
terms that came by another way than a catalog of ours, or answers an offer with a narrower one.
What follows is the same as for any other negotiation.
"""

from typing import Any

from connector.protocol import messages
from connector.protocol import negotiation as machine
from connector.protocol.messages import Message, Terms
from connector.protocol.negotiation import Act, Negotiation, Role
from connector.services import access, ledger
from connector.services.access import Actor
from connector.services.committing import commit
from connector.services.discover import peering
from connector.services.discover.asking import Found
from connector.services.negotiate import reaching
from connector.services.node import Node
from connector.services.processes import negotiation, save_negotiation
from connector.services.publish import published
from connector.services.show.timeline import Timeline
from connector.services.show.views import opened
from connector.store import catalogs
from connector.store.store import Tx
from policies import compare
from policies.problem import Problem

Json = dict[str, Any]

_ASKING = ("operator", "researcher")


async def offer(node: Node, who: Actor, peer: str, dataset: str, offer: str | None) -> Json:
    """Offer a published dataset to a participant: it may accept, counter, or walk away.

    `offer` is the offer's name; without one the dataset's first is made.

    Raises:
        Problem: `access-role`, `peer-unknown`, `dataset-unknown` (or not for this participant),
            `negotiation-no-offer`, `negotiation-offer-unknown`, `identity-…`.
    """
    access.require(who, "operator", "steward")
    await _check_peer(node, peer)
    warning = await reaching.callback(node)
    document = await node.resolver.document(peer)

    def unit(tx: Tx) -> tuple[Negotiation, Timeline]:
        groups = frozenset(access.known(node, tx, peer).groups)
        found = published.find(tx, published.iri(node.url, dataset), groups)
        if not found.dataset.offers:
            raise Problem("negotiation-no-offer")
        chosen = found.offer(offer) if offer else found.dataset.offers[0]
        if chosen is None:
            raise Problem("negotiation-offer-unknown")
        n = machine.start_provider(
            by=Role.PROVIDER,
            now=node.clock.now(),
            pid=node.ids.uuid(),
            peer=peer,
            callback=document.dsp,
            offer=published.on_table(chosen.policy, chosen.policy.id, found.row.iri, node.did),
            signed_document=found.reference,
        )
        message = messages.ContractOffer(
            id=node.ids.uuid(),
            provider_pid=n.pid,
            callback=node.dsp,
            offer=Terms.read(n.offer, kind="Offer"),
        )
        return _opened(node, tx, n, message, warning)

    # There is no application yet whose fields could stay.
    return reaching.warned(opened(*await commit(node, unit), None), warning)


async def request(node: Node, who: Actor, peer: str, dataset: str, terms: Json) -> Json:
    """Ask a participant for a dataset under terms that somebody else told us, an ODRL offer.

    For participants whose catalog is none that we read, and for offers made by letter. A
    participant that signs is asked for its signed document, which the agreement will name.

    Raises:
        Problem: `access-role`, `peer-unknown`, `policy-…` (the terms cannot be read), `peer-…`,
            `catalog-…`, `identity-…`, `negotiation-other-publisher`.
    """
    access.require(who, *_ASKING)
    await _check_peer(node, peer)
    warning = await reaching.callback(node)
    document = await node.resolver.document(peer)
    wire: Json = {"@type": "Offer", "assigner": peer, **terms, "target": dataset}
    Terms.read(wire, kind="Offer")
    found = await _published_by(node, peer, dataset) if document.signs else None

    def unit(tx: Tx) -> tuple[Negotiation, Timeline]:
        access.known(node, tx, peer)
        if found is not None:
            catalogs.add_document(tx, found.row)
        n = machine.start_consumer(
            now=node.clock.now(),
            pid=node.ids.uuid(),
            peer=peer,
            callback=document.dsp,
            offer=wire,
            signed_document=found.reference if found else None,
        )
        message = messages.ContractRequest(
            id=node.ids.uuid(),
            consumer_pid=n.pid,
            callback=node.dsp,
            offer=Terms.read(n.offer, kind="Offer"),
        )
        return _opened(node, tx, n, message, warning)

    # There is no application yet whose fields could stay.
    return reaching.warned(opened(*await commit(node, unit), None), warning)


async def counter(node: Node, who: Actor, pid: str, changed: Json) -> None:
    """Answer the provider's offer with a narrower one (FORMATS "Changed offer"), or, with no
    change at all, with the same terms again: the provider is to decide anew.

    Raises:
        Problem: `access-role`, `negotiation-unknown`, `protocol-not-now`, `policy-change-…`.
    """
    access.require(who, *_ASKING)
    change = compare.ChangedOffer.read(changed) if set(changed) - {"v"} else None

    def unit(tx: Tx) -> None:
        n = negotiation(tx, pid)
        policy = Terms.read(n.offer, kind="Offer").policy
        if change is not None:
            policy = compare.change(policy, change)
        n = machine.step(
            n,
            Act.REQUEST,
            Role.CONSUMER,
            node.clock.now(),
            offer=published.on_table(policy, n.offer_id, n.dataset, n.peer),
        )
        message = messages.ContractRequest(
            id=node.ids.uuid(),
            consumer_pid=n.pid,
            provider_pid=n.provider_pid,
            offer=Terms.read(n.offer, kind="Offer"),
        )
        ledger.sent(node, tx, n, message)
        save_negotiation(tx, n)

    await commit(node, unit)


async def known_document(node: Node, pid: str) -> None:
    """Read the signed document behind an offer that came unasked, before a person answers it: the
    agreement names it, and the plan is compiled from it.

    Raises:
        Problem: `negotiation-unknown`, `peer-…`, `catalog-…`, `identity-…`,
            `negotiation-other-publisher`.
    """
    n = await node.store.read(lambda tx: negotiation(tx, pid))
    if n.role is not Role.CONSUMER or n.signed_document is not None or n.over:
        return
    if not (await node.resolver.document(n.peer)).signs:
        return
    found = await _published_by(node, n.peer, n.dataset)

    def unit(tx: Tx) -> None:
        catalogs.add_document(tx, found.row)
        now: Negotiation = negotiation(tx, pid)
        if now.signed_document is None:
            save_negotiation(tx, machine.read_document(now, found.reference, node.clock.now()))

    await node.store.write(unit)


def _opened(
    node: Node, tx: Tx, n: Negotiation, message: Message, warning: Problem | None
) -> tuple[Negotiation, Timeline]:
    """A negotiation of ours begins: its first message leaves with it."""
    ledger.sent(node, tx, n, message, warning)
    save_negotiation(tx, n)
    return n, Timeline.of(tx, n.pid)


async def _published_by(node: Node, peer: str, dataset: str) -> Found:
    """The signed document of a dataset, which must be this peer's own: what another participant
    signed must not stand behind its word.

    Raises:
        Problem: `negotiation-other-publisher`, or what `peering.find` raises.
    """
    found = await peering.find(node, dataset)
    if found.peer != peer:
        raise Problem(
            "negotiation-other-publisher", dataset=dataset, publisher=found.peer, peer=peer
        )
    return found


async def _check_peer(node: Node, did: str) -> None:
    if await access.peer_of(node, did) is None:
        raise Problem("peer-unknown", did=did[:200])
