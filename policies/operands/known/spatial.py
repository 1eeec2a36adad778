"""odrl:spatial: where the data are used, by the application's word.

The same countries as `preau:processingLocation`, under the name that ODRL gives them.
"""

from typing import Final

from policies.operands.base import Operand
from policies.operands.places import place
from policies.vocabulary import ODRL

OPERAND: Final[Operand] = place(ODRL + "spatial", fr="le lieu d'utilisation", en="the place of use")
