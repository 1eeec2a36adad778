"""Releasing agreed data, part by part (constitution 2; X2-X5).

Before every part: the transfer runs, the agreement holds, the clock allows, and the consent of
every person in every row is asked anew. A part's leaf and counters are committed before a byte of
it leaves; the commit asks everything again and refuses what changed while the part was encoded.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Final, NoReturn

from connector.dataplane import parts as forms
from connector.dataplane.parts import PartInfo
from connector.dataplane.release import (
    ENCODERS,
    Encoded,
    Limits,
    encode_part,
    projection_of,
)
from connector.evidence import bodies
from connector.evidence.leaf import Entry
from connector.services.committing import commit
from connector.services.consent.bitmaps import groups_of
from connector.services.node import Node
from connector.services.operate import quarantine
from connector.services.processes import save_transfer, transfer
from connector.services.release import halting
from connector.services.release.part_rules import PartRules, part_rules
from connector.services.release.releases import (
    Release,
    agreement_of,
    basis_moved,
    check_running,
    consent_now,
    judge_again,
    opened,
    session_of,
)
from connector.store import consents
from connector.store import parts as rows
from connector.store.rows import PartRow
from connector.store.store import Tx
from connector.subjects.registry import Bitmap
from policies.problem import Problem

ENDED: Final = frozenset({"release-ended", "release-budget"})
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Part:
    """One committed issue of one part: what may leave now, in the distribution `form`."""

    info: PartInfo
    last: bool
    body: bytes
    form: str


async def part(
    node: Node, pid: str, token: str, number: int, *, acknowledged: str | None = None
) -> Part:
    """Part `number`, encoded under today's rules and committed before it is returned (X3).

    Raises:
        Problem: `release-unknown` (no such transfer for this token), `release-suspended`,
            `release-ended`, `release-basis`, `release-quarantine`, `release-part-order`,
            `release-part-last`, `release-budget`, `release-acknowledgement`,
            `evidence-clock-back`.
    """
    release = await opened(node, pid, token)
    await acknowledge(node, release, acknowledged)
    before, known = await node.store.read(lambda tx: _place(tx, release, number))
    revision = node.bitmaps.revision(node.folder, release.revision)
    for _ in range(_TRIES):
        rules = await node.store.read(lambda tx: part_rules(node, tx, release, number))
        if rules.records == 0:
            await _spent(node, pid)
        projection = projection_of(rules.plan, revision.meta, release.form)
        limits = _limits(node, number, rules.records)
        _, bits = await consent_now(node, release)
        encoded = await asyncio.to_thread(
            encode_part,
            revision,
            projection,
            release.keys(node),
            bits.bits,
            before,
            known.stop if known else None,
            limits,
        )
        # Before the transaction: everybody's commits wait for this one.
        keyed = await asyncio.to_thread(forms.part_digest, release.salt, encoded.body)
        made = await node.store.write(
            lambda tx, e=encoded, k=keyed, b=bits, r=rules: _commit(  # type: ignore[misc]
                node, tx, release, number, e, k, b, r
            )
        )
        if made is not None:
            return made
    raise Problem("release-busy")


async def stream(node: Node, pid: str, token: str) -> tuple[Part, AsyncIterator[bytes]]:
    """All parts as one plain stream: the first, ready when this returns, and the bodies after it.

    Raises:
        Problem: as `part`. Later ones end the iterator by raising: the connection breaks.
    """
    first = await part(node, pid, token, 1)

    async def rest() -> AsyncIterator[bytes]:
        found = first
        while not found.last:
            found = await part(node, pid, token, found.info.n + 1)
            yield found.body

    return first, rest()


def _commit(
    node: Node,
    tx: Tx,
    release: Release,
    number: int,
    encoded: Encoded,
    keyed: str,
    bits: Bitmap,
    rules: PartRules,
) -> Part | None:
    """Ask everything again and log the part; None when consent, or what the rules depend on, moved
    and it must be encoded again.
    """
    now = node.clock.now()
    t = transfer(tx, release.transfer.pid)
    agreement = agreement_of(tx, t)
    check_running(t)
    _check_open(tx, release)
    quarantine.check(tx, release.plan)
    groups = groups_of(tx, t.peer)
    if not judge_again(node, tx, t, agreement, groups).permitted:
        raise Problem("release-ended")
    if not bits.good_at(now, consents.epoch(tx)):
        return None
    if not rules.allow(encoded.rows, part_rules(node, tx, release, number)):
        return None
    return _issue(node, tx, release, number, encoded, keyed, bits.epoch)


def _issue(
    node: Node,
    tx: Tx,
    release: Release,
    number: int,
    encoded: Encoded,
    keyed: str,
    epoch: int,
) -> Part:
    """The part as a new issue with its leaf; as the old one when the bytes are the same (X3)."""
    t, now = release.transfer, node.clock.now()
    last = encoded.stop >= release.revision.rows
    before = rows.latest(tx, transfer=t.pid, n=number)
    encoder = ENCODERS[release.form]
    if before is not None and before.digest == keyed and before.encoder == encoder:
        return Part(info_of(before), last, encoded.body, release.form)
    issue = before.issue + 1 if before else 1
    shared = bodies.part(
        t.pid, number, issue=issue, rows=encoded.rows, size=len(encoded.body), digest=keyed
    )
    private = {
        "v": 1,
        "start": encoded.start,
        "stop": encoded.stop,
        "withheld": dict(encoded.withheld),
        "epoch": epoch,
        "encoder": encoder,
    }
    leaf = node.log.append(tx, Entry("part", release.agreement.id, shared, private), now)
    row = PartRow(
        transfer=t.pid,
        n=number,
        issue=issue,
        rows=encoded.rows,
        bytes=len(encoded.body),
        digest=keyed,
        at=now,
        start=encoded.start,
        stop=encoded.stop,
        encoder=encoder,
        leaf=leaf,
        epoch=epoch,
        withheld=sum(encoded.withheld.values()),
    )
    rows.add(tx, row)
    _count(tx, release, encoded)
    return Part(info_of(row), last, encoded.body, release.form)


def info_of(row: PartRow) -> PartInfo:
    """What both parties know of an issue."""
    return PartInfo(row.n, row.issue, row.rows, row.bytes, row.digest, int(row.leaf or 0))


def _count(tx: Tx, release: Release, encoded: Encoded) -> None:
    """Remember whose rows left, one bit a person: the manifest tells a rounded number."""
    session = session_of(tx, release.transfer.pid)
    held = bytearray(bytes.fromhex(session.body["persons"]))
    held.extend(bytes(max(0, release.revision.persons // 8 + 1 - len(held))))
    for number in encoded.persons:
        held[number >> 3] |= 1 << (number & 7)
    rows.put_session(tx, replace(session, body={**session.body, "persons": held.hex()}))


def _check_open(tx: Tx, release: Release) -> None:
    """Refuse what could not be released any more if it were asked for now.

    Raises:
        Problem: `release-basis`; `release-ended`: the manifest, which names every part, is signed.
    """
    moved = basis_moved(tx, release.agreement.dataset, release.plan)
    if moved is not None:
        raise moved
    if rows.manifest(tx, transfer=release.transfer.pid) is not None:
        raise Problem("release-ended")


def _place(tx: Tx, release: Release, number: int) -> tuple[int, PartRow | None]:
    """Where a part begins, and its earlier issue if there is one.

    Raises:
        Problem: `release-part-order`: the part before was never issued; `release-part-last`: that
            one was the last. (Who lost the word of it asks for that one again.)
    """
    pid = release.transfer.pid
    last = rows.last_number(tx, transfer=pid)
    if not 0 < number <= last + 1:
        raise Problem("release-part-order", number=number, next=last + 1)
    known = rows.latest(tx, transfer=pid, n=number)
    first = rows.get(tx, transfer=pid, n=number, issue=1) if known else None
    if first is not None:
        return int(first.start or 0), first
    before = rows.get(tx, transfer=pid, n=last, issue=1) if last else None
    start = int(before.stop or 0) if before else 0
    if before is not None and start >= release.revision.rows:
        raise Problem("release-part-last", last=last)
    return start, None


def _limits(node: Node, number: int, records: int | None) -> Limits:
    settings = node.settings.release
    rows_at_most = settings.max_part_rows
    if number == 1:
        rows_at_most = min(rows_at_most, settings.first_part_rows)
    if records is not None:
        rows_at_most = min(rows_at_most, records)
    return Limits(rows_at_most, settings.max_part_bytes)


async def _spent(node: Node, pid: str) -> NoReturn:
    """End a transfer whose agreement's budget of records is used up, and say so."""
    problem = Problem("release-budget")

    def unit(tx: Tx) -> None:
        t = transfer(tx, pid)
        if not t.over:
            save_transfer(tx, halting.end(node, tx, t, problem))

    await commit(node, unit)
    raise problem


async def acknowledge(node: Node, release: Release, header: str | None) -> None:
    """Note what the consumer says it has: `part;issue;digest`.

    Raises:
        Problem: `release-acknowledgement`: not of that form, or no such issue.
    """
    if header is None:
        return
    number, issue, said = forms.read_acknowledgement(header)
    pid, now = release.transfer.pid, node.clock.now()
    known = await node.store.write(
        lambda tx: rows.acknowledge(tx, transfer=pid, n=number, issue=issue, digest=said, at=now)
    )
    if not known:
        raise Problem("release-acknowledgement")
