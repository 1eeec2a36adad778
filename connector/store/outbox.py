"""Messages to deliver, in order within each process, each leased to one sender at a time.

Of every process only the oldest pending row can be claimed: a message never overtakes another, and
one that must wait (backing off, or leased) holds back those behind it. A lease outlives the worker
that took it; `free` ends all of them when a node starts.

Who delivers what it queues leases it as it is written (`Leases`): finding it again costs three
statements a message.

The topic "outbox" is announced by what may let somebody claim a row sooner than `next_due` said.
"""

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Text,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    null,
    or_,
    select,
    update,
)

from connector.store.codec import instant, stamp
from connector.store.contents import Apart
from connector.store.queries import added, adding_numbered, by, chosen, given, numbered, value
from connector.store.rows import OutboxRow
from connector.store.statement import Statement
from connector.store.tables import IS_PENDING, OUTBOX
from connector.store.tx import Tx
from policies.problem import Problem

_ROWS: Final = Apart(OutboxRow, OUTBOX, ["body"])
_ADD: Final = adding_numbered(OUTBOX)
_WAITS: Final = exists().where(given(OUTBOX.c.process), IS_PENDING)
_UNLESS_IT_WAITS: Final = {
    "attempts": case((_WAITS, literal_column("0")), else_=literal_column("1")),
    "lease_until": case((_WAITS, null()), else_=bindparam("lease_until")),
}
_ADD_LEASED: Final = adding_numbered(OUTBOX, OUTBOX.c.lease_until, **_UNLESS_IT_WAITS)
_GET: Final = by(_ROWS, OUTBOX.c.seq)
_OF: Final = Statement(chosen(_ROWS, given(OUTBOX.c.process)).order_by(OUTBOX.c.seq))

# The oldest pending row of each process: the only ones that can move.
_FIRSTS: Final = select(func.min(OUTBOX.c.seq)).where(IS_PENDING).group_by(OUTBOX.c.process)
_FREE_AT: Final = case(
    (OUTBOX.c.lease_until > OUTBOX.c.next_at, OUTBOX.c.lease_until), else_=OUTBOX.c.next_at
)
# `full` is that of `Places`.
_NAMED: Final = literal_column("'|'").concat(OUTBOX.c.peer).concat(literal_column("'|'"))
_HAS_ROOM: Final = func.replace(
    bindparam("full", type_=Text), _NAMED, literal_column("''")
) == bindparam("full", type_=Text)
_CLAIMABLE: Final = Statement(
    chosen(
        _ROWS,
        OUTBOX.c.seq.in_(_FIRSTS),
        _HAS_ROOM,
        OUTBOX.c.next_at <= bindparam("now"),
        or_(OUTBOX.c.lease_until.is_(None), OUTBOX.c.lease_until <= bindparam("now")),
    )
    .order_by(OUTBOX.c.seq)
    .limit(bindparam("at_most"))
)
_NEXT_DUE: Final = Statement(select(func.min(_FREE_AT)).where(OUTBOX.c.seq.in_(_FIRSTS), _HAS_ROOM))
_COUNT: Final = Statement(select(func.count()).select_from(OUTBOX).where(IS_PENDING))
_LEASE: Final = Statement(
    update(OUTBOX)
    .where(OUTBOX.c.seq == bindparam("which"))
    .values(lease_until=bindparam("until"), attempts=OUTBOX.c.attempts + literal_column("1"))
)
# Spelled out: in what a change returns, Core leaves the tables' names away for SQLite.
_FOLLOWED: Final[ColumnElement[bool]] = literal_column(
    "EXISTS (SELECT 1 FROM outbox AS later WHERE later.process = outbox.process"
    " AND later.seq > outbox.seq AND later.state = 'pending')"
)
_END: Final = Statement(
    update(OUTBOX)
    .where(OUTBOX.c.seq == bindparam("which"), IS_PENDING)
    .values(
        state=bindparam("new_state"),
        lease_until=null(),
        answer_status=bindparam("status"),
        answer=bindparam("reply"),
    )
    .returning(_FOLLOWED)
)
_RETRY: Final = Statement(
    update(OUTBOX)
    .where(OUTBOX.c.seq == bindparam("which"), IS_PENDING)
    .values(
        next_at=bindparam("due"),
        lease_until=null(),
        answer_status=bindparam("status"),
        answer=bindparam("reply"),
    )
)
_POSTPONE: Final = Statement(
    update(OUTBOX)
    .where(OUTBOX.c.seq == bindparam("which"), IS_PENDING)
    .values(
        next_at=bindparam("due"),
        lease_until=null(),
        attempts=OUTBOX.c.attempts - literal_column("1"),
    )
)
_DROP_PROCESS: Final = Statement(
    update(OUTBOX)
    .where(given(OUTBOX.c.process), IS_PENDING)
    .values(state=literal_column("'dropped'"), lease_until=null())
)
_HASTEN: Final = Statement(
    update(OUTBOX)
    .where(given(OUTBOX.c.process), IS_PENDING, OUTBOX.c.next_at > bindparam("due"))
    .values(next_at=bindparam("due"))
)
_FREE: Final = Statement(
    update(OUTBOX).where(IS_PENDING, OUTBOX.c.lease_until.is_not(None)).values(lease_until=null())
)


