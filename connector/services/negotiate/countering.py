"""What a provider proposes to a request that it cannot grant: the nearest terms that it could.

The proposal is made from the published offer and the request alone, so all of it may be shared
(P7). It stands in the explanation of a refusal; where people decide on a dataset's requests, the
request waits for them instead, and returning the proposal is one act.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from connector.protocol.messages import Terms
from connector.protocol.negotiation import Negotiation
from connector.store import decisions
from connector.store.rows import DecisionRow
from connector.store.store import Tx
from policies.compare import (
    Answered,
    ChangedOffer,
    Nearest,
    change,
    counter,
    differences,
)
from policies.model import Policy
from policies.problem import Language, Problem

COUNTER: Final = "counter"
"""The member of a stored decision that holds the proposal; the word that returns it."""
_PERMIT: Final = "permit"


@dataclass(frozen=True, slots=True)
class Proposal:
    """The nearest acceptable terms, and the changed offer that says them if one does."""

    nearest: tuple[Nearest, ...]
    changed: ChangedOffer | None

    def document(self) -> dict[str, Any]:
        """What both parties may read of it."""
        changed = None if self.changed is None else self.changed.document()
        return {"changed": changed, "nearest": [each.document() for each in self.nearest]}

    def sentences(self, lang: Language) -> list[str]:
        """The proposal in words."""
        return [each.sentence(lang) for each in self.nearest]


NONE: Final = Proposal((), None)


def to_terms(offer: Policy, requested: Policy) -> Proposal:
    """What could be agreed instead of terms that go beyond an offer."""
    found = counter(offer, requested)
    if found is None:
        return NONE
    return Proposal(found.proposals, found.changed if found.complete else None)


def to_request(offer: Policy, requested: Policy, answered: Answered) -> Proposal:
    """What could be asked instead of what the policy denies."""
    changed = answered.changed
    if changed is not None and not _within(offer, requested, changed):
        changed = None
    return Proposal(answered.proposals, changed)


def pending(tx: Tx, n: Negotiation) -> DecisionRow | None:
    """The policy's own word on the request on the table, where it was no permit."""
    made = [row for row in decisions.of(tx, process=n.pid) if row.kind == "automatic"]
    return made[-1] if made and made[-1].outcome != _PERMIT else None


def proposed(tx: Tx, n: Negotiation) -> tuple[ChangedOffer, Sequence[str]]:
    """The changed offer proposed for the request on the table, and its sentences in English.

    Raises:
        Problem: `decision-no-counter`.
    """
    row = pending(tx, n)
    found = (row.shared if row else {}).get(COUNTER) or {}
    if not found.get("changed"):
        raise Problem("decision-no-counter")
    return ChangedOffer.read(found["changed"]), [each["en"] for each in found["nearest"]]


def check_return(offer: Policy, n: Negotiation, changed: ChangedOffer) -> None:
    """Refuse a return that would itself go beyond the published offer.

    Raises:
        Problem: `decision-beyond`.
    """
    if not _within(offer, Terms.read(n.offer, kind="Offer").policy, changed):
        raise Problem("decision-beyond")


def _within(offer: Policy, requested: Policy, changed: ChangedOffer) -> bool:
    try:
        return not differences(offer, change(requested, changed))
    except Problem:
        return False
