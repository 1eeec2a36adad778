"""A line that a test leaves for the end of the run."""

from typing import Any, Final

import pytest

_LINE: Final = pytest.StashKey[str]()
_NAME: Final = "preau-report"


def leave(config: pytest.Config, line: str) -> None:
    """Say this under the results; from a worker it goes to the process that writes them."""
    if hasattr(config, "workeroutput"):
        config.workeroutput[_NAME] = line
    else:
        config.stash[_LINE] = line


def fetch(node: Any) -> None:
    """Take what a worker of pytest-xdist left."""
    line = getattr(node, "workeroutput", {}).get(_NAME)
    if line:
        node.config.stash[_LINE] = line


def left(config: pytest.Config) -> str | None:
    """What a test left, if one did."""
    return config.stash.get(_LINE, None)
