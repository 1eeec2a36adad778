"""Messages of a negotiation as they arrive, on either side (DSP 2025-1, Contract Negotiation).

Each function answers one address: load, pure step, judge, one commit, reply. What a provider
decides about a request stands in `deciding`, how an agreement is built and signed in
`agreements`, what a person asks or answers in `people`.
"""

from dataclasses import replace
from typing import Any, Final, Unpack

from connector.protocol import messages
from connector.protocol import negotiation as machine
from connector.protocol.messages import Event, extension
from connector.protocol.messages.envelope import Reader
from connector.protocol.negotiation import Act, Content, Negotiation, Role
from connector.protocol.paths import negotiation_path
from connector.services import ledger
from connector.services.access import Caller, check_address
from connector.services.messages import repeats
from connector.services.messages.inbound import Incoming, Reply, admit, receive
from connector.services.negotiate import agreements, concluding, deciding
from connector.services.node import Node
from connector.services.processes import negotiation, save_negotiation
from connector.services.publish import published
from connector.store import agreements as agreement_rows
from connector.store.store import Tx
from policies.problem import Problem

OK: Final = 200
CREATED: Final = 201
_LONGEST: Final = "/agreement/verification"
"""The longest that stands behind a pid in an address of the peer."""


async def state_requested(node: Node, caller: Caller, pid: str) -> Reply:
    """GET: the negotiation's state, to its two parties only; anybody else gets a 404."""
    await admit(node, caller)
    found = await node.store.read(lambda tx: negotiation(tx, pid, peer=caller.did))
    return Reply(OK, messages.ContractNegotiation.of(found).wire())


async def requested(node: Node, incoming: Incoming[messages.ContractRequest]) -> Reply:
    """A request for data, the first of a negotiation or a changed one."""
    message, caller = incoming.message, incoming.caller
    application = deciding.application_of(node, caller, message)
    # A dataset of ours may be named by its identifier; from here on it has one name.
    offer = {**message.offer.wire, "target": published.iri(node.url, message.offer.target)}

    def act(tx: Tx) -> Reply:
        if incoming.pid is None:
            n = machine.start_provider(
                now=node.clock.now(),
                pid=node.ids.uuid(),
                peer=caller.did,
                callback=_callback(node, incoming, message.consumer_pid),
                consumer_pid=message.consumer_pid,
                offer=offer,
                application=application,
            )
            deciding.check_visible(tx, n, caller)
            ledger.received(node, tx, n, incoming.wire, incoming.written)
        else:
            before = negotiation(tx, incoming.pid, peer=caller.did).offer_id
            n = _step(node, tx, incoming, Act.REQUEST, offer=offer, application=application)
            n = deciding.named(tx, n, before, caller.groups)
        reply = Reply(
            CREATED if incoming.pid is None else OK, messages.ContractNegotiation.of(n).wire()
        )
        save_negotiation(tx, deciding.judge(node, tx, n, caller))
        return reply

    return await receive(node, incoming, act)


async def offered(node: Node, incoming: Incoming[messages.ContractOffer]) -> Reply:
    """An offer of the provider, asked for or not: people here will accept it, answer it, or walk
    away.
    """
    message, caller = incoming.message, incoming.caller
    # Members of ours are read with the care that those of the protocol are.
    reasons = Reader({"reason": extension(incoming.wire, "reason")}).reasons()

    def act(tx: Tx) -> Reply:
        if incoming.pid is not None:
            n = _step(node, tx, incoming, Act.OFFER, offer=message.offer.wire, reasons=reasons)
            save_negotiation(tx, n)
            return Reply(OK)
        n = machine.start_consumer(
            by=Role.PROVIDER,
            now=node.clock.now(),
            pid=node.ids.uuid(),
            peer=caller.did,
            callback=_callback(node, incoming, message.provider_pid),
            provider_pid=message.provider_pid,
            offer=message.offer.wire,
            reasons=reasons,
        )
        ledger.received(node, tx, n, incoming.wire, incoming.written)
        save_negotiation(tx, n)
        return Reply(CREATED, messages.ContractNegotiation.of(n).wire())

    return await receive(node, incoming, act)


async def event(node: Node, incoming: Incoming[messages.ContractNegotiationEvent]) -> Reply:
    """ACCEPTED from the consumer, FINALIZED from the provider."""
    accepting = incoming.message.event is Event.ACCEPTED

    def act(tx: Tx) -> Reply:
        if _repeated(node, tx, incoming, incoming.message.act):
            return Reply(OK)
        n = _step(node, tx, incoming, incoming.message.act)
        if accepting:
            n = deciding.accepted(node, tx, n, incoming.caller)
        else:
            agreement_rows.begin(tx, id=str(n.agreement_id))
        save_negotiation(tx, n)
        return Reply(OK)

    return await receive(node, incoming, act)


