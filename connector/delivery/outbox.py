"""The worker that delivers what the store has committed.

A service commits a message in the same transaction as the state it tells of; this worker is woken
by the commit, leases what is due, posts it with a fresh token, and lets the service `settle` what
came of it before the row is marked. A crash anywhere in between sends the message once more: the
peer's inbox knows it, and `settle` must be safe to run twice.

Order: the store leases at most one message of a process at a time, the oldest, so messages of one
negotiation never overtake each other, while many negotiations go side by side.

What the worker waits for are events: a commit, an answer, or the next due instant. A slow poll is
the safety net. Leasing costs a commit; a service that has its messages leased as it queues them,
and then calls `hand`, saves it (this is how the hot path stays within its fsyncs):

    def unit(tx):
        leases = leasing(tx, now)
        ...
        outbox.put(tx, row)
        return reply, leases
    reply, leases = await store.write(unit)
    worker.hand(leases.rows, leases.followed)

A message that was answered is marked with the next transaction, whoever makes it. Only when the
next message of its process waits already (`followed`, told to `hand`) is it marked at once, in the
commit that leases that one.
"""

import asyncio
import contextlib
import logging
from collections import Counter, OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from connector.base.clock import Clock
from connector.delivery import attempts, retry
from connector.delivery.circuit import Circuit
from connector.identity.ports import Fetch, Response
from connector.store import attempts as attempt_rows
from connector.store import outbox
from connector.store.rows import AttemptRow, OutboxRow
from connector.store.store import Store
from connector.store.tx import Tx, Unit
from policies.problem import Problem

LEASE_SECONDS: Final = 120.0
DEADLINE: Final = timedelta(hours=72)
KEPT_ANSWER: Final = 65_536
_AT_ONCE: Final = 8
_REMEMBERED: Final = 1_024
_AFTER_TRIAL: Final = timedelta(seconds=5)
# What looked due was somebody else's by the time it was to be leased: not in a tight loop.
_AGAIN: Final = 0.001
# What no later attempt can change: the address itself is not one we speak to.
_FINAL: Final = frozenset({"delivery-url-invalid", "delivery-scheme", "delivery-port"})

log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """Messages in flight at once, in all and to one peer (as many as the client keeps connections
    to it), seconds between unprompted looks and for one attempt, bytes.
    """

    concurrency: int = 128
    per_peer: int = 16
    poll: float = 30.0
    timeout: float = 30.0
    answer_bytes: int = 1_048_576


_DEFAULTS: Final = Limits()
_ANYWHERE: Final = outbox.Places()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a message ended: `response` if the peer answered, `problem` if it was given up."""

    response: Response | None
    problem: Problem | None = None

    @property
    def delivered(self) -> bool:
        """Whether the peer accepted the message."""
        return self.problem is None


Authorize = Callable[[OutboxRow], Mapping[str, str]]
"""The headers that show a message's addressee who we are, fresh at every call."""

Settle = Callable[[OutboxRow, Outcome], Awaitable[bool | Unit[None]]]
"""Records what came of a message; runs before its mark, and perhaps twice. Whether the message has
arrived: a refusal may be one of a repeat. Of one that has, it may answer what else is to be
recorded in the commit of its mark.
"""

Answered = Callable[[Tx, OutboxRow], bool]
"""Whether the peer's later words show that a message has arrived whose answer was lost."""


def leasing(tx: Tx, now: datetime) -> outbox.Leases:
    """Lease what a service's own unit will queue; `Worker.hand` it over once committed."""
    return outbox.leasing(tx, now=now, lease_seconds=LEASE_SECONDS, limit=_AT_ONCE)


def lease(
    tx: Tx, now: datetime, limit: int = _AT_ONCE, places: outbox.Places = _ANYWHERE
) -> list[OutboxRow]:
    """Lease messages that are due, of any process."""
    return outbox.claim(tx, now=now, lease_seconds=LEASE_SECONDS, limit=limit, places=places)


