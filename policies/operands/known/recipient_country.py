"""preau:recipientCountry: countries of the recipient and of its processors.

Those that the signed application declares; none declared is undetermined. With credentials the
recipient's own country will be attested.
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
    iri=PREAU + "recipientCountry",
    datatype=None,
    operators=frozenset({EQ, NEQ, IS_ANY_OF, IS_PART_OF, IS_NONE_OF}),
    phases=frozenset({"negotiation", "transfer", "batch", "monitor"}),
    source="application",
    assurance="declared",
    fr="le pays de traitement",
    en="the country of processing",
    compare=_PLACES.compare,
    implies=_PLACES.implies,
    vectors=(
        Vector("isPartOf", "loc:EEA", ("loc:FR", "loc:BE"), answer=True),
        Vector("isPartOf", "loc:EEA", ("loc:FR", "loc:US"), answer=False),
        Vector("isNoneOf", "loc:US", "loc:FR", answer=True),
        Vector("eq", "loc:FR", (), answer=None),
    ),
)
