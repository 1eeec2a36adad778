"""What was handed over: parts, manifest and receipt, and the received files themselves."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connector.evidence import bodies
from connector.evidence.case import Case, Document, Line, hexadecimal, items, mapping, number, text
from connector.evidence.leaf import commit_keyed
from connector.evidence.report import Finding, NotMade
from policies.jcs import digest
from policies.problem import Problem

_MAX_PART: Final = 64 * 1024 * 1024
_MAX_DOCUMENT: Final = 32 * 1024 * 1024
_FIGURES: Final = ("rows", "bytes", "digest")


@dataclass(frozen=True, slots=True)
class Handover:
    """One transfer of the bundle: its manifest and, once there is one, its receipt."""

    where: str
    manifest: Document
    receipt_path: str


def parts(case: Case) -> Iterator[Finding]:
    """Every part that was acknowledged was logged first, with these very figures."""
    handovers = _handovers(case)
    for found in handovers:
        yield from _parts_of(case, found)
    if not handovers:
        raise NotMade("evidence-no-transfer", where="manifest.json")


def manifest(case: Case) -> Iterator[Finding]:
    """The provider signed each manifest, it belongs to this agreement, and the log names it."""
    handovers = _handovers(case)
    named = {str(body.get("digest")): line for line, body in case.logged("manifest")}
    for found in handovers:
        case.check_proof(found.manifest, case.provider, found.where)
        name = digest(bodies.unsigned(found.manifest))
        if named.pop(name, None) is None:
            yield Problem("evidence-document-unlogged", where=found.where, type="manifest")
        yield from _belongs(case, found.manifest, found.where)
        if "plan.json" in case.files and found.manifest.get("plan") != digest(
            case.document("plan.json")
        ):
            yield Problem("evidence-plan-other", where=found.where)
    for line in named.values():
        yield Problem("evidence-document-missing", where=line.where, index=line.index)
    if not handovers and not named:
        raise NotMade("evidence-no-transfer", where="manifest.json")


def receipt(case: Case) -> Iterator[Finding]:
    """The consumer signed a receipt over each manifest, and the log names it."""
    named = {str(body.get("digest")): line for line, body in case.logged("receipt")}
    seen = False
    for found in _handovers(case):
        if found.receipt_path not in case.files:
            continue
        seen = True
        document = case.document(found.receipt_path)
        case.check_proof(document, case.consumer, found.receipt_path)
        if document.get("manifest") != digest(bodies.unsigned(found.manifest)):
            yield Problem("evidence-receipt-other", where=found.receipt_path)
        yield from _belongs(case, document, found.receipt_path)
        if named.pop(digest(bodies.unsigned(document)), None) is None:
            yield Problem("evidence-document-unlogged", where=found.receipt_path, type="receipt")
    for path in _lone_receipts(case):
        seen = True
        document = case.document(path)
        yield from _lone(case, document, path)
        if named.pop(digest(bodies.unsigned(document)), None) is None:
            yield Problem("evidence-document-unlogged", where=path, type="receipt")
    for line in named.values():
        yield Problem("evidence-document-missing", where=line.where, index=line.index)
    for path in _lone_receipts(case):
        raise NotMade("evidence-receipt-alone", where=path, did=case.consumer)
    if not seen and not named:
        raise NotMade("evidence-no-receipt", where="receipt.json")


def files(case: Case) -> Iterator[Finding]:
    """The received files are the manifest's parts, one after the other, and nothing else."""
    folder = case.received
    if folder is None:
        raise NotMade("evidence-files-not-given", where="--files")
    if not (folder / "manifest.json").exists() and _lone_receipts(case):
        yield from _plain_file(case, folder)
        return
    found = _received(case, folder)
    transfer = text(found.manifest, "transfer", found.where)
    salts = mapping(case.document("salts.json"), "parts", "salts.json")
    salt = hexadecimal(salts.get(transfer), "salts.json", f"parts/{transfer}")
    if found.receipt_path in case.files:
        yield from _same_document(folder / "receipt.json", case.document(found.receipt_path))
    yield from _data(found, folder, salt)


def _handovers(case: Case) -> list[Handover]:
    return [
        Handover(path, case.document(path), path.replace("manifest", "receipt"))
        for path in case.paths("manifest")
    ]


def _lone_receipts(case: Case) -> list[str]:
    """Receipts of plain streams, for which the provider gave no manifest."""
    return [
        path
        for path in case.paths("receipt")
        if path.replace("receipt", "manifest") not in case.files
    ]


def _lone(case: Case, document: Document, where: str) -> Iterator[Finding]:
    """The consumer's own word on a plain stream: nobody else can confirm its figures."""
    case.check_proof(document, case.consumer, where)
    if document.get("manifest") is not None:
        yield Problem("evidence-receipt-other", where=where)
    yield from _belongs(case, document, where)


