r"""Right operands that a peer keeps as the text of their JSON, and gives back so.

EDC 0.14 interprets no right operand: it sends `{"@id": …}` back as the string `"{\"@id\":…}"`, a
list likewise, and finds an agreement equal to its request only if that value comes back to it as
an object. So `odrl` reads such a text as what it holds, and an agreement for an EDC is unfolded.
"""

from collections.abc import Mapping
from typing import Final

import orjson

_RIGHT: Final = ("rightOperand", "odrl:rightOperand", "http://www.w3.org/ns/odrl/2/rightOperand")
_NODES: Final = ({"@id"}, {"@value"}, {"@value", "@type"})


def value(data: object) -> object:
    """The value in a text that holds nothing but its JSON; any other text stays a text."""
    if not isinstance(data, str) or data[:1] not in ("{", "["):
        return data
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError:
        return data
    items = found if isinstance(found, list) else [found]
    named = [isinstance(each, Mapping) and set(each) in _NODES for each in items]
    return found if named and all(named) else data


def unfolded(part: object) -> object:
    """Rules as received, their right operands as the values they hold."""
    if isinstance(part, Mapping):
        return {key: value(item) if key in _RIGHT else unfolded(item) for key, item in part.items()}
    return [unfolded(each) for each in part] if isinstance(part, list) else part
