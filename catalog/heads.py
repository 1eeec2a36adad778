"""Head documents: the signed list of what one access group's catalog contains (C2), and back.

Entries are sorted by dataset IRI; the Merkle root over their digests stands beside them. The same
strictness as for dataset documents: what is read is what would be written again.
"""

from collections.abc import Mapping
from typing import Final

from catalog import merkle, reading, terms, values
from catalog.canonical import check
from catalog.documents import same_form, unsigned
from catalog.model import Entry, Head, Tombstone

_MEMBERS: Final = (
    *("v", "@context", "id", "type", "catalog", "publisher", "group", "version", "issued", "root"),
    "entry",
)


def head(head: Head) -> dict[str, object]:
    """The unsigned document of a head.

    Raises:
        Problem: `catalog-unfit-…`.
    """
    document: dict[str, object] = {
        "v": 1,
        "@context": list(terms.SIGNED),
        "id": head.iri,
        "type": "CatalogHead",
        "catalog": head.catalog,
        "publisher": head.publisher,
        "group": head.group,
        "version": head.version,
        "issued": values.format_instant(head.issued),
        "root": merkle.root([entry.digest for entry in head.entries]),
        "entry": [_entry(entry) for entry in head.entries],
    }
    if head.previous is not None:
        document["previous"] = head.previous
    if head.tombstones:
        document["tombstone"] = [_tombstone(stone) for stone in head.tombstones]
    check(document)
    return document


def read_head(document: Mapping[str, object]) -> Head:
    """The head that a document describes, its Merkle root recomputed; its proof is not looked at.

    Raises:
        Problem: `catalog-member-…`, `catalog-unfit-…`, `catalog-document-form` (a root, an order
            or an IRI that does not follow from the rest).
    """
    check(unsigned(document))
    node = reading.node(document, "", _MEMBERS, ("previous", "tombstone", "proof"))
    reading.constant(node, "v", "", 1)
    reading.constant(node, "@context", "", list(terms.SIGNED))
    reading.constant(node, "type", "", "CatalogHead")
    found = Head(
        catalog=reading.text(node, "catalog", ""),
        publisher=reading.text(node, "publisher", ""),
        group=reading.text(node, "group", ""),
        version=reading.whole(node, "version", ""),
        previous=reading.optional_text(node, "previous", ""),
        issued=reading.instant(node, "issued", ""),
        entries=tuple(_read_entry(item, at) for item, at in reading.nodes(node, "entry", "")),
        tombstones=tuple(
            _read_tombstone(item, at) for item, at in reading.nodes(node, "tombstone", "")
        ),
    )
    same_form(head(found), unsigned(document))
    return found


def _entry(entry: Entry) -> dict[str, object]:
    return {
        "id": entry.document,
        "type": "DatasetDocument",
        "dataset": entry.dataset,
        "digest": entry.digest,
    }


def _tombstone(stone: Tombstone) -> dict[str, object]:
    return {
        "id": stone.dataset,
        "type": "Dataset",
        "at": values.format_instant(stone.at),
        "reason": stone.reason,
    }


def _read_entry(value: object, where: str) -> Entry:
    node = reading.node(value, where, ("id", "type", "dataset", "digest"), ())
    return Entry(
        dataset=reading.text(node, "dataset", where),
        document=reading.text(node, "id", where),
        digest=reading.text(node, "digest", where),
    )


def _read_tombstone(value: object, where: str) -> Tombstone:
    node = reading.node(value, where, ("id", "type", "at", "reason"), ())
    return Tombstone(
        dataset=reading.text(node, "id", where),
        at=reading.instant(node, "at", where),
        reason=reading.text(node, "reason", where),
    )
