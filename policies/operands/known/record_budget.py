"""preau:recordBudget: how many rows may be released under one agreement.

The plan carries it as a budget over all releases of the agreement; each part is cut to what is
left of it, in the transaction that logs the part, and a part issued again counts once (X3).
"""

from typing import Final

from policies.model import INTEGER
from policies.operands.base import LT, LTEQ, Operand, Vector, ordered, ordered_implies
from policies.vocabulary import PREAU

OPERAND: Final = Operand(
    iri=PREAU + "recordBudget",
    datatype=INTEGER,
    operators=frozenset({LT, LTEQ}),
    phases=frozenset({"transfer", "batch"}),
    source="ledger",
    assurance="enforced",
    fr="le nombre de lignes communiquées",
    en="the number of rows released",
    compare=ordered,
    implies=ordered_implies,
    least=0,
    vectors=(
        Vector("lteq", "1000000", "1000000", answer=True),
        Vector("lteq", "1000000", "1000001", answer=False),
        Vector("lteq", "1000000", "many", answer=None),
    ),
)
