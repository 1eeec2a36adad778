"""The state diagrams of `docs/states.md`, drawn from the tables.

python -c 'from connector.protocol.diagrams import page; print(page(), end="")' > docs/states.md
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from connector.protocol import negotiation, transfer
from connector.protocol.machine import ActT, Role, StateT

_PAGE: Final = """\
# States of a negotiation and of a transfer

Drawn from the tables in `connector/protocol/negotiation.py` and `transfer.py` by
`connector/protocol/diagrams.py`; a test compares. C: the consumer may do it, P: the provider.
Where the tables read the specification in their own way stands in
[dsp-divergences.md](dsp-divergences.md).

## Contract negotiation

{negotiation}

## Transfer process

{transfer}
"""


def page() -> str:
    """The whole of `docs/states.md`."""
    return _PAGE.format(
        negotiation=diagram(negotiation.TRANSITIONS), transfer=diagram(transfer.TRANSITIONS)
    )


def diagram(table: Mapping[StateT, Mapping[tuple[ActT, Role], StateT]]) -> str:
    """One transition table as a Mermaid state diagram, in the order of the table."""
    edges: dict[tuple[str, str, str], list[str]] = {}
    for state, acts in table.items():
        for (act, by), after in acts.items():
            parties = edges.setdefault((_name(state), _name(after), act.value), [])
            parties.append(by.value[0].upper())
    lines = [
        f"    {state} --> {after}: {act.lower()} ({'/'.join(sorted(parties))})"
        for (state, after, act), parties in edges.items()
    ]
    lines += [f"    {_name(state)} --> [*]" for state, acts in table.items() if not acts]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```"])


def _name(state: StrEnum) -> str:
    return "[*]" if state.value == "NEW" else state.value
