"""Our own datasets as the other use cases see them: the typed document behind a row."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from catalog import documents
from catalog.model import Dataset, Offer
from connector.store import catalogs
from connector.store.rows import DatasetRow
from connector.store.store import Tx
from policies import odrl
from policies.model import Policy, atoms
from policies.problem import Problem
from policies.vocabulary import ODRL, purpose_covers

PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class Published:
    """A dataset that is on offer: its row, its signed document, and what that says."""

    row: DatasetRow
    document: dict[str, Any]
    dataset: Dataset

    @property
    def reference(self) -> dict[str, str]:
        """How agreements name the document: by IRI and digest."""
        return {"id": self.dataset.document_iri, "digest": self.row.digest}

    def offer(self, iri: str) -> Offer | None:
        """The offer of this name, if it is still made."""
        return next((one for one in self.dataset.offers if one.policy.id == iri), None)


def find(tx: Tx, iri: str, groups: frozenset[str] = frozenset()) -> Published:
    """The dataset of an IRI, for somebody in these groups.

    Raises:
        Problem: `dataset-unknown`: no such dataset, withdrawn, or not for these groups; one
            answer for all three (P7).
    """
    row = catalogs.dataset_by_iri(tx, iri=iri)
    if row is None or row.state != "published" or row.group not in {PUBLIC, *groups}:
        raise Problem("dataset-unknown")
    return of_row(tx, row)


def of_row(tx: Tx, row: DatasetRow) -> Published:
    """What a row's newest document says."""
    stored = catalogs.document_by_digest(tx, digest=row.digest)
    if stored is None:
        raise Problem("dataset-unknown")
    return Published(row, *_read(stored.body))


def pinned(tx: Tx, found: Published, reference: Mapping[str, str] | None) -> Published:
    """The version of a dataset's document that a negotiation began with, while its offers stand.

    People take days to decide; a document renewed meanwhile with the same offers (a linkage
    measured, say) must not turn what both parties read into something else. The row stays today's.
    """
    stored = reference and catalogs.document_by_digest(tx, digest=reference["digest"])
    if not stored:
        return found
    document, dataset = _read(stored.body)
    return Published(replace(found.row, digest=stored.digest), document, dataset)


def named(tx: Tx, reference: Mapping[str, str] | None) -> tuple[dict[str, Any], Dataset]:
    """A signed dataset document by its reference, and what it says: ours, or a peer's that we
    verified and kept.

    Raises:
        Problem: `dataset-unknown`.
    """
    stored = reference and catalogs.document_by_digest(tx, digest=reference["digest"])
    if not stored:
        raise Problem("dataset-unknown")
    return _read(stored.body)


@lru_cache(maxsize=256)
def _read(body: bytes) -> tuple[dict[str, Any], Dataset]:
    document = json.loads(body)
    return document, documents.read(document)


def iri(url: str, name: str) -> str:
    """The IRI of a dataset of the node at `url`, which its short identifier names as well."""
    return name if "://" in name else f"{url}/datasets/{name}"


def on_table(policy: Policy, offer: str, dataset: str, assigner: str) -> dict[str, Any]:
    """Terms on the table as they travel: under the published offer's name (P6)."""
    return odrl.wire(
        policy, **{"@type": "Offer", "@id": offer, "target": dataset, "assigner": assigner}
    )


def purpose_allowed(policy: Policy, purpose: str) -> bool:
    """Whether every purpose constraint of a policy's permissions admits this purpose."""
    return all(
        any(purpose_covers(value.text, purpose) for value in atom.right)
        for rule in policy.permissions
        for atom in atoms(rule.constraints)
        if atom.left == ODRL + "purpose"
    )
