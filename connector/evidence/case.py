"""A bundle as the checks see it: its files, parsed when asked for, and who is who in it.

Pure. Nothing here decides whether something is right; it only refuses what cannot be read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from catalog import canonical, proofs
from connector.evidence import keys, leaf
from connector.evidence.archive import INDEX
from connector.evidence.note import (
    Advance,
    Checkpoint,
    Verifier,
    note_text,
    open_checkpoint,
    read_advance,
    read_checkpoint,
)
from connector.evidence.tree import HASH_SIZE
from policies.problem import Problem

_MAX_LINE: Final = 1024 * 1024
_MAX_PROOF: Final = 63
_LINE_MEMBERS: Final = frozenset({"index", "leaf", "salt", "body", "proof"})

Document = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of `leaves.jsonl`: a leaf, where it lies in the log, what it commits to.

    `body` and `salt` are None where the leaf has no shared body.
    """

    where: str
    index: int
    data: bytes
    leaf: leaf.Leaf
    salt: bytes | None
    body: Document | None
    proof: tuple[bytes, ...]


class Case:
    """One bundle under examination, with what else the auditor brought."""

    def __init__(
        self,
        files: Mapping[str, bytes],
        *,
        log_checkpoint: bytes | None = None,
        received: Path | None = None,
    ) -> None:
        self.files = files
        self.log_checkpoint = log_checkpoint
        self.received = received
        self._documents: dict[str, Document] = {}

    def document(self, path: str) -> Document:
        """A JSON file of the bundle.

        Raises:
            Problem: `evidence-file-missing`, `evidence-file-malformed` with the file's name.
        """
        if path not in self._documents:
            if path not in self.files:
                raise Problem("evidence-file-missing", where=path)
            self._documents[path] = _object(self.files[path], path)
        return self._documents[path]

    def paths(self, prefix: str) -> list[str]:
        """The files whose path starts so, in order."""
        return sorted(path for path in self.files if path.startswith(prefix))

    @cached_property
    def index(self) -> Document:
        """`index.json`."""
        return self.document(INDEX)

    @cached_property
    def node(self) -> str:
        """The DID of the node whose log this bundle shows."""
        return text(self.index, "node", INDEX)

    @cached_property
    def agreement(self) -> Document:
        """The agreement document, proofs included."""
        return self.document("agreement.json")

    @cached_property
    def provider(self) -> str:
        """The provider's DID, as the agreement names it."""
        return text(self.agreement, "assigner", "agreement.json")

    @cached_property
    def consumer(self) -> str:
        """The consumer's DID, as the agreement names it."""
        return text(self.agreement, "assignee", "agreement.json")

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint's text; its signature is the business of a check."""
        if "checkpoint" not in self.files:
            raise Problem("evidence-file-missing", where="checkpoint")
        return read_checkpoint(note_text(self.files["checkpoint"]))

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """`leaves.jsonl`, line by line."""
        if "leaves.jsonl" not in self.files:
            raise Problem("evidence-file-missing", where="leaves.jsonl")
        rows = self.files["leaves.jsonl"].split(b"\n")
        if rows.pop() != b"" or not rows:
            raise Problem("evidence-file-malformed", where="leaves.jsonl", reason="line end")
        return tuple(_line(row, f"leaves.jsonl:{place + 1}") for place, row in enumerate(rows))

    def logged(self, kind: str) -> Iterator[tuple[Line, Document]]:
        """The leaves of one type that show a shared body, in order."""
        for line in self.lines:
            if line.leaf.type == kind and line.body is not None:
                yield line, line.body

    @cached_property
    def private(self) -> tuple[tuple[int, bytes, bytes], ...]:
        """Index, salt and JCS bytes of each private body shown; empty where none may be seen."""
        path = "private/leaves.jsonl"
        rows = self.files.get(path, b"").split(b"\n")[:-1]
        found = []
        for place, data in enumerate(rows, start=1):
            where = f"{path}:{place}"
            row = _object(data, where)
            salt = hexadecimal(row.get("salt"), where, "salt", leaf.SALT_SIZE)
            body = canonical.canonical(mapping(row, "body", where))
            found.append((number(row, "index", where), salt, body))
        return tuple(found)

    @cached_property
    def advance(self) -> Advance:
        """The checkpoint that the auditor brought, with its consistency proof if there is one."""
        return read_advance(self.log_checkpoint or b"")

    @cached_property
    def snapshots(self) -> tuple[keys.Snapshot, ...]:
        """The DID documents of the bundle."""
        return tuple(keys.read(self.document(path), path) for path in self.paths("did/"))

    @cached_property
    def pinned(self) -> tuple[keys.Snapshot, ...]:
        """The DID documents whose digest a leaf names for that very DID."""
        pairs = [(body.get("by"), body.get("did")) for _, body in self.logged("agreement")]
        pairs += [(body.get("did"), body.get("digest")) for _, body in self.logged("key")]
        named = {(str(did), str(digest)) for did, digest in pairs}
        return tuple(item for item in self.snapshots if (item.did, item.digest) in named)

    def attested(self, did: str) -> bool:
        """Whether the log has this party's assent without a proof: it does not sign (P6)."""
        said = [body for _, body in self.logged("agreement") if body.get("by") == did]
        return bool(said) and all(body.get("proof") is None for body in said)

    def check_proof(self, document: Document, signer: str, where: str) -> None:
        """That a document carries one valid proof by an assertion key of `signer`.

        Raises:
            Problem: `evidence-proof`, with the reason.
        """

        def key_of(method: str) -> bytes:
            for snapshot in self.pinned:
                if snapshot.did == signer and method in snapshot.assertion:
                    return snapshot.assertion[method]
            raise Problem("evidence-key-unknown", method=method[:200], did=signer, where=where)

        try:
            proofs.verify(document, key_of)
        except Problem as fault:
            if fault.code.startswith("evidence-"):
                raise
            raise Problem("evidence-proof", where=where, did=signer, reason=fault.code) from None

    def open_note(self, data: bytes) -> Checkpoint:
        """A checkpoint of the node's log, its signature checked with the log's own key.

        Raises:
            Problem: `evidence-note-…`, `evidence-checkpoint-malformed`.
        """
        known = [
            Verifier(self.checkpoint.origin, key)
            for snapshot in self.pinned
            if snapshot.did == self.node
            for key in snapshot.log.values()
        ]
        return open_checkpoint(data, known)


