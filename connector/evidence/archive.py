"""Opening a bundle that a stranger made: which files a zip may bring, and how much of them.

Pure but for reading the one file. A bundle is read whole into memory within hard limits; nothing
is ever extracted to disk, so a path inside it can reach nothing.
"""

import re
import zipfile
import zlib
from pathlib import Path
from typing import Final

from policies.problem import Problem

INDEX: Final = "index.json"
MAX_FILES: Final = 20_000
MAX_FILE_BYTES: Final = 64 * 1024 * 1024
MAX_TOTAL_BYTES: Final = 256 * 1024 * 1024
_MAX_ARCHIVE_BYTES: Final = 256 * 1024 * 1024
_PATH: Final = re.compile(
    r"index\.json|agreement\.json|application\.json|dataset\.json|plan\.json|salts\.json"
    r"|leaves\.jsonl|checkpoint"
    r"|(?:manifest|receipt)(?:-[0-9]{2,6})?\.json"
    r"|messages/[0-9]{3,6}-(?:in|out)-[A-Za-z]{1,60}\.json"
    r"|decisions/[0-9]{2,6}\.json"
    r"|did/[0-9]{2,6}\.json"
    r"|private/(?:leaves\.jsonl|decisions/[0-9]{2,6}\.json)",
    re.ASCII,
)
_SYMLINK: Final = 0o120000
_FILE_TYPE: Final = 0o170000
_ENCRYPTED: Final = 0x1


def is_path(name: str) -> bool:
    """Whether a file of this name may stand in a bundle."""
    return _PATH.fullmatch(name) is not None


def read(path: Path) -> dict[str, bytes]:
    """All files of a bundle by path.

    Raises:
        Problem: `evidence-archive-unreadable` (no zip, damaged, encrypted), `-too-large`,
            `-path` (a name that no bundle has), `-duplicate`.
    """
    try:
        if path.stat().st_size > _MAX_ARCHIVE_BYTES:
            raise Problem("evidence-archive-too-large", limit=_MAX_ARCHIVE_BYTES)
        with zipfile.ZipFile(path) as archive:
            return _files(archive)
    except OSError as fault:
        raise Problem("evidence-archive-unreadable", reason=fault.strerror or "I/O") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError):
        # The ways zipfile has to say that this is no zip, or one it cannot read whole.
        raise Problem("evidence-archive-unreadable", reason="zip") from None


def _files(archive: zipfile.ZipFile) -> dict[str, bytes]:
    entries = archive.infolist()
    if len(entries) > MAX_FILES:
        raise Problem("evidence-archive-too-large", limit=MAX_FILES)
    seen: set[str] = set()
    for entry in entries:
        _check(entry)
        if entry.filename in seen:
            raise Problem("evidence-archive-duplicate", where=entry.filename)
        seen.add(entry.filename)
    if sum(entry.file_size for entry in entries) > MAX_TOTAL_BYTES:
        raise Problem("evidence-archive-too-large", limit=MAX_TOTAL_BYTES)
    return {entry.filename: _content(archive, entry) for entry in entries}


def _check(entry: zipfile.ZipInfo) -> None:
    """Name, kind and announced size of one entry (`orig_filename`: before Python tidied it)."""
    if entry.orig_filename != entry.filename or not is_path(entry.filename):
        shown = "".join(char if char.isprintable() else "?" for char in entry.filename[:80])
        raise Problem("evidence-archive-path", where=shown)
    mode = entry.external_attr >> 16
    plain = entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    if entry.flag_bits & _ENCRYPTED or mode & _FILE_TYPE == _SYMLINK or not plain:
        raise Problem("evidence-archive-unreadable", reason=entry.filename)
    if entry.file_size > MAX_FILE_BYTES:
        raise Problem("evidence-archive-too-large", limit=MAX_FILE_BYTES)


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """The bytes of one entry; what it announces binds it, so a bomb ends at its own word."""
    with archive.open(entry) as stream:
        data = stream.read(entry.file_size + 1)
    if len(data) != entry.file_size:
        raise Problem("evidence-archive-unreadable", reason=entry.filename)
    return data
