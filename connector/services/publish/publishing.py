"""Publishing a dataset: from a file and a declaration to a signed document in a signed head.

The file becomes a revision in one walk, away from the event loop; the declaration becomes an offer
that the linter accepts; then one commit holds dataset, document, head and leaf. On any problem
nothing is left: no folder, no row.
"""

import asyncio
import contextlib
import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from catalog import documents
from catalog.model import Dataset, Tombstone
from connector.dataplane import about as declarations
from connector.dataplane.about import About
from connector.dataplane.building import build
from connector.dataplane.revision import Revision, RevisionMeta
from connector.evidence import bodies
from connector.evidence.leaf import Entry as LeafEntry
from connector.protocol.transfer import Act
from connector.services import access
from connector.services.access import Actor
from connector.services.committing import commit
from connector.services.node import Node
from connector.services.processes import save_transfer
from connector.services.publish import describing, heading
from connector.services.publish.library import own_templates
from connector.services.release import halting
from connector.store import agreements as agreement_rows
from connector.store import catalogs, consents
from connector.store import transfers as transfer_rows
from connector.store.rows import DatasetRow, DocumentRow, RevisionRow
from connector.store.store import Tx
from policies.lint import Finding
from policies.model import Policy
from policies.problem import Problem
from policies.vocabulary import CATEGORIES, compact

_DATA: Final = "data"
UPLOADS: Final = "uploads"
_CHUNK: Final = 2**20
_REGISTER: Final = 20_000


@dataclass(frozen=True, slots=True)
class Upload:
    """What arrived: the declaration, the file's name, and how to read on in it."""

    about: bytes
    name: str
    read: Callable[[int], Awaitable[bytes]]
    max_bad: float


async def add(node: Node, who: Actor, upload: Upload) -> dict[str, Any]:
    """Publish a file as a dataset, or as the next version of one.

    Raises:
        Problem: `access-role`, `dataplane-about-…`, `policy-lint-…` (every finding in `findings`),
            `policy-template-…`, `publish-template-unreadable`, `dataplane-file-…`,
            `dataplane-bad-rows`, `publish-group-changed`, `publish-category-unknown` (consents
            name categories: one that nobody knows would match none).
    """
    access.require(who, "operator", "steward")
    about = declarations.parse(upload.about)
    if about.category not in CATEGORIES:
        known = ", ".join(sorted(map(compact, CATEGORIES)))
        raise Problem("publish-category-unknown", category=about.category[:200], known=known)
    identifier = node.ids.uuid()
    folder = node.folder / _DATA / about.id / identifier.removeprefix("urn:uuid:")
    kept = await _keep(node, upload)
    try:
        meta = await asyncio.to_thread(
            build,
            kept,
            folder=folder,
            declaration=about,
            subject_secret=node.keys.subject_secret,
            random=node.ids.token,
            max_bad=upload.max_bad,
        )
        own = await asyncio.to_thread(own_templates, node.folder)
        offer, warnings = describing.offer(node, about, meta, own)
        await _register(node, folder)
        published = await commit(
            node, lambda tx: _publish(node, tx, who, about, meta, folder, offer, warnings)
        )
        made = {**published, "warnings": [one.document() for one in warnings]}
    except BaseException:
        await asyncio.to_thread(_drop, folder)
        raise
    finally:
        kept.unlink(missing_ok=True)
    node.alarm.ring()  # running agreements may depend on what the dataset declares
    return made


async def withdraw(node: Node, who: Actor, ident: str, reason: str) -> dict[str, Any]:
    """Stop offering a dataset: a tombstone in the head, running transfers ended (X8).

    Raises:
        Problem: `access-role`, `dataset-unknown`.
    """
    access.require(who, "operator", "steward")

    def unit(tx: Tx) -> dict[str, Any]:
        row = catalogs.dataset(tx, id=ident)
        if row is None or row.state != "published":
            raise Problem("dataset-unknown")
        now = node.clock.now()
        catalogs.put_dataset(tx, replace(row, state="withdrawn"))
        stone = Tombstone(row.iri, now, "withdrawn")
        heading.next_head(node, tx, row.group, now, withdrawn=(stone,))
        body = {"v": 1, "change": "dataset-withdrawn", "dataset": row.iri, "by": who.id}
        node.log.append(tx, LeafEntry("config", None, None, {**body, "reason": reason}), now)
        _end_transfers(node, tx, row.iri)
        return {"v": 1, "dataset": row.iri, "state": "withdrawn"}

    return await commit(node, unit)


def renew(node: Node, tx: Tx, who: Actor, dataset: Dataset, private: Mapping[str, Any]) -> Dataset:
    """The next version of a published dataset's document: same data, same offers, another word.

    `dataset` is what the current document says, changed; version and date are set here. `private`
    goes into our own part of the leaf.

    Raises:
        Problem: `dataset-unknown`.
    """
    now = node.clock.now()
    row = catalogs.dataset(tx, id=dataset.identifier)
    if row is None or row.state != "published":
        raise Problem("dataset-unknown")
    dataset = replace(dataset, version=row.version + 1, modified=now)
    document = documents.document(dataset)
    body, digest = heading.signed(node, document), documents.digest(document)
    catalogs.add_document(
        tx, DocumentRow(dataset.document_iri, row.id, dataset.version, digest, body)
    )
    catalogs.put_dataset(tx, replace(row, version=dataset.version, digest=digest, published=now))
    heading.next_head(node, tx, row.group, now)
    shared = bodies.catalog(document, dataset.iri)
    mine = {"v": 1, "by": who.id, "role": who.role, **private}
    node.log.append(tx, LeafEntry("catalog", None, shared, mine, about=dataset.iri), now)
    return dataset


