"""preau:recipientCountry: countries of the recipient and of its processors.

Those that the signed application declares; none declared is undetermined. With credentials the
recipient's own country will be attested.
"""

from typing import Final

from policies.operands.base import Operand
from policies.operands.places import place
from policies.vocabulary import PREAU

OPERAND: Final[Operand] = place(
    PREAU + "recipientCountry", fr="le pays de traitement", en="the country of processing"
)
