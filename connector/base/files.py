"""Files that only their owner reads, whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from policies.problem import Problem


@contextmanager
def private_file(target: Path) -> Iterator[BinaryIO]:
    """Write `target` (mode 0600) beside itself; it gets its name when the block succeeds.

    Raises:
        Problem: `file-exists`, `file-unwritable` (disk full, no such folder, no right to write).
            Nothing remains then, nor when the block raises.
    """
    if target.exists():
        raise Problem("file-exists", path=str(target))
    partial = target.with_name(target.name + ".partial")
    try:
        partial.unlink(missing_ok=True)  # left by a crash
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.rename(target)
        sync_folder(target.parent)
    except OSError as error:
        reason = error.strerror or "I/O"
        raise Problem("file-unwritable", path=str(target), reason=reason) from None
    finally:
        partial.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make new names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
