"""preau:processingLocation: where the data are processed, by the application's word.

The countries of the declared processors; none declared is undetermined. No node sees where another
one computes: declared, never more.
"""

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
from policies.operands.places import PLACES
from policies.vocabulary import PREAU

_PLACES: Final = Terms(PLACES, closed=True)

OPERAND: Final = Operand(
    iri=PREAU + "processingLocation",
    datatype=None,
    operators=frozenset({EQ, NEQ, IS_ANY_OF, IS_PART_OF, IS_NONE_OF}),
    phases=frozenset({"negotiation", "transfer", "batch", "monitor"}),
    source="application",
    assurance="declared",
    fr="le lieu où les données sont traitées",
    en="the place where the data are processed",
    compare=_PLACES.compare,
    implies=_PLACES.implies,
    vectors=(
        Vector("isPartOf", "loc:EEA", ("loc:FR", "loc:BE"), answer=True),
        Vector("isPartOf", "loc:EEA", ("loc:FR", "loc:US"), answer=False),
        Vector("isNoneOf", "loc:US", "loc:FR", answer=True),
        Vector("eq", "loc:FR", (), answer=None),
    ),
)
