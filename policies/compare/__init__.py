"""Does one policy cover another, what differs, and what would be acceptable instead.

`differences` says what an inner policy permits beyond an outer one, `counter` the nearest policy
that the outer one does cover, `answer` the same for one request. `narrow`, `resubmit` and `change`
make a policy narrower. `same` is equality that survives order, spelling and empty arrays.
"""

from policies.compare.changed import ChangedOffer
from policies.compare.countering import Counter, counter
from policies.compare.covering import Difference, application_covers, differences
from policies.compare.narrowing import change, narrow, resubmit
from policies.compare.nearest import Nearest, nearest
from policies.compare.requests import Answered, answer, asked
from policies.naming import same

__all__ = [
    "Answered",
    "ChangedOffer",
    "Counter",
    "Difference",
    "Nearest",
    "answer",
    "application_covers",
    "asked",
    "change",
    "counter",
    "differences",
    "narrow",
    "nearest",
    "resubmit",
    "same",
]
