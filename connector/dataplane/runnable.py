"""What this version of the node can run of what the compiler can express (X4).

Room: dataplane. The lane of rows runs, and rows can answer for their record time; consent has an
index of its own. Whatever else a policy needs is refused when it is published or agreed, with the
reason: never found out when data should move.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from connector.dataplane.rows import EPOCH, MICROSECOND, NO_TIME
from policies import values
from policies.operands.base import GT, GTEQ, LT, LTEQ
from policies.plan import RECORD_TIME, Lane, Needs, residue
from policies.plan.residue import Predicate, Test, Truth
from policies.problem import Problem
from policies.vocabulary import compact

LANES: Final[frozenset[Lane]] = frozenset({"rows"})
COLUMNS: Final = frozenset({RECORD_TIME})

_ORDERS: Final[dict[str, Callable[[int, int], bool]]] = {
    LT: int.__lt__,
    LTEQ: int.__le__,
    GT: int.__gt__,
    GTEQ: int.__ge__,
}


def check(wanted: Needs) -> None:
    """Refuse what no release of this node could hold.

    Raises:
        Problem: `dataplane-lane`, `dataplane-column`.
    """
    lanes = sorted(wanted.lanes - LANES)
    if lanes:
        raise Problem("dataplane-lane", lane=", ".join(lanes), known=", ".join(sorted(LANES)))
    columns = sorted(map(compact, wanted.columns - COLUMNS))
    if columns:
        known = ", ".join(map(compact, sorted(COLUMNS)))
        raise Problem("dataplane-column", column=", ".join(columns), known=known)


def asked(
    where: Predicate | None, times: Sequence[int], flags: Sequence[int]
) -> Callable[[int], Truth] | None:
    """What a plan's predicate says of a row by its number; None where a plan has none.

    Times are microseconds since 1970. A test of anything but record time cannot be told.
    """
    if where is None:
        return None

    def read(test: Test) -> Callable[[int], Truth]:
        order, edge = _ORDERS.get(test.operator), _edge(test)
        if order is None or edge is None:
            return lambda _: None
        return lambda row: None if flags[row] & NO_TIME else order(times[row], edge)

    return residue.compiled(where, read)


def _edge(test: Test) -> int | None:
    if test.column != RECORD_TIME or len(test.values) != 1:
        return None
    moment = values.parse(test.values[0])
    return (moment - EPOCH) // MICROSECOND if isinstance(moment, datetime) else None
