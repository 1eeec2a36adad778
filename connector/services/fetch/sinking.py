"""Taking data that a provider pushes to us (HttpData-PUSH), an Eclipse EDC or another node.

The address is made with the request and holds a token of its own. What arrives is kept as a plain
fetch keeps it (`plain`): a `.partial` file until the body ended cleanly, then its name, with a
receipt that says what this node knows by itself. An EDC may push twice: the first whole body
counts, a later one is read and dropped.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import orjson

from connector.protocol.messages import DataAddress
from connector.protocol.messages.address import EDC
from connector.protocol.transfer import Role, Transfer
from connector.services import access
from connector.services.fetch import plain, received
from connector.services.fetch.fetches import Progress
from connector.services.node import Node
from connector.services.processes import transfer
from connector.services.show.views import find_agreement
from connector.store import parts as rows
from connector.store.store import Tx
from policies.problem import Problem

PLACE: Final = "sink"


def address(node: Node, pid: str, token: str) -> DataAddress:
    """Where the provider is to push the data of a transfer, in EDC's words and in ours."""
    named = {
        "type": "HttpData",
        "baseUrl": f"{node.url}/data/{pid}/{PLACE}",
        "authKey": "Authorization",
        "authCode": token,
    }
    ours = DataAddress.push(named["baseUrl"], token)
    properties = tuple((EDC + name, value) for name, value in named.items())
    return replace(ours, endpoint_type="HttpData", properties=(*properties, *ours.properties))


async def take(
    node: Node, pid: str, token: str, media_type: str, body: AsyncIterator[bytes]
) -> None:
    """Keep a pushed body.

    Raises:
        Problem: `release-unknown` (no such transfer for this token), `release-ended`,
            `transfer-ended`, `transfer-suspended` (by somebody here), `dataplane-disk`; whatever
            `body` raises, and then nothing is kept.
    """
    t = await node.store.read(lambda tx: _opened(tx, pid, token))
    folder, progress = received.folder_of(node, pid), node.fetches.of(pid)
    if await asyncio.to_thread(received.finished, folder):
        async for _ in body:
            pass
        await _receipt(node, pid, folder, progress)
        return
    if t.over:
        raise Problem("release-ended")
    received.check_wanted(t)
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
    await _receipt(node, pid, folder, progress)
    progress.files = received.finished(folder)
    node.fetches.changed()


async def _finish(
    node: Node, t: Transfer, folder: Path, unique: str, found: dict[str, object]
) -> None:
    """Give a whole body its name, with its receipt beside it, unless another push was quicker."""
    # Its request may have been answered only while the body came.
    t = await node.store.read(lambda tx: transfer(tx, t.pid))
    received.check_wanted(t)
    receipt = plain.receipt(node, t, found)
    agreement = await node.store.read(lambda tx: find_agreement(tx, t.agreement))
    files = {
        plain.RECEIPT: orjson.dumps(receipt, option=orjson.OPT_INDENT_2),
        **received.agreed(agreement),
    }
    async with node.fetches.of(t.pid).naming:
        if received.finished(folder):
            return
        await asyncio.to_thread(received.write, folder, files)
        await asyncio.to_thread((folder / unique).replace, folder / str(found["file"]))


async def _receipt(node: Node, pid: str, folder: Path, progress: Progress) -> None:
    """Keep the receipt that lies beside the data, also where a crash came before it was kept."""
    async with progress.naming:
        kept = orjson.loads(await asyncio.to_thread((folder / plain.RECEIPT).read_bytes))
        await node.store.write(lambda tx: plain.keep(node, tx, pid, kept))


def _opened(tx: Tx, pid: str, token: str) -> Transfer:
    session = rows.session(tx, transfer=pid)
    if session is None or not access.same_secret(token, session.token_hash):
        raise Problem("release-unknown")
    t = transfer(tx, pid)
    if t.role is not Role.CONSUMER:
        raise Problem("release-unknown")
    return t
