"""The evidence bundle of one agreement: everything an auditor needs, in one signed zip.

`collect` takes the leaves and their proofs from the store and the log; `write` is pure. The same
parts always give the same bytes: names sorted, JSON canonical, zip times fixed. What must not
leave stays out: tokens of data addresses are cut from messages, and private bodies are written
only where asked for.
"""

import base64
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from catalog import proofs
from connector.evidence import tree
from connector.evidence.archive import INDEX
from connector.evidence.bodies import Direction
from connector.evidence.leaf import without_secrets
from connector.evidence.log import Log
from connector.evidence.note import Checkpoint, note_text, read_checkpoint
from connector.store import leaves
from connector.store.rows import LeafRow
from connector.store.store import Tx
from policies.jcs import digest_bytes, jcs
from policies.problem import Problem

Document = Mapping[str, object]

_PER_PROCESS: Final = frozenset({"negotiation", "decision"})
_LEVEL: Final = 6
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_MODE: Final = 0o644 << 16
_UNIX: Final = 3


@dataclass(frozen=True, slots=True)
class Message:
    """A protocol message; `direction` as seen from this node."""

    direction: Direction
    wire: Document


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision in both renderings; `shared` is what its leaf names by digest."""

    shared: Document
    internal: Document | None = None


@dataclass(frozen=True, slots=True)
class Handover:
    """A transfer that ended: signed manifest, receipt if there is one, salt of part digests.

    A plain stream has no manifest, and a receipt that says what its consumer knows by itself.
    """

    manifest: Document | None
    receipt: Document | None
    salt: bytes


@dataclass(frozen=True, slots=True)
class Proven:
    """A leaf as stored, with its inclusion proof under the ledger's checkpoint."""

    row: LeafRow
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the log has on one agreement, under one checkpoint."""

    checkpoint: bytes
    salt: bytes
    leaves: tuple[Proven, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleParts:
    """Everything that goes into a bundle but the index.

    `agreement` is the unsigned document, `proofs` the parties' proofs over it (the provider's
    first; one or both may be missing where a peer does not sign). `messages` in the order of
    their leaves. `dids` are the DID documents that agreement and key leaves name.
    """

    node: str
    agreement: Document
    proofs: tuple[Document, ...]
    application: Document | None
    dataset: Document
    plan: Document | None
    messages: tuple[Message, ...]
    decisions: tuple[Decision, ...]
    handovers: tuple[Handover, ...]
    dids: tuple[Document, ...]
    ledger: Ledger


def collect(
    tx: Tx,
    log: Log,
    agreement: str,
    *,
    about: Sequence[str] = (),
    documents: Sequence[str] = (),
) -> Ledger:
    """The leaves of an agreement that the published checkpoint covers, with their proofs.

    Call `log.advance()` before, or the newest leaves are not covered yet.

    Args:
        tx: a reading transaction.
        log: the node's log.
        agreement: the agreement's id.
        about: what else leaves are filed under that belong to it (our pid of the negotiation).
        documents: digests of documents whose catalog and key leaves are added, looked up under
            `about` too (dataset IRI, our DID).

    Raises:
        Problem: `evidence-agreement-unknown`: no leaf speaks of it; `evidence-log-behind`: a leaf
            was added after the checkpoint (parts of a running transfer are simply left out);
            `evidence-log-disagrees`: a stored leaf is not the one that was hashed.
    """
    salt = leaves.salt(tx, agreement=agreement)
    rows = leaves.of_agreement(tx, agreement=agreement)
    if salt is None or not rows:
        raise Problem("evidence-agreement-unknown", agreement=agreement)
    for filed in about:
        rows += [
            row
            for row in leaves.of_agreement(tx, agreement=filed)
            if row.type in _PER_PROCESS or (row.shared_body or {}).get("digest") in documents
        ]
    note = log.checkpoint()  # once: the log may publish another one meanwhile
    point = read_checkpoint(note_text(note))
    if any(row.idx >= point.size and row.type != "part" for row in rows):
        raise Problem("evidence-log-behind")
    covered = sorted((row for row in rows if row.idx < point.size), key=lambda row: row.idx)
    return Ledger(note, salt, tuple(_prove(log, row, point) for row in covered))


def write(
    parts: BundleParts,
    *,
    sign: Callable[[bytes], bytes],
    method: str,
    created: datetime,
    proof_id: str,
    private: bool = False,
) -> bytes:
    """The bundle as a zip.

    Args:
        parts: what to put in.
        sign: Ed25519 signature by the node's assertion key.
        method: the DID URL of that key.
        created: the time of the index's proof.
        proof_id: a fresh `urn:uuid:`.
        private: whether private bodies and internal renderings go in (our own auditor only).
    """
    files = _files(parts)
    if private:
        files |= _private_files(parts)
    checkpoint = read_checkpoint(note_text(parts.ledger.checkpoint))
    index = {
        "v": 1,
        "agreement": parts.agreement["id"],
        "node": parts.node,
        "log": {
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "root": base64.b64encode(checkpoint.root).decode(),
        },
        "files": {path: digest_bytes(data) for path, data in files.items()},
    }
    signed = proofs.sign(index, sign=sign, method=method, created=created, proof_id=proof_id)
    return pack({**files, INDEX: jcs(signed)})


def pack(files: Mapping[str, bytes]) -> bytes:
    """A zip whose bytes depend on nothing but these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = _UNIX
            entry.external_attr = _MODE
            archive.writestr(entry, files[path], compresslevel=_LEVEL)
    return buffer.getvalue()


