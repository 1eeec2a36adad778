"""Releasing agreed data, part by part (constitution 2; X2-X5).

Before every part: the transfer runs, the agreement holds, the clock allows, and the consent of
every person in every row is asked anew. A part's leaf and counters are committed before a byte of
it leaves; the commit asks everything again and refuses what changed while the part was encoded.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any, Final

from catalog import documents, proofs
from connector.base.clock import format_time
from connector.dataplane import parts as forms
from connector.dataplane.parts import Manifest, PartInfo
from connector.dataplane.projection import Projection
from connector.dataplane.release import (
    ENCODER,
    Encoded,
    Limits,
    ReleaseKeys,
    count_persons,
    encode_part,
    release_keys,
)
from connector.dataplane.revision import Revision
from connector.evidence import bodies
from connector.evidence.leaf import Entry
from connector.protocol import messages
from connector.protocol import transfer as machine
from connector.protocol.json import strict_json
from connector.protocol.messages import Terms
from connector.protocol.transfer import Act, Role, State, Transfer
from connector.services import access, agreements, deciding, halting, ledger
from connector.services.bitmaps import groups_of
from connector.services.committing import commit
from connector.services.node import Node
from connector.services.planning import facts_of
from connector.services.processes import save_transfer, transfer
from connector.store import agreements as agreement_rows
from connector.store import catalogs, consents
from connector.store import parts as rows
from connector.store import transfers as transfer_rows
from connector.store.rows import AgreementRow, ManifestRow, PartRow, RevisionRow, SessionRow
from connector.store.store import Tx
from connector.subjects.registry import Bitmap, Roster
from policies import application as applications
from policies.jcs import digest
from policies.evaluate import Decision, Fact, Phase, Request, claims, decide
from policies.model import INTEGER
from policies.plan import Field, Plan, facts
from policies.problem import Problem
from policies.values import literal
from policies.vocabulary import ODRL

ENDED: Final = frozenset({"release-ended"})
_SALT: Final = 32
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Part:
    """One committed issue of one part: what may leave now."""

    info: PartInfo
    last: bool
    body: bytes


@dataclass(frozen=True, slots=True)
class _Release:
    """Everything one transfer's parts are made of."""

    transfer: Transfer
    agreement: AgreementRow
    plan: Plan
    session: SessionRow
    revision: RevisionRow

    @property
    def salt(self) -> bytes:
        return bytes.fromhex(self.session.body["salt"])

    def keys(self, node: Node) -> ReleaseKeys:
        consent = self.plan.rows.consent
        purpose = consent.scope.purpose if consent else ""
        longitudinal = self.plan.treatments is not None and self.plan.treatments.longitudinal
        return release_keys(
            node.keys.pseudonym_secret,
            self.transfer.peer,
            purpose,
            self.agreement.id,
            longitudinal=longitudinal,
        )


# ------------------------------------------------------------------ starting


def open_session(
    node: Node, tx: Tx, t: Transfer, agreement: AgreementRow, groups: frozenset[str]
) -> Transfer:
    """Judge a transfer request by the agreement's policy and prepare to serve it, or end it."""
    try:
        decision = judge(node, tx, t, agreement, "transfer", groups)
        revision = _revision_of(tx, agreement)
    except Problem as problem:
        return halting.end(node, tx, t, problem)
    shared = {
        **decision.shared(),
        "reasons": {"fr": decision.reasons("fr"), "en": decision.reasons("en")},
    }
    ledger.decided(
        node, tx, t, outcome=decision.outcome, shared=shared, internal=decision.internal()
    )
    if not decision.permitted:
        reasons = [*decision.reasons("en"), *decision.reasons("fr")]
        return halting.stop(node, tx, t, Act.TERMINATE, "transfer-denied", reasons)
    body = {"revision": revision.id, "salt": node.ids.token(_SALT).hex(), "persons": ""}
    rows.put_session(tx, SessionRow(t.pid, None, body))
    return t


def prepare_soon(node: Node) -> None:
    """Start, in the background, every transfer that was granted and waits for its first look."""
    node.background.start("prepare", _prepare_all(node))


async def _prepare_all(node: Node) -> None:
    while waiting := await node.store.read(_waiting):
        for pid in waiting:
            await _prepare(node, pid)


def _waiting(tx: Tx) -> list[str]:
    return [
        row.pid
        for row in transfer_rows.listing(tx, state=State.REQUESTED.value)
        if row.role == Role.PROVIDER.value
    ]


