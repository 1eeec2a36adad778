"""Fetching from a peer that hands out one plain HTTP stream and signs nothing (an Eclipse EDC).

There are no parts to check and no manifest to agree with: the stream goes through the one guarded
client into a `.partial` file, gets its name when it ended cleanly, and the receipt says what this
node knows by itself: how many bytes, their digest, when. A stream that breaks off starts anew; a
plain stream cannot resume (X3).
"""

import asyncio
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from connector.base.clock import format_time
from connector.evidence import bodies
from connector.evidence.leaf import Entry
from connector.protocol import messages
from connector.protocol import transfer as machine
from connector.protocol.messages import DataAddress
from connector.protocol.transfer import Act, Role, Transfer
from connector.services import ledger
from connector.services.committing import commit
from connector.services.fetch import received
from connector.services.fetch.fetches import Progress
from connector.services.negotiate import agreements
from connector.services.node import Node
from connector.services.processes import save_transfer, transfer
from connector.services.show.views import find_agreement
from connector.store import parts as rows
from connector.store.rows import ManifestRow
from connector.store.store import Tx
from policies.problem import Problem

FORM: Final = "plain"
"""What a session calls data whose form only its media type tells."""
MAX_BYTES: Final = 2**40
SILENCE: Final = 60.0
RECEIPT: Final = "receipt.json"
_SUFFIXES: Final = {
    "application/json": "json",
    "application/x-ndjson": "ndjson",
    "text/csv": "csv",
    "text/plain": "txt",
    "application/xml": "xml",
    "application/zip": "zip",
}
_OK: Final = 200
_REFUSED: Final = frozenset({401, 403})

Json = dict[str, Any]


async def fetch(
    node: Node, t: Transfer, address: DataAddress, folder: Path, progress: Progress
) -> None:
    """Fetch all of it, write the receipt, complete the transfer.

    Raises:
        Problem: `transfer-refused`, `transfer-address`, `dataplane-disk`, `delivery-…`.
    """
    if not received.finished(folder):
        found, name = await _stream(node, address, folder, progress)
        said = receipt(node, t, {**found, "file": name})
        agreement = await node.store.read(lambda tx: find_agreement(tx, t.agreement))
        files = {
            RECEIPT: orjson.dumps(said, option=orjson.OPT_INDENT_2),
            **received.agreed(agreement),
        }
        await asyncio.to_thread(received.write, folder, files)
        await asyncio.to_thread(_name, folder, name)
    await finish(node, t, folder)


async def finish(node: Node, t: Transfer, folder: Path) -> None:
    """Complete a transfer whose files are all here."""
    kept = await asyncio.to_thread((folder / RECEIPT).read_bytes)
    await commit(node, lambda tx: complete(node, tx, t.pid, orjson.loads(kept)))


def keep(node: Node, tx: Tx, pid: str, said: Json) -> None:
    """Store and log the receipt; harmless twice."""
    if rows.manifest(tx, transfer=pid) is None:
        now = node.clock.now()
        rows.put_manifest(tx, ManifestRow(pid, {}, now, said))
        entry = Entry("receipt", transfer(tx, pid).agreement, bodies.receipt(said))
        node.log.append(tx, entry, now)


def complete(node: Node, tx: Tx, pid: str, said: Json) -> None:
    """Keep the receipt and tell the provider that we have what we asked for; harmless twice."""
    keep(node, tx, pid, said)
    t = transfer(tx, pid)
    if t.over:
        return
    t = machine.step(t, Act.COMPLETE, Role.CONSUMER, node.clock.now())
    message = messages.TransferCompletion(
        id=node.ids.uuid(), provider_pid=str(t.provider_pid), consumer_pid=t.pid
    )
    ledger.sent(node, tx, t, message)
    save_transfer(tx, t)


class Sink:
    """A `.partial` file, with the size and the digest of what went into it."""

    def __init__(self, path: Path, progress: Progress, node: Node) -> None:
        """Open the file, empty; its folder is made."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = path.open("wb", buffering=0)
        self._size = 0
        self._hash = hashlib.sha256()
        self._progress = progress
        self._node = node
        progress.parts = progress.rows = progress.bytes = 0

    async def write(self, chunk: bytes) -> None:
        """Take the next piece."""
        await asyncio.to_thread(self._take, chunk)
        self._size += len(chunk)
        self._progress.bytes = self._size
        self._node.fetches.changed()

    def _take(self, chunk: bytes) -> None:
        self._hash.update(chunk)
        view = memoryview(chunk)
        while view:
            view = view[self._file.write(view) :]

    def close(self) -> Json:
        """Bring it to the disk; size and digest."""
        os.fsync(self._file.fileno())
        self._file.close()
        return {"bytes": self._size, "digest": f"sha-256:{self._hash.hexdigest()}"}


async def _stream(
    node: Node, address: DataAddress, folder: Path, progress: Progress
) -> tuple[Json, str]:
    """What came, and the name it gets; it lies in `data.partial`."""
    url = str(address.url)
    try:
        sink = await asyncio.to_thread(Sink, folder / f"data{received.PARTIAL}", progress, node)
        try:
            for headers in _credentials(address):
                answer = await node.fetch.download(
                    url, sink.write, headers=headers, limit=MAX_BYTES, timeout=SILENCE
                )
                if answer.status not in _REFUSED:
                    break
        finally:
            found = sink.close()
    except OSError as error:
        raise Problem("dataplane-disk", reason=error.strerror or "I/O") from None
    if answer.status != _OK:
        raise Problem("transfer-refused", status=answer.status, reason="–")
    media = answer.headers.get("content-type", "").split(";")[0].strip().lower()
    return {**found, "media_type": media}, received.STEM + suffix(media)


def suffix(media_type: str) -> str:
    """How a file of this media type is called after the dot."""
    return _SUFFIXES.get(media_type.split(";", maxsplit=1)[0].strip().lower(), "bin")


def _credentials(address: DataAddress) -> list[Mapping[str, str]]:
    """The token as data planes read it: EDC's public API bare, others after its scheme."""
    token = address.authorization
    return [{"Authorization": str(token)}, {"Authorization": f"Bearer {token}"}]


def _name(folder: Path, name: str) -> None:
    try:
        (folder / f"data{received.PARTIAL}").replace(folder / name)
    except OSError as error:
        raise Problem("dataplane-disk", reason=error.strerror or "I/O") from None


def receipt(node: Node, t: Transfer, found: Mapping[str, object]) -> Json:
    """Our signed word on what came; no manifest of the provider stands behind it."""
    body = {
        "v": 1,
        "manifest": None,
        "agreement": t.agreement,
        "transfer": t.provider_pid,
        "received": dict(found),
        "at": format_time(node.clock.now()),
    }
    return {**body, "proof": agreements.sign(node, body)}
