"""The node's five keys (DECISIONS T1), each for one use, in files only their owner reads.

| name      | kind                | use                                                    |
|-----------|---------------------|--------------------------------------------------------|
| token     | P-256               | Self-Issued tokens (capabilityInvocation)              |
| assertion | Ed25519             | what we promise: catalog, agreements (assertionMethod) |
| log       | Ed25519             | checkpoints of the evidence log                        |
| pseudonym | 256-bit secret      | pseudonyms and re-keyed ids, through `derive`          |
| subject   | 256-bit secret      | keyed hashes of learners' identifiers in the registry  |

Files are `<name>-<version>.pem` (PKCS#8) or `.hex`; the highest version is the one in use. They
are the only place where private keys rest: rooms receive functions, public keys or derived bytes.
"""

import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from policies.problem import Problem

NAMES: Final = ("token", "assertion", "log", "pseudonym", "subject")
_SECRETS: Final = frozenset({"pseudonym", "subject"})
_SECRET_SIZE: Final = 32
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_FILE: Final = re.compile(r"(token|assertion|log|pseudonym|subject)-([1-9][0-9]{0,5})\.(pem|hex)")


def create(directory: Path, random: Callable[[int], bytes]) -> None:
    """Make version 1 of the five keys in `directory` (mode 0700, files 0600), all or nothing.

    Args:
        directory: the folder of the keys (`[keys] dir`); it must not exist, or be empty.
        random: gives that many unpredictable bytes; every key is made from it.

    Raises:
        Problem: `identity-keys-exist` if anything lies there already: keys are never overwritten.
    """
    install(directory, {f"{name}-1.{_suffix(name)}": _fresh(name, random) for name in NAMES})


def install(directory: Path, files: Mapping[str, bytes]) -> None:
    """Put key files, new ones or those of a backup, into `directory` (modes as `create`), all or
    nothing.

    Raises:
        Problem: `identity-keys-exist` as `create`; `identity-key-unreadable`: a name that no key
            file has.
    """
    if directory.exists() and any(directory.iterdir()):
        raise Problem("identity-keys-exist", path=str(directory))
    directory.parent.mkdir(parents=True, exist_ok=True)
    # Written beside and renamed, so that an interrupted init leaves no half set of keys.
    draft = directory.with_name(directory.name + ".partial")
    _discard(draft)
    draft.mkdir(mode=0o700)
    for name, content in files.items():
        if not _FILE.fullmatch(name):
            _discard(draft)
            raise Problem("identity-key-unreadable", path=name[:60])
        _write(draft / name, content)
    _sync(draft)
    try:
        draft.rename(directory)
    except OSError:
        _discard(draft)
        raise Problem("identity-keys-exist", path=str(directory)) from None
    _sync(directory.parent)


def listing(directory: Path) -> tuple[Path, ...]:
    """Every key file in `directory`, all versions, by name.

    Raises:
        Problem: `identity-keys-missing`, `identity-key-mode`.
    """
    if not directory.is_dir():
        raise Problem("identity-keys-missing", path=str(directory), name=NAMES[0])
    found = sorted(path for path in directory.iterdir() if _FILE.fullmatch(path.name))
    for path in found:
        _check_mode(path, "600")
    return tuple(found)


def derive(secret: bytes, purpose: bytes, *parts: bytes, size: int = 32) -> bytes:
    """`size` bytes under a secret for one purpose and its parts (HKDF-SHA-256, RFC 5869).

    Purpose and parts are written with their lengths in front, so no two lists of parts meet.
    """
    info = b"".join(len(part).to_bytes(4, "big") + part for part in (purpose, *parts))
    return HKDF(hashes.SHA256(), length=size, salt=None, info=b"preau/v1" + info).derive(secret)