async def _prepare(node: Node, pid: str) -> None:
    """Count the persons whose rows would leave; start if there are enough, end if not (X4)."""
    floor = node.settings.release.min_persons
    problem: Problem | None = None
    try:
        release = await node.store.read(lambda tx: _load(tx, pid))
        revision, bits = await _state(node, release)
        projection = Projection.compile(release.plan)
        found = await asyncio.to_thread(count_persons, revision, projection, bits.bits, floor)
        if release.plan.rows.consent is not None and found < floor:
            problem = Problem("release-too-few", floor=floor)
    except Problem as fault:
        problem = fault

    def unit(tx: Tx) -> None:
        t = transfer(tx, pid)
        if t.state is not State.REQUESTED:
            return
        if problem is not None:
            save_transfer(tx, halting.end(node, tx, t, problem))
        else:
            save_transfer(tx, start(node, tx, t))

    await commit(node, unit)


def start(node: Node, tx: Tx, t: Transfer) -> Transfer:
    """Hand out a fresh data address: the first start, or a resumption."""
    session = _session(tx, t.pid)
    token = access.new_secret(node)
    rows.put_session(tx, replace(session, token_hash=access.token_hash(token)))
    address = messages.DataAddress.pull(
        f"{node.url}/data/{t.pid}", token, part_salt=session.body["salt"]
    )
    t = machine.step(
        t, Act.START, Role.PROVIDER, node.clock.now(), data_address={"endpoint": address.url}
    )
    message = messages.TransferStart(
        id=node.ids.uuid(),
        provider_pid=t.pid,
        consumer_pid=str(t.consumer_pid),
        address=address,
    )
    ledger.sent(node, tx, t, message)
    return t


def judge(
    node: Node,
    tx: Tx,
    t: Transfer,
    agreement: AgreementRow,
    phase: Phase,
    groups: frozenset[str],
) -> Decision:
    """The agreement's policy on this transfer, now."""
    policy = Terms.read(agreement.body["wire"], kind="Agreement").policy
    application = applications.read(agreement.application) if agreement.application else None
    plan = Plan.read(agreement.plan)
    made = len(transfer_rows.of_agreement(tx, agreement=agreement.id))
    known = {
        **deciding.facts_about(groups),
        **facts(plan),
        ODRL + "count": Fact((literal(str(made), INTEGER),), "ledger", "enforced"),
    }
    request = Request(
        ODRL + "use", agreement.dataset, t.peer, claims(application) if application else {}
    )
    return decide(policy, request, known, node.clock.now(), phase)


# ------------------------------------------------------------------ parts


async def part(
    node: Node, pid: str, token: str, number: int, *, acknowledged: str | None = None
) -> Part:
    """Part `number`, encoded under today's rules and committed before it is returned (X3).

    Raises:
        Problem: `release-unknown` (no such transfer for this token), `release-suspended`,
            `release-ended`, `release-part-order`, `release-acknowledgement`, `evidence-clock-back`.
    """
    release = await _open(node, pid, token)
    await _acknowledge(node, release, acknowledged)
    before, known = await node.store.read(lambda tx: _place(tx, pid, number))
    revision = node.bitmaps.revision(node.folder, release.revision)
    projection = Projection.compile(release.plan)
    limits = _limits(node, number)
    for _ in range(_TRIES):
        _, bits = await _state(node, release)
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
        made = await node.store.write(
            lambda tx, e=encoded, b=bits: _commit(node, tx, release, number, e, b)  # type: ignore[misc]
        )
        if made is not None:
            return made
    raise Problem("release-busy")


async def stream(node: Node, pid: str, token: str) -> tuple[bytes, AsyncIterator[bytes]]:
    """All parts as one plain stream; the first is ready when this returns.

    Raises:
        Problem: as `part`. Later ones end the iterator by raising: the connection breaks.
    """
    first = await part(node, pid, token, 1)

    async def rest() -> AsyncIterator[bytes]:
        found = first
        while not found.last:
            found = await part(node, pid, token, found.info.n + 1)
            yield found.body

    return first.body, rest()


async def manifest(
    node: Node, pid: str, token: str, *, acknowledged: str | None = None
) -> dict[str, Any]:
    """The signed manifest: complete once every part is acknowledged, cut when it ended before.

    Raises:
        Problem: `release-unknown`, `release-unfinished`.
    """
    release = await _open(node, pid, token, ended=True)
    await _acknowledge(node, release, acknowledged)

    def unit(tx: Tx) -> dict[str, Any]:
        kept = rows.manifest(tx, transfer=pid)
        if kept is not None:
            return dict(kept.body)
        t = transfer(tx, pid)
        issues = [row for row in rows.listing(tx, transfer=pid) if row.acknowledged]
        latest = {row.n: row for row in issues}
        whole = _complete(tx, release, latest)
        if not whole and not t.over:
            raise Problem("release-unfinished")
        document = _manifest(node, tx, release, latest, "" if whole else t.code or "ended")
        signed = {**document, "proof": agreements.sign(node, document)}
        now = node.clock.now()
        rows.put_manifest(tx, ManifestRow(pid, signed, now))
        entry = Entry("manifest", release.agreement.id, bodies.manifest(document))
        node.log.append(tx, entry, now)
        return signed

    return await commit(node, unit)


