"""Well-formed tampering: bundles as somebody would forge them who knows the format.

Every forgery recomputes the digests in `index.json`, and the index is signed again with the
node's own key: the forger is the node itself, which is the hardest case. What still gives it away
is what others signed or saw: the other party's signature, the leaves under a checkpoint, the
numbers inside them. All of it is plain `zipfile` and `json`, beside the signature.
"""

import base64
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from hmac import digest as hmac_digest
from pathlib import Path
from typing import Any, Final

from connector.cli.story.facts import Said
from policies.jcs import jcs

Files = dict[str, bytes]
Json = dict[str, Any]
Sign = Callable[[Json], Json]
"""Puts the node's own proof on a document without one."""

_INDEX: Final = "index.json"


@dataclass(frozen=True, slots=True)
class Forgery:
    """One way to tamper: its name, what it does to the files, and which checks must catch it."""

    key: str
    name: Said
    caught_by: frozenset[str]
    forge: Callable[[Files, "Means"], None]


@dataclass(frozen=True, slots=True)
class Means:
    """What the forger has: the key, a checkpoint the log really signed earlier, the data."""

    sign: Sign
    old_checkpoint: bytes
    received: Path


def forge(bundle: Path, forgery: Forgery, means: Means, out: Path) -> None:
    """Write the forged bundle; whatever changed, the index agrees with it and is signed."""
    with zipfile.ZipFile(bundle) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    forgery.forge(files, means)
    index = _json(files[_INDEX])
    index.pop("proof", None)
    index["files"] = {name: _digest(files[name]) for name in files if name != _INDEX}
    files[_INDEX] = jcs(means.sign(index))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)


def _change_title(files: Files, means: Means) -> None:
    """Another title in the dataset document, signed again by its publisher."""
    document = _json(files["dataset.json"])
    document.pop("proof")
    title = document["subject"]["title"]
    if isinstance(title, dict):
        title.update({lang: str(text) + " (2)" for lang, text in title.items()})
    else:
        document["subject"]["title"] = str(title) + " (2)"
    files["dataset.json"] = jcs(means.sign(document))


def _drop_leaf(files: Files, _: Means) -> None:
    """The second part's leaf gone, those after it one number and one place earlier."""
    lines = [_json(line) for line in files["leaves.jsonl"].splitlines()]
    numbered = [(line, json.loads(line["leaf"])) for line in lines]
    gone = next(line for line, leaf in numbered if _is_second(leaf, numbered))
    kept = []
    for line, leaf in numbered:
        if line is gone:
            continue
        if line["index"] > gone["index"]:
            line["index"] -= 1
            _renumber(line, leaf, json.loads(gone["leaf"]))
        kept.append(line)
    files["leaves.jsonl"] = b"".join(jcs(line) + b"\n" for line in kept)


def _is_second(leaf: Json, numbered: list[tuple[Json, Json]]) -> bool:
    """The second leaf of a type of which there are several: parts where there are some."""
    kinds = [other["type"] for _, other in numbered]
    kind = "part" if kinds.count("part") > 1 else "negotiation"
    return bool(leaf["type"] == kind and leaf["n"] == 2)


def _renumber(line: Json, leaf: Json, gone: Json) -> None:
    if (leaf["type"], leaf["agreement"]) == (gone["type"], gone["agreement"]) and leaf["n"]:
        leaf["n"] -= 1
        line["leaf"] = jcs(leaf).decode()


def _add_row(files: Files, means: Means) -> None:
    """The first part with one row more: its figures and digest made again, the manifest signed."""
    manifest = _json(files["manifest.json"])
    manifest.pop("proof")
    part = manifest["parts"][0]
    with (means.received / "data.ndjson").open("rb") as data:
        content = data.read(part["bytes"])
    content += content.splitlines(keepends=True)[0]
    salt = bytes.fromhex(_json(files["salts.json"])["parts"][manifest["transfer"]])
    part["rows"] += 1
    part["bytes"] = len(content)
    part["digest"] = "hmac-sha-256:" + hmac_digest(salt, content, "sha256").hex()
    files["manifest.json"] = jcs(means.sign(manifest))


def _older_checkpoint(files: Files, means: Means) -> None:
    """A checkpoint that the log did sign, from before these things happened."""
    note = means.old_checkpoint
    origin, size, root = note.decode().split("\n")[:3]
    base64.b64decode(root, validate=True)
    files["checkpoint"] = note
    index = _json(files[_INDEX])
    index["log"] = {"origin": origin, "size": int(size), "root": root}
    files[_INDEX] = jcs(index)


FORGERIES: Final[tuple[Forgery, ...]] = (
    Forgery(
        "title",
        ("titre du jeu de données changé", "dataset title changed"),
        frozenset({"dataset"}),
        _change_title,
    ),
    Forgery(
        "leaf",
        ("feuille retirée, les suivantes renumérotées", "leaf dropped, the rest renumbered"),
        frozenset({"leaves"}),
        _drop_leaf,
    ),
    Forgery(
        "row",
        ("une ligne de plus dans une partie", "a part with one row more"),
        frozenset({"parts"}),
        _add_row,
    ),
    Forgery(
        "checkpoint",
        ("point de contrôle plus ancien, mais authentique", "an older, valid checkpoint"),
        frozenset({"leaves"}),
        _older_checkpoint,
    ),
)


def _digest(data: bytes) -> str:
    return "sha-256:" + sha256(data).hexdigest()


def _json(data: bytes) -> Json:
    return dict(json.loads(data))