async def agreed(node: Node, incoming: Incoming[messages.ContractAgreement]) -> Reply:
    """The provider's signed agreement: rebuilt here, compared, and signed or refused (P6)."""
    message, caller = incoming.message, incoming.caller

    def act(tx: Tx) -> Reply:
        if _repeated(node, tx, incoming, Act.AGREE, message.agreement):
            return Reply(OK)
        n = _step(node, tx, incoming, Act.AGREE, agreement=message.agreement.wire)
        n = agreements.named(node, n)
        try:
            signed = agreements.countersign(node, tx, n, message.agreement, caller)
        except Problem as problem:
            # The peer chose its name, perhaps that of another agreement: none was made here.
            refused = replace(n, agreement=None, agreement_id=None)
            save_negotiation(tx, deciding.end(node, tx, refused, problem))
            return Reply(OK)
        if "verify" in node.settings.steps.by_hand:
            agreements.keep(node, tx, n, replace(signed, consumer_proof=None), caller)
            save_negotiation(tx, n)
            return Reply(OK)
        agreements.keep(node, tx, n, signed, caller)
        proof = signed.consumer_proof if caller.signs else None
        save_negotiation(tx, concluding.verify(node, tx, n, proof))
        return Reply(OK)

    return await receive(node, incoming, act)


async def verified(node: Node, incoming: Incoming[messages.ContractAgreementVerification]) -> Reply:
    """The consumer's signature over the same bytes; with it the agreement is final."""

    def act(tx: Tx) -> Reply:
        if _repeated(node, tx, incoming, Act.VERIFY):
            return Reply(OK)
        n = _step(node, tx, incoming, Act.VERIFY)
        try:
            proof = extension(incoming.wire, "proof") if incoming.caller.signs else None
            agreements.complete(node, tx, n, proof, incoming.caller)
        except Problem as problem:
            save_negotiation(tx, deciding.end(node, tx, n, problem))
            return Reply(OK)
        if "finalize" not in node.settings.steps.by_hand:
            n = concluding.finalize(node, tx, n)
        save_negotiation(tx, n)
        return Reply(OK)

    return await receive(node, incoming, act)


async def terminated(
    node: Node, incoming: Incoming[messages.ContractNegotiationTermination]
) -> Reply:
    """The peer ends it, with a code and reasons that people here will read."""
    message = incoming.message

    def act(tx: Tx) -> Reply:
        n = _step(node, tx, incoming, Act.TERMINATE, code=message.code, reasons=message.reasons)
        deciding.close(tx, n)
        save_negotiation(tx, n)
        return Reply(OK)

    return await receive(node, incoming, act)


def _callback(
    node: Node,
    incoming: Incoming[messages.ContractRequest] | Incoming[messages.ContractOffer],
    pid: str,
) -> str:
    """Where the sender of a first message is answered, an address of its own, with its `pid` too.

    Raises:
        Problem: `protocol-member-missing`, for a later message at the address of first ones; what
            `access.check_address` refuses.
    """
    callback = incoming.message.callback
    if callback is None:
        raise Problem("protocol-member-missing", where="/callbackAddress")
    check_address(node, incoming.caller, callback + negotiation_path(pid) + _LONGEST)
    return callback


def _repeated(
    node: Node, tx: Tx, incoming: Incoming[Any], act: Act, agreement: messages.Terms | None = None
) -> bool:
    """Whether a peer without signatures says again what it has said (`repeats`)."""
    n = negotiation(tx, str(incoming.pid), peer=incoming.caller.did)
    pids = (incoming.message.provider_pid, incoming.message.consumer_pid)
    same = pids == (n.provider_pid, n.consumer_pid)
    return same and repeats.negotiating(node, tx, n, act, agreement)


def _step(
    node: Node, tx: Tx, incoming: Incoming[Any], act: Act, **content: Unpack[Content]
) -> Negotiation:
    """The caller's negotiation after its message, which is noted."""
    if incoming.pid is None:
        raise Problem("negotiation-unknown")
    before = negotiation(tx, incoming.pid, peer=incoming.caller.did)
    by = before.role.other
    content["provider_pid"] = incoming.message.provider_pid
    content["consumer_pid"] = incoming.message.consumer_pid
    n = machine.step(before, act, by, node.clock.now(), **content)
    ledger.received(node, tx, n, incoming.wire, incoming.written)
    return n