async def receipt(node: Node, pid: str, token: str, body: bytes) -> dict[str, Any]:
    """The consumer's signed receipt over the manifest's digest; logged on both sides.

    Raises:
        Problem: `release-unknown`, `release-receipt` (another manifest), `catalog-proof-…`.
    """
    release = await _open(node, pid, token, ended=True)
    found = strict_json(body, max_bytes=node.settings.limits.message_bytes)
    document = await node.resolver.document(release.transfer.peer)
    proofs.verify(found, document.assertion_key)

    def unit(tx: Tx) -> dict[str, Any]:
        kept = rows.manifest(tx, transfer=pid)
        named = kept and digest(bodies.unsigned(kept.body))
        if kept is None or (found.get("manifest"), found.get("agreement")) != (
            named,
            release.agreement.id,
        ):
            raise Problem("release-receipt")
        if kept.receipt is None:
            rows.put_receipt(tx, transfer=pid, receipt=found)
            entry = Entry("receipt", release.agreement.id, bodies.receipt(found))
            node.log.append(tx, entry, node.clock.now())
        return {"v": 1, "received": True}

    return await commit(node, unit)


def _commit(
    node: Node, tx: Tx, release: _Release, number: int, encoded: Encoded, bits: Bitmap
) -> Part | None:
    """Ask everything again and log the part; None when consent moved and it must be re-encoded."""
    now = node.clock.now()
    t = transfer(tx, release.transfer.pid)
    agreement = _agreement(tx, t)
    _check_running(t)
    groups = groups_of(tx, t.peer)
    if not judge(node, tx, t, agreement, "batch", groups).permitted:
        raise Problem("release-ended")
    if not bits.good_at(now, consents.epoch(tx)):
        return None
    last = encoded.stop >= release.revision.rows
    keyed = forms.part_digest(release.salt, encoded.body)
    before = rows.latest(tx, transfer=t.pid, n=number)
    if before is not None and before.digest == keyed and before.encoder == ENCODER:
        return Part(_info(before), last, encoded.body)
    issue = before.issue + 1 if before else 1
    shared = bodies.part(
        t.pid, number, issue=issue, rows=encoded.rows, size=len(encoded.body), digest=keyed
    )
    private = {
        "v": 1,
        "start": encoded.start,
        "stop": encoded.stop,
        "withheld": dict(encoded.withheld),
        "epoch": bits.epoch,
        "encoder": ENCODER,
    }
    leaf = node.log.append(tx, Entry("part", agreement.id, shared, private), now)
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
        encoder=ENCODER,
        leaf=leaf,
        epoch=bits.epoch,
        withheld=sum(encoded.withheld.values()),
    )
    rows.add(tx, row)
    _count(tx, release, encoded)
    return Part(_info(row), last, encoded.body)


def _info(row: PartRow) -> PartInfo:
    return PartInfo(row.n, row.issue, row.rows, row.bytes, row.digest, int(row.leaf or 0))


