"""What the node publishes: datasets, their signed documents, signed heads, data revisions."""

from typing import Final

from sqlalchemy import bindparam, or_, select

from connector.store.codec import Codec
from connector.store.queries import adding_once, by, chosen, given, putting, value
from connector.store.rows import DatasetRow, DatasetState, DocumentRow, HeadRow, RevisionRow
from connector.store.statement import Statement
from connector.store.tables import DATASET, DOCUMENT, HEAD, REVISION
from connector.store.tx import Tx
from policies.problem import Problem

_DATASETS: Final = Codec(DatasetRow, DATASET, group="grp")
_DOCUMENTS: Final = Codec(DocumentRow, DOCUMENT)
_HEADS: Final = Codec(HeadRow, HEAD, group="grp")
_REVISIONS: Final = Codec(RevisionRow, REVISION)

_PUT_DATASET: Final = putting(DATASET)
_DATASET: Final = by(_DATASETS, DATASET.c.id)
_DATASET_BY_IRI: Final = by(_DATASETS, DATASET.c.iri)
_ALL_DATASETS: Final = Statement(
    chosen(
        _DATASETS,
        or_(bindparam("grp", type_=DATASET.c.grp.type).is_(None), given(DATASET.c.grp)),
        or_(bindparam("state", type_=DATASET.c.state.type).is_(None), given(DATASET.c.state)),
    ).order_by(DATASET.c.iri)
)

_ADD_DOCUMENT: Final = adding_once(DOCUMENT, "iri")
_DOCUMENT: Final = by(_DOCUMENTS, DOCUMENT.c.iri)
_DOCUMENT_OF: Final = by(_DOCUMENTS, DOCUMENT.c.dataset, DOCUMENT.c.version)
_DOCUMENT_BY_DIGEST: Final = by(_DOCUMENTS, DOCUMENT.c.digest)

_ADD_HEAD: Final = adding_once(HEAD, "grp", "version")
_HEAD: Final = Statement(chosen(_HEADS, given(HEAD.c.grp)).order_by(HEAD.c.version.desc()).limit(1))
_HEAD_AT: Final = by(_HEADS, HEAD.c.grp, HEAD.c.version)
_VERSION: Final = Statement(
    select(HEAD.c.version).where(given(HEAD.c.grp)).order_by(HEAD.c.version.desc()).limit(1)
)

_PUT_REVISION: Final = putting(REVISION)
_REVISION: Final = by(_REVISIONS, REVISION.c.id)
_REVISIONS_OF: Final = Statement(
    chosen(_REVISIONS, given(REVISION.c.dataset)).order_by(REVISION.c.created, REVISION.c.id)
)


def put_dataset(tx: Tx, row: DatasetRow) -> None:
    """Store a dataset as it stands now."""
    tx.change(_PUT_DATASET, **_DATASETS.values(row))
    tx.seen[_DATASET_BY_IRI, row.iri] = row


def dataset(tx: Tx, *, id: str) -> DatasetRow | None:
    """A dataset by its short id."""
    return _DATASETS.maybe(tx.one(_DATASET, id=id))


def dataset_by_iri(tx: Tx, *, iri: str) -> DatasetRow | None:
    """A dataset by its IRI."""
    key = (_DATASET_BY_IRI, iri)
    found: DatasetRow | None = tx.seen.get(key)
    if found is None:
        found = tx.seen[key] = _DATASETS.maybe(tx.one(_DATASET_BY_IRI, iri=iri))
    return found


def datasets(
    tx: Tx, *, group: str | None = None, state: DatasetState | None = None
) -> list[DatasetRow]:
    """Datasets by IRI; of one group, in one state, if these are given."""
    return [_DATASETS.read(row) for row in tx.run(_ALL_DATASETS, grp=group, state=state)]


def add_document(tx: Tx, row: DocumentRow) -> None:
    """Store a signed document. The same one again changes nothing.

    Raises:
        Problem: `store-conflict`: another document has this IRI; documents never change.
    """
    if document_by_digest(tx, digest=row.digest) == row:  # as a rule: it is long
        return
    if not tx.change(_ADD_DOCUMENT, **_DOCUMENTS.values(row)) and document(tx, iri=row.iri) != row:
        raise Problem("store-conflict", what="document")


def document(tx: Tx, *, iri: str) -> DocumentRow | None:
    """A signed document by its own IRI (`<dataset>/v<n>`)."""
    return _DOCUMENTS.maybe(tx.one(_DOCUMENT, iri=iri))


def document_of(tx: Tx, *, dataset: str, version: int) -> DocumentRow | None:
    """A signed document by dataset (as stored in the row) and version."""
    return _DOCUMENTS.maybe(tx.one(_DOCUMENT_OF, dataset=dataset, version=version))


def document_by_digest(tx: Tx, *, digest: str) -> DocumentRow | None:
    """A signed document by its digest."""
    key = (_DOCUMENT_BY_DIGEST, digest)
    found: DocumentRow | None = tx.seen.get(key)
    if found is None:
        found = tx.seen[key] = _DOCUMENTS.maybe(tx.one(_DOCUMENT_BY_DIGEST, digest=digest))
    return found


def add_head(tx: Tx, row: HeadRow) -> None:
    """Store the next head of a group (any version for the first).

    Raises:
        Problem: `store-conflict`: its version does not follow the last one.
    """
    last: int | None = value(tx.one(_VERSION, grp=row.group))
    follows = last is None or row.version == last + 1
    if not follows or not tx.change(_ADD_HEAD, **_HEADS.values(row)):
        raise Problem("store-conflict", what="head")


def head(tx: Tx, *, group: str) -> HeadRow | None:
    """The newest head of a group."""
    return _HEADS.maybe(tx.one(_HEAD, grp=group))


def version(tx: Tx, *, group: str) -> int | None:
    """The version of a group's newest head."""
    found: int | None = value(tx.one(_VERSION, grp=group))
    return found


def head_at(tx: Tx, *, group: str, version: int) -> HeadRow | None:
    """A head of a group by its version."""
    return _HEADS.maybe(tx.one(_HEAD_AT, grp=group, version=version))


def put_revision(tx: Tx, row: RevisionRow) -> None:
    """Store a revision."""
    tx.change(_PUT_REVISION, **_REVISIONS.values(row))


def revision(tx: Tx, *, id: str) -> RevisionRow | None:
    """A revision by its id."""
    return _REVISIONS.maybe(tx.one(_REVISION, id=id))


def revisions(tx: Tx, *, dataset: str) -> list[RevisionRow]:
    """A dataset's revisions, oldest first."""
    return [_REVISIONS.read(row) for row in tx.run(_REVISIONS_OF, dataset=dataset)]