def _plain_file(case: Case, folder: Path) -> Iterator[Finding]:
    """The received file has the size and the digest that one of the receipts says."""
    shown = _document(folder / "receipt.json")
    if shown not in [case.document(path) for path in _lone_receipts(case)]:
        raise Problem("evidence-files-other", where=str(folder / "receipt.json"))
    said = mapping(shown, "received", "receipt.json")
    path = folder / Path(text(said, "file", "receipt.json")).name
    try:
        with path.open("rb") as stream:
            found = f"sha-256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
    except OSError:
        raise Problem("evidence-file-missing", where=str(path)) from None
    if (path.stat().st_size, found) != (said.get("bytes"), said.get("digest")):
        yield Problem("evidence-file-changed", where=path.name)
    raise NotMade("evidence-files-plain", where=path.name, did=case.consumer)


def _belongs(case: Case, document: Document, where: str) -> Iterator[Finding]:
    """The document names this agreement, by its id or by its digest."""
    names = (case.agreement.get("id"), digest(bodies.unsigned(case.agreement)))
    if document.get("agreement") not in names:
        yield Problem("evidence-agreement-other", where=where)


def _parts_of(case: Case, found: Handover) -> Iterator[Finding]:
    transfer = text(found.manifest, "transfer", found.where)
    logged = {
        (str(body.get("part")), str(body.get("issue"))): (line, body)
        for line, body in case.logged("part")
        if body.get("transfer") == transfer
    }
    listed = items(found.manifest, "parts", found.where)
    for place, entry in enumerate(listed, start=1):
        if entry.get("n") != place:
            yield Problem("evidence-part-order", where=found.where, part=place)
    if not logged and case.node != case.provider:
        yield NotMade("evidence-parts-elsewhere", where=found.where)
        return
    for entry in listed:
        yield from _part(case, found, entry, logged.get(_key(entry)))
    yield from _unlisted(found, listed, logged)


def _key(entry: Document) -> tuple[str, str]:
    """Part and issue of a manifest's entry, as keys that any JSON value makes."""
    return str(entry.get("n")), str(entry.get("issue"))


def _part(
    case: Case, found: Handover, entry: Document, logged: tuple[Line, Document] | None
) -> Iterator[Finding]:
    where = f"{found.where} part {entry.get('n')}"
    if logged is None:
        yield Problem("evidence-part-unlogged", where=where, part=entry.get("n"))
        return
    line, body = logged
    for name in _FIGURES:
        if body.get(name) != entry.get(name):
            yield Problem(
                "evidence-part-differs",
                where=where,
                part=entry.get("n"),
                member=name,
                listed=entry.get(name),
                logged=body.get(name),
                index=line.index,
            )
    if case.node == case.provider and entry.get("leaf") != line.index:
        yield Problem("evidence-part-leaf", where=where, part=entry.get("n"), index=line.index)


def _unlisted(
    found: Handover,
    listed: list[Document],
    logged: dict[tuple[str, str], tuple[Line, Document]],
) -> Iterator[Finding]:
    """A complete transfer lists every part that was logged (a later issue of one is no part)."""
    if found.manifest.get("state") != "complete":
        return
    known = {_key(entry)[0] for entry in listed}
    for (part, _), (line, _) in logged.items():
        if part not in known:
            yield Problem("evidence-part-unlisted", where=line.where, part=part, index=line.index)


def _received(case: Case, folder: Path) -> Handover:
    """Which transfer of the bundle these files came from: the manifest beside them says it."""
    shown = digest(bodies.unsigned(_document(folder / "manifest.json")))
    for found in _handovers(case):
        if digest(bodies.unsigned(found.manifest)) == shown:
            return found
    raise Problem("evidence-files-other", where=str(folder / "manifest.json"))


def _document(path: Path) -> Document:
    case = Case({path.name: _bytes(path, _MAX_DOCUMENT)})
    return case.document(path.name)


def _same_document(path: Path, expected: Document) -> Iterator[Finding]:
    if _document(path) != expected:
        yield Problem("evidence-files-other", where=str(path))


def _bytes(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except OSError:
        raise Problem("evidence-file-missing", where=str(path)) from None
    if len(data) > limit:
        raise Problem("evidence-archive-too-large", limit=limit)
    return data


def _data(found: Handover, folder: Path, salt: bytes) -> Iterator[Finding]:
    names = [name for name in ("data.ndjson", "data.csv") if (folder / name).is_file()]
    if len(names) != 1:
        raise Problem("evidence-file-missing", where=str(folder / "data.ndjson"))
    path = folder / names[0]
    with path.open("rb") as stream:
        for entry in items(found.manifest, "parts", found.where):
            size = number(entry, "bytes", found.where)
            data = stream.read(size) if size <= _MAX_PART else b""
            where = f"{path.name} part {entry.get('n')}"
            if commit_keyed(salt, data) != entry.get("digest"):
                yield Problem("evidence-files-part", where=where, part=entry.get("n"))
            elif _rows(data, names[0], first=entry.get("n") == 1) != entry.get("rows"):
                yield Problem("evidence-files-rows", where=where, part=entry.get("n"))
        if stream.read(1):
            yield Problem("evidence-files-more", where=path.name)


def _rows(data: bytes, name: str, *, first: bool) -> int:
    """How many rows a part holds; the header line of a CSV stands in its first part only."""
    if name == "data.ndjson":
        return data.count(b"\n")
    # A line feed between two quotes belongs to a cell; every other text is outside of quotes.
    lines = sum(text.count(b"\n") for text in data.split(b'"')[::2])
    return lines - first
