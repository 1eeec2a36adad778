"""The end of a release: the provider's signed manifest, the consumer's signed receipt."""

import hashlib
from typing import Any

from catalog import documents, proofs
from connector.base.clock import format_time
from connector.dataplane.parts import Manifest
from connector.evidence import bodies
from connector.evidence.leaf import Entry
from connector.protocol.json import strict_json
from connector.services.committing import commit
from connector.services.negotiate import agreements
from connector.services.negotiate.planning import facts_of
from connector.services.node import Node
from connector.services.processes import transfer
from connector.services.release.releases import Release, opened, session_of
from connector.services.release.releasing import acknowledge, info_of
from connector.store import consents
from connector.store import parts as rows
from connector.store.rows import ManifestRow, PartRow
from connector.store.store import Tx
from policies.jcs import digest
from policies.plan import Field
from policies.problem import Problem


async def manifest(
    node: Node, pid: str, token: str, *, acknowledged: str | None = None
) -> dict[str, Any]:
    """The signed manifest: complete once every part is acknowledged, cut when it ended before.

    Raises:
        Problem: `release-unknown`, `release-unfinished`.
    """
    release = await opened(node, pid, token, ended=True)
    await acknowledge(node, release, acknowledged)

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
    release = await opened(node, pid, token, ended=True)
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


def _manifest(
    node: Node, tx: Tx, release: Release, latest: dict[int, PartRow], reason: str
) -> dict[str, Any]:
    held = bytes.fromhex(session_of(tx, release.transfer.pid).body["persons"])
    expires = release.agreement.expires
    return Manifest(
        transfer=release.transfer.pid,
        agreement=release.agreement.id,
        plan=release.plan.digest,
        revision=release.revision.id,
        format=release.form,
        consent=_consent_commitment(node, tx, release),
        parts=tuple(info_of(latest[n]) for n in sorted(latest)),
        persons=sum(byte.bit_count() for byte in held),
        codebook=_codebook(release),
        expires=format_time(expires) if expires else "",
        reason=reason,
    ).document()


def _codebook(release: Release) -> tuple[Field, ...]:
    """The fields that left, as the signed dataset document describes them."""
    agreed = {field.name for field in release.plan.fields}
    dataset = documents.read(release.agreement.dataset_document or {})
    return tuple(field for field in facts_of(dataset).codebook if field.name in agreed)


def _consent_commitment(node: Node, tx: Tx, release: Release) -> str:
    """The registry's state as the release saw it last, bound without telling it (S3)."""
    epoch = consents.epoch(tx)
    tick = consents.tick(tx, epoch=epoch)
    root = tick.root.hex() if tick else ""
    salt = node.keys.derive(b"consent-commitment", release.transfer.pid.encode())
    return "sha-256:" + hashlib.sha256(salt + f"{epoch}:{root}".encode()).hexdigest()


def _complete(tx: Tx, release: Release, latest: dict[int, PartRow]) -> bool:
    """Whether the acknowledged parts cover the whole revision."""
    issued = rows.last_number(tx, transfer=release.transfer.pid)
    if not issued or sorted(latest) != list(range(1, issued + 1)):
        return False
    return (latest[issued].stop or 0) >= release.revision.rows
