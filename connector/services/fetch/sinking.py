"""Taking data that a peer without signatures pushes to us (an Eclipse EDC, HttpData-PUSH).

The address is made with the request and holds a token of its own. What arrives is kept as a plain
fetch keeps it (`plain`): a `.partial` file until the body ended cleanly, then its name, with a
receipt that says what this node knows by itself. An EDC may push twice: the first whole body
counts, a later one is read and dropped.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import orjson

from connector.protocol.messages import DataAddress
from connector.protocol.messages.address import EDC
from connector.protocol.transfer import Role, Transfer
from connector.services import access
from connector.services.fetch import plain, received
from connector.services.node import Node
from connector.services.processes import transfer
from connector.services.show.views import find_agreement
from connector.store import parts as rows
from connector.store.store import Tx
from policies.problem import Problem

PLACE: Final = "sink"


def address(node: Node, pid: str, token: str) -> DataAddress:
    """Where the provider is to push the data of a transfer, in EDC's words."""
    named = {
        "type": "HttpData",
        "baseUrl": f"{node.url}/data/{pid}/{PLACE}",
        "authKey": "Authorization",
        "authCode": token,
    }
    properties = tuple((EDC + name, value) for name, value in named.items())
    return DataAddress(endpoint_type="HttpData", properties=properties)


async def take(
    node: Node, pid: str, token: str, media_type: str, body: AsyncIterator[bytes]
) -> None:
    """Keep a pushed body.

    Raises:
        Problem: `release-unknown` (no such transfer for this token), `release-ended`,
            `dataplane-disk`; whatever `body` raises, and then nothing is kept.
    """
    t = await node.store.read(lambda tx: _opened(tx, pid, token))
    folder = received.folder_of(node, pid)
    if await asyncio.to_thread(received.finished, folder):
        async for _ in body:
            pass
        return
    if t.over:
        raise Problem("release-ended")
    progress = node.fetches.of(pid)
    unique = f"{received.STEM}{node.ids.token(8).hex()}{received.PARTIAL}"
    try:
        sink = await asyncio.to_thread(plain.Sink, folder / unique, progress, node)
        try:
            async for piece in body:
                await sink.write(piece)
        finally:
            found = await asyncio.to_thread(sink.close)
        name = received.STEM + plain.suffix(media_type)
        await _finish(node, t, folder, unique, {**found, "media_type": media_type, "file": name})
    except OSError as error:
        raise Problem("dataplane-disk", reason=error.strerror or "I/O") from None
    finally:
        (folder / unique).unlink(missing_ok=True)
    progress.files = received.finished(folder)
    node.fetches.changed()


async def _finish(
    node: Node, t: Transfer, folder: Path, unique: str, found: dict[str, object]
) -> None:
    # Its request may have been answered only while the body came.
    t = await node.store.read(lambda tx: transfer(tx, t.pid))
    receipt = plain.receipt(node, t, found)
    agreement = await node.store.read(lambda tx: find_agreement(tx, t.agreement))
    if received.finished(folder):  # another push was quicker
        return
    files = {
        plain.RECEIPT: orjson.dumps(receipt, option=orjson.OPT_INDENT_2),
        **received.agreed(agreement),
    }
    await asyncio.to_thread(received.write, folder, files)
    await asyncio.to_thread((folder / unique).replace, folder / str(found["file"]))
    await node.store.write(lambda tx: plain.keep(node, tx, t.pid, receipt))


def _opened(tx: Tx, pid: str, token: str) -> Transfer:
    session = rows.session(tx, transfer=pid)
    if session is None or not access.same_secret(token, session.token_hash):
        raise Problem("release-unknown")
    t = transfer(tx, pid)
    if t.role is not Role.CONSUMER:
        raise Problem("release-unknown")
    return t
