"""The signed head of a catalog: what is published now, and the version before it."""

import json
from datetime import datetime
from typing import Any

from catalog import heads, proofs, versions
from catalog.model import Entry, Head, Tombstone
from connector.services.node import Node
from connector.services.publish.published import PUBLIC
from connector.store import catalogs
from connector.store.rows import HeadRow
from connector.store.store import Tx
from policies.jcs import jcs


def first_head(node: Node, tx: Tx) -> None:
    """The empty public catalog a node starts with."""
    next_head(node, tx, PUBLIC, node.clock.now())


def next_head(
    node: Node,
    tx: Tx,
    group: str,
    now: datetime,
    *,
    withdrawn: tuple[Tombstone, ...] = (),
) -> None:
    """Sign and store the group's next head over what is published now."""
    entries = [
        Entry(row.iri, f"{row.iri}/v{row.version}", row.digest)
        for row in catalogs.datasets(tx, group=group, state="published")
    ]
    last = catalogs.head(tx, group=group)
    if last is None:
        head = versions.first_head(
            catalog=f"{node.url}/catalog",
            publisher=node.did,
            group=group,
            entries=entries,
            issued=now,
        )
    else:
        previous: Head = heads.read_head(json.loads(last.body))
        issued = max(now, previous.issued)
        head = versions.next_head(previous, entries, issued=issued, withdrawn=withdrawn)
    document = heads.head(head)
    row = HeadRow(group, head.version, versions.head_digest(head), signed(node, document))
    catalogs.add_head(tx, row)


def signed(node: Node, document: dict[str, Any]) -> bytes:
    """The exact bytes that are served for ever: canonical, with our proof."""
    return jcs(
        proofs.sign(
            document,
            sign=node.keys.sign_assertion,
            method=node.assertion_method,
            created=node.clock.now(),
            proof_id=node.ids.uuid(),
        )
    )
