"""One process serves a node: the lock that says so.

The kernel holds it (`flock` on `DIR/node.lock`) and drops it when the process dies, however it
dies. The file stays; only the lock counts.
"""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from policies.problem import Problem


class NodeLock:
    """Held by `init`, `serve`, `upgrade` and `backup restore` while they own the node's folder.

    Use it in a `with` statement, or with `acquire` and `release`.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "node.lock"
        self._file: int | None = None

    def acquire(self, *, wait: bool = False) -> None:
        """Take the lock; without `wait`, at once or not at all.

        Raises:
            Problem: `store-node-running`: another process has it; `store-unreadable`: the folder
                is missing or closed to us.
        """
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Problem("store-unreadable", name=error.strerror or "") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            os.close(file)
            raise Problem("store-node-running", folder=self._path.parent) from None
        self._file = file

    def release(self) -> None:
        """Give the lock back; without it, nothing happens."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
