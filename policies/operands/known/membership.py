"""preau:membership: groups of peers to which the operator says that the recipient belongs.

Declared in the operator's own peer list until credentials attest it; a trace for the other party
says only whether *they* were shown to be members.
"""

from typing import Final

from policies.operands.base import (
    EQ,
    IS_A,
    IS_ANY_OF,
    IS_NONE_OF,
    IS_PART_OF,
    Operand,
    Terms,
    Vector,
)
from policies.vocabulary import PREAU

_GROUPS: Final = Terms({}, closed=True, some=True)

OPERAND: Final = Operand(
    iri=PREAU + "membership",
    datatype=None,
    operators=frozenset({EQ, IS_A, IS_ANY_OF, IS_PART_OF, IS_NONE_OF}),
    phases=frozenset({"negotiation", "transfer", "batch", "monitor"}),
    source="peer-list",
    assurance="declared",
    fr="l'appartenance à un groupe",
    en="the membership of a group",
    compare=_GROUPS.compare,
    implies=_GROUPS.implies,
    note=("déclarée par l'opérateur du nœud", "declared by operator"),
    vectors=(
        Vector("isPartOf", "group:labs", ("group:labs", "group:schools"), answer=True),
        Vector("isPartOf", "group:labs", (), answer=False),
        Vector("isNoneOf", "group:schools", ("group:labs", "group:schools"), answer=False),
        Vector("eq", ("group:a", "group:b"), "group:a", answer=None),
    ),
)
