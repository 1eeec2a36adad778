"""Signed notes and checkpoints: C2SP signed-note v1 and tlog-checkpoint v1, Ed25519 keys.

Pure. Reading is strict where Python is lenient: numbers are ASCII digits without a leading zero,
base64 must be the encoding of what it decodes to, text is UTF-8 without control characters.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from connector.evidence.tree import HASH_SIZE
from policies.problem import Problem

_ED25519: Final = b"\x01"
_KEY_ID_SIZE: Final = 4
_KEY_SIZE: Final = 32
_MARK: Final = "— "
_MAX_NOTE: Final = 64 * 1024
_MAX_SIGNATURES: Final = 100
_MAX_DIGITS: Final = 19
_MAX_PROOF: Final = 63


@dataclass(frozen=True, slots=True)
class Verifier:
    """A named Ed25519 key that may sign notes; `key` is the raw 32-byte public key."""

    name: str
    key: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes by which a signature names its key (signed-note, "Signatures")."""
        material = self.name.encode() + b"\n" + _ED25519 + self.key
        return hashlib.sha256(material).digest()[:_KEY_ID_SIZE]

    def vkey(self) -> str:
        """The key as one line of text, `<name>+<key id>+<type and key in base64>`."""
        return f"{self.name}+{self.key_id.hex()}+{_encode(_ED25519 + self.key)}"


@dataclass(frozen=True, slots=True)
class Note:
    """A note whose signatures were checked: its text, and the names of known keys that signed."""

    text: str
    signers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log commits to: its name, the number of leaves, the root hash over them."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """The text that is signed (tlog-checkpoint, "Note text")."""
        return "".join(
            f"{line}\n"
            for line in (self.origin, str(self.size), _encode(self.root), *self.extensions)
        )


@dataclass(frozen=True, slots=True)
class Advance:
    """A checkpoint with the proof that it extends the log's tree of `old` leaves."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: bytes


def read_vkey(text: str) -> Verifier:
    """A verifier from its line of text.

    Raises:
        Problem: `evidence-vkey-invalid`.
    """
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    material = _decode(encoded) or b""
    if _is_name(name) and material[:1] == _ED25519 and len(material) == 1 + _KEY_SIZE:
        verifier = Verifier(name, material[1:])
        if verifier.key_id.hex() == key_id:
            return verifier
    raise Problem("evidence-vkey-invalid", value=text[:80])


def sign_note(text: str, signer: Verifier, sign: Callable[[bytes], bytes]) -> bytes:
    """The note: its text, an empty line, one signature line.

    Raises:
        ValueError: the text or the name cannot stand in a note.
    """
    if not _is_text(text) or not _is_name(signer.name):
        raise ValueError("a note's text ends in a newline and holds no control character")
    signature = _encode(signer.key_id + sign(text.encode()))
    return f"{text}\n{_MARK}{signer.name} {signature}\n".encode()


def open_note(data: bytes, known: Sequence[Verifier]) -> Note:
    """Check a note against known keys.

    Signatures of unknown keys are passed over; a wrong signature of a known key, or none at all
    of a known key, refuses the whole note (signed-note, "Verification").

    Raises:
        Problem: `evidence-note-malformed`, `evidence-note-signature`, `evidence-note-unsigned`.
    """
    text, lines = _split(data)
    signers: list[str] = []
    for name, payload in lines:
        for verifier in known:
            if verifier.name != name or verifier.key_id != payload[:_KEY_ID_SIZE]:
                continue
            try:
                key = Ed25519PublicKey.from_public_bytes(verifier.key)
                key.verify(payload[_KEY_ID_SIZE:], text.encode())
            except (InvalidSignature, ValueError):
                raise Problem("evidence-note-signature", name=name) from None
            if name not in signers:
                signers.append(name)
    if not signers:
        raise Problem("evidence-note-unsigned", names=", ".join(name for name, _ in lines))
    return Note(text, tuple(signers))


def note_text(data: bytes) -> str:
    """The text of a note whose signatures are *not* checked (to learn which keys to look for).

    Raises:
        Problem: `evidence-note-malformed`.
    """
    return _split(data)[0]


