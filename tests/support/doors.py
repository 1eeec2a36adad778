"""The applications of nodes' ports in one process, built once for each address.

FastAPI takes longer to make a node's routes than the rest of the node takes to open. What is made
reads all but the address and the size of a message from its node when it is asked; so it serves
whichever node stands there by then.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

from fastapi import FastAPI

from connector.http import management
from connector.http import public as public_port
from connector.services.node import Node

Build = Callable[[Node], FastAPI]


@dataclass(slots=True)
class _Whoever:
    """The node at an address: the one that came last."""

    node: Node

    def __getattr__(self, name: str) -> Any:
        return getattr(self.node, name)


_built: Final[dict[tuple[Build, str, int], tuple[_Whoever, FastAPI]]] = {}


def public(node: Node) -> FastAPI:
    """The public port of a node that is the only one at its address."""
    return _door(public_port.app, node)


def managed(node: Node) -> FastAPI:
    """The management port of such a node."""
    return _door(management.app, node)


def _door(build: Build, node: Node) -> FastAPI:
    place = build, node.url, node.settings.limits.message_bytes
    if place not in _built:
        whoever = _Whoever(node)
        _built[place] = whoever, build(cast("Node", whoever))
    whoever, made = _built[place]
    whoever.node = node
    return made