def _count(tx: Tx, release: _Release, encoded: Encoded) -> None:
    """Remember whose rows left, one bit a person: the manifest tells a rounded number."""
    session = _session(tx, release.transfer.pid)
    held = bytearray(bytes.fromhex(session.body["persons"]))
    held.extend(bytes(max(0, release.revision.persons // 8 + 1 - len(held))))
    for number in encoded.persons:
        held[number >> 3] |= 1 << (number & 7)
    rows.put_session(tx, replace(session, body={**session.body, "persons": held.hex()}))


def _manifest(
    node: Node, tx: Tx, release: _Release, latest: dict[int, PartRow], reason: str
) -> dict[str, Any]:
    held = bytes.fromhex(_session(tx, release.transfer.pid).body["persons"])
    expires = release.agreement.expires
    return Manifest(
        transfer=release.transfer.pid,
        agreement=release.agreement.id,
        plan=release.plan.digest,
        revision=release.revision.id,
        format="ndjson",
        consent=_consent_commitment(node, tx, release),
        parts=tuple(_info(latest[n]) for n in sorted(latest)),
        persons=sum(byte.bit_count() for byte in held),
        codebook=_codebook(release),
        expires=format_time(expires) if expires else "",
        reason=reason,
    ).document()


def _codebook(release: _Release) -> tuple[Field, ...]:
    """The fields that left, as the signed dataset document describes them."""
    agreed = {field.name for field in release.plan.fields}
    dataset = documents.read(release.agreement.dataset_document or {})
    return tuple(field for field in facts_of(dataset).codebook if field.name in agreed)


def _consent_commitment(node: Node, tx: Tx, release: _Release) -> str:
    """The registry's state as the release saw it last, bound without telling it (S3)."""
    epoch = consents.epoch(tx)
    tick = consents.tick(tx, epoch=epoch)
    root = tick.root.hex() if tick else ""
    salt = node.keys.derive(b"consent-commitment", release.transfer.pid.encode())
    return "sha-256:" + hashlib.sha256(salt + f"{epoch}:{root}".encode()).hexdigest()


def _complete(tx: Tx, release: _Release, latest: dict[int, PartRow]) -> bool:
    """Whether the acknowledged parts cover the whole revision."""
    issued = rows.last_number(tx, transfer=release.transfer.pid)
    if not issued or sorted(latest) != list(range(1, issued + 1)):
        return False
    return (latest[issued].stop or 0) >= release.revision.rows


# ------------------------------------------------------------------ looking up


async def _open(node: Node, pid: str, token: str, *, ended: bool = False) -> _Release:
    """The release a token opens.

    Raises:
        Problem: `release-unknown`, `release-suspended`, `release-ended` (unless `ended`).
    """

    def unit(tx: Tx) -> _Release:
        row = transfer_rows.get(tx, pid=pid)
        session = rows.session(tx, transfer=pid)
        if row is None or session is None or row.role != Role.PROVIDER.value:
            raise Problem("release-unknown")
        if not access.same_secret(token, session.token_hash):
            raise Problem("release-unknown")
        release = _load(tx, pid)
        if not (ended and release.transfer.over):
            _check_running(release.transfer)
        return release

    return await node.store.read(unit)


def _load(tx: Tx, pid: str) -> _Release:
    t = transfer(tx, pid)
    agreement = _agreement(tx, t)
    session = _session(tx, pid)
    revision = catalogs.revision(tx, id=session.body["revision"])
    if revision is None:
        raise Problem("release-ended")
    return _Release(t, agreement, Plan.read(agreement.plan), session, revision)


def _agreement(tx: Tx, t: Transfer) -> AgreementRow:
    agreement = agreement_rows.get(tx, id=t.agreement)
    if agreement is None or agreement.state != "active":
        raise Problem("release-ended")
    return agreement


def _session(tx: Tx, pid: str) -> SessionRow:
    session = rows.session(tx, transfer=pid)
    if session is None:
        raise Problem("release-unknown")
    return session


def _check_running(t: Transfer) -> None:
    if t.state is State.SUSPENDED:
        raise Problem("release-suspended")
    if t.state is not State.STARTED:
        raise Problem("release-ended")


def _revision_of(tx: Tx, agreement: AgreementRow) -> RevisionRow:
    """The newest revision of the agreed dataset, if it still is what was agreed (X8)."""
    dataset = catalogs.dataset_by_iri(tx, iri=agreement.dataset)
    if dataset is None or dataset.state != "published" or dataset.revision is None:
        raise Problem("release-withdrawn")
    revision = catalogs.revision(tx, id=dataset.revision)
    if revision is None:
        raise Problem("release-withdrawn")
    types = {field["name"]: field["type"] for field in revision.meta["codebook"]}
    for field in Plan.read(agreement.plan).fields:
        if types.get(field.name) != field.type:
            raise Problem("release-drift", field=field.name)
    return revision


def _place(tx: Tx, pid: str, number: int) -> tuple[int, PartRow | None]:
    """Where a part begins, and its earlier issue if there is one.

    Raises:
        Problem: `release-part-order`: the part before was never issued, or was the last.
    """
    known = rows.latest(tx, transfer=pid, n=number)
    first = rows.get(tx, transfer=pid, n=number, issue=1) if known else None
    if first is not None:
        return int(first.start or 0), first
    last = rows.last_number(tx, transfer=pid)
    if number != last + 1:
        raise Problem("release-part-order", number=number, next=last + 1)
    before = rows.get(tx, transfer=pid, n=last, issue=1) if last else None
    return (int(before.stop or 0) if before else 0), None


async def _state(node: Node, release: _Release) -> tuple[Revision, Bitmap]:
    """The revision and who may leave, as of now."""
    revision = node.bitmaps.revision(node.folder, release.revision)
    consent = release.plan.rows.consent

    def unit(tx: Tx) -> Bitmap:
        if consent is None:
            full = bytearray(b"\x01" * release.revision.persons)
            return Bitmap(full, consents.epoch(tx), None, (), {})
        roster: Roster = node.bitmaps.roster(release.revision, revision)
        return node.bitmaps.bitmap(tx, release.revision, roster, consent, node.clock.now())

    return revision, await node.store.read(unit)


def _limits(node: Node, number: int) -> Limits:
    settings = node.settings.release
    rows_at_most = settings.max_part_rows
    if number == 1:
        rows_at_most = min(rows_at_most, settings.first_part_rows)
    return Limits(rows_at_most, settings.max_part_bytes)


async def _acknowledge(node: Node, release: _Release, header: str | None) -> None:
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