@dataclass(frozen=True, slots=True, eq=False)
class KeyRing:
    """The keys in use, loaded once. Its `repr` shows versions, never keys."""

    token_key: EllipticCurvePrivateKey = field(repr=False)
    assertion_key: Ed25519PrivateKey = field(repr=False)
    log_key: Ed25519PrivateKey = field(repr=False)
    pseudonym_secret: bytes = field(repr=False)
    subject_secret: bytes = field(repr=False)
    versions: dict[str, int]
    assertion_public: bytes = field(init=False, repr=False)
    log_public: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name, key in (("assertion", self.assertion_key), ("log", self.log_key)):
            object.__setattr__(self, f"{name}_public", key.public_key().public_bytes_raw())

    @classmethod
    def load(cls, directory: Path) -> "KeyRing":
        """The newest version of each key in `directory`.

        Raises:
            Problem: `identity-keys-missing`, `identity-key-mode` (somebody else may read one; says
                the chmod), `identity-key-unreadable` (not a key of its kind).
        """
        if not directory.is_dir():
            raise Problem("identity-keys-missing", path=str(directory), name=NAMES[0])
        _check_mode(directory, "700")
        newest = _newest(directory)
        for name in NAMES:
            if name not in newest:
                raise Problem("identity-keys-missing", path=str(directory), name=name)
        paths = {name: path for name, (_, path) in newest.items()}
        return cls(
            token_key=_read_token(paths["token"]),
            assertion_key=_read_ed25519(paths["assertion"]),
            log_key=_read_ed25519(paths["log"]),
            pseudonym_secret=_read_secret(paths["pseudonym"]),
            subject_secret=_read_secret(paths["subject"]),
            versions={name: newest[name][0] for name in NAMES},
        )

    def sign_assertion(self, data: bytes) -> bytes:
        """The Ed25519 signature (64 bytes) of the assertion key."""
        return self.assertion_key.sign(data)

    def sign_log(self, data: bytes) -> bytes:
        """The Ed25519 signature (64 bytes) of the log key."""
        return self.log_key.sign(data)

    def derive(self, purpose: bytes, *parts: bytes, size: int = 32) -> bytes:
        """`derive` under the pseudonym secret in use."""
        return derive(self.pseudonym_secret, purpose, *parts, size=size)

    def fragment(self, name: str) -> str:
        """The name of a key inside our DID document, without `#`: `token-1`."""
        return f"{name}-{self.versions[name]}"


def _fresh(name: str, random: Callable[[int], bytes]) -> bytes:
    """The file content of a new key."""
    if name in _SECRETS:
        return random(_SECRET_SIZE).hex().encode() + b"\n"
    key: EllipticCurvePrivateKey | Ed25519PrivateKey
    if name == "token":
        # 128 bits more than the order, so that the remainder is unbiased (FIPS 186-5, A.2.1).
        scalar = int.from_bytes(random(48), "big") % (_P256_ORDER - 1) + 1
        key = derive_private_key(scalar, SECP256R1())
    else:
        key = Ed25519PrivateKey.from_private_bytes(random(32))
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _suffix(name: str) -> str:
    return "hex" if name in _SECRETS else "pem"


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _discard(draft: Path) -> None:
    """Remove what an interrupted `create` left: keys nobody has used yet."""
    if draft.is_dir():
        for path in draft.iterdir():
            path.unlink()
        draft.rmdir()


def _newest(directory: Path) -> dict[str, tuple[int, Path]]:
    found: dict[str, tuple[int, Path]] = {}
    for path in directory.iterdir():
        match = _FILE.fullmatch(path.name)
        if match and match[3] == _suffix(match[1]):
            _check_mode(path, "600")
            found[match[1]] = max(found.get(match[1], (0, path)), (int(match[2]), path))
    return found


def _check_mode(path: Path, wanted: str) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise Problem("identity-key-mode", path=str(path), mode=f"{mode:03o}", wanted=wanted)


def _read_pem(path: Path) -> object:
    try:
        return serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (
        ValueError,
        TypeError,
        OSError,
        UnsupportedAlgorithm,
    ):  # unsupported, encrypted or damaged
        raise Problem("identity-key-unreadable", path=str(path)) from None


def _read_token(path: Path) -> EllipticCurvePrivateKey:
    key = _read_pem(path)
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise Problem("identity-key-unreadable", path=str(path))
    return key


def _read_ed25519(path: Path) -> Ed25519PrivateKey:
    key = _read_pem(path)
    if not isinstance(key, Ed25519PrivateKey):
        raise Problem("identity-key-unreadable", path=str(path))
    return key


def _read_secret(path: Path) -> bytes:
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (ValueError, OSError):
        raise Problem("identity-key-unreadable", path=str(path)) from None
    if len(secret) != _SECRET_SIZE:
        raise Problem("identity-key-unreadable", path=str(path))
    return secret
