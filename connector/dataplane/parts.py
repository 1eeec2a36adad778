"""Parts on the wire, the manifest that ends them, and the file they become (X2, X3, X6, X9).

Room: dataplane. The provider names each part with a keyed digest (the salt is known to both
parties and to nobody else); the consumer checks each part before it counts, can resume after a
crash at the last part it has checked, and gives the file its name only when the manifest agrees
with what was received. Until then it is `.partial`.
"""

import hmac
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path
from typing import Final

import orjson

from policies.plan import Field
from policies.problem import Problem

PART: Final = "Preau-Part"
ISSUE: Final = "Preau-Issue"
ROWS: Final = "Preau-Rows"
DIGEST: Final = "Preau-Digest"
LEAF: Final = "Preau-Leaf"
LAST: Final = "Preau-Last"
ACK: Final = "Preau-Ack"

DIGEST_SCHEME: Final = "hmac-sha-256:"
_DIGEST: Final = re.compile(DIGEST_SCHEME + "[0-9a-f]{64}")
_LARGEST: Final = 2**53 - 1  # what leaves can hold: every reader of JSON reads it alike
_ROUND: Final = 10


@dataclass(frozen=True, slots=True)
class PartInfo:
    """What both parties know of one issue of a part; `leaf` is the index of its leaf in the
    provider's log.
    """

    n: int
    issue: int
    rows: int
    bytes: int
    digest: str
    leaf: int

    def headers(self, *, last: bool) -> dict[str, str]:
        """The part headers of FORMATS."""
        return {
            PART: str(self.n),
            ISSUE: str(self.issue),
            ROWS: str(self.rows),
            DIGEST: self.digest,
            LEAF: str(self.leaf),
            LAST: "true" if last else "false",
        }

    @property
    def acknowledgement(self) -> str:
        """The value of `Preau-Ack` in the request for the next part."""
        return f"{self.n};{self.issue};{self.digest}"

    def document(self) -> dict[str, object]:
        """The member of the manifest's `parts`."""
        return asdict(self)


def read_headers(headers: Mapping[str, str], size: int) -> tuple[PartInfo, bool]:
    """The part that a response announces, and whether it says to be the last.

    `headers` is looked up by the names above (let the mapping ignore case); `size` is the length
    of the body received.

    Raises:
        Problem: `dataplane-part-header`, naming the header.
    """
    found = PartInfo(
        n=_number(headers, PART, 1),
        issue=_number(headers, ISSUE, 1),
        rows=_number(headers, ROWS, 0),
        bytes=size,
        digest=headers.get(DIGEST, ""),
        leaf=_number(headers, LEAF, 0),
    )
    if not _DIGEST.fullmatch(found.digest):
        raise Problem("dataplane-part-header", header=DIGEST)
    last = headers.get(LAST)
    if last not in ("true", "false"):
        raise Problem("dataplane-part-header", header=LAST)
    return found, last == "true"


def read_acknowledgement(text: str) -> tuple[int, int, str]:
    """Part, issue and digest of a `Preau-Ack`.

    Raises:
        Problem: `dataplane-part-header`.
    """
    part, _, rest = text.partition(";")
    issue, _, digest = rest.partition(";")
    if not (_is_number(part) and _is_number(issue) and digest.startswith(DIGEST_SCHEME)):
        raise Problem("dataplane-part-header", header=ACK)
    return int(part), int(issue), digest


def _number(headers: Mapping[str, str], name: str, least: int) -> int:
    text = headers.get(name, "")
    if not _is_number(text) or int(text) < least:
        raise Problem("dataplane-part-header", header=name)
    return int(text)


def _is_number(text: str) -> bool:
    short = text.isascii() and text.isdigit() and len(text) <= len(str(_LARGEST))
    return short and int(text) <= _LARGEST


