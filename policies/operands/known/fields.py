"""preau:fields: names of the codebook; only agreed fields leave."""

from typing import Final

from policies.model import STRING, Constraint
from policies.operands.base import (
    IS_ANY_OF,
    IS_NONE_OF,
    IS_PART_OF,
    Operand,
    Share,
    Vector,
    names,
    names_imply,
)
from policies.vocabulary import PREAU


def _share(constraint: Constraint) -> Share | None:
    found = frozenset(value.text for value in constraint.right if not value.is_iri)
    if len(found) != len(set(constraint.right)):
        return None
    if constraint.operator in {IS_PART_OF, IS_ANY_OF}:
        return Share(fields=found)
    return Share(without=found) if constraint.operator == IS_NONE_OF else None


OPERAND: Final = Operand(
    iri=PREAU + "fields",
    datatype=STRING,
    operators=frozenset({IS_PART_OF, IS_ANY_OF, IS_NONE_OF}),
    phases=frozenset({"transfer", "batch"}),
    source="plan",
    assurance="enforced",
    fr="l'ensemble des champs communiqués",
    en="the set of fields that leave",
    compare=names,
    implies=names_imply,
    share=_share,
    vectors=(
        Vector("isPartOf", ("verb", "score"), "verb", answer=True),
        Vector("isPartOf", "verb", ("verb", "score"), answer=False),
        Vector("isNoneOf", "name", "verb", answer=True),
        Vector("eq", "verb", "verb", answer=None),
    ),
)
