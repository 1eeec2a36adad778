"""Verified copies of catalogs as commands use them: from a node or a saved folder, checked again.

A copy is `{"did_document", "catalog"}`. Whoever hands it out, it is verified here before it is
saved, exported or queried; linked-data processors run in the command's process, never in a node.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from catalog.verify import verify_document
from connector.cli.client import Client
from connector.cli.output import read_json
from policies.problem import Problem

Json = dict[str, Any]
INDEX: Final = "index.json"
DID_FILE: Final = "did.json"


@dataclass(frozen=True, slots=True)
class Copy:
    """One catalog with the DID document that verifies it; verified when it was made."""

    publisher: str
    group: str
    did_document: Json
    catalog: Json

    @classmethod
    def of(cls, found: Json) -> "Copy":
        """The copy, if it holds.

        Raises:
            Problem: `catalog-…`.
        """
        report = verify_document(found["catalog"], found["did_document"])
        group = str(found["catalog"]["head"]["group"])
        return cls(str(report["publisher"]), group, found["did_document"], found["catalog"])

    @property
    def folder(self) -> str:
        """A folder's name for the publisher: its DID, spelled so that every file system takes it
        and no two are alike (neither `+` nor `=` stands in a did:web).
        """
        return self.publisher.removeprefix("did:web:").replace(":", "+").replace("%", "=")

    @property
    def file(self) -> str:
        """The name of the catalog's file in that folder."""
        return f"catalog-{self.group}.json"


def from_node(client: Client) -> tuple[list[Copy], list[Json]]:
    """All whole copies a node keeps, verified, and the listing of those it could not complete."""
    listed = client.get("/v1/copies")
    whole = [
        Copy.of(client.get("/v1/copies/catalog", publisher=one["publisher"], group=one["group"]))
        for one in listed
        if one["whole"]
    ]
    return whole, [one for one in listed if not one["whole"]]


def from_folder(folder: Path) -> list[Copy]:
    """The copies of a saved folder, verified again without any network.

    Raises:
        Problem: `cli-not-saved`, `cli-file-unreadable`, `cli-json-invalid`, `catalog-…`.
    """
    index = read_json(folder / INDEX)
    if not isinstance(index, dict) or index.get("type") != "SavedCatalogs":
        raise Problem("cli-not-saved", folder=str(folder))
    return [
        Copy.of(
            {
                "catalog": read_json(folder / _inside(one.get("file"))),
                "did_document": read_json(folder / _inside(one.get("did"))),
            }
        )
        for one in index.get("catalogs", [])
    ]


def documents(copies: list[Copy]) -> Iterator[Json]:
    """Every dataset document of the copies."""
    for copy in copies:
        yield from copy.catalog["documents"]


def save(folder: Path, copies: list[Copy]) -> Json:
    """Write copies into a new folder, all or none; what the index says.

    Raises:
        Problem: `cli-folder-not-empty`, `cli-not-written`.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Problem("cli-folder-not-empty", folder=str(folder))
    index = {
        "v": 1,
        "type": "SavedCatalogs",
        "catalogs": [
            {
                "publisher": copy.publisher,
                "group": copy.group,
                "file": f"{copy.folder}/{copy.file}",
                "did": f"{copy.folder}/{DID_FILE}",
                "datasets": len(copy.catalog["documents"]),
            }
            for copy in copies
        ],
    }
    target = folder.absolute()
    partial: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
        for copy in copies:
            (partial / copy.folder).mkdir(exist_ok=True)
            _write(partial / copy.folder / DID_FILE, copy.did_document)
            _write(partial / copy.folder / copy.file, copy.catalog)
        _write(partial / INDEX, index)
        partial.replace(target)
    except OSError as error:
        raise Problem("cli-not-written", path=str(folder), fault=error.strerror or "I/O") from None
    finally:
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)
    return index


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _inside(name: object) -> str:
    """A path of the index, which may lead nowhere but into its own folder."""
    parts = str(name).split("/")
    if len(parts) != 2 or any(part in ("", ".", "..") for part in parts) or "\\" in str(name):
        raise Problem("cli-not-saved", folder=str(name)[:200])
    return str(name)