@dataclass(slots=True)
class Leases:
    """What a unit queues for its own caller to deliver: `rows` are leased, those that are due when
    they are created.

    Of the processes in `followed` (our pids) another message waits before the new one.
    """

    until: datetime
    limit: int
    rows: list[OutboxRow] = field(default_factory=list)
    followed: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Places:
    """How many messages of one peer may be under way, and how many are: one that answers slowly
    must not hold every sender. What waits for a peer without a free place is left alone.
    """

    each: int = sys.maxsize
    taken: Mapping[str, int] = field(default_factory=dict)

    @property
    def full(self) -> str:
        """The peers without a free place, each between two bars."""
        names = [peer for peer, count in self.taken.items() if count >= self.each]
        return f"|{'|'.join(names)}|" if names else ""


_ANY: Final = Places()


def leasing(tx: Tx, *, now: datetime, lease_seconds: float, limit: int) -> Leases:
    """Lease what this unit will queue, up to `limit` rows; the caller must deliver them."""
    leases = Leases(now + timedelta(seconds=lease_seconds), limit)
    tx.own[Leases] = leases
    return leases


def put(tx: Tx, row: OutboxRow) -> int:
    """Queue a message; its number (the row's own `seq` is ignored). Announces "outbox" unless it
    is leased.

    Raises:
        Problem: `store-conflict`: the row is not pending.
    """
    if row.state != "pending":
        raise Problem("store-conflict", what="outbox")
    leases: Leases | None = tx.own.get(Leases)
    if leases is None or row.next_at > row.created or len(leases.rows) >= leases.limit:
        tx.announce("outbox")
        return numbered(tx, _ADD, _ROWS.values(tx, row))
    return _put_leased(tx, row, leases)


def _put_leased(tx: Tx, row: OutboxRow, leases: Leases) -> int:
    """Queue a message as leased, unless another one of its process waits before it."""
    values = _ROWS.values(tx, row)
    del values["attempts"]
    values["lease_until"] = stamp(leases.until)
    number, leased = added(tx, _ADD_LEASED, values)
    seq = int(number)
    if leased is None:
        tx.announce("outbox")
        leases.followed.add(row.process)
    else:
        leases.rows.append(replace(row, seq=seq, attempts=1, lease_until=leases.until))
    return seq