async def sweep(node: Node) -> int:
    """Delete revisions that a crash left between their walk and their commit; how many.

    No dataset names them, so nobody could find or erase the persons in them. For start-up only:
    a revision being built looks the same.
    """
    folders = [path for path in (node.folder / _DATA).glob("*/*") if path.is_dir()]

    def unit(tx: Tx) -> set[Path]:
        return {
            node.folder / row.folder
            for dataset in {path.parent.name for path in folders}
            for row in catalogs.revisions(tx, dataset=dataset)
        }

    known = await node.store.read(unit)
    left = [path for path in folders if path not in known]
    for path in left:
        await asyncio.to_thread(_drop, path)
    return len(left)


def _publish(
    node: Node,
    tx: Tx,
    who: Actor,
    about: About,
    meta: RevisionMeta,
    folder: Path,
    offer: Policy,
    warnings: tuple[Finding, ...],
) -> dict[str, Any]:
    now = node.clock.now()
    known = catalogs.dataset(tx, id=about.id)
    if known is not None and (known.state, known.group) != ("published", about.group):
        raise Problem("publish-group-changed", id=about.id)
    dataset = describing.dataset(node, about, meta, offer, now, known)
    document = documents.document(dataset)
    body, digest = heading.signed(node, document), documents.digest(document)
    row = DatasetRow(
        id=about.id,
        iri=dataset.iri,
        version=dataset.version,
        group=about.group,
        state="published",
        digest=digest,
        about={"title": about.title.fr, "kind": about.kind},
        revision=meta.id,
        published=now,
    )
    catalogs.put_revision(tx, _revision(about, meta, str(folder.relative_to(node.folder)), now))
    catalogs.add_document(
        tx, DocumentRow(dataset.document_iri, about.id, dataset.version, digest, body)
    )
    catalogs.put_dataset(tx, row)
    heading.next_head(node, tx, about.group, now)
    shared = bodies.catalog(document, dataset.iri)
    private = _private(who, meta, warnings)
    node.log.append(tx, LeafEntry("catalog", None, shared, private, about=dataset.iri), now)
    return {
        "v": 1,
        "id": about.id,
        "dataset": dataset.iri,
        "document": dataset.document_iri,
        "digest": digest,
        "offers": [one.policy.id for one in dataset.offers],
        "counts": {
            "rows": meta.rows,
            "persons": meta.persons,
            "quarantined": sum(meta.quarantined.values()),
            "duplicates": meta.duplicates,
        },
        "quarantine": dict(meta.quarantined),
        "findings": dict(meta.findings),
    }


def _private(who: Actor, meta: RevisionMeta, warnings: tuple[Finding, ...]) -> dict[str, Any]:
    """Our own part of the leaf: who published which revision, what was chosen, what was said."""
    return {
        "v": 1,
        "by": who.id,
        "role": who.role,
        "revision": meta.id,
        "root": meta.root,
        "columns": _choices(meta),
        "warnings": [{"code": one.code, "path": one.path} for one in warnings],
    }


def _revision(about: About, meta: RevisionMeta, folder: str, now: datetime) -> RevisionRow:
    return RevisionRow(
        id=meta.id,
        dataset=about.id,
        folder=folder,
        rows=meta.rows,
        persons=meta.persons,
        meta=meta.document(),
        created=now,
    )


def _choices(meta: RevisionMeta) -> list[dict[str, Any]]:
    """What the profiler proposed for columns, and what they are published as (X10)."""
    chosen = {field.name: field.personal for field in meta.codebook}
    return [
        {
            "column": profile.name,
            "flags": [flag.what for flag in profile.flags],
            "proposed": profile.proposed,
            "chosen": chosen[profile.name],
        }
        for profile in (meta.table.profile if meta.table else ())
        if profile.flags or profile.proposed != chosen[profile.name]
    ]


def _end_transfers(node: Node, tx: Tx, iri: str) -> None:
    reasons = ["The dataset was withdrawn.", "Le jeu de données a été retiré."]
    for t in transfer_rows.served(tx):
        agreement = agreement_rows.get(tx, id=t.agreement)
        if agreement and (agreement.dataset, agreement.state) == (iri, "active"):
            code = "dataset-withdrawn"
            save_transfer(tx, halting.stop(node, tx, t, Act.TERMINATE, code, reasons))


async def _keep(node: Node, upload: Upload) -> Path:
    """The uploaded file in the node's own folder; its name decides about gunzipping only."""
    folder = node.folder / UPLOADS
    suffix = ".data.gz" if upload.name.endswith(".gz") else ".data"
    path = folder / (node.ids.token(8).hex() + suffix)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        with path.open("xb") as out:
            while chunk := await upload.read(_CHUNK):
                await asyncio.to_thread(out.write, chunk)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise Problem("dataplane-disk", reason=error.strerror or "I/O") from None
    return path


def _drop(folder: Path) -> None:
    """Leave nothing of a revision, nor of a dataset that has no other."""
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):  # other revisions lie there
        folder.parent.rmdir()


async def _register(node: Node, folder: Path) -> None:
    """Make every person of the revision known to the consent registry, by keyed hash."""
    with Revision.open(folder) as revision:
        keys = revision.subjects()
    for start in range(0, len(keys), _REGISTER):
        chunk = keys[start : start + _REGISTER]
        await node.store.write(lambda tx, c=chunk: consents.register(tx, c))  # type: ignore[misc]
