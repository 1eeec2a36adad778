"""preau:recordBudget: how many rows may be released under one agreement.

A count that the store would decrement in the transaction that logs each part. Budgets count
releases so far (`odrl:count`): the linter refuses offers that rely on this one.
"""

from typing import Final

from policies.model import INTEGER, Constraint
from policies.operands.base import EQ, LT, LTEQ, Operand, Share, Vector, ordered, ordered_implies
from policies.vocabulary import PREAU


def _share(_: Constraint) -> Share | None:
    return None  # no budget of the plan counts rows yet


OPERAND: Final = Operand(
    iri=PREAU + "recordBudget",
    datatype=INTEGER,
    operators=frozenset({EQ, LT, LTEQ}),
    phases=frozenset({"transfer", "batch"}),
    source="ledger",
    assurance="enforced",
    fr="le nombre de lignes communiquées",
    en="the number of rows released",
    compare=ordered,
    implies=ordered_implies,
    share=_share,
    sourced=False,
    least=0,
    vectors=(
        Vector("lteq", "1000000", "1000000", answer=True),
        Vector("lteq", "1000000", "1000001", answer=False),
        Vector("lteq", "1000000", "many", answer=None),
    ),
)
