"""Private keys outside their folder: sealed under a passphrase, or not at all (DECISIONS T1).

One form for `preau key export` and for the keys in a backup: a JSON object whose header says how
the key was made from the passphrase (scrypt, RFC 7914) and whose content is AES-256-GCM over the
files, with the header as additional data. Versions of the same key are all taken: old ones decode
notices.
"""

import base64
import binascii
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from connector.identity.keys import listing
from policies.jcs import jcs
from policies.problem import Problem

KIND: Final = "preau-keys"
MIN_PASSPHRASE: Final = 12
MAX_BYTES: Final = 1_000_000
_COST: Final = 2**17
_MAX_COST: Final = 2**20
_BLOCK: Final = 8
_SALT: Final = 16
_NONCE: Final = 12


def keys_of(directory: Path) -> dict[str, bytes]:
    """The key files of a node by name, every version.

    Raises:
        Problem: `identity-keys-missing`, `identity-key-mode`.
    """
    return {path.name: path.read_bytes() for path in listing(directory)}


def seal(
    files: Mapping[str, bytes], passphrase: str, *, did: str, random: Callable[[int], bytes]
) -> bytes:
    """The files, readable by whoever has the passphrase.

    Raises:
        Problem: `identity-passphrase-short`.
    """
    header = {
        "v": 1,
        "kind": KIND,
        "node": did,
        "kdf": {"name": "scrypt", "n": _COST, "r": _BLOCK, "p": 1, "salt": random(_SALT).hex()},
        "cipher": {"name": "aes-256-gcm", "nonce": random(_NONCE).hex()},
    }
    content = orjson.dumps({name: _text(data) for name, data in files.items()})
    nonce = bytes.fromhex(header["cipher"]["nonce"])  # type: ignore[index]  # written above
    sealed = AESGCM(_key(passphrase, header)).encrypt(nonce, content, jcs(header))
    return orjson.dumps({**header, "sealed": _text(sealed)}, option=orjson.OPT_INDENT_2)


def unseal(data: bytes, passphrase: str) -> dict[str, bytes]:
    """The files that were sealed.

    Raises:
        Problem: `identity-sealed-invalid` (not such a file), `identity-sealed-passphrase` (another
            passphrase, or the file was changed).
    """
    header = _header(data)
    try:
        sealed = base64.b64decode(header.pop("sealed"), validate=True)
        key = _key(passphrase, header)
        nonce = bytes.fromhex(header["cipher"]["nonce"])
        content = orjson.loads(AESGCM(key).decrypt(nonce, sealed, jcs(header)))
        return {str(name): base64.b64decode(text) for name, text in content.items()}
    except InvalidTag:
        raise Problem("identity-sealed-passphrase") from None
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error):
        raise Problem("identity-sealed-invalid") from None


def _header(data: bytes) -> dict[str, Any]:
    """What stands around the sealed bytes, if this code knows that form."""
    try:
        found = orjson.loads(data)
        if (found["v"], found["kind"], found["cipher"]["name"]) == (1, KIND, "aes-256-gcm"):
            return dict(found)
    except (ValueError, KeyError, TypeError):
        pass
    raise Problem("identity-sealed-invalid")


def _key(passphrase: str, header: Mapping[str, Any]) -> bytes:
    """The AES key that the header's parameters make of a passphrase (NFC, so that keyboards of
    different systems agree).
    """
    if len(passphrase) < MIN_PASSPHRASE:
        raise Problem("identity-passphrase-short", least=MIN_PASSPHRASE)
    kdf = header["kdf"]
    # A file may ask for a gigabyte of memory, not for all of it.
    if (
        kdf["name"] != "scrypt"
        or not 2**14 <= kdf["n"] <= _MAX_COST
        or (kdf["r"], kdf["p"])
        != (
            _BLOCK,
            1,
        )
    ):
        raise Problem("identity-sealed-invalid")
    scrypt = Scrypt(salt=bytes.fromhex(kdf["salt"]), length=32, n=kdf["n"], r=_BLOCK, p=1)
    return scrypt.derive(unicodedata.normalize("NFC", passphrase).encode())


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
