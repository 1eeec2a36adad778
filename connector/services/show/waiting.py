"""What a negotiation or transfer is waiting for now, for whom and until when, in both languages.

Nothing here decides: the states, the outbox and the worker's view of the peer are read and told.
What is still to be delivered comes first, for as long as it is, nothing else can move.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from connector.base.clock import format_time
from connector.protocol.negotiation import Negotiation, Role
from connector.protocol.negotiation import State as Negotiated
from connector.protocol.signaling import PUSH
from connector.protocol.transfer import State, Transfer
from connector.store.rows import AttemptRow, OutboxRow
from policies.problem import Language, Problem

Kind = Literal["nothing", "node", "person", "peer", "delivery", "attempt", "circuit"]

_UNKNOWN: Final = re.compile(r"\{[a-z_]+\}")
_ASIDE: Final = re.compile(r" \([^()]*\{[a-z_]+\}[^()]*\)")
"""What a sentence asks for and no attempt keeps; and an aside that would say nothing without it."""
_ANSWERED: Final = ("protocol-", "store-")
"""Codes of attempts whose answer came, and could not be read or recorded here."""
_LANGUAGES: Final[tuple[Language, ...]] = ("fr", "en")

_BY_STATUS: Final = {
    401: "delivery-answer-unknown",
    404: "delivery-answer-state",
    409: "delivery-answer-state",
}
_C: Final = Role.CONSUMER
_P: Final = Role.PROVIDER
_RESEARCHER: Final = "researcher"
_OPERATOR: Final = "operator"


@dataclass(frozen=True, slots=True)
class Waiting:
    """For whom (`who`: a role, or a peer's DID), since when, until when at the longest, the
    sentence, and what one can `do` in both languages.

    `delivery`: a message is under way; `attempt`: it is tried again at `next_at`; `circuit`: its
    peer, which does not answer, is left alone until `next_at`.
    """

    kind: Kind
    fr: str
    en: str
    who: str | None = None
    until: datetime | None = None
    next_at: datetime | None = None
    since: datetime | None = None
    do: tuple[str, str] | None = None

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "kind": self.kind,
            "who": self.who,
            "since": format_time(self.since) if self.since else None,
            "until": format_time(self.until) if self.until else None,
            "next_at": format_time(self.next_at) if self.next_at else None,
            "fr": self.fr,
            "en": self.en,
            "do": dict(zip(_LANGUAGES, self.do, strict=True)) if self.do else None,
        }


NOTHING: Final = Waiting("nothing", "rien : c'est fini", "nothing: it is over")
GIVEN_UP: Final = Waiting(
    "nothing",
    "rien : l'accord a pris fin ici, le participant ayant été retiré",
    "nothing: the agreement has ended here, as the participant was removed",
)
AGREED: Final = Waiting(
    "nothing",
    "rien : l'accord est conclu",
    "nothing: the agreement is made",
)
FETCHABLE: Final = replace(
    AGREED,
    do=(
        "« preau transfer fetch » prend les données, tant que l'accord le permet.",
        "“preau transfer fetch” takes the data, for as long as the agreement allows it.",
    ),
)
_NODE: Final = Waiting("node", "ce nœud, qui y travaille", "this node, which works on it")
_THEIRS: Final = (
    "Rien n'est à faire ici ; si cela dure, écrivez à cette institution.",
    "Nothing has to be done here; if it takes long, write to that institution.",
)
_RESUMABLE: Final = (
    "Voyez la raison avec ce participant ; « preau transfer resume » reprend aussi d'ici.",
    "Settle the reason with that participant; “preau transfer resume” goes on from here too.",
)

_Peers = dict[tuple[Role, str], tuple[str, str]]
_People = dict[tuple[Role, str], tuple[str, str, str]]

# What comes next where no person of ours decides: the peer's word.
_ANSWERS: Final[_Peers] = {
    (_C, Negotiated.REQUESTED): (
        "la réponse de {peer} à la demande (une personne y décide peut-être)",
        "the answer of {peer} to the request (people may be deciding there)",
    ),
    (_C, Negotiated.ACCEPTED): ("l'accord signé de {peer}", "the signed agreement of {peer}"),
    (_C, Negotiated.VERIFIED): (
        "la confirmation de {peer} que l'accord est en vigueur",
        "the word of {peer} that the agreement is in force",
    ),
    (_P, Negotiated.OFFERED): (
        "la réponse de {peer} à l'offre : l'accepter, en demander une autre, ou renoncer",
        "the answer of {peer} to the offer: accept it, ask for another, or leave",
    ),
    (_P, Negotiated.AGREED): (
        "la signature de {peer} sous l'accord",
        "the signature of {peer} under the agreement",
    ),
}
_DELIVERIES: Final[_Peers] = {
    (_C, State.REQUESTED): (
        "{peer}, qui doit ouvrir le transfert",
        "{peer}, which has to start the transfer",
    ),
    (_P, State.STARTED): ("{peer}, qui vient chercher les données", "{peer}, which fetches"),
}

# A person here, and what they can do.
_DECISIONS: Final[_People] = {
    (_C, Negotiated.OFFERED): (
        _RESEARCHER,
        "une personne d'ici : « preau negotiation accept », « resubmit » ou « terminate »",
        "somebody here: “preau negotiation accept”, “resubmit” or “terminate”",
    ),
    (_C, Negotiated.AGREED): (
        _OPERATOR,
        "une personne d'ici, qui signe l'accord",
        "somebody here, who signs the agreement",
    ),
    (_P, Negotiated.VERIFIED): (
        _OPERATOR,
        "une personne d'ici, qui met l'accord en vigueur",
        "somebody here, who puts the agreement in force",
    ),
}
_FETCHES: Final[_People] = {
    (_C, State.STARTED): (
        _RESEARCHER,
        "une personne d'ici : « preau transfer fetch » prend les données",
        "somebody here: “preau transfer fetch” takes the data",
    ),
}


def for_negotiation(
    n: Negotiation,
    queue: Sequence[OutboxRow] = (),
    tried: Sequence[AttemptRow] = (),
    left_alone: datetime | None = None,
    *,
    given_up: bool = False,
) -> Waiting:
    """What a negotiation waits for; `left_alone` is until when its peer's circuit is open, and its
    agreement is `given_up` if it ended before the peer's last word, with the peer (`leaving`).
    """
    sending = _sending(queue, tried, left_alone)
    if sending or n.over:
        return sending or _outcome(n, given_up=given_up)
    if given_up:
        return GIVEN_UP
    if n.awaiting:
        role = n.awaiting[0]
        return Waiting(
            "person",
            f"une décision de « {role} » (« preau negotiation decide --as {role} »)",
            f"a decision of “{role}” (“preau negotiation decide --as {role}”)",
            who=role,
            since=n.updated,
        )
    return _by_state(n, _DECISIONS, _ANSWERS)


def _outcome(n: Negotiation, *, given_up: bool) -> Waiting:
    """What a negotiation that is over leaves to do: after an agreement, to fetch."""
    if n.state is not Negotiated.FINALIZED or given_up:
        return NOTHING
    return FETCHABLE if n.role is _C else AGREED


def for_transfer(
    t: Transfer,
    queue: Sequence[OutboxRow] = (),
    tried: Sequence[AttemptRow] = (),
    left_alone: datetime | None = None,
    *,
    fetching: bool = False,
    expires: datetime | None = None,
) -> Waiting:
    """What a transfer waits for; its agreement ends at `expires`."""
    sending = _sending(queue, tried, left_alone)
    if sending or t.state in {State.COMPLETED, State.TERMINATED}:
        return sending or NOTHING
    if fetching and t.state is State.STARTED:
        fr, en = "ce nœud, qui reçoit les données", "this node, which fetches"
        return Waiting("node", fr, en, since=t.updated)
    if t.state is State.SUSPENDED:
        return _suspended(t, expires)
    found = _running(t, expires) if t.state is State.STARTED else None
    return found or _by_state(t, _FETCHES, _DELIVERIES, expires)


def _by_state(
    process: Negotiation | Transfer, people: _People, peers: _Peers, until: datetime | None = None
) -> Waiting:
    place = (process.role, process.state)
    if place in people:
        role, fr, en = people[place]
        return Waiting("person", fr, en, who=role, until=until, since=process.updated)
    if place in peers:
        fr, en = (text.format(peer=process.peer) for text in peers[place])
        return _peer(process, fr, en, until)
    return replace(_NODE, since=process.updated)


def _peer(process: Negotiation | Transfer, fr: str, en: str, until: datetime | None) -> Waiting:
    return Waiting("peer", fr, en, process.peer, until, since=process.updated, do=_THEIRS)


def _running(t: Transfer, until: datetime | None) -> Waiting | None:
    """What a started transfer waits for, where its state and our role alone do not say it."""
    push = t.format == PUSH
    if t.role is _P:
        fr, en = "ce nœud, qui envoie les données", "this node, which sends the data"
        return Waiting("node", fr, en, until=until, since=t.updated) if push else None
    if t.code is not None:
        fr = f"{t.peer}, dont l'adresse des données ne peut pas servir (voir les raisons)"
        en = f"{t.peer}, whose data address is of no use (see the reasons)"
    elif push or (t.started_by is _C and t.data_address is None):
        fr, en = f"{t.peer}, qui doit les données", f"{t.peer}, which owes the data"
    else:
        return None
    return _peer(t, fr, en, until)


def _suspended(t: Transfer, until: datetime | None) -> Waiting:
    if t.suspended_by is t.role:
        return Waiting(
            "person",
            "une personne d'ici : « preau transfer resume » reprend le transfert",
            "somebody here: “preau transfer resume” lets the transfer go on",
            who=_OPERATOR,
            until=until,
            since=t.updated,
        )
    theirs = _peer(t, f"{t.peer}, qui a suspendu", f"{t.peer}, which suspended", until)
    return replace(theirs, do=_RESUMABLE)


def _sending(
    queue: Sequence[OutboxRow], tried: Sequence[AttemptRow], left_alone: datetime | None
) -> Waiting | None:
    """The oldest message that has not arrived: being sent, or when it is tried again and why."""
    row = next((one for one in queue if one.state == "pending"), None)
    if row is None:
        return None
    last = next((one for one in reversed(tried) if one.outbox == row.seq and one.n > 0), None)
    if left_alone:
        at = _instant(left_alone)
        fr = f"{row.peer}, laissé en paix jusqu'à {at} après plusieurs essais sans bonne réponse"
        en = f"{row.peer}, left alone until {at} after several attempts without a good answer"
    elif last:
        at = _instant(row.next_at)
        fr = f"l'essai suivant de {row.type}, à {at}"
        en = f"the next attempt at {row.type}, at {at}"
    else:
        fr, en = f"la remise de {row.type}", f"the delivery of {row.type}"
    kind: Kind = "circuit" if left_alone else "attempt" if last else "delivery"
    why, end = because(row, last), _given_up(row)
    return Waiting(
        kind,
        fr + why[0] + end[0],
        en + why[1] + end[1],
        who=row.peer,
        until=row.deadline,
        next_at=left_alone or row.next_at,
        since=row.created,
        do=_remedy(row, last) if last else None,
    )


def _instant(at: datetime) -> str:
    """An instant as people read it, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _given_up(row: OutboxRow) -> tuple[str, str]:
    if row.deadline is None:
        return "", ""
    at = _instant(row.deadline)
    return f" ; abandon à {at}", f"; given up at {at}"


def _remedy(row: OutboxRow, attempt: AttemptRow) -> tuple[str, str]:
    """What can be done where an attempt came to nothing, in both languages."""
    if attempt.problem is None:
        code = _BY_STATUS.get(attempt.status or 0, "delivery-answer-busy")
    elif attempt.problem.startswith(_ANSWERED):
        code = "delivery-unsettled"
    else:
        code = attempt.problem
    told = Problem(code, peer=row.peer, status=attempt.status)
    fr, en = (_UNKNOWN.sub("–", told.remedy(lang)) for lang in _LANGUAGES)
    return fr, en


def because(row: OutboxRow, attempt: AttemptRow | None) -> tuple[str, str]:
    """What the last attempt came to, to be put behind a sentence in either language."""
    if attempt is None:
        return "", ""
    fr, en = came_to(row, attempt)
    return f" ; essai {attempt.n} : {fr}", f"; attempt {attempt.n}: {en}"


def came_to(row: OutboxRow, attempt: AttemptRow) -> tuple[str, str]:
    """What came of an attempt, in both languages."""
    if attempt.problem is None:
        return f"réponse {attempt.status}", f"answer {attempt.status}"
    place = urlsplit(row.url)
    port = place.port or (443 if place.scheme == "https" else 80)
    given = {"host": place.hostname or "-", "port": port, "url": row.url, "peer": row.peer}
    told = Problem(attempt.problem, **given, attempts=attempt.n - 1, status="3xx")
    fr, en = (_told(told.text(lang)) for lang in _LANGUAGES)
    if attempt.problem.startswith(_ANSWERED):
        return (
            f"la réponse n'a pas pu être prise en compte : {fr}",
            f"the answer could not be acted on: {en}",
        )
    return fr, en


def _told(text: str) -> str:
    return _UNKNOWN.sub("–", _ASIDE.sub("", text)).rstrip(".")
