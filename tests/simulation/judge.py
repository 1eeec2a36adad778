"""What must hold of two nodes at rest, read from their databases; no node is asked."""

import json
import sqlite3
from collections import Counter
from typing import Any, Final

from tests.simulation.world import Side, World
from tests.support import specified

Json = dict[str, Any]

# Why nodes that are in order refuse each other's messages: the network brought one twice or too
# late for its token, the other side had done something meanwhile, or it may come again later.
_HEARD: Final = ("identity-token-", "protocol-illegal-act", "protocol-try-later")
_ENDS: Final = frozenset({"negotiation-rejected", "terminated-by-person", "protocol-illegal-act"})

_OF: Final = "outbox IN (SELECT seq FROM outbox WHERE process = '{}')"


def judge(world: World) -> None:
    """Everything that was promised."""
    provider, consumer = world.provider.raw, world.consumer.raw
    for raw in (provider, consumer):
        _log(raw)
        _histories(raw)
        _agreements_logged(raw)
    _states(provider, consumer)
    _agreements(provider, consumer)
    _nothing_twice(provider, consumer)
    for side in world.sides:
        _named(side, world)
        _ended_for_a_reason(side.raw)
    strange = [code for code in world.network.refusals if not code.startswith(_HEARD)]
    assert not strange, strange
    assert not world.network.faults, world.network.faults


def _named(side: Side, world: World) -> None:
    """Each agreement has the one name that follows from its negotiation."""
    parties = (world.provider.did, world.consumer.did)
    sql = (
        "SELECT agreement.id, pid, peer_pid, negotiation.role FROM agreement "
        "JOIN negotiation ON negotiation = pid"
    )
    for name, pid, peer_pid, role in side.raw.execute(sql):
        pids = (pid, peer_pid) if role == "provider" else (peer_pid, pid)
        assert name == specified.agreement_id(*parties, *pids)


def _ended_for_a_reason(raw: sqlite3.Connection) -> None:
    """What ends between two nodes that are in order was ended by people, or crossed such an end."""
    for table in specified.MACHINES:
        sql = f"SELECT json_extract(body, '$.code') FROM {table} WHERE state = 'TERMINATED'"
        for (code,) in raw.execute(sql):
            assert code in _ENDS, (table, code)


def _log(raw: sqlite3.Connection) -> None:
    """Leaves have no gap, and neither have their numbers."""
    assert [i for (i,) in raw.execute("SELECT idx FROM leaf ORDER BY idx")] == list(
        range(_count(raw, "leaf"))
    )
    numbers: dict[tuple[str, str], list[int]] = {}
    sql = "SELECT agreement, type, n FROM leaf WHERE n IS NOT NULL ORDER BY idx"
    for agreement, kind, n in raw.execute(sql):
        numbers.setdefault((agreement, kind), []).append(n)
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())


def _histories(raw: sqlite3.Connection) -> None:
    """Each process went a path of its table and stands where the path ends."""
    for table, machine in specified.MACHINES.items():
        for pid, state, role in raw.execute(f"SELECT pid, state, role FROM {table}"):
            if _count(raw, "attempt", f"problem = 'transfer-crossed' AND {_OF.format(pid)}"):
                continue  # it asked its provider where it stands; `_states` compares
            walked = specified.walked(machine, role, _said(raw, pid))
            # A message that was refused for good, or taken back before an answer came, ends a
            # process without a word of its own.
            refused = state == "TERMINATED" and _count(
                raw, "outbox", f"process = '{pid}' AND state IN ('failed', 'dropped')"
            )
            assert walked == state or refused, (table, pid, state, walked)


def _said(raw: sqlite3.Connection, pid: str) -> list[tuple[str, Json]]:
    sql = (
        "SELECT direction, content.body FROM message JOIN content ON n = message.body "
        "WHERE process = ? ORDER BY seq"
    )
    return [(direction, json.loads(body)) for direction, body in raw.execute(sql, [pid])]


def _states(provider: sqlite3.Connection, consumer: sqlite3.Connection) -> None:
    """Both sides of a process stand in the same state."""
    for table in specified.MACHINES:
        sql = f"SELECT pid, peer_pid, state FROM {table}"
        theirs = {pid: (peer, state) for pid, peer, state in provider.execute(sql)}
        by_peer = {peer: (pid, state) for pid, (peer, state) in theirs.items()}
        assert len(by_peer) == len(theirs), f"a peer's pid twice in {table}"
        for pid, peer, state in consumer.execute(sql):
            if pid not in by_peer:
                assert (peer, state) == (None, "TERMINATED"), (table, pid, state)
                continue
            other, reached = by_peer.pop(pid)
            assert peer in {None, other}, (table, pid)
            assert state == reached or _crossed(table, state, reached), (table, pid, state, reached)
        assert not by_peer, (table, by_peer)


def _crossed(table: str, one: str, other: str) -> bool:
    """Ends of a transfer that met on the way (docs/dsp-divergences.md, T6)."""
    return table == "transfer" and {one, other} == {"COMPLETED", "TERMINATED"}


def _agreements(provider: sqlite3.Connection, consumer: sqlite3.Connection) -> None:
    """One agreement for each negotiation, the same bytes and both signatures on both sides."""
    sql = (
        "SELECT id, agreement.digest, plan_digest, content.body, provider_proof, consumer_proof "
        "FROM agreement JOIN content ON n = document WHERE state = 'active' ORDER BY id"
    )
    one, other = ([*raw.execute(sql)] for raw in (provider, consumer))
    assert [row[:3] for row in one] == [row[:3] for row in other]
    assert [_read(row) for row in one] == [_read(row) for row in other]
    assert all(value for row in one for value in row)
    for raw, found in ((provider, one), (consumer, other)):
        finals = _count(raw, "negotiation", "state = 'FINALIZED'")
        assert len(found) == finals
        repeated = Counter(n for (n,) in raw.execute("SELECT negotiation FROM agreement"))
        assert all(times == 1 for times in repeated.values())


def _read(row: tuple[Any, ...]) -> list[Any]:
    return [json.loads(text) for text in row[3:]]


def _agreements_logged(raw: sqlite3.Connection) -> None:
    """One leaf for each party's assent to what is final: nothing was logged twice."""
    sql = "SELECT agreement, count(*) FROM leaf WHERE type = ? GROUP BY agreement"
    assents = dict(raw.execute(sql, ["agreement"]))
    plans = dict(raw.execute(sql, ["plan"]))
    assert all(times <= 2 for times in assents.values())
    assert all(times == 1 for times in plans.values())
    for (agreement,) in raw.execute("SELECT id FROM agreement WHERE state = 'active'"):
        assert (assents[agreement], plans[agreement]) == (2, 1)


def _nothing_twice(provider: sqlite3.Connection, consumer: sqlite3.Connection) -> None:
    """A message had its effect once; what was received is what was sent."""
    sql = "SELECT direction, type, digest FROM message"
    told = [Counter(raw.execute(sql)) for raw in (provider, consumer)]
    for mine, theirs in (told, reversed(told)):
        for (direction, kind, digest), times in mine.items():
            assert times == 1, (kind, times)
            if direction == "in":
                assert theirs["out", kind, digest] == 1, kind
    for raw in (provider, consumer):
        assert not _count(raw, "outbox", "state = 'pending'")


def _count(raw: sqlite3.Connection, table: str, where: str = "1") -> int:
    (number,) = raw.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()
    return int(number)
