"""The static-token profile: one fixed secret that two participants share (P9).

For conformance kits, and for partners that can do no better. Whoever holds the secret is the
participant, for ever and from anywhere, so it stands only where the operator has written the
participant into the node's TOML (`[[static_token]]`); the secret itself lies in a file of its own.
"""

import hashlib
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from connector.identity import edc
from connector.identity.did import DidDocument
from policies.problem import Problem

PROFILE: Final = "static-token"
MIN_SECRET: Final = 16
_MAX_SECRET: Final = 4096
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Partner:
    """A participant by configuration: what it is called, where it is, the secret shared with it."""

    document: DidDocument
    secret: str = field(repr=False)

    @property
    def name(self) -> str:
        """What it calls itself."""
        return self.document.did


class Partners:
    """The configured participants, found by name or by the secret they show."""

    def __init__(self, partners: Iterable[Partner] = ()) -> None:
        self._by_name: Mapping[str, Partner] = {one.name: one for one in partners}
        # By digest, so that the time of a look-up tells nothing about a secret.
        self._by_digest = {_digest(one.secret): one for one in self._by_name.values()}

    def of(self, token: str) -> Partner | None:
        """Whose secret this is."""
        return self._by_digest.get(_digest(token))

    def named(self, name: str) -> Partner | None:
        """The participant of this name."""
        return self._by_name.get(name)

    def listing(self) -> list[Partner]:
        """All of them."""
        return list(self._by_name.values())


def read(folder: Path, name: str, dsp: str, file: str) -> Partner:
    """A participant as the node's TOML names it, with its secret from `file` below `folder`.

    Raises:
        Problem: `identity-edc-name`, `identity-edc-url`; `identity-static-file`.
    """
    return Partner(edc.participant(name, dsp), secret_of(folder / file))


def secret_of(path: Path) -> str:
    """The secret that a file of its own holds, one line that nobody else may read.

    Raises:
        Problem: `identity-static-file` (missing, readable by others, shorter than 16 characters).
    """
    try:
        mode = path.stat().st_mode
        secret = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise Problem("identity-static-file", path=str(path)) from None
    fits = MIN_SECRET <= len(secret) <= _MAX_SECRET and secret.isprintable() and " " not in secret
    if mode & _OTHERS or not fits:
        raise Problem("identity-static-file", path=str(path))
    return secret


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
