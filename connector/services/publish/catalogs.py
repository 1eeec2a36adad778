"""What this node publishes, as others and its own people read it: signed bytes and projections."""

from dataclasses import dataclass
from typing import Any

from catalog import dsp, query_spec
from connector.protocol import messages
from connector.services.access import Caller
from connector.services.messages import inbound
from connector.services.messages.inbound import Incoming, Reply
from connector.services.node import Node
from connector.services.publish import paging, published
from connector.services.publish.published import PUBLIC, Published
from connector.services.show import wording
from connector.store import catalogs
from connector.store.store import Tx
from policies.problem import Problem

OK = 200
Groups = frozenset[str]
NOBODY: Groups = frozenset()
"""The groups of somebody we do not know."""


@dataclass(frozen=True, slots=True)
class Signed:
    """Signed bytes as they are served, the digest that is their strong ETag, and for whom."""

    body: bytes
    digest: str
    group: str

    @property
    def public(self) -> bool:
        """Whether anybody may have these bytes, caches included."""
        return self.group == PUBLIC


async def public_head(node: Node) -> Signed:
    """The head of the public catalog; the same bytes for everybody.

    Raises:
        Problem: `dataset-unknown`, before the first start.
    """
    row = await node.store.read(lambda tx: catalogs.head(tx, group=PUBLIC))
    if row is None:
        raise Problem("dataset-unknown")
    return Signed(row.body, row.digest, PUBLIC)


async def group_head(node: Node, group: str, groups: Groups) -> Signed:
    """The head of one group's catalog, for somebody in these groups (C2).

    Raises:
        Problem: `http-not-found`: no such group, nothing published in it, or not for these groups;
            one answer for all three.
    """
    if group not in groups:
        raise Problem("http-not-found")
    row = await node.store.read(lambda tx: catalogs.head(tx, group=group))
    if row is None:
        raise Problem("http-not-found")
    return Signed(row.body, row.digest, group)


async def open_groups(node: Node, groups: Groups) -> list[str]:
    """Those of a caller's groups in which something was published: what it may ask heads of."""

    def unit(tx: Tx) -> list[str]:
        return [group for group in sorted(groups) if catalogs.head(tx, group=group) is not None]

    return await node.store.read(unit)


async def current_document(node: Node, ident: str, groups: Groups = NOBODY) -> Signed:
    """The newest signed document of a dataset, for somebody in these groups.

    Raises:
        Problem: `dataset-unknown`: no such dataset, withdrawn, or not for these groups.
    """

    def unit(tx: Tx) -> Signed:
        row = catalogs.dataset(tx, id=ident)
        if row is None or row.state != "published" or row.group not in {PUBLIC, *groups}:
            raise Problem("dataset-unknown")
        stored = catalogs.document_by_digest(tx, digest=row.digest)
        if stored is None:
            raise Problem("dataset-unknown")
        return Signed(stored.body, stored.digest, row.group)

    return await node.store.read(unit)


async def document(node: Node, ident: str, version: int, groups: Groups = NOBODY) -> Signed:
    """One version of a dataset's document; a withdrawn dataset's stay readable (X8).

    Raises:
        Problem: `dataset-unknown`: no such version, or not for these groups.
    """

    def unit(tx: Tx) -> Signed:
        row = catalogs.dataset(tx, id=ident)
        if row is None or row.group not in {PUBLIC, *groups}:
            raise Problem("dataset-unknown")
        stored = catalogs.document(tx, iri=f"{row.iri}/v{version}")
        if stored is None:
            raise Problem("dataset-unknown")
        return Signed(stored.body, stored.digest, row.group)

    return await node.store.read(unit)


async def requested(node: Node, incoming: Incoming[messages.CatalogRequest]) -> Reply:
    """POST /catalog/request: the datasets this caller may see, projected, page by page.

    Raises:
        Problem: `dataset-filter`: we know no filter language (DSP: 400); `dataset-cursor`.
    """
    await inbound.admit(node, incoming.caller)
    wanted = query_spec.read(incoming.message.filter)
    if wanted is None:
        raise Problem("dataset-filter")
    groups, cursor = incoming.caller.groups, incoming.cursor

    def write(datasets: tuple[Any, ...]) -> object:
        return dsp.catalog_response(
            catalog=f"{node.url}/catalog",
            participant=node.did,
            endpoint=node.dsp,
            datasets=datasets,
        )

    found = await node.store.read(
        lambda tx: paging.page(tx, node.listings, groups, cursor, wanted, write)
    )
    link = paging.link(f"{node.dsp}/catalog/request", found)
    return Reply(OK, packed=found.body, headers={"Link": link} if link else {})


async def dataset_requested(node: Node, caller: Caller, iri: str) -> Reply:
    """GET /catalog/datasets/:id, the id being the dataset's IRI or its short form."""
    await inbound.admit(node, caller)
    full = published.iri(node.url, iri)
    found = await node.store.read(lambda tx: published.find(tx, full, caller.groups))
    return Reply(OK, dsp.dataset_response(dsp.project(found.document)))


async def listing(node: Node) -> list[dict[str, Any]]:
    """All datasets of this node, for its own people."""

    def unit(tx: Tx) -> list[dict[str, Any]]:
        return [_shown(published.of_row(tx, row)) for row in catalogs.datasets(tx)]

    return await node.store.read(unit)


async def show(node: Node, ident: str) -> dict[str, Any]:
    """One dataset: its terms in plain words, its counts, its quarantine.

    Raises:
        Problem: `dataset-unknown`.
    """

    def unit(tx: Tx) -> dict[str, Any]:
        row = catalogs.dataset(tx, id=ident)
        if row is None:
            raise Problem("dataset-unknown")
        found = published.of_row(tx, row)
        revision = row.revision and catalogs.revision(tx, id=row.revision)
        policies = [offer.policy for offer in found.dataset.offers]
        return {
            **_shown(found),
            "terms": wording.policies(policies),
            "linkage": wording.linkage(found.dataset),
            "revision": revision.meta if revision else None,
            "document": found.document,
        }

    return await node.store.read(unit)


def _shown(found: Published) -> dict[str, Any]:
    row, dataset = found.row, found.dataset
    return {
        "id": row.id,
        "dataset": row.iri,
        "version": row.version,
        "state": row.state,
        "group": row.group,
        "title": dataset.title.fr,
        "rows": dataset.rows,
        "persons": dataset.persons,
        "decisions": [list(offer.decisions) for offer in dataset.offers],
        "digest": row.digest,
    }
