"""An independent verifier of evidence bundles: this file, Python 3.11 and `cryptography`.

    python verify.py bundle.zip [--files received/]

Written from docs/evidence.md; shares no code with Préau. It leaves to `preau audit verify` whether
the agreed rules stay within offer and application (here: both are the signed ones), whether the
messages follow the protocol (here: they are the logged ones), and `private/`. Canonical JSON (RFC
8785) comes from `json.dumps`, which needs: no fractions, no integers from 2^53, no names > U+D7FF.
"""

import argparse
import base64
import hashlib
import hmac
import json
import sys
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Json = dict[str, Any]
Found = Iterator[str]  # what is wrong
UNSEEN = "not made: "  # what begins so is not wrong: it cannot be seen here
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
CHECKS = "index checkpoint leaves numbering agreement documents story handover received"
SAID = (("messages/", "negotiation", "transfer"), ("decisions/", "decision"), ("plan.json", "plan"))
UNFILED = {"catalog", "negotiation", "decision", "key"}  # may come before there is an agreement


def hashed(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def sha(data: bytes) -> str:
    return "sha-256:" + hashed(data).hex()


def canonical(value: Any) -> bytes:
    pending = [value]
    for part in pending:
        pending += part if isinstance(part, list) else ()
        pending += part.values() if isinstance(part, dict) else ()
        odd = isinstance(part, dict) and max("".join(part), default="") > "\ud7ff"
        if odd or isinstance(part, float) or (isinstance(part, int) and abs(part) >= 2**53):
            raise ValueError("more than this verifier canonicalises: use preau audit verify")
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(document: Json) -> str:
    return sha(canonical({name: value for name, value in document.items() if name != "proof"}))


def multibase(text: str) -> bytes:
    number = 0
    for sign in text.removeprefix("z"):
        number = number * 58 + BASE58.index(sign)
    zeros = len(text[1:]) - len(text[1:].lstrip("1"))  # each leading 1 is a byte 00
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8)


def merkle(node: bytes, index: int, size: int, proof: list[bytes]) -> bytes:
    """RFC 6962, 2.1: the root that leaf and proof lead to; nothing if they fit no such tree."""
    if size == 1 or not proof:
        return node if (index, size, proof) == (0, 1, []) else b""
    split, sibling, rest = 1 << (size - 1).bit_length() - 1, proof[-1], proof[:-1]
    if index < split:
        return hashed(b"\x01" + merkle(node, index, split, rest) + sibling)
    return hashed(b"\x01" + sibling + merkle(node, index - split, size - split, rest))


