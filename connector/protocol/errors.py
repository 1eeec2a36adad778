"""Whose fault it is, and how it is told to the peer.

`RemoteProtocolError`: the peer broke a rule; it gets a DSP error object and 400.
`LocalProtocolError`: this node tried something the rules forbid; a defect of ours, or a user's
command that comes too late (then its text is of kind `conflict` and the management API shows
it). Both are Problems, so that one `except Problem` serves.

An error object never changes a state (DSP "ERROR - Contract Negotiation Error").
"""

from typing import Final, Literal

from connector.base import texts as _texts  # noqa: F401  registers the sentences
from connector.protocol.names import DSP_CONTEXT, NO_PID
from policies.problem import Kind, Problem

ErrorKind = Literal["catalog", "negotiation", "transfer"]

_TYPES: Final[dict[ErrorKind, str]] = {
    "catalog": "CatalogError",
    "negotiation": "ContractNegotiationError",
    "transfer": "TransferError",
}

# DSP knows 400 for what cannot be done, 404 for what is unknown *or not yours*; a passing
# condition must never be a 4xx (peers take it as final).
_STATUS: Final[dict[Kind, int]] = {
    "invalid": 400,
    "refused": 400,
    "conflict": 400,
    "unauthenticated": 401,
    "forbidden": 404,
    "not-found": 404,
    "unavailable": 503,
    "internal": 500,
}

# What the peer reads instead of a problem that would tell it about us or about third parties.
_SHARED: Final[dict[Kind, str]] = {
    "forbidden": "protocol-not-found",
    "not-found": "protocol-not-found",
    "unavailable": "protocol-try-later",
    "internal": "protocol-internal",
}


class ProtocolError(Problem):
    """A rule of the protocol was broken."""


class RemoteProtocolError(ProtocolError):
    """The peer broke a rule; nothing has changed."""


class LocalProtocolError(ProtocolError):
    """This node, or its user, tried what the rules forbid now; nothing has changed."""


def shared(problem: Problem) -> Problem:
    """What the peer may know of `problem`: itself, or a general one in its place."""
    kind: Kind = "internal" if isinstance(problem, LocalProtocolError) else problem.kind
    return Problem(_SHARED[kind]) if kind in _SHARED else problem


def status_of(problem: Problem) -> int:
    """The HTTP status of `problem` on a DSP endpoint (DSP HTTPS bindings, error sections).

    An illegal transition is 400; unknown and forbidden are the same 404; an error of ours is 5xx.
    """
    if isinstance(problem, LocalProtocolError):
        return _STATUS["internal"]
    return _STATUS[problem.kind]


def error_document(
    kind: ErrorKind,
    problem: Problem,
    provider_pid: str | None = None,
    consumer_pid: str | None = None,
) -> dict[str, object]:
    """The DSP error object that tells `problem` to a peer; reasons in English, then French.

    An unknown pid is `NO_PID`: the schemas of negotiation and transfer errors ask for both.
    """
    told = shared(problem)
    document: dict[str, object] = {"@context": [DSP_CONTEXT], "@type": _TYPES[kind]}
    if kind != "catalog":
        document["providerPid"] = provider_pid or NO_PID
        document["consumerPid"] = consumer_pid or NO_PID
    document["code"] = told.code
    document["reason"] = reasons(told)
    return document


def reasons(problem: Problem) -> list[str]:
    """A problem as `reason` on the wire: one sentence in English, then one in French."""
    return [
        f"{problem.text('en')} {problem.remedy('en')}",
        problem.text("fr") + " " + problem.remedy("fr"),
    ]