def claim(
    tx: Tx, *, now: datetime, lease_seconds: float, limit: int, places: Places = _ANY
) -> list[OutboxRow]:
    """Lease what is due: at most one row per process, its oldest; lowest number first.

    Each claim counts as an attempt. The rows are returned as they now stand.
    """
    due = tx.run(_CLAIMABLE, now=stamp(now), at_most=limit, full=places.full)
    until = stamp(now + timedelta(seconds=lease_seconds))
    taken = Counter(places.taken)
    rows: list[OutboxRow] = []
    for values in due:
        row = _ROWS.read(tx, values)
        if taken[row.peer] < places.each:
            taken[row.peer] += 1
            tx.change(_LEASE, which=row.seq, until=until)
            rows.append(replace(row, attempts=row.attempts + 1, lease_until=instant(until)))
    return rows


def next_due(tx: Tx, places: Places = _ANY) -> datetime | None:
    """When the next row can be claimed (perhaps already); None when nothing is pending."""
    text: str | None = value(tx.one(_NEXT_DUE, full=places.full))
    return None if text is None else instant(text)


def sent(tx: Tx, *, seq: int, status: int | None, answer: bytes | None = None) -> bool:
    """Delivered; False when the row was ended before. Safe to defer: losing it sends twice."""
    return _end(tx, seq, "sent", status, answer)


def fail(tx: Tx, *, seq: int, status: int | None = None, answer: bytes | None = None) -> bool:
    """Refused by the peer, or past its deadline: never tried again; False when ended before."""
    return _end(tx, seq, "failed", status, answer)


def drop(tx: Tx, *, seq: int) -> bool:
    """No longer wanted; False when ended before."""
    return _end(tx, seq, "dropped", None, None)


def drop_process(tx: Tx, *, process: str) -> int:
    """Drop whatever a process still has to send (it was terminated); how many rows."""
    return tx.change(_DROP_PROCESS, process=process)


def drop_untried(tx: Tx, *, process: str) -> int:
    """Drop whatever a process has to send, unless any of it was tried already and may thus have
    arrived; how many rows.
    """
    tried = any(row.attempts for row in of(tx, process=process))
    return 0 if tried else drop_process(tx, process=process)


def retry(
    tx: Tx, *, seq: int, next_at: datetime, status: int | None = None, answer: bytes | None = None
) -> bool:
    """Give the lease back and try again at `next_at`; False when the row was ended before."""
    tx.announce("outbox")
    return tx.change(_RETRY, which=seq, due=stamp(next_at), status=status, reply=answer) == 1


def postpone(tx: Tx, *, seq: int, next_at: datetime) -> bool:
    """Give the lease back unused, so that it counts as no attempt; what was answered last stays."""
    tx.announce("outbox")
    return tx.change(_POSTPONE, which=seq, due=stamp(next_at)) == 1


def hasten(tx: Tx, *, process: str, now: datetime) -> int:
    """Try what waits of a process at once (its peer has just spoken); how many rows."""
    tx.announce("outbox")
    return tx.change(_HASTEN, process=process, due=stamp(now))


def free(tx: Tx) -> int:
    """End every lease; how many. Only at start-up, when no sender of this node can be alive."""
    return tx.change(_FREE)


def get(tx: Tx, *, seq: int) -> OutboxRow | None:
    """A message by its number."""
    return _ROWS.maybe(tx, tx.one(_GET, seq=seq))


def of(tx: Tx, *, process: str) -> list[OutboxRow]:
    """The messages of a process (our pid), in order, whatever their state."""
    return [_ROWS.read(tx, row) for row in tx.run(_OF, process=process)]


def pending(tx: Tx) -> int:
    """How many messages wait to be delivered."""
    count: int = value(tx.one(_COUNT))
    return count


def _end(tx: Tx, seq: int, state: str, status: int | None, answer: bytes | None) -> bool:
    row = tx.one(_END, which=seq, new_state=state, status=status, reply=answer)
    if row is not None and row[0]:
        tx.announce("outbox")  # the next message of the process may go now
    return row is not None