def _files(parts: BundleParts) -> dict[str, bytes]:
    documents: dict[str, object] = {
        "agreement.json": {**parts.agreement, "proof": list(parts.proofs)},
        "application.json": parts.application,
        "dataset.json": parts.dataset,
        "plan.json": parts.plan,
        "salts.json": _salts(parts),
    }
    for place, message in enumerate(parts.messages, start=1):
        kind = message.wire["@type"]
        path = f"messages/{place:03d}-{message.direction}-{kind}.json"
        documents[path] = without_secrets(message.wire)
    for place, decision in enumerate(parts.decisions, start=1):
        documents[f"decisions/{place:02d}.json"] = decision.shared
    for place, handover in enumerate(parts.handovers, start=1):
        suffix = "" if place == 1 else f"-{place:02d}"
        documents[f"manifest{suffix}.json"] = handover.manifest
        documents[f"receipt{suffix}.json"] = handover.receipt
    for place, did in enumerate(parts.dids, start=1):
        documents[f"did/{place:02d}.json"] = did
    files = {path: jcs(value) for path, value in documents.items() if value is not None}
    files["checkpoint"] = parts.ledger.checkpoint
    files["leaves.jsonl"] = b"".join(_line(item) for item in parts.ledger.leaves)
    return files


def _salts(parts: BundleParts) -> dict[str, object]:
    return {
        "v": 1,
        "agreement": parts.ledger.salt.hex(),
        "parts": {
            str(item.manifest["transfer"]): item.salt.hex()
            for item in parts.handovers
            if item.manifest
        },
    }


def _line(item: Proven) -> bytes:
    row = item.row
    return (
        jcs(
            {
                "index": row.idx,
                "leaf": row.data.decode(),
                "salt": None if row.shared_salt is None else row.shared_salt.hex(),
                "body": row.shared_body,
                "proof": [sibling.hex() for sibling in item.proof],
            }
        )
        + b"\n"
    )


def _private_files(parts: BundleParts) -> dict[str, bytes]:
    """What only our own auditor may see: internal renderings, private bodies with their salts."""
    files = {
        f"private/decisions/{place:02d}.json": jcs(decision.internal)
        for place, decision in enumerate(parts.decisions, start=1)
        if decision.internal is not None
    }
    lines = [
        jcs({"index": item.row.idx, **item.row.private_body}) + b"\n"
        for item in parts.ledger.leaves
        if item.row.private_body is not None
    ]
    return files | ({"private/leaves.jsonl": b"".join(lines)} if lines else {})


def _prove(log: Log, row: LeafRow, point: Checkpoint) -> Proven:
    """A leaf with its proof, checked before it goes out."""
    proof = log.inclusion(row.idx, point.size)
    try:
        hashed = tree.leaf_hash(row.data)
        tree.verify_inclusion(hashed, row.idx, point.size, proof, point.root)
    except Problem:
        raise Problem("evidence-log-disagrees", size=point.size) from None
    return Proven(row, proof)
