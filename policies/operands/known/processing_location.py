"""preau:processingLocation: where the data are processed, by the application's word.

The countries of the declared processors; none declared is undetermined. No node sees where another
one computes: declared, never more.
"""

from typing import Final

from policies.operands.base import Operand
from policies.operands.places import place
from policies.vocabulary import PREAU

OPERAND: Final[Operand] = place(
    PREAU + "processingLocation",
    fr="le lieu où les données sont traitées",
    en="the place where the data are processed",
)
