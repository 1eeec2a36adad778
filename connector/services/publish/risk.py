"""Measuring linkage on the newest revision, and announcing it (decision X5).

The measurement runs beside the event loop; its exact figures stay with the revision, for this
institution's own people. What is announced, in whole percent, goes into a new version of the
signed dataset document: from then on both parties compile it into their plans. Agreements and
negotiations under way keep what they were made on.
"""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

from catalog.model import Dataset, Linkage, LinkageFigure, Precision
from catalog.values import format_share
from connector.base.clock import format_time
from connector.dataplane import absence
from connector.dataplane.revision import Revision
from connector.dataplane.risk import CONSENTS, FLOOR, Measured, key_of, measure
from connector.dataplane.risk_tables import measure_table
from connector.protocol.transfer import Role
from connector.services import access
from connector.services.access import Actor
from connector.services.committing import commit
from connector.services.node import Node
from connector.services.publish import published, publishing
from connector.services.show import wording
from connector.store import agreements, catalogs, parts
from connector.store import transfers as transfer_rows
from connector.store.rows import DatasetRow, RevisionRow
from connector.store.store import Tx
from policies.plan import NOT_MEASURED, Plan
from policies.problem import Problem

Json = dict[str, Any]

_MAY: Final = ("operator", "steward", "dpo")
_NOTE: Final = "risk"


async def run(node: Node, who: Actor, ident: str) -> Json:
    """Measure a dataset's newest revision and announce the figures; the view `show` gives.

    Measured again on the same revision, the figures are the same and nothing new is published.

    Raises:
        Problem: `access-role`, `dataset-unknown`, `risk-no-persons`, `risk-too-few`;
            `risk-changed` when another revision was published meanwhile.
    """
    access.require(who, *_MAY)
    row, revision, dataset = await node.store.read(lambda tx: _found(tx, ident))
    if not dataset.personal:
        raise Problem("risk-no-persons", id=ident)
    special = frozenset(one.name for one in dataset.fields if one.condition is not None)
    found = await asyncio.to_thread(_measured, node.folder / revision.folder, special)
    if not found.figures:
        raise Problem("risk-too-few", floor=FLOOR)
    await commit(node, lambda tx: _announce(node, tx, who, row, found))
    return await show(node, who, ident)


async def show(node: Node, who: Actor, ident: str) -> Json:
    """What was measured and what is announced, in figures and in plain words.

    Raises:
        Problem: `access-role`, `dataset-unknown`.
    """
    access.require(who, *_MAY)
    return await node.store.read(lambda tx: view(tx, ident))


def view(tx: Tx, ident: str) -> Json:
    """The linkage and the absence (T4) of a dataset, for its own people."""
    row, revision, dataset = _found(tx, ident)
    figures = dataset.linkage.figures if dataset.linkage else ()
    return {
        "v": 1,
        "id": row.id,
        "dataset": row.iri,
        "document": dataset.document_iri,
        "measured": format_time(dataset.linkage.measured) if dataset.linkage else None,
        "linkage": [
            {"time": one.time, "extensions": one.extensions, "linked": one.linked}
            for one in figures
        ]
        or NOT_MEASURED,
        "words": wording.linkage(dataset),
        "measurement": revision.meta.get(_NOTE),
        "absence": _absences(tx, row, revision),
    }


def _found(tx: Tx, ident: str) -> tuple[DatasetRow, RevisionRow, Dataset]:
    row = catalogs.dataset(tx, id=ident)
    revision = row and row.revision and catalogs.revision(tx, id=row.revision)
    if row is None or not revision:
        raise Problem("dataset-unknown")
    return row, revision, published.of_row(tx, row).dataset


def _measured(folder: Path, special: frozenset[str]) -> Measured:
    with Revision.open(folder) as revision:
        key = key_of(revision.meta.id)
        if revision.meta.table is not None:
            return measure_table(revision, key, special=special)
        return measure(revision, key)


def _announce(node: Node, tx: Tx, who: Actor, before: DatasetRow, found: Measured) -> None:
    row, revision, dataset = _found(tx, before.id)
    if row.revision != before.revision or row.state != "published":
        raise Problem("risk-changed")
    now = node.clock.now()
    note = {**found.document(), "at": format_time(now), "by": who.id}
    catalogs.put_revision(tx, replace(revision, meta={**revision.meta, _NOTE: note}))
    figures = tuple(
        LinkageFigure(cast("Precision", one.time), one.extensions, format_share(one.linked))
        for one in sorted(found.figures, key=lambda one: (one.time, one.extensions))
    )
    if dataset.linkage is None or dataset.linkage.figures != figures:
        announced = replace(dataset, linkage=Linkage(now, figures, CONSENTS))
        private = {"change": "linkage-measured", "revision": revision.id, "measured": note}
        publishing.renew(node, tx, who, announced, private)


def _absences(tx: Tx, row: DatasetRow, revision: RevisionRow) -> list[Json]:
    """For each file that was handed over: what the holder of the class list still learns (T4)."""
    found = []
    for agreement in agreements.listing(tx):
        if (agreement.dataset, agreement.role) != (row.iri, Role.PROVIDER.value):
            continue
        consent = Plan.read(agreement.plan).rows.consent
        for made in transfer_rows.of_agreement(tx, agreement=agreement.id):
            manifest = parts.manifest(tx, transfer=made.pid)
            if manifest is None or consent is None:
                continue
            source = catalogs.revision(tx, id=manifest.body["revision"]) or revision
            told = absence.learned(source.persons, manifest.body["persons"], consent.mode)
            found.append({"agreement": agreement.id, "transfer": made.pid, **told})
    return found
