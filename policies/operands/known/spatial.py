"""odrl:spatial: where the data are used, by the application's word.

The same countries as `preau:processingLocation`, under the name that ODRL gives them.
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
from policies.vocabulary import ODRL

_PLACES: Final = Terms(PLACES, closed=True)

OPERAND: Final = Operand(
    iri=ODRL + "spatial",
    datatype=None,
    operators=frozenset({EQ, NEQ, IS_ANY_OF, IS_PART_OF, IS_NONE_OF}),
    phases=frozenset({"negotiation", "transfer", "batch", "monitor"}),
    source="application",
    assurance="declared",
    fr="le lieu d'utilisation",
    en="the place of use",
    compare=_PLACES.compare,
    implies=_PLACES.implies,
    vectors=(
        Vector("isPartOf", "loc:EEA", ("loc:FR", "loc:BE"), answer=True),
        Vector("isPartOf", "loc:EEA", ("loc:FR", "loc:US"), answer=False),
        Vector("isNoneOf", "loc:US", "loc:FR", answer=True),
        Vector("eq", "loc:FR", (), answer=None),
    ),
)
