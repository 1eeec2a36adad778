"""preau:assignee: who asks, the DID of the authenticated peer."""

from typing import Final

from policies.operands.base import (
    EQ,
    IS_ANY_OF,
    IS_NONE_OF,
    IS_PART_OF,
    NEQ,
    Operand,
    Terms,
    Vector,
)
from policies.vocabulary import PREAU

_NAMES: Final = Terms({}, closed=True)

OPERAND: Final = Operand(
    iri=PREAU + "assignee",
    datatype=None,
    operators=frozenset({EQ, NEQ, IS_ANY_OF, IS_PART_OF, IS_NONE_OF}),
    phases=frozenset({"negotiation", "transfer", "batch", "monitor"}),
    source="authentication",
    assurance="attested",
    fr="le destinataire",
    en="the recipient",
    compare=_NAMES.compare,
    implies=_NAMES.implies,
    vectors=(
        Vector("eq", "did:web:lab.example", "did:web:lab.example", answer=True),
        Vector("isAnyOf", ("did:web:a.example", "did:web:b.example"), "did:web:c", answer=False),
        Vector("isNoneOf", "did:web:a.example", "did:web:b.example", answer=True),
        Vector("eq", "did:web:lab.example", (), answer=None),
    ),
)
