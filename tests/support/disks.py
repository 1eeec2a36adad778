"""Disks that are full: small ones mounted for a test, where this user may mount one."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def tmpfs(folder: Path, size: int) -> Iterator[bool]:
    """A disk of so many bytes at `folder`; False where this user may not mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(folder)]
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(command, capture_output=True, check=False).returncode
    )
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def enlarge(folder: Path) -> None:
    """Somebody frees some space."""
    command = ["mount", "-o", "remount,size=200000000", str(folder)]
    subprocess.run(command, check=True)
