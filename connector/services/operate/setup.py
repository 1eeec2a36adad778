"""What a new node starts with: its TOML, one operator token, its first leaves, an empty catalog."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connector.base.ids import Ids
from connector.base.settings import Settings
from connector.evidence import bodies
from connector.evidence.leaf import Entry
from connector.services import access
from connector.services.access import Actor
from connector.services.identity import document as did_document
from connector.services.node import Node
from connector.services.operate import snippets
from connector.services.publish import heading, publishing
from connector.store.store import Tx


@dataclass(frozen=True, slots=True)
class TokenFile:
    """The operator's first token and where it was written (mode 0600)."""

    path: Path
    secret: str


def token_file(folder: Path, ids: Ids) -> TokenFile:
    """Write a fresh operator token to `DIR/tokens/operator`."""
    secret = access.PREFIX + ids.token(32).hex()
    path = folder / "tokens" / "operator"
    path.parent.mkdir(mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secret + "\n")
    return TokenFile(path, secret)


def uploads(folder: Path) -> Path:
    """The folder for files on their way in, emptied of what a crash left."""
    path = folder / publishing.UPLOADS
    path.mkdir(mode=0o700, exist_ok=True)
    for left in path.iterdir():
        left.unlink()
    return path


def first_entries(node: Node, secret: str) -> None:
    """The operator's token, the node's keys in its log, the empty public catalog."""

    def unit(tx: Tx) -> None:
        did = did_document(node)
        entry = Entry("key", None, bodies.key(did), about=node.did)
        node.log.append(tx, entry, node.clock.now())
        access.put_token(node, tx, Actor("init", "operator"), "operator", "operator", secret)
        heading.first_head(node, tx)

    node.store.write_now(unit)


def examples(folder: Path, settings: Settings, program: str) -> None:
    """Write what stands around a node to `DIR/examples`: proxies and the service."""
    place = folder / "examples"
    place.mkdir(mode=0o700)
    for name, text in snippets.examples(settings, folder.absolute(), program).items():
        (place / name).write_text(text, encoding="utf-8")


def toml(table: dict[str, Any]) -> str:
    """The configuration as TOML: tables of texts and booleans, in order."""
    lines = ["# Préau. Every key is described in docs/configuration.md.", ""]
    for name, members in table.items():
        lines.append(f"[{name}]")
        for key, value in members.items():
            shown = str(value).lower() if isinstance(value, bool) else _quoted(str(value))
            lines.append(f"{key} = {shown}")
        lines.append("")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    escaped = "".join(
        f"\\u{ord(c):04x}" if not c.isprintable() else "\\" + c if c in '"\\' else c for c in text
    )
    return f'"{escaped}"'
