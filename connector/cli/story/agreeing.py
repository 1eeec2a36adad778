"""Do two parties' bundles of one agreement tell the same story? Plain `zipfile` and `json`.

Each party logs its own leaves, salted, in its own log. What both must have logged alike is what
passed between them: the messages (sent here, received there), both signatures, the manifest and
the receipt. Decisions, plan and parts stand in one log only.
"""

import json
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from policies.jcs import digest, jcs

Json = dict[str, Any]

BETWEEN: Final = frozenset({"negotiation", "transfer", "agreement", "manifest", "receipt"})
"""Types of leaves about what passed between the parties."""

_DOCUMENTS: Final = ("agreement.json", "application.json", "dataset.json")


@dataclass(frozen=True, slots=True)
class Compared:
    """The agreement's digest in either bundle, leaves both have, leaves that only one has, and the
    documents that differ.
    """

    digests: tuple[str, str]
    shared: int
    alone: int
    differing: tuple[str, ...]

    @property
    def agree(self) -> bool:
        """Whether both tell the same."""
        same = self.digests[0] == self.digests[1]
        return same and self.shared > 0 and not self.alone and not self.differing


def compare(one: Path, two: Path) -> Compared:
    """Compare two bundles of one agreement."""
    here, there = _files(one), _files(two)
    ours, theirs = _leaves(here), _leaves(there)
    signed = [
        name for name in here.keys() & there.keys() if name.startswith(("manifest", "receipt"))
    ]
    return Compared(
        (_digest(here), _digest(there)),
        (ours & theirs).total(),
        ((ours - theirs) + (theirs - ours)).total(),
        tuple(sorted(name for name in (*_DOCUMENTS, *signed) if here.get(name) != there.get(name))),
    )


def _files(bundle: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(bundle) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _digest(files: dict[str, bytes]) -> str:
    document: Json = json.loads(files["agreement.json"])
    document.pop("proof")
    return digest(document)


def _leaves(files: dict[str, bytes]) -> Counter[bytes]:
    """The leaves about what passed between the parties, as both would write them."""
    found: Counter[bytes] = Counter()
    for line in files["leaves.jsonl"].splitlines():
        entry = json.loads(line)
        leaf = json.loads(entry["leaf"])
        if leaf["type"] in BETWEEN and entry["body"]:
            body = {name: part for name, part in entry["body"].items() if name != "direction"}
            found[jcs({"type": leaf["type"], "body": body})] += 1
    return found
