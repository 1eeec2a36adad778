"""The consumer's loop over parts: fetch, check, keep, go on where it stopped (X3, X9).

Each part is verified against its keyed digest before it counts and acknowledged with the next
request; the file gets its name only when the provider's signed manifest agrees with what arrived.
Then a signed receipt goes back, and both sides have logged it.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import orjson

from catalog import proofs
from connector.base.clock import format_time
from connector.dataplane.parts import ACK, PartInfo, PartWriter, read_headers
from connector.evidence import bodies
from connector.evidence.leaf import Entry
from connector.identity.did import DidDocument
from connector.protocol import messages
from connector.protocol import transfer as machine
from connector.protocol.json import strict_json
from connector.protocol.messages import DataAddress, read_address
from connector.protocol.messages.envelope import readable
from connector.protocol.transfer import Act, Role, State, Transfer
from connector.services import access, ledger
from connector.services.access import Actor
from connector.services.committing import commit
from connector.services.fetch import addresses, plain, received
from connector.services.fetch.fetches import Progress
from connector.services.negotiate import agreements
from connector.services.node import Node
from connector.services.processes import save_transfer, transfer
from connector.services.release.transferring import form_of
from connector.services.show.views import find_agreement
from connector.store import parts as rows
from connector.store import transfers
from connector.store.rows import AgreementRow, ManifestRow, PartRow, SessionRow
from connector.store.store import Tx
from policies.jcs import digest
from policies.problem import Problem

_LIMIT: Final = 9 * 2**20
_TIMEOUT: Final = 300.0
_PATIENCE: Final = timedelta(seconds=120)
_OK: Final = 200
_WORDS: Final = 600


async def start(node: Node, who: Actor, pid: str, parts: int | None) -> None:
    """Fetch in the background: `parts` more parts, or all. While one runs, nothing changes.

    Raises:
        Problem: `access-role`, `transfer-unknown`, `transfer-not-consumer`.
    """
    access.require(who, "operator", "researcher")
    t = await node.store.read(lambda tx: transfer(tx, pid))
    if t.role is not Role.CONSUMER:
        raise Problem("transfer-not-consumer")
    progress = node.fetches.of(pid)
    if node.background.start(f"fetch:{pid}", _run(node, pid, parts)):
        progress.running, progress.problem = True, None


async def complete(node: Node, agreement: str, form: str) -> str | None:
    """The newest transfer of an agreement whose files, in this form, are all here; None if none is.

    Raises:
        Problem: `agreement-unknown`.
    """

    def unit(tx: Tx) -> list[str]:
        row = find_agreement(tx, agreement)
        made = transfers.of_agreement(tx, agreement=row.id)
        ours = (t.pid for t in reversed(made) if t.role == Role.CONSUMER.value)
        return [pid for pid in ours if form_of(tx, pid) in {form, plain.FORM}]

    pids = await node.store.read(unit)
    return next((pid for pid in pids if received.finished(received.folder_of(node, pid))), None)


async def file(node: Node, who: Actor, pid: str, name: str) -> Path:
    """A finished file of a transfer.

    Raises:
        Problem: `access-role`, `transfer-unknown`, `transfer-no-file`.
    """
    access.require(who, "operator", "researcher", "dpo", "auditor")
    await node.store.read(lambda tx: transfer(tx, pid))
    if name not in received.finished(received.folder_of(node, pid)):
        raise Problem("transfer-no-file", name=name[:60])
    return received.folder_of(node, pid) / name


async def _run(node: Node, pid: str, parts: int | None) -> None:
    progress = node.fetches.of(pid)
    try:
        await _fetch(node, pid, parts, progress)
    except Problem as problem:
        progress.problem = problem
    except Exception:
        # A fault of ours: whoever asked for the data reads that it stopped, the log where.
        progress.problem = Problem("http-internal")
        raise
    finally:
        progress.running = False
        progress.files = received.finished(received.folder_of(node, pid))
        node.fetches.changed()


async def _fetch(node: Node, pid: str, parts: int | None, progress: Progress) -> None:
    folder = received.folder_of(node, pid)
    if received.finished(folder):
        if await node.store.read(lambda tx: rows.manifest(tx, transfer=pid)) is None:
            # Everything had arrived when the node ended: the receipt is still owed.
            t = await _look(node, pid)
            if agreements.attests(node, t.peer):
                await plain.finish(node, t, folder)
                return
            t, address = await _debt(node, pid)
            await _hand_back(node, t, address, *await asyncio.to_thread(_kept, folder))
        return
    t, address = await _address(node, pid)
    if agreements.attests(node, t.peer):
        await plain.fetch(node, t, address, folder, progress)
        return
    salt = bytes.fromhex(str(address.part_salt))
    form = await node.store.read(lambda tx: form_of(tx, pid))
    # The address dies with the transfer; auditors need the salt of its part digests after that,
    # and a receipt can still be owed then.
    owed = {"url": address.url, "token": address.authorization}
    session = SessionRow(pid, None, {"salt": salt.hex(), "format": form, "owed": owed})
    await node.store.write(lambda tx: rows.put_session(tx, session))
    writer = await asyncio.to_thread(PartWriter.open, folder, name=received.NAMES[form], salt=salt)
    try:
        # A part counts once it is written *and* logged; one in between is asked for again.
        logged = await node.store.read(lambda tx: rows.last_number(tx, transfer=pid))
        await asyncio.to_thread(writer.forget, logged)
        _show(node, progress, writer)
        last = bool(writer.parts) and await _known_last(node, pid, writer.next - 1)
        wanted = parts
        while not last and (wanted is None or wanted > 0):
            info, body, last = await _part(node, address, writer)
            await asyncio.to_thread(writer.write, info, body)
            await node.store.write(
                lambda tx, i=info, e=last: _keep(node, tx, pid, i, last=e)  # type: ignore[misc]
            )
            _show(node, progress, writer)
            wanted = None if wanted is None else wanted - 1
        if last:
            await _finish(node, t, address, writer)
    finally:
        writer.close()


async def _address(node: Node, pid: str) -> tuple[Transfer, DataAddress]:
    """The data address, once the provider has started the transfer, or gone on with it.

    Raises:
        Problem: `transfer-ended` (with the provider's reasons), `transfer-suspended`,
            `transfer-not-started` (nothing came for two minutes); as `addresses.usable`.
    """
    changed = asyncio.Event()
    loop = asyncio.get_running_loop()
    cancel = node.store.on_commit(lambda: loop.call_soon_threadsafe(changed.set), topic="transfer")
    try:
        until = node.clock.now() + _PATIENCE
        while (t := await _look(node, pid)).state is State.REQUESTED or t.address_due:
            left = (until - node.clock.now()).total_seconds()
            if left <= 0:
                raise Problem("transfer-not-started")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await changed.wait()
            changed.clear()
    finally:
        cancel()
    if t.over:
        raise received.ended(t)
    if t.state is State.SUSPENDED:
        raise Problem("transfer-suspended", reasons=" ".join(t.reasons) or "–")
    address = read_address(t.data_address) if t.data_address else None
    document = await node.resolver.document(t.peer)
    return t, addresses.usable(address, document, signs=not agreements.attests(node, t.peer))


async def _debt(node: Node, pid: str) -> tuple[Transfer, DataAddress]:
    """Where the receipt goes: a transfer that ended after its last part takes it still.

    Raises:
        Problem: as `_address`.
    """
    t = await _look(node, pid)
    session = await node.store.read(lambda tx: rows.session(tx, transfer=pid))
    owed = session.body.get("owed") if session else None
    if not t.over or owed is None:
        return await _address(node, pid)
    document = await node.resolver.document(t.peer)
    document.check_address(owed["url"])
    return t, DataAddress.pull(owed["url"], owed["token"])


async def _look(node: Node, pid: str) -> Transfer:
    return await node.store.read(lambda tx: transfer(tx, pid))


async def _part(
    node: Node, address: DataAddress, writer: PartWriter
) -> tuple[PartInfo, bytes, bool]:
    headers = {"Authorization": f"Bearer {address.authorization}"}
    if writer.parts:
        headers[ACK] = writer.parts[-1].acknowledgement
    answer = await node.fetch.get(
        f"{address.url}/parts/{writer.next}", headers=headers, limit=_LIMIT, timeout=_TIMEOUT
    )
    _check(answer.status, answer.body)
    info, last = read_headers(_cased(answer.headers), len(answer.body))
    return info, answer.body, last


async def _finish(node: Node, t: Transfer, address: DataAddress, writer: PartWriter) -> None:
    """Manifest, names of the files, receipt, completion."""
    headers = {
        "Authorization": f"Bearer {address.authorization}",
        ACK: writer.parts[-1].acknowledgement,
    }
    answer = await node.fetch.get(f"{address.url}/manifest", headers=headers, timeout=_TIMEOUT)
    _check(answer.status, answer.body)
    manifest = strict_json(answer.body, max_bytes=16 * 2**20)
    provider = await node.resolver.document(t.peer)
    agreement = await node.store.read(lambda tx: find_agreement(tx, t.agreement))
    form = await node.store.read(lambda tx: form_of(tx, t.pid))
    _check_manifest(manifest, t, agreement, provider, form)
    receipt = _receipt(node, t, manifest, writer.parts)
    folder = received.folder_of(node, t.pid)
    await asyncio.to_thread(_write_files, folder, manifest, receipt, agreement)
    await asyncio.to_thread(writer.finish, manifest)
    await _hand_back(node, t, address, manifest, receipt)


async def _hand_back(
    node: Node, t: Transfer, address: DataAddress, manifest: dict[str, Any], receipt: dict[str, Any]
) -> None:
    """The receipt to the provider, then the end on our side; both may be said twice."""
    post = await node.fetch.post(
        f"{address.url}/receipt",
        orjson.dumps(receipt),
        headers={
            "Authorization": f"Bearer {address.authorization}",
            "Content-Type": "application/json",
        },
        timeout=_TIMEOUT,
    )
    _check(post.status, post.body)
    await commit(node, lambda tx: _complete(node, tx, t.pid, manifest, receipt))


def _complete(
    node: Node, tx: Tx, pid: str, manifest: dict[str, Any], receipt: dict[str, Any]
) -> None:
    now = node.clock.now()
    t = transfer(tx, pid)
    rows.put_manifest(tx, ManifestRow(pid, manifest, now, receipt))
    node.log.append(tx, Entry("manifest", t.agreement, bodies.manifest(manifest)), now)
    node.log.append(tx, Entry("receipt", t.agreement, bodies.receipt(receipt)), now)
    session = rows.session(tx, transfer=pid)
    if session is not None:  # nothing is owed any more: the token is forgotten
        body = {name: value for name, value in session.body.items() if name != "owed"}
        rows.put_session(tx, replace(session, body=body))
    if t.over:
        return
    t = machine.step(t, Act.COMPLETE, Role.CONSUMER, now)
    message = messages.TransferCompletion(
        id=node.ids.uuid(), provider_pid=str(t.provider_pid), consumer_pid=t.pid
    )
    ledger.sent(node, tx, t, message)
    save_transfer(tx, t)


def _keep(node: Node, tx: Tx, pid: str, info: PartInfo, *, last: bool) -> None:
    """Log a received part as the provider named it: both logs then tell the same.

    Raises:
        Problem: `transfer-ended`, `transfer-suspended`: somebody here did that meanwhile.
    """
    t = transfer(tx, pid)
    now = node.clock.now()
    received.check_wanted(t)
    if rows.get(tx, transfer=pid, n=info.n, issue=info.issue) is not None:
        return
    body = bodies.part(
        str(t.provider_pid),
        info.n,
        issue=info.issue,
        rows=info.rows,
        size=info.bytes,
        digest=info.digest,
    )
    leaf = node.log.append(tx, Entry("part", t.agreement, body), now)
    row = PartRow(
        transfer=pid,
        n=info.n,
        issue=info.issue,
        rows=info.rows,
        bytes=info.bytes,
        digest=info.digest,
        at=now,
        leaf=leaf,
        encoder="last" if last else None,
    )
    rows.add(tx, row)


async def _known_last(node: Node, pid: str, number: int) -> bool:
    row = await node.store.read(lambda tx: rows.latest(tx, transfer=pid, n=number))
    return row is not None and row.encoder == "last"


def _check_manifest(
    manifest: dict[str, Any],
    t: Transfer,
    agreement: AgreementRow,
    provider: DidDocument,
    form: str,
) -> None:
    proofs.verify(manifest, provider.assertion_key)
    said = tuple(manifest.get(name) for name in ("transfer", "agreement", "plan", "format"))
    if said != (t.provider_pid, agreement.id, agreement.plan_digest, form):
        raise Problem("transfer-manifest")
    if not isinstance(manifest.get("codebook"), list):  # it becomes a file of its own
        raise Problem("dataplane-manifest-mismatch", what="codebook")


def _receipt(
    node: Node, t: Transfer, manifest: dict[str, Any], parts: tuple[PartInfo, ...]
) -> dict[str, Any]:
    body = {
        "v": 1,
        "manifest": digest(bodies.unsigned(manifest)),
        "agreement": t.agreement,
        "received": {
            "parts": len(parts),
            "rows": sum(part.rows for part in parts),
            "bytes": sum(part.bytes for part in parts),
        },
        "at": format_time(node.clock.now()),
    }
    return {**body, "proof": agreements.sign(node, body)}


def _write_files(
    folder: Path,
    manifest: dict[str, Any],
    receipt: dict[str, Any],
    agreement: AgreementRow,
) -> None:
    """What lies beside the data: each file whole or not at all."""
    codebook = {"v": 1, "fields": manifest["codebook"]}
    files = {
        "manifest.json": orjson.dumps(manifest, option=orjson.OPT_INDENT_2),
        "receipt.json": orjson.dumps(receipt, option=orjson.OPT_INDENT_2),
        "codebook.json": orjson.dumps(codebook, option=orjson.OPT_INDENT_2),
        "agreement.fr.txt": received.words(agreement, "fr"),
        "agreement.en.txt": received.words(agreement, "en"),
    }
    received.write(folder, files)


def _kept(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The manifest and our receipt, as `_write_files` left them."""
    try:
        manifest, receipt = (
            orjson.loads((folder / name).read_bytes()) for name in ("manifest.json", "receipt.json")
        )
    except OSError as error:
        raise Problem("dataplane-disk", reason=error.strerror or "I/O") from None
    return manifest, receipt


def _check(status: int, body: bytes) -> None:
    """Tell a provider's refusal in its own words.

    Raises:
        Problem: `transfer-refused`.
    """
    if status == _OK:
        return
    try:
        told = orjson.loads(body)
        reason = readable(f"{told['fr']} / {told['en']}", _WORDS)
    except (ValueError, KeyError, TypeError):
        reason = "–"
    raise Problem("transfer-refused", status=status, reason=reason)


def _cased(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers under the spelling that the part's reader looks up."""
    return {
        "-".join(word.capitalize() for word in name.split("-")): value
        for name, value in headers.items()
    }


def _show(node: Node, progress: Progress, writer: PartWriter) -> None:
    progress.parts = len(writer.parts)
    progress.rows = sum(part.rows for part in writer.parts)
    progress.bytes = sum(part.bytes for part in writer.parts)
    node.fetches.changed()
