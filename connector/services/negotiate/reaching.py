"""Whether this node's own callback address leads back to it, asked before a negotiation begins.

A peer answers at the callback address; where that leads nowhere, the negotiation would wait in
silence. The address is asked as a peer would ask it: through the one client that speaks to peers,
over the public name, from outside this process. An address where nothing listens, or where
somebody else answers, is a refusal; where the machine cannot know (a private address, a name that
only others resolve), the caller is warned and may ask a peer to look (`looking`).
"""

from typing import Any, Final

from connector.protocol.json import strict_json
from connector.protocol.versions import version_document
from connector.services.node import Node
from policies.problem import Problem

SECONDS: Final = 5.0
NOWHERE: Final = "refused"
_OK: Final = 200
_HARD: Final = frozenset({"callback-nowhere", "callback-other"})


async def callback(node: Node) -> Problem | None:
    """Nothing, when our callback address leads to us; else a warning to show.

    Raises:
        Problem: `callback-nowhere`, `callback-other`: no answer of a peer could ever arrive.
    """
    reach = node.reach
    async with reach.lock:
        if not reach.fresh(node.clock.now()):
            reach.problem = await _look(node)
            reach.at = node.clock.now()
    if reach.problem is not None and reach.problem.code in _HARD:
        raise reach.problem
    return reach.problem


def warned(made: dict[str, Any], warning: Problem | None) -> dict[str, Any]:
    """The answer to whoever began a negotiation, with what they should know of our own address."""
    return {**made, "warnings": [warning.document()] if warning else []}


def version_url(dsp: str) -> str:
    """Where the version document lies beside a protocol address (`…/dsp/2025-1`)."""
    return f"{dsp.rpartition('/')[0]}/.well-known/dspace-version"


async def _look(node: Node) -> Problem | None:
    url = version_url(node.dsp)
    try:
        answer = await node.fetch.get(url, timeout=SECONDS, limit=65_536)
    except Problem as problem:
        if problem.params.get("reason") == NOWHERE:
            return Problem("callback-nowhere", url=node.dsp)
        return Problem("callback-unknown", url=node.dsp, fault=problem.code)
    if answer.status != _OK:
        return Problem("callback-unknown", url=node.dsp, fault=f"HTTP {answer.status}")
    try:
        ours = strict_json(answer.body) == version_document(service_id=f"{node.dsp}#service")
    except Problem:
        ours = False
    return None if ours else Problem("callback-other", url=node.dsp)
