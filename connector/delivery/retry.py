"""What an answer to a message means, and when to try again. Pure.

Only two things end a message: an answer that says it arrived, or one that says it never will.
Everything else is tried again, later and later, until the deadline: no answer at all, an answer
that is not HTTP, an overloaded or broken peer. Three refusals are believed only when repeated: 404
and 409, because a peer may answer before it has committed what the message is about (an EDC says
409 then), and 401, because its view of our keys or its clock may be a moment behind.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, Literal

FIRST: Final = timedelta(milliseconds=250)
LONGEST: Final = timedelta(minutes=10)
LONGEST_ASKED: Final = timedelta(hours=1)
_BELIEVED_AFTER: Final = {401: 4, 404: 6, 409: 6}
_BUSY: Final = frozenset({408, 425, 429})
_LAST_DOUBLING: Final = 12

Verdict = Literal["arrived", "again", "refused"]
Random = Callable[[int], bytes]


def judge(status: int, times: int) -> Verdict:
    """What a status means when it came for the `times`-th time to one message."""
    if 200 <= status < 300:
        return "arrived"
    if status >= 500 or status in _BUSY or times < _BELIEVED_AFTER.get(status, 0):
        return "again"
    return "refused"


def delay(attempts: int, random: Random) -> timedelta:
    """The wait after so many attempts: doubling, at most ten minutes, of which half is chance.

    The chance keeps many messages that failed together from coming back together.
    """
    doublings = min(max(attempts, 1) - 1, _LAST_DOUBLING)
    whole = min(FIRST * (1 << doublings), LONGEST)
    return whole / 2 * (1 + int.from_bytes(random(4)) / 2**32)


def asked(headers: Mapping[str, str], now: datetime) -> timedelta:
    """What a peer's Retry-After asks for (RFC 9110, 10.2.3), at most an hour; else nothing."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST_ASKED)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return timedelta(0)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(timedelta(0), min(moment - now, LONGEST_ASKED))
