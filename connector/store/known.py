"""What peers publish: their verified heads, their datasets for searches, how the last crawl went.

The signed documents themselves lie beside our own (`catalogs.document_by_digest`).
"""

from typing import Final

from connector.store.codec import Codec
from connector.store.queries import by, chosen, given, putting, removing
from connector.store.rows import CrawlRow, KnownDatasetRow, KnownHeadRow
from connector.store.statement import Statement
from connector.store.tables import CRAWL, KNOWN_DATASET, KNOWN_HEAD
from connector.store.tx import Tx

_CRAWLS: Final = Codec(CrawlRow, CRAWL)
_HEADS: Final = Codec(KnownHeadRow, KNOWN_HEAD, group="grp")
_DATASETS: Final = Codec(KnownDatasetRow, KNOWN_DATASET, group="grp")

_PUT_CRAWL: Final = putting(CRAWL)
_ALL_CRAWLS: Final = Statement(chosen(_CRAWLS).order_by(CRAWL.c.peer))
_FORGET_CRAWL: Final = removing(CRAWL, given(CRAWL.c.peer))

_PUT_HEAD: Final = putting(KNOWN_HEAD)
_HEAD: Final = by(_HEADS, KNOWN_HEAD.c.peer, KNOWN_HEAD.c.grp)
_ALL_HEADS: Final = Statement(chosen(_HEADS).order_by(KNOWN_HEAD.c.peer, KNOWN_HEAD.c.grp))
_HEADS_OF: Final = Statement(chosen(_HEADS, given(KNOWN_HEAD.c.peer)).order_by(KNOWN_HEAD.c.grp))
_FORGET_HEAD: Final = removing(KNOWN_HEAD, given(KNOWN_HEAD.c.peer), given(KNOWN_HEAD.c.grp))

_PUT_DATASET: Final = putting(KNOWN_DATASET)
_ALL_DATASETS: Final = Statement(
    chosen(_DATASETS).order_by(KNOWN_DATASET.c.peer, KNOWN_DATASET.c.iri)
)
_DATASETS_OF: Final = Statement(
    chosen(_DATASETS, given(KNOWN_DATASET.c.peer), given(KNOWN_DATASET.c.grp)).order_by(
        KNOWN_DATASET.c.iri
    )
)
_FORGET_DATASET: Final = removing(
    KNOWN_DATASET,
    given(KNOWN_DATASET.c.peer),
    given(KNOWN_DATASET.c.grp),
    given(KNOWN_DATASET.c.iri),
)
_FORGET_GROUP: Final = removing(
    KNOWN_DATASET, given(KNOWN_DATASET.c.peer), given(KNOWN_DATASET.c.grp)
)


def put_crawl(tx: Tx, row: CrawlRow) -> None:
    """Remember how asking a peer went, in place of the time before."""
    tx.change(_PUT_CRAWL, **_CRAWLS.values(row))


def crawls(tx: Tx) -> list[CrawlRow]:
    """How asking each peer went last, by DID."""
    return [_CRAWLS.read(row) for row in tx.run(_ALL_CRAWLS)]


def put_head(tx: Tx, row: KnownHeadRow) -> None:
    """Keep a verified head, in place of the one before it."""
    tx.change(_PUT_HEAD, **_HEADS.values(row))


def head(tx: Tx, *, peer: str, group: str) -> KnownHeadRow | None:
    """The head of a peer's group as verified last."""
    return _HEADS.maybe(tx.one(_HEAD, peer=peer, grp=group))


def heads(tx: Tx, *, peer: str | None = None) -> list[KnownHeadRow]:
    """All heads by peer and group; of one peer, if it is given."""
    found = tx.run(_ALL_HEADS) if peer is None else tx.run(_HEADS_OF, peer=peer)
    return [_HEADS.read(row) for row in found]


def put_datasets(tx: Tx, rows: list[KnownDatasetRow]) -> None:
    """Keep datasets, each in place of what was known of it."""
    tx.many(_PUT_DATASET, [_DATASETS.values(row) for row in rows])


def datasets(tx: Tx) -> list[KnownDatasetRow]:
    """All datasets of all peers, by peer and IRI."""
    return [_DATASETS.read(row) for row in tx.run(_ALL_DATASETS)]


def datasets_of(tx: Tx, *, peer: str, group: str) -> list[KnownDatasetRow]:
    """The datasets of a peer's group, by IRI."""
    return [_DATASETS.read(row) for row in tx.run(_DATASETS_OF, peer=peer, grp=group)]


def forget_dataset(tx: Tx, *, peer: str, group: str, iri: str) -> None:
    """A dataset is no longer in the catalog of this group."""
    tx.change(_FORGET_DATASET, peer=peer, grp=group, iri=iri)


def forget_group(tx: Tx, *, peer: str, group: str) -> None:
    """A group of a peer is no longer open to us: its head and datasets go."""
    tx.change(_FORGET_GROUP, peer=peer, grp=group)
    tx.change(_FORGET_HEAD, peer=peer, grp=group)


def forget_crawl(tx: Tx, *, peer: str) -> None:
    """A peer is no longer known."""
    tx.change(_FORGET_CRAWL, peer=peer)
