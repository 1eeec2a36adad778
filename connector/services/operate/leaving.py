"""Removing a peer: what runs with it ends first, in the protocol, or the removal is refused.

One commit holds all of it: the terminations with their messages, the agreements that end, the peer
that is gone, the leaf with the reason. A message of the peer is decided before that commit or after
it (`access.check_standing`), never across. What both parties promised about data that were handed
over, the evidence, and the catalog heads seen last outlive the peer (`discover.left`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from connector.base.clock import format_time
from connector.evidence.leaf import Entry
from connector.identity import edc
from connector.protocol.negotiation import NOT_OURS, Act, Negotiation
from connector.protocol.transfer import Transfer
from connector.services import access, ledger
from connector.services.access import Actor
from connector.services.committing import commit
from connector.services.discover import crawling, left
from connector.services.discover.left import Left
from connector.services.negotiate import deciding
from connector.services.node import Node
from connector.services.processes import negotiation, save_negotiation, save_transfer
from connector.services.release import halting
from connector.store import agreements, negotiations, outbox, peers, transfers
from connector.store.rows import AgreementRow, PeerRow
from connector.store.store import Tx
from policies.problem import Problem

Json = dict[str, Any]

ENDED: Final = "ended"
"""The outcome of the decision that ends an agreement."""
_LONGEST: Final = 2048
_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Running:
    """What goes on with a peer now."""

    negotiations: tuple[Negotiation, ...]
    transfers: tuple[Transfer, ...]
    agreements: tuple[AgreementRow, ...]

    def hinders(self, now: datetime) -> bool:
        """Whether a removal would cut something off; an agreement that has expired is none."""
        in_force = any(row.expires is None or row.expires > now for row in self.agreements)
        return bool(self.negotiations or self.transfers or in_force)

    def document(self) -> Json:
        """What ends with the peer, by its ids."""
        return {
            "negotiations": [n.pid for n in self.negotiations],
            "transfers": [t.pid for t in self.transfers],
            "agreements": [row.id for row in self.agreements],
        }


async def remove(node: Node, who: Actor, did: str, reason: str, *, terminate: bool) -> Json:
    """Deal with a peer no more: `{v, did, removed, reason, ended}`.

    With `terminate`, what runs with it is ended, and the peer is told with the reason. Said again,
    it changes nothing and answers the same.

    Raises:
        Problem: `access-role`; `peer-unknown`: it never was one; `peer-in-use`: something runs, or
            an agreement is in force, and nobody said `terminate`.
    """
    access.require(who, *(("operator",) if terminate else ("operator", "steward")))
    if not (did.isprintable() and len(did) <= _LONGEST):
        raise Problem("peer-unknown", did=ascii(did[:200]))

    def unit(tx: Tx) -> Json:
        peer, gone = peers.get(tx, did=did), left.of(tx, did)
        if peer is not None:
            return _removed(node, tx, who, peer, reason, terminate=terminate)
        if gone is None:
            raise Problem("peer-unknown", did=did[:200])
        return gone.told

    told = await commit(node, unit)
    node.resolver.forget(did)  # added again, it is asked for its keys anew
    node.alarm.ring()
    return told


def _removed(
    node: Node, tx: Tx, who: Actor, peer: PeerRow, reason: str, *, terminate: bool
) -> Json:
    now, found = node.clock.now(), _running(tx, peer.did)
    if found.hinders(now) and not terminate:
        names = {kind: _names(ids) for kind, ids in found.document().items()}
        raise Problem("peer-in-use", did=peer.did, **names)
    _end(node, tx, who, found, reason)
    peers.remove(tx, did=peer.did)
    crawling.forget(tx, peer.did)
    told = {
        "v": 1,
        "did": peer.did,
        "removed": format_time(now),
        "reason": reason,
        "ended": found.document(),
    }
    document = peer.did_document if edc.is_name(peer.did) else None
    left.keep(tx, Left(peer.did, told, peer.head, document))
    change = {**told, "change": "peer-removed", "by": who.id}
    node.log.append(tx, Entry("config", None, None, change), now)
    return told


def _running(tx: Tx, did: str) -> Running:
    found = negotiations.running(tx, peer=did)
    return Running(
        tuple(n for n in found if not _given_up(tx, n)),
        tuple(transfers.running(tx, peer=did)),
        tuple(agreements.active(tx, peer=did)),
    )


def _given_up(tx: Tx, n: Negotiation) -> bool:
    """Whether an earlier removal ended all that we can end of it (see `_end_negotiation`)."""
    made = agreements.by_negotiation(tx, negotiation=n.pid)
    return made is not None and made.state == "ended"


def _end(node: Node, tx: Tx, who: Actor, found: Running, reason: str) -> None:
    """End what runs, and tell the peer; transfers first, as they run under the rest."""
    problem = Problem("peer-removed", reason=reason)
    for t in found.transfers:
        save_transfer(tx, halting.end(node, tx, t, problem))
        if t.peer_pid is None:
            outbox.drop_process(tx, process=t.pid)
    for n in found.negotiations:
        _end_negotiation(node, tx, who, n, problem)
    for row in found.agreements:
        _end_agreement(node, tx, who, row, problem)


def _end_negotiation(node: Node, tx: Tx, who: Actor, n: Negotiation, problem: Problem) -> None:
    """End a negotiation. Where we have signed as consumer and the provider's last word is missing,
    the protocol leaves us nothing to say (divergences, N2): the agreement ends here, and its word
    would put it in force no more.
    """
    made = agreements.by_negotiation(tx, negotiation=n.pid)
    if (n.state, Act.TERMINATE, n.role) in NOT_OURS and made is not None:
        _end_agreement(node, tx, who, made, problem)
    else:
        save_negotiation(tx, deciding.end(node, tx, n, problem))
        if n.peer_pid is None:
            outbox.drop_process(tx, process=n.pid)


def _end_agreement(node: Node, tx: Tx, who: Actor, row: AgreementRow, problem: Problem) -> None:
    """Nothing more under an agreement; a leaf of its own tells who ended it, and why."""
    agreements.set_state(tx, id=row.id, state="ended")
    reasons = {"fr": [problem.text("fr")], "en": [problem.text("en")]}
    ledger.decided(
        node,
        tx,
        negotiation(tx, row.negotiation),
        outcome=ENDED,
        shared={"reasons": reasons},
        internal={"reason": problem.params["reason"]},
        role=who.role,
        actor=who.id,
    )


def _names(ids: Iterable[str]) -> str:
    """The first few of these, and how many more there are."""
    named = list(ids)
    more = len(named) - _NAMED
    said = ", ".join(named[:_NAMED])
    return f"{said} (+{more})" if more > 0 else said or "–"
