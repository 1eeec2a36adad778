"""The bodies that leaves commit to, one function for each type of leaf.

Pure. Services log what these functions return, and the verifier reads the same members back, so
the shape of a body stands here and nowhere else. All of them are *shared* bodies: both parties
may see them. What only we and our auditor may see (actors, row ranges, withheld counts, epochs,
internal traces) goes into a private body, whose members the verifier does not interpret.
"""

from collections.abc import Mapping
from typing import Literal

from policies.jcs import digest

Direction = Literal["in", "out"]
Body = dict[str, object]


def message(wire: Mapping[str, object], direction: Direction, state: str, named: str) -> Body:
    """A protocol message, for leaves of type negotiation and transfer.

    `state` is the DSP state after it (`REQUESTED`, `FINALIZED`, `STARTED` …); `direction` is seen
    from the node that logs; `named` is its `leaf.message_digest`.
    """
    return {
        "message": str(wire["@type"]),
        "direction": direction,
        "digest": named,
        "state": state,
    }


def decision(record: Mapping[str, object], *, by: str, outcome: str) -> Body:
    """A decision; `record` is the shared rendering that the bundle holds in `decisions/`.

    `by` is "policy" for an automatic decision, otherwise the role of the person (`dpo` …);
    `outcome` is permit, deny …, or approve, return, reject.
    """
    return {"by": by, "outcome": outcome, "digest": digest(record)}


def agreement(
    document: Mapping[str, object],
    *,
    by: str,
    proof: Mapping[str, object] | None,
    did: Mapping[str, object] | None,
    credential: str | None = None,
    named: str | None = None,
) -> Body:
    """One party's assent to an agreement document: one leaf for each party.

    `by` is the party's DID, `did` its DID document at that moment. `proof` is None where a peer
    does not sign: its authenticated message is then all there is ("attested by transport"), and
    `credential` is the digest of what that message identified its sender with; `named` the
    document's own digest, where that is known.
    """
    body: Body = {
        "digest": named or digest(unsigned(document)),
        "by": by,
        "proof": None if proof is None else digest(proof),
        "did": None if did is None else digest(did),
    }
    return body if credential is None else {**body, "credential": credential}


def plan(document: Mapping[str, object]) -> Body:
    """The compiled plan of an agreement."""
    return {"digest": digest(document)}


def part(transfer: str, number: int, *, issue: int, rows: int, size: int, digest: str) -> Body:
    """One issue of one part, logged before its bytes leave; `size` in bytes, `digest` keyed."""
    return {
        "transfer": transfer,
        "part": number,
        "issue": issue,
        "rows": rows,
        "bytes": size,
        "digest": digest,
    }


def manifest(document: Mapping[str, object]) -> Body:
    """The end of a transfer, complete or cut."""
    return {
        "transfer": document["transfer"],
        "state": document["state"],
        "digest": digest(unsigned(document)),
    }


def receipt(document: Mapping[str, object]) -> Body:
    """The consumer's receipt for a manifest, which it names by digest."""
    return {"manifest": document["manifest"], "digest": digest(unsigned(document))}


def catalog(document: Mapping[str, object], dataset: str) -> Body:
    """A dataset document as published; `dataset` is the dataset's IRI."""
    return {"dataset": dataset, "document": document["id"], "digest": digest(unsigned(document))}


def key(did: Mapping[str, object]) -> Body:
    """A DID document of this node as it is from now on (first start, rotation)."""
    return {"did": did["id"], "digest": digest(did)}


def unsigned(document: Mapping[str, object]) -> Body:
    """A signed document without its proof: what its digest is made over."""
    return {name: value for name, value in document.items() if name != "proof"}
