"""preau:longitudinal: the same pseudonyms from one agreement to the next (X5)."""

from typing import Final

from policies.model import BOOLEAN, Constraint
from policies.operands.base import EQ, Operand, Share, Vector, exact, exactly_implies, single
from policies.values import parse
from policies.vocabulary import PREAU


def _share(constraint: Constraint) -> Share | None:
    value = single(constraint)
    wanted = parse(value) if value is not None else None
    if constraint.operator != EQ or not isinstance(wanted, bool):
        return None
    return Share(longitudinal=wanted)


OPERAND: Final = Operand(
    iri=PREAU + "longitudinal",
    datatype=BOOLEAN,
    operators=frozenset({EQ}),
    phases=frozenset({"transfer", "batch"}),
    source="plan",
    assurance="enforced",
    fr="le suivi des mêmes pseudonymes d'un accord à l'autre",
    en="the same pseudonyms from one agreement to the next",
    compare=exact,
    implies=exactly_implies,
    share=_share,
    vectors=(
        Vector("eq", "true", "true", answer=True),
        Vector("eq", "false", "true", answer=False),
        Vector("eq", "true", "perhaps", answer=None),
    ),
)