def text(document: Document, name: str, where: str) -> str:
    """A member that is a string.

    Raises:
        Problem: `evidence-member`.
    """
    value = document.get(name)
    if not isinstance(value, str):
        raise Problem("evidence-member", where=where, member=name)
    return value


def number(document: Document, name: str, where: str) -> int:
    """A member that is a whole number, zero or more; raises like `text`."""
    value = document.get(name)
    if type(value) is not int or value < 0:
        raise Problem("evidence-member", where=where, member=name)
    return value


def mapping(document: Document, name: str, where: str) -> Document:
    """A member that is an object; raises like `text`."""
    value = document.get(name)
    if not isinstance(value, Mapping):
        raise Problem("evidence-member", where=where, member=name)
    return value


def items(document: Document, name: str, where: str) -> list[Document]:
    """A member that is a list of objects; raises like `text`."""
    value = document.get(name)
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise Problem("evidence-member", where=where, member=name)
    return value


def hexadecimal(value: object, where: str, member: str, size: int | None = None) -> bytes:
    """Bytes written in lower-case hexadecimal; raises like `text`."""
    try:
        data = bytes.fromhex(value) if isinstance(value, str) else None
    except ValueError:
        data = None
    if data is None or data.hex() != value or (size is not None and len(data) != size):
        raise Problem("evidence-member", where=where, member=member)
    return data


def _object(data: bytes, where: str) -> Document:
    try:
        found = canonical.parse(data)
        canonical.canonical(found)  # so that no digest made later can fail
    except Problem as fault:
        raise Problem("evidence-file-malformed", where=where, reason=fault.code) from None
    return found


def _line(data: bytes, where: str) -> Line:
    if len(data) > _MAX_LINE:
        raise Problem("evidence-file-malformed", where=where, reason="length")
    row = _object(data, where)
    if set(row) != _LINE_MEMBERS:
        raise Problem("evidence-file-malformed", where=where, reason="members")
    spelled = text(row, "leaf", where).encode("utf-8", "surrogatepass")
    try:
        content = leaf.read(spelled)
    except Problem:
        raise Problem("evidence-leaf-malformed", where=where) from None
    proof = row["proof"]
    if not isinstance(proof, list) or len(proof) > _MAX_PROOF:
        raise Problem("evidence-member", where=where, member="proof")
    body, salt = row["body"], row["salt"]
    return Line(
        where,
        number(row, "index", where),
        spelled,
        content,
        None if salt is None else hexadecimal(salt, where, "salt", leaf.SALT_SIZE),
        None if body is None else mapping(row, "body", where),
        tuple(hexadecimal(item, where, "proof", HASH_SIZE) for item in proof),
    )