class Bundle:
    def __init__(self, path: Path, folder: Path | None) -> None:
        self.folder = folder
        with zipfile.ZipFile(path) as archive:
            entries, names = archive.infolist(), archive.namelist()
            if len({*names}) < len(names) or sum(e.file_size for e in entries) > 2**28:
                raise ValueError("a file stands twice in the zip, or more than 256 MB do")
            self.files = {e.filename: archive.read(e) for e in entries}
        self.contents, self.agreed = self.read("index.json"), self.read("agreement.json")
        self.node, self.salts = self.contents["node"], self.read("salts.json")
        self.provider, self.consumer = self.agreed["assigner"], self.agreed["assignee"]
        self.parties, self.provides = (self.provider, self.consumer), self.node == self.provider
        self.lines = [json.loads(row) for row in self.files["leaves.jsonl"].splitlines()]
        for line in self.lines:
            line["bytes"], line["leaf"] = line["leaf"].encode(), json.loads(line["leaf"])
        self.log = self.files["checkpoint"].decode().split("\n")
        self.size, self.root = int(self.log[1]), base64.b64decode(self.log[2], validate=True)
        # A DID document counts only if a leaf names its digest for that DID.
        named = {(b["by"], b["did"]) for b in self.bodies("agreement")}
        named |= {(b["did"], b["digest"]) for b in self.bodies("key")}
        self.dids = {p: self.read(p) for p in self.paths("did/")}
        self.pinned = [d for d in self.dids.values() if (d["id"], digest(d)) in named]

    def read(self, path: str) -> Json:
        found: Json = json.loads(self.files[path])
        if canonical(found) != self.files[path]:  # also where a member stands twice
            raise ValueError(f"{path} is not canonical JSON")
        return found

    def paths(self, prefix: str) -> list[str]:
        return sorted(path for path in self.files if path.startswith(prefix))

    def bodies(self, kind: str) -> list[Json]:
        return [x["body"] for x in self.lines if x["leaf"]["type"] == kind and x["body"]]

    def keys(self, did: str, *, log: bool = False) -> dict[str, bytes]:
        """Ed25519 keys of a party by id: those that sign documents, or those of its log."""
        found = {}
        for document in (d for d in self.pinned if d["id"] == did):
            for method in document["verificationMethod"]:
                name, key = method["id"], multibase(method.get("publicKeyMultibase", "z"))
                # The log's key is listed under no relationship at all.
                uses = [use for use, names in document.items() if name in names]
                if key[:2] == b"\xed\x01" and (not uses if log else "assertionMethod" in uses):
                    found[name] = key[2:]
        return found

    def proof(self, document: Json, signer: str, where: str) -> None:
        """That a document carries one valid proof by a party's assertion key."""
        proof = document["proof"]
        said = [proof[name] for name in ("type", "cryptosuite", "proofPurpose")]
        same = proof.get("@context") == document.get("@context")
        if said != ["DataIntegrityProof", "eddsa-jcs-2022", "assertionMethod"] or not same:
            raise ValueError(f"{where}: not a proof of this kind over this context")
        options = {name: value for name, value in proof.items() if name != "proofValue"}
        signed = bytes.fromhex(sha(canonical(options))[8:] + digest(document)[8:])
        try:
            key = Ed25519PublicKey.from_public_bytes(self.keys(signer)[proof["verificationMethod"]])
            key.verify(multibase(proof["proofValue"]), signed)
        except (InvalidSignature, KeyError):
            raise ValueError(f"{where}: not signed by {signer}") from None

    def index(self) -> Found:
        listed = self.contents["files"]
        for path in sorted({*listed, *self.files} - {"index.json"}):
            if path not in self.files or listed.get(path) != sha(self.files[path]):
                yield f"{path} is missing, unlisted or changed"
        if self.contents["agreement"] != self.agreed["id"] or self.node not in self.parties:
            yield "the index is of another agreement or node"
        self.proof(self.contents, self.node, "index.json")
        yield from (f"{p}: no leaf names it" for p, d in self.dids.items() if d not in self.pinned)

    def checkpoint(self) -> Found:
        text, _, tail = self.files["checkpoint"].decode().rpartition("\n\n")
        origin, seen = self.log[0], False
        for key in self.keys(self.node, log=True).values():
            ident = hashed(origin.encode() + b"\n\x01" + key)[:4]
            for line in tail.splitlines():
                signed = base64.b64decode(line.rpartition(" ")[2])
                if line.startswith(f"— {origin} ") and signed[:4] == ident:
                    public, seen = Ed25519PublicKey.from_public_bytes(key), True
                    public.verify(signed[4:], text.encode() + b"\n")
        named = {"origin": origin, "size": self.size, "root": self.log[2]}
        if not seen or self.contents["log"] != named:
            yield "not signed by the log's key, or not the one that the index names"

    def leaves(self) -> Found:
        ours = sha(bytes.fromhex(self.salts["agreement"]) + self.agreed["id"].encode())
        for place, line in enumerate(self.lines, 1):
            leaf, where = line["leaf"], f"leaves.jsonl:{place}, leaf {line['index']}"
            proof = [bytes.fromhex(sibling) for sibling in line["proof"]]
            root = merkle(hashed(b"\0" + line["bytes"]), line["index"], self.size, proof)
            if canonical(leaf) != line["bytes"] or root != self.root:
                yield f"{where}: not in the log of {self.size} leaves"
            if leaf["agreement"] != ours and (leaf["agreement"] or leaf["type"] not in UNFILED):
                yield f"{where}: of another agreement"
            salt, body = bytes.fromhex(line["salt"] or ""), line["body"]
            if leaf.get("shared") != (body and sha(salt + canonical(body))):
                yield f"{where}: commits to another body"

    def numbering(self) -> Found:
        last: dict[Any, int] = {}
        before = (-1, "")
        for line in self.lines:  # without its Z a time sorts as its instant does: :30, :30.000001
            leaf, here = line["leaf"], (line["index"], line["leaf"]["time"].rstrip("Z"))
            if here[0] <= before[0] or here[1] < before[1]:
                yield f"leaf {line['index']}: out of order"
            before, group = here, (leaf["agreement"], leaf["type"])
            ours = leaf["n"] is not None and (group[0] or group[1] not in {"catalog", "key"})
            if ours and leaf["n"] != last.get(group, 0) + 1:
                yield f"leaf {line['index']}: {leaf['type']} {leaf['n']} follows {last.get(group)}"
            last[group] = leaf["n"] or last.get(group, 0)

    def agreement(self) -> Found:
        sent = [p for p in self.paths("messages/") if p.endswith("-ContractAgreementMessage.json")]
        pids = [self.read(sent[-1])[name] for name in ("providerPid", "consumerPid")]
        raw = bytearray(hashed(canonical([*self.parties, *pids]))[:16])
        raw[6], raw[8] = raw[6] & 0x0F | 0x80, raw[8] & 0x3F | 0x80
        if uuid.UUID(bytes=bytes(raw)).urn != self.agreed["id"]:
            yield "the id does not follow from the parties and their process ids"
        for did in self.parties:
            said = [body for body in self.bodies("agreement") if body["by"] == did]
            proofs = [(p["verificationMethod"], p) for p in self.agreed["proof"]]
            mine = [proof for method, proof in proofs if method.startswith(did + "#")]
            if not said or any(body["digest"] != digest(self.agreed) for body in said):
                yield f"no leaf says that {did} agreed to this document"
            elif said[-1]["proof"] is None and not mine:
                yield f"{UNSEEN}{did} does not sign: attested by transport"
            elif len(mine) != 1 or sha(canonical(mine[0])) != said[-1]["proof"]:
                yield f"the proof of {did} is not the logged one"
            else:
                self.proof({**self.agreed, "proof": mine[0]}, did, "agreement.json")

    def documents(self) -> Found:
        """Application and dataset are those the agreement names, signed by their authors."""
        for member, name in (("application", "application"), ("signedDocument", "dataset")):
            if member in self.agreed or name == "dataset":
                document, path = self.read(f"{name}.json"), f"{name}.json"
                if self.agreed[member] != {"id": document["id"], "digest": digest(document)}:
                    yield f"{path} is not the one the agreement names"
                self.proof(document, self.provider if name == "dataset" else self.consumer, path)
        published = [body["digest"] for body in self.bodies("catalog")]
        if self.provides and self.agreed["signedDocument"]["digest"] not in published:
            yield "dataset.json: no leaf says that it was published"

    def story(self) -> Found:
        way = {path: path.split("-")[1] for path in self.paths("messages/")}
        for prefix, *kinds in SAID:
            shown = {(sha(self.files[path]), way.get(path)) for path in self.paths(prefix)}
            bodies = [body for kind in kinds for body in self.bodies(kind)]
            for name, _ in shown ^ {(body["digest"], body.get("direction")) for body in bodies}:
                yield f"{prefix}: {name} is shown or logged, not both"

    def handover(self) -> Found:
        """Manifests and receipts are signed and logged; parts were logged with these figures."""
        for kind, signer in (("manifest", self.provider), ("receipt", self.consumer)):
            shown = {digest(self.read(path)) for path in self.paths(kind)}
            if shown != {body["digest"] for body in self.bodies(kind)}:
                yield f"the log names other {kind}s"
            for path in self.paths(kind):
                self.proof(document := self.read(path), signer, path)
                if document["agreement"] not in (self.agreed["id"], digest(self.agreed)):
                    yield f"{path}: of another agreement"
        for path in self.paths("manifest"):
            manifest, receipt = self.read(path), path.replace("manifest", "receipt")
            if receipt in self.files and self.read(receipt)["manifest"] != digest(manifest):
                yield f"{receipt}: for another manifest"
            if "plan.json" in self.files and manifest["plan"] != digest(self.read("plan.json")):
                yield f"{path}: by another plan"
            yield from self.parts(path, manifest)

    def parts(self, path: str, manifest: Json) -> Found:
        logged = {}
        for line in self.lines:
            body = line["body"] or {}
            if line["leaf"]["type"] == "part" and body["transfer"] == manifest["transfer"]:
                logged[body["part"], body["issue"]] = (line["index"], body)
        if not logged and not self.provides:
            return (yield f"{UNSEEN}{path}: the parts are in the provider's log")
        for place, part in enumerate(manifest["parts"], 1):
            at, body = logged.get((part["n"], part["issue"]), (None, {}))
            same = all(part[name] == body.get(name) for name in ("rows", "bytes", "digest"))
            if part["n"] != place or not same or (self.provides and part["leaf"] != at):
                yield f"{path}: part {part['n']} was logged otherwise, or not at all"
        listed = {part["n"] for part in manifest["parts"]}
        if manifest["state"] == "complete" and any(number not in listed for number, _ in logged):
            yield f"{path}: leaves out a part that was logged"

    def received(self) -> Found:
        if (folder := self.folder) is None:
            return (yield UNSEEN + "no --files given")
        ours = digest(json.loads((folder / "manifest.json").read_bytes()))
        manifest = next(m for m in map(self.read, self.paths("manifest")) if digest(m) == ours)
        salt = bytes.fromhex(self.salts["parts"][manifest["transfer"]])
        with next(folder.glob("data.*")).open("rb") as data:
            for part in manifest["parts"]:
                found = hmac.digest(salt, data.read(part["bytes"]), "sha256").hex()
                if part["digest"] != "hmac-sha-256:" + found:
                    yield f"{data.name}: part {part['n']} is not the one that was handed over"
            if data.read(1):
                yield f"{data.name}: more than was handed over"


def main() -> int:
    """Print one line a finding; 1 when something is wrong."""
    options = argparse.ArgumentParser(description="Check an evidence bundle.")
    options.add_argument("bundle", type=Path)
    options.add_argument("--files", type=Path, help="folder of the received files")
    given, failed = options.parse_args(), False
    for name in CHECKS.split():
        try:
            bundle = Bundle(given.bundle, given.files)
            found = list(getattr(bundle, name)())
        except Exception as fault:  # noqa: BLE001  (whatever a stranger's file provokes)
            found = [f"{type(fault).__name__}: {fault}"]
        for text in found or ["passed"]:
            unseen = text.startswith(UNSEEN)
            print("✓" if not found else "·" if unseen else "✗", f"{name}: {text}")
            failed |= bool(found) and not unseen
    print("NOT VALID" if failed else "valid")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