class Worker:
    """Delivers; one for each node.

    Args:
        store: where the messages are.
        fetch: the HTTP client.
        clock: tells what is due; real waiting only ever follows from it.
        authorize: makes the headers that show who we are.
        settle: the services' part.
        answered: asked after each attempt that is to be repeated.
        random: unpredictable bytes, for the chance in retries.
        limits: how much at once, how long, how large.

    `outcomes` counts attempts by status or code since the start; `landed` are the newest messages
    that arrived, whether or not a transaction has taken their mark along yet.
    """

    def __init__(
        self,
        store: Store,
        fetch: Fetch,
        clock: Clock,
        *,
        authorize: Authorize,
        settle: Settle,
        random: retry.Random,
        answered: Answered = lambda _tx, _row: False,
        limits: Limits = _DEFAULTS,
    ) -> None:
        self._store = store
        self._fetch = fetch
        self._clock = clock
        self._authorize = authorize
        self._settle = settle
        self._arrived = answered
        self._random = random
        self._limits = limits
        self._wake = asyncio.Event()
        self._queue: deque[OutboxRow] = deque()
        self._held: dict[int, str] = {}
        self._followed: set[str] = set()
        self._overtaken = False
        self._full = False
        self._flights: set[asyncio.Task[None]] = set()
        self._flying: Counter[str] = Counter()
        self._circuits: dict[str, Circuit] = {}
        self._answers: dict[int, Counter[int]] = {}
        self._marked = False
        self.outcomes: Counter[str] = Counter()
        self.landed: OrderedDict[int, AttemptRow] = OrderedDict()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self._beat = clock.now()

    # ------------------------------------------------------------------ life

    async def start(self) -> None:
        """Free the leases of a former life, listen for commits, and work until `stop`."""
        loop = asyncio.get_running_loop()
        await self._store.write(outbox.free)

        def wake() -> None:
            loop.call_soon_threadsafe(self._wake.set)

        self._unsubscribe = self._store.on_commit(wake, topic="outbox")
        self._beat = self._clock.now()
        self._task = asyncio.create_task(self._run(), name="preau-outbox")
        self._task.add_done_callback(_ended)

    async def stop(self, grace: float = 5.0) -> None:
        """Take no more; let what is in flight finish for `grace` seconds, then cut it off.

        What was cut off is delivered after the next start.
        """
        self._stopping = True
        self._queue.clear()
        if self._unsubscribe is not None:
            self._unsubscribe()
        if self._flights:
            await asyncio.wait(self._flights, timeout=grace)
        tasks = [*self._flights, *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def alive(self) -> bool:
        """Whether the worker still looks at its outbox (readiness)."""
        silent = (self._clock.now() - self._beat).total_seconds()
        return self._task is not None and not self._task.done() and silent <= 3 * self._limits.poll

    @property
    def delivering(self) -> frozenset[int]:
        """The numbers of the messages in flight, or about to be."""
        return frozenset(self._held)

    def left_alone(self, peer: str) -> datetime | None:
        """Until when a peer that does not answer is left alone (its circuit is open)."""
        circuit = self._circuits.get(peer, Circuit())
        return circuit.until if circuit.state(self._clock.now()) == "open" else None

    @property
    def circuits_open(self) -> int:
        """How many peers are left alone now."""
        return sum(self.left_alone(peer) is not None for peer in self._circuits)

    def hand(self, rows: Iterable[OutboxRow], followed: Iterable[str] = ()) -> None:
        """Deliver messages that a committed unit has leased (see `leasing`); `followed` are the
        processes in which another one waits behind.
        """
        for row in rows:
            if row.seq not in self._held and not self._stopping:
                self._held[row.seq] = row.process
                self._queue.append(row)
        self._launch()
        flying = set(self._held.values())
        for process in followed:
            if process in flying:
                self._followed.add(process)
            else:  # the one before it was answered meanwhile, and its mark lies about
                self._overtaken = True
                self._wake.set()

    async def quiet(self, process: str, patience: float) -> None:
        """Wait until no message of a process is in flight, at most `patience` seconds."""
        flying = [task for task in self._flights if task.get_name() == process]
        if flying:
            await asyncio.wait(flying, timeout=patience)

    async def hasten(self, process: str, peer: str) -> None:
        """Try at once what waits of a process: its peer has just spoken, so it is there."""
        self._circuits.pop(peer, None)
        now = self._clock.now()
        await self._store.write(lambda tx: outbox.hasten(tx, process=process, now=now))

    async def run_until_idle(self) -> None:
        """Deliver all that is due now, then return; for tests, in place of `start`."""
        while True:
            self._wake.clear()
            flying = set(self._flights)
            if not await self._look() or self._wake.is_set() or flying - self._flights:
                continue  # what landed while we looked may have freed what waits behind it
            if self._flights:
                await asyncio.wait(self._flights, return_when=asyncio.FIRST_COMPLETED)
            elif self._marked:
                # Marks travel with the next transaction: make one, as followers wait for them.
                self._marked = False
                await self._store.write(lambda _tx: None)
            else:
                return

    # ------------------------------------------------------------------ looking

    async def _run(self) -> None:
        unprompted = False
        while not self._stopping:
            self._beat = self._clock.now()
            self._wake.clear()
            pause = self._limits.poll
            try:
                if unprompted:  # a node that only reads would not learn that its session is lost
                    await self._store.write(lambda _tx: None)
                    unprompted = False
                pause = min(pause, await self._look())
            except Problem as problem:
                if problem.code == "store-closed":
                    return
                log.warning("the outbox cannot be read: %s", problem.code)
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                unprompted = pause >= self._limits.poll

    async def _look(self) -> float:
        """Lease what is due and fits, and start delivering it; seconds until there may be more,
        unless a commit or an answer wakes us before (0: look again at once).
        """
        free = self._limits.concurrency - len(self._flights)
        places = self._places()
        # Then an end of a delivery must wake us.
        self._full = free <= 0 or bool(places.full)
        if free <= 0:
            return self._limits.poll
        now = self._clock.now()
        # Read before leasing: a lease is a commit, a look is none. But no look sees a mark that
        # waits for a transaction.
        hidden, self._overtaken = self._overtaken, False
        due = now if hidden else await self._store.read(lambda tx: outbox.next_due(tx, places))
        if due is None:
            return self._limits.poll
        if due > now:
            return (due - now).total_seconds()
        rows = await self._store.write(lambda tx: lease(tx, now, free, places))
        self.hand(rows)
        return 0 if rows or hidden else _AGAIN

    def _places(self) -> outbox.Places:
        return outbox.Places(self._limits.per_peer, dict(self._flying))

    def _launch(self) -> None:
        """Start what is handed over, oldest first, as far as there are places."""
        kept: deque[OutboxRow] = deque()
        while self._queue and len(self._flights) < self._limits.concurrency:
            row = self._queue.popleft()
            if self._flying[row.peer] >= self._limits.per_peer:
                kept.append(row)
                continue
            self._flying[row.peer] += 1
            task = asyncio.create_task(self._carry(row), name=row.process)
            self._flights.add(task)
            task.add_done_callback(partial(self._landed, row.peer))
        self._queue.extendleft(reversed(kept))

    def _landed(self, peer: str, task: asyncio.Task[None]) -> None:
        self._flights.discard(task)
        self._flying[peer] -= 1
        if not self._flying[peer]:
            del self._flying[peer]
        self._launch()
        if self._full:
            self._wake.set()

    # ------------------------------------------------------------------ delivering

    async def _carry(self, row: OutboxRow) -> None:
        """Deliver one message; whatever goes wrong on our side, it is tried again later."""
        try:
            await self._deliver(row)
        except Exception as error:  # noqa: BLE001  (settle is the services'; the rest must go on)
            code = error.code if isinstance(error, Problem) else type(error).__name__
            log.warning("%s to %s is not settled: %s", row.type, row.peer, code)
            told = error.code if isinstance(error, Problem) else "delivery-unsettled"
            with contextlib.suppress(Problem):  # its lease will end
                await self._again(row, retry.delay(row.attempts, self._random), told)
        finally:
            self._held.pop(row.seq, None)

    async def _deliver(self, row: OutboxRow) -> None:
        now = self._clock.now()
        if now >= _deadline(row):
            problem = Problem("delivery-expired", peer=row.peer, attempts=row.attempts - 1)
            return await self._give_up(row, Outcome(None, problem))
        circuit = self._circuits.get(row.peer, Circuit())
        if not circuit.admits(now):
            return await self._postpone(row, max((circuit.until or now) - now, _AFTER_TRIAL))
        self._circuits[row.peer] = circuit.started(now)
        try:
            response = await self._post(row)
        except Problem as problem:
            return await self._unanswered(row, problem)
        except Exception:  # a fault of ours tells nothing of the peer: another may try
            self._circuits[row.peer] = circuit
            raise
        self._circuits.pop(row.peer, None)
        return await self._answered(row, response)

    async def _post(self, row: OutboxRow) -> Response:
        limits = self._limits
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        headers |= self._authorize(row)
        response = await self._fetch.post(
            row.url, row.body, headers=headers, limit=limits.answer_bytes, timeout=limits.timeout
        )
        return attempts.unechoed(response, headers)

    async def _unanswered(self, row: OutboxRow, problem: Problem) -> None:
        now = self._clock.now()
        log.info("%s to %s was not delivered: %s", row.type, row.peer, problem.code)
        if problem.code in _FINAL:
            self._circuits.pop(row.peer, None)
            return await self._give_up(row, Outcome(None, problem))
        circuit = self._circuits.get(row.peer, Circuit()).failed(now)
        self._circuits[row.peer] = circuit
        # The circuit sets the pace of the whole peer: so all its messages go soon after it is back.
        wait = circuit.until - now if circuit.until else None
        wait = wait or retry.delay(circuit.failures, self._random)
        return await self._again(row, wait, problem.code)

    async def _answered(self, row: OutboxRow, response: Response) -> None:
        seen = self._answers.setdefault(row.seq, Counter())
        seen[response.status] += 1
        verdict = retry.judge(response.status, seen[response.status])
        if verdict == "again":
            log.info("%s to %s: answer %d", row.type, row.peer, response.status)
            wait = retry.delay(row.attempts, self._random)
            wait = max(wait, retry.asked(response.headers, self._clock.now()))
            return await self._again(row, wait, response)
        if verdict == "refused":
            problem = Problem("delivery-refused", peer=row.peer, status=response.status)
            return await self._give_up(row, Outcome(response, problem))
        settled = await self._settle(row, Outcome(response))
        status, answer = response.status, response.body[:KEPT_ANSWER]
        attempt = self._attempt(row, response, None)

        def mark(tx: Tx) -> None:
            if not isinstance(settled, bool):
                settled(tx)
            if outbox.sent(tx, seq=row.seq, status=status, answer=answer):
                attempt_rows.put(tx, attempt)

        places = self._places()

        def go_on(tx: Tx) -> list[OutboxRow]:
            mark(tx)
            return lease(tx, self._clock.now(), places=places)

        if row.process in self._followed:
            self._followed.discard(row.process)
            self.hand(await self._store.write(go_on))
        elif not isinstance(settled, bool):
            await self._store.write(mark)
            self._followed.discard(row.process)  # the mark woke us, if it had to
        else:
            self._store.defer(mark)
            self._marked = True
            self._remember(attempt)
        self._answers.pop(row.seq, None)
        return None

    async def _give_up(self, row: OutboxRow, outcome: Outcome) -> None:
        arrived = await self._settle(row, outcome)
        self._answers.pop(row.seq, None)
        self._followed.discard(row.process)
        response = outcome.response
        code = outcome.problem.code if outcome.problem else ""
        attempt = self._attempt(row, response or code, None)
        status = response.status if response else None
        answer = response.body[:KEPT_ANSWER] if response else None

        def end(tx: Tx) -> None:
            if arrived:
                ended = outbox.sent(tx, seq=row.seq, status=status, answer=answer)
            else:
                ended = outbox.fail(tx, seq=row.seq, status=status, answer=answer)
            if ended:
                attempt_rows.put(tx, attempt)

        await self._store.write(end)

    async def _again(self, row: OutboxRow, wait: timedelta, came: Response | str) -> None:
        """Try again later; `came` is the answer, or the code of why there was none."""
        now, deadline = self._clock.now(), _deadline(row)
        # Past the deadline only settling is tried again, and not in a loop without a pause.
        next_at = min(now + wait, deadline) if now < deadline else now + wait
        attempt = self._attempt(row, came, next_at)
        answer = came.body[:KEPT_ANSWER] if isinstance(came, Response) else None
        status = attempt.status

        def later(tx: Tx) -> None:
            if self._arrived(tx, row):
                if outbox.sent(tx, seq=row.seq, status=status, answer=answer):
                    attempt_rows.put(tx, replace(attempt, next_at=None))
            elif outbox.retry(tx, seq=row.seq, next_at=next_at, status=status, answer=answer):
                attempt_rows.put(tx, attempt)

        await self._store.write(later)

    def _remember(self, attempt: AttemptRow) -> None:
        """What arrived, for views: its mark may lie about until the next transaction."""
        self.landed[attempt.outbox] = attempt
        if len(self.landed) > _REMEMBERED:
            self.landed.popitem(last=False)

    async def _postpone(self, row: OutboxRow, wait: timedelta) -> None:
        next_at = min(self._clock.now() + wait, _deadline(row))
        await self._store.write(lambda tx: outbox.postpone(tx, seq=row.seq, next_at=next_at))

    def _attempt(
        self, row: OutboxRow, came: Response | str, next_at: datetime | None
    ) -> AttemptRow:
        now = self._clock.now()
        self.outcomes[str(came.status) if isinstance(came, Response) else came] += 1
        if isinstance(came, Response):
            return attempts.answered(row, now, came, next_at)
        return attempts.unanswered(row, now, came, next_at)


def _deadline(row: OutboxRow) -> datetime:
    return row.deadline or row.created + DEADLINE


def _ended(task: asyncio.Task[None]) -> None:
    """The worker has ended by itself: a defect, for which readiness turns red (`Worker.alive`)."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("the outbox worker has ended: %s", type(error).__name__)
