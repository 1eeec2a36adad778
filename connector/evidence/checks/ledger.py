"""The frame: index, keys, checkpoint, leaves. What stands here is what the rest leans on."""

import base64
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from connector.evidence import leaf, tree
from connector.evidence.archive import INDEX
from connector.evidence.case import Case, Line, hexadecimal, mapping, text
from connector.evidence.report import Finding, NotMade
from policies.jcs import digest_bytes
from policies.problem import Problem

_INDEX_MEMBERS = frozenset({"v", "agreement", "node", "log", "files", "proof"})
_OUTSIDE = frozenset({"catalog", "negotiation", "decision", "key"})
"""Types of leaves that may belong to a bundle without naming its agreement."""
_PER_PROCESS = frozenset({"negotiation", "decision"})
"""Those of them that are numbered per negotiation, and so without a gap in a bundle."""


def index(case: Case) -> Iterator[Finding]:
    """The index names exactly these files, and the node it names has signed it."""
    found = case.index
    if set(found) != _INDEX_MEMBERS or found["v"] != 1:
        raise Problem("evidence-file-malformed", where=INDEX, reason="members")
    listed = mapping(found, "files", INDEX)
    for path in sorted(set(listed) | set(case.files) - {INDEX}):
        if path not in case.files:
            yield Problem("evidence-file-missing", where=path)
        elif path not in listed:
            yield Problem("evidence-file-unlisted", where=path)
        elif listed[path] != digest_bytes(case.files[path]):
            yield Problem("evidence-file-changed", where=path)
    if case.node not in (case.provider, case.consumer):
        yield Problem("evidence-node-stranger", where=INDEX, did=case.node)
    if found["agreement"] != case.agreement.get("id"):
        yield Problem("evidence-index-agreement", where=INDEX)
    case.check_proof(found, case.node, INDEX)


def keys(case: Case) -> Iterator[Finding]:
    """Each DID document is one that the log names, and the node's own is among them."""
    for snapshot in case.snapshots:
        if snapshot not in case.pinned:
            yield Problem("evidence-did-unlogged", where=snapshot.where, did=snapshot.did)
    present = {snapshot.did for snapshot in case.pinned}
    for did in dict.fromkeys((case.node, case.provider)):
        if did in present:
            continue
        if did != case.node and case.attested(did):
            yield NotMade("evidence-did-absent", where="did/", did=did)
        else:
            yield Problem("evidence-did-missing", where="did/", did=did)
    if case.consumer not in present and case.consumer != case.node:
        yield NotMade("evidence-did-absent", where="did/", did=case.consumer)


def checkpoint(case: Case) -> Iterator[Finding]:
    """The log's own key has signed the checkpoint, and the index repeats it."""
    opened = case.open_note(case.files.get("checkpoint", b""))
    expected = {
        "origin": opened.origin,
        "size": opened.size,
        "root": base64.b64encode(opened.root).decode(),
    }
    if case.index.get("log") != expected:
        yield Problem("evidence-checkpoint-index", where="checkpoint")


def leaves(case: Case) -> Iterator[Finding]:
    """Each leaf lies in the tree of the checkpoint and commits to what the bundle shows for it."""
    salts = case.document("salts.json")
    salt = hexadecimal(salts.get("agreement"), "salts.json", "agreement", leaf.SALT_SIZE)
    agreement = text(case.agreement, "id", "agreement.json")
    ours = leaf.commit(salt, agreement.encode())
    for line in case.lines:
        yield from _included(case, line)
        if line.leaf.agreement != ours and (
            line.leaf.agreement is not None or line.leaf.type not in _OUTSIDE
        ):
            yield Problem("evidence-leaf-foreign", where=line.where, index=line.index)
        yield from _opened(line)


def numbering(case: Case) -> Iterator[Finding]:
    """Indexes grow, times never go back, and no number of any type is left out.

    The numbers lie inside the bytes that were hashed: who drops a leaf and renumbers the others
    changes those bytes, and who only drops one leaves a gap. Leaves at the very end of a type
    leave no gap; the documents that name them (messages, manifest, receipt) do.
    """
    for before, after in pairwise(case.lines):
        if after.index <= before.index:
            yield Problem("evidence-leaf-order", where=after.where, index=after.index)
        if after.leaf.time < before.leaf.time:
            yield Problem("evidence-leaf-time", where=after.where, index=after.index)
    last: dict[tuple[str | None, str], int] = defaultdict(int)
    for line in case.lines:
        found, group = line.leaf.n, (line.leaf.agreement, line.leaf.type)
        if found is None or (line.leaf.agreement is None and line.leaf.type not in _PER_PROCESS):
            continue  # catalog and key leaves are numbered per dataset and node, not per bundle
        expected = last[group] + 1
        if found != expected:
            yield Problem(
                "evidence-leaf-gap",
                where=line.where,
                index=line.index,
                type=line.leaf.type,
                expected=expected,
                found=found,
            )
        last[group] = found


def private(case: Case) -> Iterator[Finding]:
    """The private bodies, where the bundle is for an auditor who may see them."""
    path = "private/leaves.jsonl"
    if path not in case.files:
        raise NotMade("evidence-nothing-private", where="private/")
    committed = {line.index: line.leaf.private for line in case.lines}
    for place, (number, salt, body) in enumerate(case.private, start=1):
        where = f"{path}:{place}"
        if committed.get(number) != leaf.commit_keyed(salt, body):
            yield Problem("evidence-leaf-body", where=where, index=number)


def log(case: Case) -> Iterator[Finding]:
    """A checkpoint obtained elsewhere belongs to the same log, and continues it."""
    if case.log_checkpoint is None:
        raise NotMade("evidence-log-not-given", where="checkpoint")
    given = case.advance
    theirs, ours = case.open_note(given.checkpoint), case.checkpoint
    if theirs.origin != ours.origin:
        raise Problem("evidence-log-other", where="--log", found=theirs.origin, size=ours.size)
    small, large = sorted((ours, theirs), key=lambda item: item.size)
    if small.size == large.size:
        if small.root != large.root:
            raise Problem("evidence-log-fork", where="checkpoint", size=small.size)
        return
    newest = max((line.index for line in case.lines), default=-1)
    if given.old == small.size:
        try:
            tree.verify_consistency(small.size, large.size, given.proof, small.root, large.root)
        except Problem:
            raise Problem("evidence-log-fork", where="checkpoint", size=small.size) from None
    else:
        yield NotMade("evidence-log-no-proof", where="--log", size=small.size, larger=large.size)
    if theirs.size > ours.size:
        yield NotMade("evidence-log-newer", where="checkpoint", size=ours.size, found=theirs.size)
    elif theirs.size <= newest:
        yield NotMade("evidence-log-older", where="--log", index=newest, size=theirs.size)


def _included(case: Case, line: Line) -> Iterator[Finding]:
    size = case.checkpoint.size
    try:
        tree.verify_inclusion(
            tree.leaf_hash(line.data), line.index, size, line.proof, case.checkpoint.root
        )
    except Problem:
        yield Problem("evidence-leaf-outside", where=line.where, index=line.index, size=size)


def _opened(line: Line) -> Iterator[Finding]:
    """The shared body is the one the leaf commits to; a leaf without one shows none."""
    expected = None
    if line.salt is not None and line.body is not None:
        expected = leaf.commit_body(line.salt, line.body)
    if line.leaf.shared != expected or (line.salt is None) != (line.body is None):
        yield Problem("evidence-leaf-body", where=line.where, index=line.index)