def part_digest(salt: bytes, body: bytes) -> str:
    """`hmac-sha-256:<64 hex>` of a part's body under the salt that the two parties share (X6)."""
    return DIGEST_SCHEME + hmac.digest(salt, body, "sha256").hex()


def persons_text(count: int) -> str:
    """A person count as it may be told: rounded down to 10, below that "<10" (X4)."""
    return "<10" if count < _ROUND else str(count - count % _ROUND)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a transfer released, as the provider signs it (FORMATS "Manifest").

    `plan` is the plan's digest, `consent` the commitment to the registry's state, `persons` the
    exact count (only its rounding is written), `expires` RFC 3339 or empty when nothing ends it.
    """

    transfer: str
    agreement: str
    plan: str
    revision: str
    format: str
    consent: str
    parts: tuple[PartInfo, ...]
    persons: int
    codebook: tuple[Field, ...]
    expires: str
    reason: str = ""

    def document(self) -> dict[str, object]:
        """The manifest without its proof; `state` is cut when there is a reason."""
        document: dict[str, object] = {
            "v": 1,
            "transfer": self.transfer,
            "agreement": self.agreement,
            "plan": self.plan,
            "revision": self.revision,
            "format": self.format,
            "consent": self.consent,
            "state": "cut" if self.reason else "complete",
        }
        if self.reason:
            document["reason"] = self.reason
        return document | {
            "parts": [part.document() for part in self.parts],
            "persons": persons_text(self.persons),
            "codebook": [codebook_entry(field) for field in self.codebook],
            "expires": self.expires,
        }


def codebook_entry(field: Field) -> dict[str, object]:
    """A field as FORMATS writes it: name, pointer or column, type, personal."""
    place = {"pointer": field.pointer} if field.pointer is not None else {"column": field.column}
    return {"name": field.name, **place, "type": field.type, "personal": field.personal}


class PartWriter:
    """The receiving side of one transfer: `NAME.partial` and, beside it, the list of parts.

    A part counts once it is checked and on the disk. After a crash, opening the writer again cuts
    the file back to the last part that counts.
    """

    def __init__(self, folder: Path, name: str, salt: bytes) -> None:
        self._target = folder / name
        self._data_path = folder / f"{name}.partial"
        self._list_path = folder / f"{name}.parts"
        self._salt = salt
        self._parts: list[PartInfo] = []
        self._data: FileIO
        self._list: FileIO

    @classmethod
    def open(cls, folder: Path, *, name: str, salt: bytes) -> "PartWriter":
        """Start or resume receiving into `folder`.

        Raises:
            Problem: `dataplane-disk`; `dataplane-received` when the file is complete already.
        """
        writer = cls(folder, name, salt)
        if writer._target.exists():
            raise Problem("dataplane-received", file=name)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            writer._data = _open(writer._data_path)
            writer._list = _open(writer._list_path)
            writer._resume()
            _sync_folder(folder)
        except OSError as error:
            raise Problem("dataplane-disk", reason=error.strerror or "I/O") from None
        return writer

    @property
    def parts(self) -> tuple[PartInfo, ...]:
        """The parts that count, in order."""
        return tuple(self._parts)

    @property
    def next(self) -> int:
        """The number of the part to ask for."""
        return len(self._parts) + 1

    def write(self, info: PartInfo, body: bytes) -> None:
        """Check a part and append it; a newer issue of the last part replaces it.

        Raises:
            Problem: `dataplane-part-order`, `dataplane-part-digest`, `dataplane-disk`; the part
                does not count then.
        """
        if self._parts and info.n == len(self._parts) and info.issue > self._parts[-1].issue:
            self._keep(self._parts[:-1])
        if info.n != self.next:
            raise Problem("dataplane-part-order", part=info.n, expected=self.next)
        same = hmac.compare_digest(part_digest(self._salt, body), info.digest)
        if not same or len(body) != info.bytes:
            raise Problem("dataplane-part-digest", part=info.n)
        try:
            _write_all(self._data, body)
            os.fsync(self._data.fileno())
            _write_all(self._list, orjson.dumps(asdict(info)) + b"\n")
            os.fsync(self._list.fileno())
        except OSError as error:
            self._cut()
            raise Problem("dataplane-disk", reason=error.strerror or "I/O") from None
        self._parts.append(info)

    def forget(self, after: int) -> None:
        """Let only the first `after` parts count: what follows will be asked for again.

        Raises:
            Problem: `dataplane-disk`.
        """
        if len(self._parts) <= after:
            return
        try:
            self._keep(self._parts[:after])
        except OSError as error:
            raise Problem("dataplane-disk", reason=error.strerror or "I/O") from None

    def finish(self, manifest: Mapping[str, object]) -> Path:
        """Give the file its name, if the manifest (whose proof the caller has verified) lists
        exactly the parts that count.

        Raises:
            Problem: `dataplane-manifest-mismatch`, naming the part or member.
        """
        listed = manifest.get("parts")
        if not isinstance(listed, list) or len(listed) != len(self._parts):
            raise Problem("dataplane-manifest-mismatch", what="parts")
        for part, entry in zip(self._parts, listed, strict=True):
            if entry != part.document():
                raise Problem("dataplane-manifest-mismatch", what=f"parts[{part.n}]")
        if manifest.get("state") not in ("complete", "cut"):
            raise Problem("dataplane-manifest-mismatch", what="state")
        if manifest["state"] == "cut" and not manifest.get("reason"):
            raise Problem("dataplane-manifest-mismatch", what="reason")
        self.close()
        try:
            self._data_path.rename(self._target)
            self._list_path.unlink()
            _sync_folder(self._target.parent)
        except OSError as error:
            raise Problem("dataplane-disk", reason=error.strerror or "I/O") from None
        return self._target

    def close(self) -> None:
        """Close the files; what counts stays."""
        self._data.close()
        self._list.close()

    def _resume(self) -> None:
        size = self._data_path.stat().st_size
        kept: list[PartInfo] = []
        with self._list_path.open("rb") as file:
            for line in file:
                part = _listed(line)
                if part is None or part.n != len(kept) + 1:
                    break
                size -= part.bytes
                if size < 0:
                    break
                kept.append(part)
        self._keep(kept)

    def _keep(self, parts: Iterable[PartInfo]) -> None:
        """Cut both files back to these parts."""
        self._parts = list(parts)
        self._cut()

    def _cut(self) -> None:
        lines = [orjson.dumps(asdict(part)) + b"\n" for part in self._parts]
        for file, size in (
            (self._list, sum(map(len, lines))),
            (self._data, sum(part.bytes for part in self._parts)),
        ):
            file.truncate(size)
            file.seek(size)


def verify_received(path: Path, salt: bytes, parts: Iterable[PartInfo]) -> None:
    """Check a received file against the parts of its manifest (`audit verify --files`).

    Raises:
        Problem: `dataplane-part-digest` naming the first part that differs, `dataplane-manifest-
            mismatch` when the file is longer, `dataplane-file-unreadable`.
    """
    try:
        with path.open("rb") as file:
            for part in parts:
                body = file.read(part.bytes)
                if part_digest(salt, body) != part.digest:
                    raise Problem("dataplane-part-digest", part=part.n)
            if file.read(1):
                raise Problem("dataplane-manifest-mismatch", what="size")
    except OSError as error:
        raise Problem("dataplane-file-unreadable", reason=error.strerror or "I/O") from None


def _listed(line: bytes) -> PartInfo | None:
    """A line of the list of parts; None for a torn one."""
    try:
        return PartInfo(**orjson.loads(line)) if line.endswith(b"\n") else None
    except (ValueError, TypeError):
        return None


def _open(path: Path) -> FileIO:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    return os.fdopen(descriptor, "r+b", buffering=0)


def _write_all(file: FileIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