def sign_checkpoint(
    checkpoint: Checkpoint, signer: Verifier, sign: Callable[[bytes], bytes]
) -> bytes:
    """A checkpoint as a signed note."""
    return sign_note(checkpoint.text(), signer, sign)


def open_checkpoint(data: bytes, known: Sequence[Verifier]) -> Checkpoint:
    """Check a signed checkpoint against known keys.

    Raises:
        Problem: as `open_note` and `read_checkpoint`.
    """
    return read_checkpoint(open_note(data, known).text)


def read_checkpoint(text: str) -> Checkpoint:
    """The checkpoint that a note's text spells.

    Raises:
        Problem: `evidence-checkpoint-malformed`.
    """
    lines = text.split("\n")
    if len(lines) >= 4 and lines[-1] == "" and all(lines[:-1]):
        origin, size, encoded, *extensions = lines[:-1]
        number, root = _number(size), _decode(encoded)
        if number is not None and root is not None and len(root) == HASH_SIZE:
            return Checkpoint(origin, number, root, tuple(extensions))
    raise Problem("evidence-checkpoint-malformed")


def write_advance(advance: Advance) -> bytes:
    """A checkpoint with its consistency proof, as a witness is sent it (tlog-witness).

    `old <size>`, the proof's hashes in base64, an empty line, the checkpoint.
    """
    head = [f"old {advance.old}", *map(_encode, advance.proof), "", ""]
    return "\n".join(head).encode() + advance.checkpoint


def read_advance(data: bytes) -> Advance:
    """A checkpoint, with or without a consistency proof before it.

    A plain checkpoint gives `old` 0 and no proof.

    Raises:
        Problem: `evidence-advance-malformed`, or those of `open_note` for what follows the proof.
    """
    if not data.startswith(b"old "):
        return Advance(0, (), data)
    head, found, checkpoint = data[:_MAX_NOTE].partition(b"\n\n")
    lines = head.decode("ascii", "replace").split("\n")
    old = _number(lines[0].removeprefix("old "))
    proof = [_decode(line) for line in lines[1:]]
    hashes = tuple(item for item in proof if item is not None and len(item) == HASH_SIZE)
    if not found or old is None or len(hashes) != len(proof) or len(proof) > _MAX_PROOF:
        raise Problem("evidence-advance-malformed")
    return Advance(old, hashes, checkpoint)


def _split(data: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    """A note's text and its signatures (name, key id and signature), none of them checked."""
    malformed = Problem("evidence-note-malformed")
    if len(data) > _MAX_NOTE:
        raise malformed
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        raise malformed from None
    body, found, tail = whole.rpartition("\n\n")
    text = body + "\n"
    if not found or not _is_text(text) or not tail.endswith("\n"):
        raise malformed
    lines = tail[:-1].split("\n")
    if len(lines) > _MAX_SIGNATURES:
        raise malformed
    return text, [_signature(line) for line in lines]


def _signature(line: str) -> tuple[str, bytes]:
    name, _, encoded = line.removeprefix(_MARK).partition(" ")
    payload = _decode(encoded)
    if not line.startswith(_MARK) or not _is_name(name):
        raise Problem("evidence-note-malformed")
    if payload is None or len(payload) <= _KEY_ID_SIZE:
        raise Problem("evidence-note-malformed")
    return name, payload


def _is_text(text: str) -> bool:
    """UTF-8 text without control characters but newlines, ending in one."""
    return text.endswith("\n") and all(char == "\n" or ord(char) >= 0x20 for char in text)


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(char.isspace() for char in name)


def _number(text: str) -> int | None:
    """A decimal number as C2SP writes it. `int()` alone takes signs, blanks and other scripts."""
    plain = text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS
    return int(text) if plain and (text == "0" or text[0] != "0") else None


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(text: str) -> bytes | None:
    """Base64 in its one canonical spelling: `b64decode` alone accepts stray trailing bits."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if _encode(data) == text else None
