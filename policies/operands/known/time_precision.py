"""preau:timePrecision: how finely dates and times leave (P10, X5).

It configures the plan and is satisfied iff the plan satisfies it. Coarser satisfies finer: the day
where the hour is asked.
"""

from typing import Final

from policies.operands.base import Operand, Share, Vector
from policies.operands.stricter import stricter
from policies.vocabulary import PREAU, PRECISIONS

OPERAND: Final[Operand] = stricter(
    PREAU + "timePrecision",
    PRECISIONS,
    lambda terms: Share(times=terms),
    fr="la précision des dates et heures",
    en="the precision of dates and times",
    vectors=(
        Vector("isA", "preau:Hour", "preau:Day", answer=True),
        Vector("isA", "preau:Hour", "preau:Minute", answer=False),
        Vector("isA", "preau:Hour", "https://example.org/second", answer=None),
    ),
)
